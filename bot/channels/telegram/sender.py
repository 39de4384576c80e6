"""Delivering to Telegram, and what its refusals mean to us."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import NoReturn

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channels.telegram.line import CALL_TIMEOUT_S, TelegramLine
from bot.channels.telegram.parse import CHANNEL, Tap
from care.model.errors import SendLater, SendRefused, SendUnknown
from care.model.ids import OutboxId
from care.model.member import Identity
from care.model.message import Message
from care.model.pieces import PieceLimit
from care.services.conversations import button_token

logger = logging.getLogger(__name__)

LIMIT = PieceLimit("utf16", 4_096, 100)  # the vendor's own; ours, in the settings, stays below it
PACE_S = 1.0  # seconds between two messages to one private chat
WRONG_TOKEN_S = 300.0  # seconds until a refused token is tried again
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TelegramSender:
    """Sends through the line. Telegram recognises no repeats, so a send without an answer is `unknown`."""

    channel = CHANNEL
    idempotent = False
    limit: PieceLimit | None = LIMIT

    def __init__(self, line: TelegramLine) -> None:
        self._line = line

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Send one piece and return the vendor's number of it; see the port."""
        if not to.external_id.lstrip("-").isdecimal():
            raise SendRefused("bad_chat")
        if not message.text.strip():
            raise SendRefused("empty")
        try:
            return self._line.call(self._send(int(to.external_id), message), CALL_TIMEOUT_S * 2)
        except TimeoutError:
            raise SendUnknown from None

    def answer(self, tap: Tap) -> None:
        """Stop the spinner on a tapped button and take its keyboard away; too late is no harm. Does not wait."""
        self._line.keep_running(self._answer(tap))

    async def _send(self, chat: int, message: Message) -> str:
        bot: Bot = self._line.bot
        try:
            sent = await bot.send_message(
                chat,
                message.text,
                reply_markup=keyboard(message),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except TelegramError as error:
            translate(error)
        return str(sent.message_id)

    async def _answer(self, tap: Tap) -> None:
        bot: Bot = self._line.bot
        try:
            await bot.answer_callback_query(tap.query_id)
            if tap.chat_id is not None and tap.message_id is not None:
                await bot.edit_message_reply_markup(tap.chat_id, tap.message_id, reply_markup=None)
        except TelegramError as late:
            logger.info("tap not answered", extra={"channel": CHANNEL, "code": type(late).__name__})


def keyboard(message: Message) -> InlineKeyboardMarkup | None:
    """Return a message's buttons, one a row: they carry Chinese sentences, and phones are narrow."""
    rows = [
        [InlineKeyboardButton(button.title, callback_data=button_token(message, index))]
        for index, button in enumerate(message.buttons)
    ]
    return InlineKeyboardMarkup(rows) if rows else None


def seconds(span: float | timedelta) -> float:
    """Return a wish for patience in seconds; the library says it as a number or as a span."""
    return span.total_seconds() if isinstance(span, timedelta) else float(span)


def translate(error: TelegramError) -> NoReturn:
    """Say in our words what Telegram's refusal means.

    Raises:
        SendRefused: blocked, deactivated, or a message it will never take.
        SendLater: too many, unreachable, or our token is refused (which is ours to mend, not the member's loss).
        SendUnknown: the answer never came.
    """
    if isinstance(error, RetryAfter):
        raise SendLater("too_many", seconds(error.retry_after)) from None
    if isinstance(error, Forbidden):
        words = error.message.lower()
        reason = "blocked" if "blocked" in words else "deactivated" if "deactivated" in words else "forbidden"
        raise SendRefused(reason) from None
    if isinstance(error, BadRequest | ChatMigrated):
        raise SendRefused("bad_request") from None
    if isinstance(error, InvalidToken):
        raise SendLater("wrong_token", WRONG_TOKEN_S) from None
    cause = error.__cause__
    if isinstance(error, TimedOut):
        if isinstance(cause, NEVER_LEFT):
            raise SendLater("unreachable") from None
        raise SendUnknown from None
    if isinstance(error, NetworkError):
        if isinstance(cause, httpx.HTTPError) and not isinstance(cause, NEVER_LEFT):
            raise SendUnknown from None  # the connection broke after the words were out
        raise SendLater("unreachable") from None
    raise SendLater("telegram_error") from None
