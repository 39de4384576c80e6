"""News inside this process: "something changed for this member", told to whoever listens.

A pulse carries no content. Whoever hears one reads the database, so a lost or doubled pulse never loses or doubles
a message. Other processes do not hear it; listeners therefore also look by themselves every few seconds.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Listener:
    """One page that wants to know. Made and awaited in an event loop; pulses may come from any thread."""

    def __init__(self, pulse: Pulse, topic: str) -> None:
        self._pulse = pulse
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self.topics = {topic}

    def __enter__(self) -> Self:
        for topic in self.topics:
            self._pulse._join(topic, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for topic in self.topics:
            self._pulse._leave(topic, self)

    def also(self, topic: str) -> None:
        """Listen to one more topic."""
        if topic not in self.topics:
            self.topics.add(topic)
            self._pulse._join(topic, self)

    def wake(self) -> None:
        """Wake the listener up, from whatever thread."""
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            return  # its loop is closed: nobody is left to be woken

    async def wait(self, seconds: float) -> bool:
        """Wait for a pulse, at most so many seconds; True if one came."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Pulse:
    """Who listens to what, and for whom a turn is being worked on right now. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._working: Counter[str] = Counter()
        self.closed = False

    def listen(self, topic: str) -> Listener:
        """Return a listener to be used in a `with`, inside a running event loop."""
        return Listener(self, topic)

    def publish(self, topic: str) -> None:
        """Wake everybody who listens to `topic`."""
        with self._lock:
            listeners = list(self._listeners.get(topic, ()))
        for listener in listeners:
            listener.wake()

    def listening(self, topic: str) -> int:
        """Return how many listen to `topic`."""
        with self._lock:
            return len(self._listeners.get(topic, ()))

    @contextmanager
    def working(self, topic: str) -> Iterator[None]:
        """Show a typing sign for as long as the block runs."""
        with self._lock:
            self._working[topic] += 1
        self.publish(topic)
        try:
            yield
        finally:
            with self._lock:
                self._working[topic] -= 1
                if self._working[topic] <= 0:
                    del self._working[topic]
            self.publish(topic)

    def is_working(self, topic: str) -> bool:
        """Whether a turn is being worked on."""
        with self._lock:
            return self._working[topic] > 0

    def close(self) -> None:
        """Tell every listener that the house is closing."""
        self.closed = True
        with self._lock:
            everybody = {listener for listeners in self._listeners.values() for listener in listeners}
        for listener in everybody:
            listener.wake()

    def _join(self, topic: str, listener: Listener) -> None:
        with self._lock:
            self._listeners[topic].add(listener)

    def _leave(self, topic: str, listener: Listener) -> None:
        with self._lock:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]
