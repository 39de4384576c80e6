"""One connection to one of Tencent's servers: an HTTP client in an event loop of its own thread.

An HTTP client belongs to the loop it was made in; so there is one loop, one client and one way in for every other
thread. Access tokens are part of addresses: nothing here or below logs an address, a body or what an exception says.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import httpx

from care.model.errors import SendLater

logger = logging.getLogger(__name__)

CONNECT_S = 3.0
READ_S = 8.0  # for writing, too
CONNECTIONS = 64
Answer = TypeVar("Answer")


class TencentLine:
    """A running HTTP client. `call` may be used from any thread, `http` only inside the line's own loop.

    Args:
        base_url: where the interface begins, e.g. `https://api.weixin.qq.com/cgi-bin/`; on loopback the machine's
            proxy settings are left aside.
        name: of the thread.
        connect_s: seconds for connecting.
        read_s: seconds for writing and for waiting for the answer, each.
    """

    http: httpx.AsyncClient

    def __init__(
        self, base_url: str, *, name: str = "tencent", connect_s: float = CONNECT_S, read_s: float = READ_S
    ) -> None:
        self._base_url = base_url if base_url.endswith("/") else base_url + "/"
        self._name = name
        self._timeout = httpx.Timeout(read_s, connect=connect_s, pool=connect_s)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.patience_s = connect_s * 2 + read_s * 2  # seconds one request can take at most

    def start(self) -> None:
        """Start the loop; the vendor itself is first called when there is something to say."""
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)  # their lines carry addresses
        loopback = self._base_url.startswith(("http://127.0.0.1", "http://localhost"))
        self.http = httpx.AsyncClient(
            base_url=self._base_url,
            timeout=self._timeout,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=not loopback,
        )
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
            asyncio.run_coroutine_threadsafe(self._close(), loop).result(5.0)
        except Exception as stuck:
            logger.warning("line not closed", extra={"code": type(stuck).__name__})
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5.0)
        if not thread.is_alive():
            loop.close()

    def _spawn(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.warning("task on the line failed", extra={"code": type(failure).__name__})

    async def _close(self) -> None:
        everything = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in everything:
            task.cancel()
        await asyncio.gather(*everything, return_exceptions=True)
        await self.http.aclose()
