"""Telegram in and out: the webhook or the poll on one side, the sender on the other."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from bot.channels.telegram.line import TelegramLine
from bot.channels.telegram.parse import BODY_LIMIT, CHANNEL, Malformed, Received, from_bytes
from bot.channels.telegram.polling import poll
from bot.channels.telegram.sender import TelegramSender
from bot.inbound import accept
from care.bootstrap import House
from care.services.conversations import Recorded

logger = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name


class Telegram:
    """The channel of one bot.

    Args:
        house: open; its settings name the bot.
        stored: called after every stored message.
    """

    def __init__(self, house: House, *, stored: Callable[[Recorded], None]) -> None:
        settings = house.settings
        self._house = house
        self._stored = stored
        self.line = TelegramLine(settings.telegram_token.get_secret_value(), settings.telegram_base_url)
        self.sender = TelegramSender(self.line)

    def start(self) -> None:
        """Open the line and, in polling mode, begin to fetch."""
        self.line.start()
        if self._house.settings.telegram_mode == "polling":
            self.line.keep_running(poll(self.line, self.take))

    def stop(self) -> None:
        """Close the line."""
        self.line.stop()

    def take(self, received: Received) -> None:
        """Store an update, then answer its tap. Returns only when it is committed."""
        if received.inbound is not None:
            recorded = accept(self._house, received.inbound)
            if recorded.message_id is not None:
                self._stored(recorded)
        if received.tap is not None:
            self.sender.answer(received.tap)

    def routes(self) -> APIRouter:
        """Return the webhook; without a configured secret it refuses everybody."""
        router = APIRouter()
        secret = self._house.settings.telegram_secret.get_secret_value().encode()

        @router.post("/telegram/webhook")
        async def webhook(request: Request) -> Response:
            """Store an update and acknowledge it; what is no update is acknowledged too, or it came for ever."""
            offered = request.headers.get(SECRET_HEADER, "").encode()
            if not secret or not hmac.compare_digest(offered, secret):
                return Response(status_code=403)
            body = b""
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_LIMIT:
                    break
            try:
                received = from_bytes(body)
            except Malformed:
                logger.warning("telegram update malformed", extra={"channel": CHANNEL, "code": "malformed"})
                return Response(status_code=200)
            await run_in_threadpool(self.take, received)
            return Response(status_code=200)

        return router
