"""What a member's data may be used for, and the one question every use asks.

Rules only: no clock, no database. A purpose is either necessary for the service the member asked for, or it
rests on a choice the member can take back at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from care.model.member import Member


class Purpose(StrEnum):
    """Why somebody looks at or uses a member's data."""

    SERVICE_CORE = "service_core"
    SAFETY = "safety"
    CARE = "care"
    REMINDERS = "reminders"
    CHECK_INS = "check_ins"
    SURVEYS = "surveys"
    PERSONALISATION = "personalisation"
    MARKETING = "marketing"
    DATA_RIGHTS = "data_rights"
    ADMINISTRATION = "administration"


NECESSARY = frozenset(
    {Purpose.SERVICE_CORE, Purpose.SAFETY, Purpose.CARE, Purpose.DATA_RIGHTS, Purpose.ADMINISTRATION}
)
ON_UNTIL_WITHDRAWN = frozenset({Purpose.REMINDERS, Purpose.CHECK_INS, Purpose.SURVEYS})
ON_ONLY_WHEN_GIVEN = frozenset({Purpose.MARKETING})
PERSONALISATION_FROM_LEVEL = 1  # the knob: at 0 nothing about the member shapes what is said


@dataclass(frozen=True, slots=True)
class Permission:
    """Yes or no, and why; `reason` is a code that is stored beside every refusal."""

    granted: bool
    reason: str

    def __bool__(self) -> bool:
        return self.granted


@dataclass(frozen=True, slots=True)
class Choice:
    """The member's latest word on one purpose."""

    purpose: Purpose
    given: bool
    at: datetime


def allowed(member: Member, purpose: Purpose, now: datetime) -> Permission:
    """Say whether this member's data may be used for this purpose at this moment.

    Args:
        member: the member with their latest choices.
        purpose: what the data is wanted for.
        now: aware; a choice dated later than this does not count yet.

    Returns:
        A permission that is true or false and carries its reason.
    """
    if purpose in NECESSARY:
        return Permission(True, "necessary")
    choice = member.choices.get(purpose)
    if choice is not None and choice.at <= now:
        return Permission(choice.given, "given" if choice.given else "withdrawn")
    if purpose is Purpose.PERSONALISATION:
        granted = member.level >= PERSONALISATION_FROM_LEVEL
        return Permission(granted, "level" if granted else "level_zero")
    if purpose in ON_UNTIL_WITHDRAWN:
        return Permission(True, "not_withdrawn")
    return Permission(False, "never_given")
