"""What a WeCom on loopback posts to an application: signed and sealed by the library, not by our own code."""

from __future__ import annotations

from typing import Any

from wechatpy.enterprise import crypto as library

CORP = "ww0123456789abcdef"
SECRET = "corp-secret-nobody-may-see"  # noqa: S105 - of the fake
TOKEN = "callback-token"  # noqa: S105 - of the fake
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
AGENT = 1000002
ACCOUNT = "wkFakeServiceAccount"

_library: Any = library  # carries no types

Posted = tuple[dict[str, str], str]


def bell(now: float, account: str = ACCOUNT) -> Posted:
    """Return query and body of a callback that says there is something to pull."""
    return sealed(
        now,
        "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>"
        f"<Token><![CDATA[bell-token]]></Token><OpenKfId><![CDATA[{account}]]></OpenKfId>",
    )


def added(now: float, code: str, *, ago_s: float = 0) -> Posted:
    """Return query and body of a callback that says somebody was added as a contact."""
    return sealed(
        now,
        "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event>"
        "<ChangeType><![CDATA[add_external_contact]]></ChangeType><UserID><![CDATA[lijing]]></UserID>"
        f"<ExternalUserID><![CDATA[wmNew]]></ExternalUserID><WelcomeCode><![CDATA[{code}]]></WelcomeCode>",
        ago_s=ago_s,
    )


def sealed(now: float, inner: str, *, ago_s: float = 0) -> Posted:
    """Return query and body of a callback; `now` is in seconds since 1970, the event was `ago_s` seconds before."""
    at = str(int(now))
    plain = (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><CreateTime>{int(now - ago_s)}</CreateTime>"
        f"<AgentID>{AGENT}</AgentID>{inner}</xml>"
    )
    whole = str(_library.WeChatCrypto(TOKEN, AES_KEY, CORP).encrypt_message(plain, "a-nonce", at))
    signature = whole.partition("<MsgSignature><![CDATA[")[2].partition("]]>")[0]
    encrypted = whole.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    body = f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return {"msg_signature": signature, "timestamp": at, "nonce": "a-nonce"}, body
