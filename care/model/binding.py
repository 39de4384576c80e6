"""One-time codes that say whose account a channel account is.

Rules only. A code is read aloud, typed on a phone and printed below a QR code: no look-alikes, no zero and no one.
Ten characters of twenty-five are 46 bits; with five tries an account nobody guesses a code while it lives.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from care.model.ids import IdentityId, MemberId

ALPHABET = "346789ACDEFGHJKMNPQRTVWXY"  # without 0 O, 1 I L, 2 Z, 5 S, B (8), U (V)
LENGTH = 10
SHAPE = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")
SCENE = "bind_"  # before the code in a QR code's scene
GAPS = re.compile(r"[\s\-‐-―－_]+")

#: What a member says to go on elsewhere, or to part an account from their file; the whole message, nothing beside it.
ELSEWHERE = re.compile(
    r"(我(想|要)|请|帮我)?(在|到|去|换)?(另一个|另外一个|别的|其他|其它)渠道(上|里)?(继续|接着)(聊|说)?(吧)?[。.!！]?"
)
UNBIND = re.compile(
    r"(我(想|要)|请|帮我)?(把)?(解绑|解除绑定)(一下)?(这个|我的|本)?(微信|账号|帐号|网页|浏览器|渠道|Telegram|telegram|电报|微信客服)?(吧)?[。.!！]?"
)


class CodeKind(StrEnum):
    """Where a code comes from."""

    INVITATION = "invitation"  # the practice system's, on paper or in a message
    SECOND_CHANNEL = "second_channel"  # the member's own, shown in a channel they are known on


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """How long codes live and how often somebody may be wrong; from the settings."""

    invitation: timedelta = timedelta(days=7)
    second_channel: timedelta = timedelta(minutes=10)
    tries: int = 5  # wrong codes in a row, then a pause
    pause: timedelta = timedelta(minutes=15)

    def lasts(self, kind: CodeKind) -> timedelta:
        """Return how long a code of this kind lives."""
        return self.invitation if kind is CodeKind.INVITATION else self.second_channel


@dataclass(slots=True)
class BindingCode:
    """A code that was given out; the code itself is not kept, only what it is found by."""

    id: str
    member_id: MemberId
    kind: CodeKind
    created_at: datetime
    expires_at: datetime
    by: str
    used_at: datetime | None = None
    used_by: IdentityId | None = None
    revoked_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return self.used_at is None and self.revoked_at is None and now < self.expires_at


@dataclass(slots=True)
class Tries:
    """How often an account was wrong lately."""

    identity_id: IdentityId
    wrong: int = 0
    paused_until: datetime | None = None

    def paused(self, now: datetime) -> bool:
        """Whether this account has to wait."""
        return self.paused_until is not None and now < self.paused_until

    def was_wrong(self, terms: CodeTerms, now: datetime) -> None:
        """Count a wrong code; the last allowed one begins a pause."""
        self.wrong += 1
        if self.wrong >= terms.tries:
            self.wrong, self.paused_until = 0, now + terms.pause


def new_code() -> str:
    """Return a fresh code that holds a letter and a digit, so that no word and no number looks like one."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if _mixed(code):
            return code


def code_in(text: str) -> str | None:
    """Return the code a message consists of, however it was typed; None for any other message."""
    if len(text) > 4 * LENGTH:
        return None
    plain = GAPS.sub("", unicodedata.normalize("NFKC", text)).upper()
    plain = plain.removeprefix(SCENE.rstrip("_").upper()) if len(plain) > LENGTH else plain
    return plain if SHAPE.fullmatch(plain) and _mixed(plain) else None


def shown(code: str) -> str:
    """Return a code in two halves, as people read it."""
    return f"{code[:5]}-{code[5:]}"


def _mixed(code: str) -> bool:
    return any(c.isdigit() for c in code) and any(c.isalpha() for c in code)
