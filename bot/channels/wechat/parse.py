"""What WeChat tells us, in our words.

The library behind it names messages and events; everything it hands over is checked here, because on a strange body
it raises whatever it stumbles over and passes lists and mappings where words should be. What cannot be read (voice,
pictures) becomes a placeholder beside its words, so that the turn can say so and safety still reads the words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wechatpy import parser as library

from care.model.rights import Trigger
from care.services.conversations import Inbound, Media

CHANNEL = "wechat"
MENU = "anxin:"  # before our own button tokens in a menu id; other menus of the account have other ids
DOUBLE_TAP_S = 10  # the same tap again within the same ten seconds is one tap

PLACEHOLDERS = {
    "image": "[图片]",
    "voice": "[语音]",
    "video": "[视频]",
    "shortvideo": "[视频]",
    "location": "[位置]",
    "link": "[链接]",
    "file": "[文件]",
    "miniprogrampage": "[小程序]",
}
UNKNOWN = "[暂不支持的消息]"
PERSON = re.compile(r"[A-Za-z0-9_-]{1,64}")
STAMP = re.compile(r"[0-9]{1,11}")

_library: Any = library  # carries no types


class Malformed(Exception):
    """Not what WeChat says it sends."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message, a tapped quick reply or a tapped menu entry that speaks."""

    inbound: Inbound


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody follows us, or follows already and scanned a code of ours; `scene` is what the code says."""

    person: str
    vendor_id: str
    trigger: Trigger
    scene: str | None


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """Somebody follows us no more."""

    person: str
    vendor_id: str


@dataclass(frozen=True, slots=True)
class Clicked:
    """A tapped menu entry that says nothing, and still gives a right to write.

    `account` is set when the member is left waiting for a word; it is who we are to them.
    """

    person: str
    vendor_id: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class OptedIn:
    """Somebody said yes or no to one notice of a template."""

    person: str
    vendor_id: str
    template: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a notice."""

    person: str
    vendor_id: str
    provider_id: str
    outcome: Literal["delivered", "refused"]
    reason: str | None


Heard = Said | Followed | Unfollowed | Clicked | OptedIn | Receipt


def heard(xml: str) -> list[Heard]:
    """Return what a callback says; nothing for what is none of ours.

    Raises:
        Malformed: it is not one of WeChat's.
    """
    try:
        message = _library.parse_message(xml)
        fields: Any = message._data
        kind = str(message._data["MsgType"]).lower()
    except Exception:  # eight kinds of it, see decision 0010
        raise Malformed from None
    if not isinstance(fields, Mapping):
        raise Malformed
    person, stamp = _text(fields, "FromUserName"), _text(fields, "CreateTime")
    if not PERSON.fullmatch(person) or not STAMP.fullmatch(stamp):
        raise Malformed
    if kind == "event":
        return _event(str(getattr(message, "event", "") or _text(fields, "Event")).lower(), fields, person)
    return [Said(_message(kind, fields, person, int(stamp)))]


def _message(kind: str, fields: Mapping[str, Any], person: str, stamp: int) -> Inbound:
    menu = _text(fields, "bizmsgmenuid") if kind == "text" else ""
    token = menu.removeprefix(MENU) if menu.startswith(MENU) else None
    media_id = _text(fields, "MediaId")
    media: Media | None = None
    if media_id and kind in {"image", "voice"}:
        media = Media("picture" if kind == "image" else "voice", media_id)
    if token:
        vendor_id = _named("tap", person, token, str(stamp // DOUBLE_TAP_S))
    else:
        number = _text(fields, "MsgId")
        vendor_id = f"msg:{number}" if number.isdecimal() and len(number) < 40 else _same(fields, person)
    return Inbound(
        channel=CHANNEL,
        external_id=person,
        vendor_id=vendor_id,
        text=_words(kind, fields),
        button=token,
        trigger=Trigger.CLICK if menu else Trigger.MESSAGE,  # any menu's tap counts as a click only
        media=media,
    )


def _words(kind: str, fields: Mapping[str, Any]) -> str:
    if kind == "text":
        return _text(fields, "Content")
    placeholder = PLACEHOLDERS.get(kind, UNKNOWN)
    beside = {"voice": ("Recognition",), "location": ("Label",), "link": ("Title",), "miniprogrampage": ("Title",)}
    words = " ".join(part for name in beside.get(kind, ()) if (part := _text(fields, name).strip()))
    return f"{words} {placeholder}" if words else placeholder


def _event(name: str, fields: Mapping[str, Any], person: str) -> list[Heard]:
    same = _same(fields, person)
    key = _text(fields, "EventKey")
    match name:
        case "subscribe" | "subscribe_scan":
            return [Followed(person, same, Trigger.FOLLOW, key.removeprefix("qrscene_") or None)]
        case "scan":
            return [Followed(person, same, Trigger.SCAN, key or None)]
        case "unsubscribe":
            return [Unfollowed(person, same)]
        case "click" if key:
            return [Said(Inbound(CHANNEL, person, same, key, trigger=Trigger.CLICK))]
        case "click" | "scancode_waitmsg":
            return [Clicked(person, same, _text(fields, "ToUserName"))]
        case "scancode_push":
            return [Clicked(person, same)]
        case "subscribe_msg_popup_event" | "subscribe_msg_change_event":
            return [
                OptedIn(person, f"{same}:{number}", template, answer == "accept")
                for number, entry in enumerate(_entries(fields, "SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent"))
                if (template := _text(entry, "TemplateId"))
                and (answer := _text(entry, "SubscribeStatusString")) in {"accept", "reject"}
            ]
        case "subscribe_msg_sent_event":
            return [
                _receipt(person, f"{same}:{number}", _text(entry, "MsgID"), _text(entry, "ErrorStatus"))
                for number, entry in enumerate(_entries(fields, "SubscribeMsgSentEvent"))
                if _text(entry, "MsgID")
            ]
        case "templatesendjobfinish" if _text(fields, "MsgID"):
            return [_receipt(person, same, _text(fields, "MsgID"), _text(fields, "Status"))]
    return []


def _receipt(person: str, vendor_id: str, number: str, status: str) -> Receipt:
    """The vendor's words about a failure become one of ours."""
    if status == "success":
        return Receipt(person, vendor_id, number, "delivered", None)
    return Receipt(person, vendor_id, number, "refused", "blocked" if "block" in status.lower() else "not_delivered")


def _entries(fields: Mapping[str, Any], *names: str) -> list[Mapping[str, Any]]:
    """Return the entries of a list that has one name for one and for many."""
    for name in names:
        within = fields.get(name)
        found = within.get("List") if isinstance(within, Mapping) else None
        if found is not None:
            return [entry for entry in (found if isinstance(found, list) else [found]) if isinstance(entry, Mapping)]
    return []


def _text(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that is words or absent.

    Raises:
        Malformed: it is there twice, or has something below it.
    """
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed
    return value


def _same(fields: Mapping[str, Any], person: str) -> str:
    """Return what the same thing brought again is recognised by; events carry no number of their own."""
    parts = ("CreateTime", "MsgType", "Event", "EventKey", "MsgID", "Content")
    return _named("event", person, *(_text(fields, name) for name in parts))


def _named(kind: str, *parts: str) -> str:
    """Return a name that does not tell whose it is."""
    return f"{kind}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:40]}"
