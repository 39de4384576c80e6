"""Delivering to Telegram, and what its refusals mean to us."""

from __future__ import annotations

import asyncio
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
from care.services.conversations import button_token

logger = logging.getLogger(__name__)

CHUNK_UNITS = 4_000  # UTF-16 units; Telegram's limit is 4,096 after it has read its own marks
PACE_S = 1.0  # seconds between two messages to one private chat
WAIT_IN_CALL_S = 15.0  # seconds a later part of one message may wait for Telegram's patience
WRONG_TOKEN_S = 300.0  # seconds until a refused token is tried again
BREAKS = ("\n\n", "\n", "。", "！", "？", "；", "，", " ")
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def units(text: str) -> int:
    """Return the length Telegram counts: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def split(text: str, limit: int = CHUNK_UNITS) -> list[str]:
    """Cut text into parts of at most `limit` UTF-16 units, after a paragraph or sentence where one is near."""
    parts: list[str] = []
    rest = text
    while units(rest) > limit:
        room = limit
        while (excess := units(rest[:room]) - limit) > 0:
            room -= (excess + 1) // 2  # no character is longer than two units
        cut = _near_end(rest[:room])
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    parts.append(rest)
    return [part for part in parts if part]


def _near_end(head: str) -> int:
    for mark in BREAKS:
        found = head.rfind(mark)
        if found >= len(head) // 2:
            return found + len(mark)
    return len(head)


class TelegramSender:
    """Sends through the line. Telegram recognises no repeats, so a send without an answer is `unknown`."""

    channel = CHANNEL
    idempotent = False

    def __init__(self, line: TelegramLine, *, pace_s: float = PACE_S) -> None:
        self._line = line
        self._pace_s = pace_s

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Send all parts of a message in order and return the vendor's number of the last one; see the port."""
        if not to.external_id.lstrip("-").isdecimal():
            raise SendRefused("bad_chat")
        parts = split(message.text)
        if not parts:
            raise SendRefused("empty")
        budget_s = len(parts) * (CALL_TIMEOUT_S * 2 + self._pace_s) + WAIT_IN_CALL_S
        try:
            return self._line.call(self._parts(int(to.external_id), parts, keyboard(message)), budget_s)
        except TimeoutError:
            raise SendUnknown from None

    def answer(self, tap: Tap) -> None:
        """Stop the spinner on a tapped button and take its keyboard away; too late is no harm. Does not wait."""
        self._line.keep_running(self._answer(tap))

    async def _parts(self, chat: int, parts: list[str], buttons: InlineKeyboardMarkup | None) -> str:
        number = ""
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            if index:
                await asyncio.sleep(self._pace_s)
            try:
                number = await self._part(chat, part, buttons if last else None, patient=index > 0)
            except SendLater:
                if index:  # repeating the whole would say its first parts twice
                    raise SendUnknown from None
                raise
        return number

    async def _part(self, chat: int, text: str, buttons: InlineKeyboardMarkup | None, *, patient: bool) -> str:
        bot: Bot = self._line.bot
        try:
            sent = await bot.send_message(
                chat, text, reply_markup=buttons, link_preview_options=LinkPreviewOptions(is_disabled=True)
            )
        except TelegramError as error:
            wait_s = seconds(error.retry_after) if isinstance(error, RetryAfter) else None
            if patient and wait_s is not None and wait_s <= WAIT_IN_CALL_S:
                await asyncio.sleep(wait_s)
                return await self._part(chat, text, buttons, patient=False)
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
