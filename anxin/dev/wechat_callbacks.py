"""What WeChat posts to a callback, sealed by the vendor's own recipe, written down here once more.

Nothing of the application is used: what it opens was sealed by somebody else.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import time
from dataclasses import dataclass
from itertools import count

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

APP_ID = "wx1234567890abcdef"
ACCOUNT = "gh_aaaabbbbcccc"
TOKEN = "callback-token"  # noqa: S105 - of the server on loopback
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
BLOCK = 32
_numbers = count(24_000_000_000_000_000)


@dataclass(frozen=True, slots=True)
class Callback:
    """One post: what stands in the address, and the body."""

    query: dict[str, str]
    body: bytes


def sign(*parts: str) -> str:
    """Return the signature over these parts."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the vendor's recipe


def seal(plain: str, *, key: str = KEY, owner: str = APP_ID) -> str:
    """Return the Encrypt part: sixteen random bytes, length, words, owner; padded to 32, AES-256-CBC, base64."""
    raw, words = base64.b64decode(key + "="), plain.encode()
    block = os.urandom(16) + struct.pack(">I", len(words)) + words + owner.encode()
    missing = BLOCK - len(block) % BLOCK
    encryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return base64.b64encode(encryptor.update(block + bytes([missing]) * missing) + encryptor.finalize()).decode()


def unseal(sealed: str, *, key: str = KEY, owner: str = APP_ID) -> str:
    """Return the words of an Encrypt part.

    Raises:
        ValueError: it is not for this owner, or not sealed with this key.
    """
    raw = base64.b64decode(key + "=")
    decryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).decryptor()
    block = decryptor.update(base64.b64decode(sealed)) + decryptor.finalize()
    padding = block[-1]
    if not 1 <= padding <= BLOCK or block[-padding:] != bytes([padding]) * padding:
        raise ValueError("wrong padding")
    (length,) = struct.unpack(">I", block[16:20])
    if block[20 + length : -padding] != owner.encode():
        raise ValueError("somebody else's")
    return block[20 : 20 + length].decode()


def sealed_callback(
    xml: str, *, at: float | None = None, key: str = KEY, token: str = TOKEN, owner: str = APP_ID, beside: str = ""
) -> Callback:
    """Return a callback as secure mode posts it; `beside` is what compatible mode leaves open next to it."""
    return posted(seal(xml, key=key, owner=owner), at=at, token=token, beside=beside)


def posted(sealed: str, *, at: float | None = None, token: str = TOKEN, beside: str = "") -> Callback:
    """Return a callback around an Encrypt part, signed as it stands."""
    query = _signed(at, token)
    query |= {"encrypt_type": "aes", "msg_signature": sign(token, query["timestamp"], query["nonce"], sealed)}
    inside = f"<Encrypt><![CDATA[{sealed}]]></Encrypt>"
    return Callback(query, f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>{inside}{beside}</xml>".encode())


def open_callback(xml: str | bytes, *, at: float | None = None, token: str = TOKEN) -> Callback:
    """Return a callback as plain mode posts it."""
    return Callback(_signed(at, token), xml.encode() if isinstance(xml, str) else xml)


def text(person: str, content: str, *, number: int | None = None, at: float | None = None, menu: str = "") -> str:
    """Return a text message, or a tapped quick reply if `menu` names one."""
    clicked = f"<bizmsgmenuid>{_data(menu)}</bizmsgmenuid>" if menu else ""
    return message(person, "text", f"<Content>{_data(content)}</Content>{clicked}", number=number, at=at)


def message(person: str, kind: str, inside: str = "", *, number: int | None = None, at: float | None = None) -> str:
    """Return a message of any kind."""
    return (
        f"<xml>{_head(person, at)}<MsgType>{_data(kind)}</MsgType>{inside}"
        f"<MsgId>{next(_numbers) if number is None else number}</MsgId></xml>"
    )


def event(person: str, name: str, key: str = "", inside: str = "", *, at: float | None = None) -> str:
    """Return an event; it carries no number."""
    named = f"<Event>{_data(name)}</Event><EventKey>{_data(key)}</EventKey>"
    return f"<xml>{_head(person, at)}<MsgType>{_data('event')}</MsgType>{named}{inside}</xml>"


def _head(person: str, at: float | None) -> str:
    stamp = int(time.time() if at is None else at)
    return (
        f"<ToUserName>{_data(ACCOUNT)}</ToUserName><FromUserName>{_data(person)}</FromUserName>"
        f"<CreateTime>{stamp}</CreateTime>"
    )


def _signed(at: float | None, token: str) -> dict[str, str]:
    stamp, nonce = str(int(time.time() if at is None else at)), str(int.from_bytes(os.urandom(4), "big"))
    return {"signature": sign(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}


def _data(words: str) -> str:
    inside = words.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{inside}]]>"
