"""The one connection to Telegram: a bot in an event loop of its own thread, which every other thread asks.

An HTTP client belongs to the loop it was made in; so there is one loop, one bot and one way in. The token is part
of every address the library calls: nothing here or below logs an address or an exception's words.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from telegram import Bot
from telegram.request import HTTPXRequest

from care.model.errors import SendLater

logger = logging.getLogger(__name__)

CALL_TIMEOUT_S = 10.0  # connect, write and read, each
POLL_TIMEOUT_S = 25  # seconds Telegram keeps an empty poll open
Answer = TypeVar("Answer")


class TelegramLine:
    """A running bot. `call` may be used from any thread, `bot` only inside the line's own loop.

    Args:
        token: the bot's.
        base_url: where Telegram listens; on loopback the machine's proxy settings are left aside.
        call_timeout_s: seconds for connecting, writing and reading, each.
    """

    bot: Bot

    def __init__(self, token: str, base_url: str, *, call_timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._token = token
        self._base_url = base_url
        self._call_timeout_s = call_timeout_s
        self._requests: list[HTTPXRequest] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start the loop; Telegram itself is first called when there is something to say."""
        for name in ("httpx", "httpcore", "telegram"):
            logging.getLogger(name).setLevel(logging.WARNING)  # their lines carry addresses
        self._requests = [self._request(16), self._request(2)]
        self.bot = Bot(
            self._token,
            base_url=self._base_url,
            request=self._requests[0],
            get_updates_request=self._requests[1],
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True)
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
        try:
            asyncio.run_coroutine_threadsafe(self._close(), loop).result(5.0)
        except Exception as stuck:
            logger.warning("telegram not closed", extra={"code": type(stuck).__name__})
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5.0)
        if not thread.is_alive():
            loop.close()
        self._loop = self._thread = None

    def _request(self, pool: int) -> HTTPXRequest:
        loopback = self._base_url.startswith(("http://127.0.0.1", "http://localhost"))
        return HTTPXRequest(
            connection_pool_size=pool,
            connect_timeout=self._call_timeout_s,
            read_timeout=self._call_timeout_s,
            write_timeout=self._call_timeout_s,
            pool_timeout=self._call_timeout_s,
            httpx_kwargs={"trust_env": not loopback},
        )

    def _spawn(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.warning("telegram task failed", extra={"code": type(failure).__name__})

    async def _close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for request in self._requests:
            await request.shutdown()
