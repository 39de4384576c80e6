"""WeCom's callbacks and the rows of 微信客服 in our words.

A callback carries no words of anybody: it rings a bell (`Bell`), or says that somebody was added as a contact
(`Greeting`). What was said comes by pulling, as rows: a customer's (origin 3), the system's events (4), a colleague's
in the vendor's own desk (5). What cannot be read becomes a placeholder, so that the turn can say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from bot.channels.tencent.crypto import NotGenuine, fields_of
from care.model.rights import Trigger
from care.services.conversations import Inbound, Media

CHANNEL = "wecom_kf"
SEPARATOR = "/"  # between the service account and the customer in an external id
MENU = "anxin:"  # before our own button tokens in a menu id

PLACEHOLDERS = {
    "image": "[图片]",
    "voice": "[语音]",
    "video": "[视频]",
    "file": "[文件]",
    "location": "[位置]",
    "link": "[链接]",
    "business_card": "[名片]",
    "miniprogram": "[小程序]",
    "channels": "[视频号]",
    "merged_msg": "[聊天记录]",
}
UNKNOWN = "[暂不支持的消息]"


class Malformed(Exception):
    """Something that is not what WeCom says it sends."""


@dataclass(frozen=True, slots=True)
class Bell:
    """There is something to pull; the token is good for ten minutes."""

    open_kfid: str
    token: str


@dataclass(frozen=True, slots=True)
class Greeting:
    """Somebody was added as a contact; the code greets them once, within twenty seconds."""

    code: str
    at: datetime


class Origin(IntEnum):
    """Who made a row."""

    CUSTOMER = 3
    SYSTEM = 4
    SERVICER = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a service account's log."""

    msgid: str
    open_kfid: str
    customer: str
    at: datetime
    origin: int
    kind: str
    body: Mapping[str, Any]
    servicer: str = ""

    @property
    def external_id(self) -> str:
        """The customer as this channel knows them: an answer needs the service account too."""
        return external_id(self.open_kfid, self.customer)

    @property
    def vendor_id(self) -> str:
        """What the same row is recognised by."""
        return f"msg:{self.open_kfid}:{self.msgid}"


def external_id(open_kfid: str, customer: str) -> str:
    """Return one name for a customer of a service account."""
    return f"{open_kfid}{SEPARATOR}{customer}"


def parties(name: str) -> tuple[str, str]:
    """Return service account and customer of an external id.

    Raises:
        Malformed: it is not one of ours.
    """
    open_kfid, separator, customer = name.partition(SEPARATOR)
    if not separator or not open_kfid or not customer:
        raise Malformed
    return open_kfid, customer


def callback(plain: str) -> Bell | Greeting | None:
    """Return what a decrypted callback says; None for what is none of ours.

    Raises:
        Malformed: it is not a callback.
    """
    try:
        fields = fields_of(plain)
    except NotGenuine:
        raise Malformed from None
    event = _text(fields, "Event")
    if event == "kf_msg_or_event":
        return Bell(_text(fields, "OpenKfId"), _text(fields, "Token"))
    if event == "change_external_contact" and _text(fields, "ChangeType") == "add_external_contact":
        code = _text(fields, "WelcomeCode")
        return Greeting(code, _moment(_text(fields, "CreateTime"))) if code else None
    return None


def row(data: Any) -> Row:
    """Return one row of the log.

    Raises:
        Malformed: it has no id, no time or no origin, or they are not what they should be.
    """
    if not isinstance(data, Mapping):
        raise Malformed
    kind = _text(data, "msgtype")
    body = data.get(kind, {})
    body = body if isinstance(body, Mapping) else {}
    within = body if kind == "event" else data  # an event names its parties itself
    origin = data.get("origin")
    msgid = _text(data, "msgid")
    if not msgid or not isinstance(origin, int):
        raise Malformed
    return Row(
        msgid=msgid,
        open_kfid=_text(data, "open_kfid") or _text(within, "open_kfid"),
        customer=_text(data, "external_userid") or _text(within, "external_userid"),
        at=_moment(data.get("send_time")),
        origin=origin,
        kind=kind,
        body=body,
        servicer=_text(data, "servicer_userid") or _text(within, "servicer_userid"),
    )


def words(one: Row) -> str:
    """Return what a row says, or a placeholder for what cannot be read."""
    if one.kind == "text":
        return _text(one.body, "content")
    placeholder = PLACEHOLDERS.get(one.kind, UNKNOWN)
    place = " ".join(part for part in (_text(one.body, "name"), _text(one.body, "address")) if part)
    return f"{place} {placeholder}" if one.kind == "location" and place else placeholder


def inbound(one: Row) -> Inbound:
    """Return a customer's row as a message; a tap on one of our menus carries the button's token.

    A tap is a message of the customer like any other here: it gives the same right to answer.
    """
    menu = _text(one.body, "menu_id") if one.kind == "text" else ""
    media_id = _text(one.body, "media_id")
    media: Media | None = None
    if media_id and one.kind in {"image", "voice"}:
        media = Media("picture" if one.kind == "image" else "voice", media_id)
    return Inbound(
        channel=CHANNEL,
        external_id=one.external_id,
        vendor_id=one.vendor_id,
        text=words(one),
        button=menu.removeprefix(MENU) if menu.startswith(MENU) else None,
        trigger=Trigger.MESSAGE,
        media=media,
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _moment(raw: Any) -> datetime:
    try:
        return datetime.fromtimestamp(int(raw), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise Malformed from None
