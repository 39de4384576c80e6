"""A line to a vendor: an event loop in a thread of its own, which every other thread asks.

An HTTP client belongs to the loop it was made in; so there is one loop, one client and one way in. Tokens are part of
addresses: nothing here or below logs an address, a body or what an exception says.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from care.model.errors import SendLater

logger = logging.getLogger(__name__)

CLOSE_S = 5.0  # seconds that closing may take
CARRY_ADDRESSES = ("httpx", "httpcore", "telegram")  # loggers
Answer = TypeVar("Answer")


class Line:
    """The loop. `call` may be used from any thread; what a subclass opens, only inside the line's own loop.

    Args:
        base_url: where the vendor listens; on loopback the machine's proxy settings are left aside.
        name: of the thread.
    """

    def __init__(self, base_url: str, *, name: str) -> None:
        self._base_url = base_url
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start the loop; the vendor itself is first called when there is something to say."""
        for name in CARRY_ADDRESSES:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._open()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, Answer], timeout_s: float) -> Answer:
        """Run something in the loop and wait for it.

        Raises:
            TimeoutError: it took longer than `timeout_s` seconds; it was cancelled.
            SendLater: the line is closed.
        """
        if self._loop is None:
            coroutine.close()
            raise SendLater("line_closed")
        future: Future[Answer] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

    def keep_running(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something in the loop until it ends or the line is closed; its failure is logged by its kind."""
        if self._loop is None:
            coroutine.close()
            return
        self._loop.call_soon_threadsafe(self._spawn, self._loop, coroutine)

    def stop(self) -> None:
        """Cancel what runs, close the connections, end the loop."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._loop = self._thread = None
        try:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(CLOSE_S)
        except Exception as stuck:
            logger.warning("line not closed", extra={"channel": self._name, "code": type(stuck).__name__})
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_S)
        if not thread.is_alive():
            loop.close()

    @property
    def on_loopback(self) -> bool:
        """Whether the vendor is a stand-in on this machine."""
        return self._base_url.startswith(("http://127.0.0.1", "http://localhost"))

    def _open(self) -> None:
        """Make the client; nothing is called yet."""
        raise NotImplementedError

    async def _close(self) -> None:
        """Close the client's connections."""
        raise NotImplementedError

    def _spawn(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.warning("task failed", extra={"channel": self._name, "code": type(failure).__name__})

    async def _end(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._close()
