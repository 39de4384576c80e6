"""The one connection to Telegram: the library's bot on a line of its own."""

from __future__ import annotations

from telegram import Bot
from telegram.request import HTTPXRequest

from bot.channels.line import Line

CALL_TIMEOUT_S = 10.0  # connect, write and read, each
POLL_TIMEOUT_S = 25  # seconds Telegram keeps an empty poll open


class TelegramLine(Line):
    """A running bot.

    Args:
        token: the bot's.
        base_url: where Telegram listens.
        call_timeout_s: seconds for connecting, writing and reading, each.
    """

    bot: Bot

    def __init__(self, token: str, base_url: str, *, call_timeout_s: float = CALL_TIMEOUT_S) -> None:
        super().__init__(base_url, name="telegram")
        self._token = token
        self._call_timeout_s = call_timeout_s
        self._requests: list[HTTPXRequest] = []

    def _open(self) -> None:
        self._requests = [self._request(16), self._request(2)]
        self.bot = Bot(
            self._token,
            base_url=self._base_url,
            request=self._requests[0],
            get_updates_request=self._requests[1],
        )

    async def _close(self) -> None:
        for request in self._requests:
            await request.shutdown()

    def _request(self, pool: int) -> HTTPXRequest:
        return HTTPXRequest(
            connection_pool_size=pool,
            connect_timeout=self._call_timeout_s,
            read_timeout=self._call_timeout_s,
            write_timeout=self._call_timeout_s,
            pool_timeout=self._call_timeout_s,
            httpx_kwargs={"trust_env": not self.on_loopback},
        )
