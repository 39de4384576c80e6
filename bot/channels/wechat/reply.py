"""A reply inside the answer to a callback: it needs no right, and reaches the member at once or not at all."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from wechatpy import replies as library

from bot.channels.tencent.crypto import BAD_IN_XML, Locks

SIZE = 2_000  # bytes; WeChat takes 2,047
CLOSES = "]]>"

_library: Any = library  # carries no types


def rendered(text: str, *, person: str, account: str, at: datetime) -> str:
    """Return the reply as XML: whatever the text contains, it stays text.

    Args:
        text: what the member will read.
        person: whom it goes to.
        account: whom the callback was for, as it names itself.
        at: aware.
    """
    words = BAD_IN_XML.sub("", text)
    words = words.encode()[:SIZE].decode("utf-8", "ignore")
    words = words.replace(CLOSES, "]]]]><![CDATA[>")
    reply = _library.TextReply(content=words, source=account, target=person, time=int(at.timestamp()))
    return str(reply.render())


def sealed(xml: str, locks: Locks, *, key: int, at: datetime) -> str:
    """Return the reply in an envelope, under the key that opened the callback."""
    return locks.seal(xml, timestamp=str(int(at.timestamp())), nonce=secrets.token_hex(8), key=key)
