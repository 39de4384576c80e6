"""The stream of server-sent events behind an open page: new messages, the typing sign, who is speaking."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.concurrency import run_in_threadpool

from bot.channels.web.reading import Excerpt, Line, read
from bot.pulse import Listener, Pulse
from care.bootstrap import House

LOOK_S = 5.0  # seconds between two looks when no pulse came; another process may have spoken
HEARTBEAT_S = 15.0  # seconds; proxies close what is silent for longer
RECONNECT_MS = 2_000  # what the browser waits before it comes back


def event(name: str, data: Line, cursor: int | None = None) -> str:
    """Return one server-sent event; `cursor` is what the browser brings back after a break."""
    number = f"id: {cursor}\n" if cursor is not None else ""
    return f"{number}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


class Stream:
    """One open page. Reads after every pulse and remembers what it has shown."""

    def __init__(
        self,
        house: House,
        pulse: Pulse,
        account: str,
        after: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house = house
        self._pulse = pulse
        self._account = account
        self._cursor = after
        self._shown: set[str] = set()
        self._owner: Line | None = None
        self._owner_told = False
        self._typing = False
        self._monotonic = monotonic

    async def events(self) -> AsyncGenerator[str, None]:
        """Yield events until the house closes; the server ends it when the browser goes away."""
        yield f"retry: {RECONNECT_MS}\n\n"
        with self._pulse.listen(self._account) as listener:
            spoke_at = self._monotonic()
            while not self._pulse.closed:
                excerpt = await run_in_threadpool(read, self._house, self._account, after=self._cursor, to_end=True)
                for line in self._news(excerpt, listener):
                    spoke_at = self._monotonic()
                    yield line
                if self._monotonic() - spoke_at >= HEARTBEAT_S:
                    spoke_at = self._monotonic()
                    yield ": still here\n" + event("beat", {})
                await listener.wait(LOOK_S)

    def _news(self, excerpt: Excerpt, listener: Listener) -> list[str]:
        out: list[str] = []
        for line in excerpt.lines:
            key, number = str(line["id"]), int(str(line["seq"]))
            if key not in self._shown:
                out.append(event("message", line, min(number, excerpt.cursor)))
                self._shown.add(key)
        if excerpt.cursor > self._cursor:
            self._cursor = excerpt.cursor
            self._shown &= {str(line["id"]) for line in excerpt.lines}
        if excerpt.member_id is None:
            return out
        listener.also(excerpt.member_id)
        if not self._owner_told or excerpt.owner != self._owner:
            self._owner, self._owner_told = excerpt.owner, True
            out.append(event("owner", {"owner": excerpt.owner}))
        typing = self._pulse.is_working(excerpt.member_id)
        if typing != self._typing:
            self._typing = typing
            out.append(event("typing", {"on": typing}))
        return out


class OpenPages:
    """How many pages each browser holds open; one browser cannot use up the house."""

    def __init__(self, limit: int = 8) -> None:
        self._limit = limit
        self._open: dict[str, int] = {}

    def enter(self, account: str) -> bool:
        """Count one more page; False if the browser has enough."""
        if self._open.get(account, 0) >= self._limit:
            return False
        self._open[account] = self._open.get(account, 0) + 1
        return True

    def leave(self, account: str) -> None:
        """Count one page less."""
        left = self._open.get(account, 0) - 1
        if left > 0:
            self._open[account] = left
        else:
            self._open.pop(account, None)


async def counted(pages: OpenPages, account: str, events: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Yield the events and take the page off the count at their end, however it comes."""
    try:
        async with aclosing(events):
            async for line in events:
                yield line
    finally:
        pages.leave(account)
