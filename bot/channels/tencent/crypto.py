"""Whether a callback is the vendor's, and what is in its envelope.

The library behind it does AES and nothing else: signatures are compared here in constant time, an empty token or key
is refused, and whatever it raises on a wrong key (it is almost never its own error) becomes `NotGenuine`. During a
change of keys the current and the previous one open; an answer is sealed with the one that opened.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xmltodict as xml_library
from fastapi import Request
from wechatpy import crypto as library

BODY_LIMIT = 200_000  # bytes; the longest text with everything around it, three times over, stays far below
AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
SEALED = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?\s*([A-Za-z0-9+/=]+)\s*(?:\]\]>)?\s*</Encrypt>")
CANDIDATES = 8
BAD_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_library: Any = library  # carries no types
_xml: Any = xml_library


class NotGenuine(Exception):
    """Not from the vendor, not for us, or broken on the way."""


class TooLarge(Exception):
    """A body longer than any the vendor sends."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in an envelope, and which key opened it."""

    plain: str
    key: int


class Locks:
    """Token and keys of one account.

    Args:
        token: the callback's; never empty.
        owner: AppID, or CorpID for 企业微信; stands inside every envelope.
        keys: EncodingAESKeys of 43 characters: the current one, then previous ones; none where nothing is sealed.

    Raises:
        ValueError: a token or key that would let anybody in.
    """

    def __init__(self, token: str, owner: str, keys: Sequence[str]) -> None:
        if not token or not owner:
            raise ValueError("a callback needs a token and an owner")
        if not all(is_aes_key(key) for key in keys):
            raise ValueError("an EncodingAESKey has 43 letters and digits")
        self._token = token
        self._owner = owner
        self._keys = [base64.b64decode(key + "=") for key in keys]

    def signed(self, signature: str | None, timestamp: str | None, nonce: str | None, sealed: str = "") -> bool:
        """Whether the signature is the vendor's; `sealed` is the Encrypt part, which `msg_signature` covers too."""
        if not signature or not timestamp or not nonce:
            return False
        parts = [self._token, timestamp, nonce, *([sealed] if sealed else [])]
        return hmac.compare_digest(_sha1(parts), signature.encode())

    def open(self, sealed: str, signature: str | None, timestamp: str | None, nonce: str | None) -> Opened:
        """Return what is in an Encrypt part whose `msg_signature` is right.

        Raises:
            NotGenuine: wrongly signed, or no key of ours opens it, or it is meant for somebody else.
        """
        if not sealed or not self.signed(signature, timestamp, nonce, sealed):
            raise NotGenuine
        for number, key in enumerate(self._keys):
            try:
                plain = _library.PrpCrypto(key).decrypt(sealed, self._owner)
            except Exception:  # noqa: S112 - any of eight kinds; the next key may be the one
                continue
            if isinstance(plain, str):
                return Opened(plain, number)
        raise NotGenuine

    def seal(self, plain: str, *, timestamp: str, nonce: str, key: int = 0) -> str:
        """Return an answer in its envelope, sealed with the key that opened the question."""
        sealed = _library.PrpCrypto(self._keys[key]).encrypt(plain, self._owner).decode()
        signature = _sha1([self._token, timestamp, nonce, sealed]).decode()
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{printable(nonce)}]]></Nonce></xml>"
        )


def is_aes_key(key: str) -> bool:
    """Whether it can be an EncodingAESKey."""
    return AES_KEY.fullmatch(key) is not None


def fields_of(xml: bytes | str) -> dict[str, Any]:
    """Return what stands directly below `<xml>`; entities are refused, nothing is fetched.

    Raises:
        NotGenuine: it is no XML, or not of this shape.
    """
    try:
        parsed = _xml.parse(xml)
    except Exception:  # the parser raises whatever a wrong shape leads to
        raise NotGenuine from None
    fields = parsed.get("xml") if isinstance(parsed, dict) else None
    if not isinstance(fields, dict):
        raise NotGenuine
    return fields


def sealed_parts(body: bytes) -> list[str]:
    """Return what may be the Encrypt part of a body; the signature decides which one is.

    Nothing is parsed before it is known to be the vendor's: whoever saw one signature could post any body with it. In
    compatible mode a member's own words stand beside the sealed ones, and may look like them.
    """
    return [found.decode() for found in SEALED.findall(body)[:CANDIDATES]]


def sealed_part(body: bytes) -> str:
    """Return the Encrypt part of a body that has nothing beside it, or nothing if it has none."""
    return next(iter(sealed_parts(body)), "")


def printable(text: str) -> str:
    """Return text that may stand in a CDATA section: characters XML knows, and no end of the section."""
    return BAD_IN_XML.sub("", text).replace("]]>", "]]]]><![CDATA[>")


async def read_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """Return a request's body, reading no more than `limit` bytes, whatever its length was said to be.

    Raises:
        TooLarge: there is more.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def _sha1(parts: Sequence[str]) -> bytes:
    joined = "".join(sorted(parts))  # the vendor's own recipe
    return hashlib.sha1(joined.encode("utf-8", "replace")).hexdigest().encode()  # noqa: S324
