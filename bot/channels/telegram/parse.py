"""Telegram's updates in our words.

Only what a person writes to the bot in a private chat becomes a message: edits, channel posts, groups, other bots
and kinds not known yet are none of ours. What cannot be read (voice, pictures) is stored as a placeholder beside
its caption, so that the turn can say so and safety still reads the words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType

from care.services.conversations import Inbound

CHANNEL = "telegram"
BODY_LIMIT = 1_000_000  # bytes; a text of 4,096 characters with everything around it stays far below
WANTED = ("message", "callback_query")
TOKEN_LIMIT = 64  # bytes of callback data

START = "你好"  # what pressing Telegram's START button says in its place
PLACEHOLDERS = {
    "voice": "[语音]",
    "video_note": "[视频]",
    "video": "[视频]",
    "audio": "[音频]",
    "photo": "[图片]",
    "sticker": "[表情]",
    "animation": "[动图]",
    "document": "[文件]",
    "location": "[位置]",
    "contact": "[名片]",
}


class Malformed(Exception):
    """An update that is not one."""


@dataclass(frozen=True, slots=True)
class Tap:
    """What has to be told to Telegram about a tapped button: that it was seen, and where it was."""

    query_id: str
    chat_id: int | None
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Received:
    """An update: its number, what it says to us if anything, and the tap it came from if it was one."""

    update_id: int
    inbound: Inbound | None = None
    tap: Tap | None = None


def from_bytes(body: bytes) -> Received:
    """Return what a webhook brought.

    Raises:
        Malformed: it is not an update.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed from None
    return from_json(data)


def from_json(data: Any) -> Received:
    """Return an update in our words.

    Raises:
        Malformed: it is not an update.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("update_id"), int):
        raise Malformed
    try:
        update = Update.de_json(dict(data), None)
    except Exception:  # the library raises whatever a wrong shape leads to
        raise Malformed from None
    return from_update(update)


def from_update(update: Update) -> Received:
    """Return an update in our words; one that is none of ours carries nothing."""
    if update.message is not None:
        return Received(update.update_id, _message(update.update_id, update.message))
    if update.callback_query is not None:
        return _tap(update.update_id, update.callback_query)
    return Received(update.update_id)


def _message(update_id: int, message: Message) -> Inbound | None:
    if message.chat.type != ChatType.PRIVATE or message.from_user is None or message.from_user.is_bot:
        return None
    text = _words(message)
    if text is None:
        return None
    return Inbound(channel=CHANNEL, external_id=str(message.chat.id), vendor_id=f"update:{update_id}", text=text)


def _words(message: Message) -> str | None:
    if message.text is not None:
        return START if message.text.split(maxsplit=1)[:1] == ["/start"] else message.text
    for kind, placeholder in PLACEHOLDERS.items():
        if getattr(message, kind):
            return f"{message.caption} {placeholder}" if message.caption else placeholder
    return message.caption


def _tap(update_id: int, query: CallbackQuery) -> Received:
    """A second tap on the same button, or the same tap brought twice, has the same vendor id."""
    where = query.message
    tap = Tap(query.id, where.chat.id if where else None, where.message_id if where else None)
    private = where is None or where.chat.type == ChatType.PRIVATE
    if not query.data or len(query.data.encode()) > TOKEN_LIMIT or not private or query.from_user.is_bot:
        return Received(update_id, None, tap)
    person = str(query.from_user.id)
    inbound = Inbound(
        channel=CHANNEL, external_id=person, vendor_id=f"tap:{person}:{query.data}", text="", button=query.data
    )
    return Received(update_id, inbound, tap)
