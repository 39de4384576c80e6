"""Live updates: one look at the database serves every open page, and each page is told only what moved."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.concurrency import run_in_threadpool

from care.bootstrap import House
from care.model.desk import Change, Mark, change
from care.services.desk import DeskIndex

LOOK_EVERY_S = 0.7
ASK_AGAIN_S = 5.0  # seconds between two looks at whether the session still stands
HEALTH_EVERY_S = 5.0
BEAT_S = 10.0  # a page that hears nothing for three of these thinks the line is dead
RECONNECT_MS = 1_500
PAGES_AT_MOST = 200

Sleep = Callable[[float], Awaitable[None]]


class Watch:
    """The latest mark, read anew when it is older than a look. Threads share it."""

    def __init__(self, index: DeskIndex, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._index = index
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._mark: Mark | None = None
        self._at = 0.0

    def look(self) -> Mark:
        """Return how things stand, at most a look old."""
        with self._lock:
            now = self._monotonic()
            if self._mark is None or now - self._at >= LOOK_EVERY_S / 2:
                self._mark, self._at = self._index.mark(), now
            return self._mark

    def since(self, before: Mark) -> tuple[Mark, Change]:
        """Return how things stand and what moved since `before`."""
        after = self.look()
        spoken = self._index.spoken_since(before.seq) if after.seq > before.seq else set()
        return after, change(before, after, frozenset(spoken))


class Health:
    """Whether the dialogue answers, asked now and then, never while somebody waits for it twice."""

    def __init__(self, house: House, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._house = house
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._at: float | None = None
        self._healthy = True

    def dialogue(self) -> bool:
        """Return whether the dialogue answered lately."""
        if not self._lock.acquire(blocking=False):
            return self._healthy
        try:
            now = self._monotonic()
            if self._at is None or now - self._at >= HEALTH_EVERY_S:
                self._healthy = self._house.dialogue.healthy()
                self._at = self._monotonic()
            return self._healthy
        finally:
            self._lock.release()


def event(name: str, data: object) -> str:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def events(
    watch: Watch,
    still_in: Callable[[], bool],
    *,
    sleep: Sleep = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[str]:
    """Yield what moves until the session ends; the server stops it when the page goes away.

    Args:
        watch: shared by all pages.
        still_in: whether the session stands; asked every few seconds, off the event loop.
        sleep: waits between two looks, in seconds.
        monotonic: seconds.
    """
    yield f"retry: {RECONNECT_MS}\n\n"
    mark = await run_in_threadpool(watch.look)
    yield event("hello", {"seq": mark.seq})
    spoke = asked = monotonic()
    while True:
        await sleep(LOOK_EVERY_S)
        now = monotonic()
        if now - asked >= ASK_AGAIN_S:
            asked = now
            if not await run_in_threadpool(still_in):
                yield event("over", {})
                return
        mark, moved = await run_in_threadpool(watch.since, mark)
        if moved:
            spoke = now
            yield event("change", _told(moved))
        elif now - spoke >= BEAT_S:
            spoke = now
            yield event("beat", {})


def _told(moved: Change) -> dict[str, object]:
    return {
        "list": moved.list_moved,
        "conversations": sorted(moved.conversations),
        "members": sorted(moved.members),
    }


class OpenPages:
    """How many streams are open, in all."""

    def __init__(self, limit: int = PAGES_AT_MOST) -> None:
        self._limit = limit
        self._open = 0

    async def counted(self, lines: AsyncIterator[str]) -> AsyncIterator[str]:
        """Yield the lines of one page, or end at once when too many are open."""
        if self._open >= self._limit:
            return
        self._open += 1
        try:
            async for line in lines:
                yield line
        finally:
            self._open -= 1
