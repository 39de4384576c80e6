"""A member: who they are to the clinic and what they have chosen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from care.model.consent import Choice, Purpose
from care.model.errors import InvalidInput
from care.model.ids import IdentityId, MemberId, StaffId

MOBILE = re.compile(r"1[3-9][0-9]{9}")
NAME_LIMIT = 40  # characters
RISK_FACTS = frozenset(
    {"anticoagulant", "diabetes", "pregnant", "immunosuppressed", "smoker", "lives_alone", "minor", "over_70"}
)


@dataclass(slots=True)
class Member:
    """Somebody the clinic looks after. Name and phone may be unknown: a web visitor is a member too."""

    id: MemberId
    created_at: datetime
    name: str | None = None
    phone: str | None = None
    title: str | None = None
    zone: str = "Asia/Shanghai"
    level: int = 1
    risk_facts: frozenset[str] = frozenset()
    carer_id: StaffId | None = None
    external_ref: str | None = None
    choices: Mapping[Purpose, Choice] = field(default_factory=dict)

    @property
    def tz(self) -> ZoneInfo:
        """The zone in which this member's mornings and evenings happen."""
        return ZoneInfo(self.zone)

    @property
    def salutation(self) -> str:
        """How the member is addressed: 王女士 when a title is known, the full name otherwise, else 您."""
        if not self.name:
            return "您"
        if self.title:
            return f"{self.name[0]}{self.title}"
        return self.name

    @property
    def phone_tail(self) -> str:
        """The last four digits, which are all that a message ever shows."""
        return self.phone[-4:] if self.phone else ""


@dataclass(slots=True)
class Identity:
    """One channel account that belongs to a member."""

    id: IdentityId
    member_id: MemberId
    channel: str
    external_id: str
    created_at: datetime
    reachable: bool = True


def clean_phone(raw: str) -> str:
    """Return a mainland mobile number as eleven digits.

    Raises:
        InvalidInput: if it is not one.
    """
    digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", raw)).removeprefix("+86").removeprefix("0086")
    if not MOBILE.fullmatch(digits):
        raise InvalidInput("phone", "must be a mainland mobile number of 11 digits")
    return digits


def clean_name(raw: str) -> str:
    """Return a name without surrounding space or control characters.

    Raises:
        InvalidInput: if nothing is left or it is longer than 40 characters.
    """
    name = "".join(c for c in raw if c.isprintable()).strip()
    if not name or len(name) > NAME_LIMIT:
        raise InvalidInput("name", f"must have 1 to {NAME_LIMIT} visible characters")
    return name


def clean_zone(raw: str) -> str:
    """Return the zone's name if it exists.

    Raises:
        InvalidInput: if no such zone is known.
    """
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:  # a folder of zones is an OSError
        raise InvalidInput("zone", "is not a known time zone") from unknown
    return raw
