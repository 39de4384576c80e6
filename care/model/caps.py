"""How much is too much: what has been said already, over all programmes, and whether one more may go.

Rules only. Safety contacts and promised re-checks always go; they count all the same against the optional ones,
re-checks excepted. Reminders of appointments the member booked themselves are neither refused nor counted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from care.model.touchpoint import Touchpoint, TouchpointKind

# Source of all of these: clinic protocol 2026-01, section on caps.
A_DAY = 1  # on the member's own calendar day
APART = timedelta(hours=10)
WINDOWS = ((timedelta(hours=72), 4, "cap_72_hours"), (timedelta(days=14), 11, "cap_14_days"))
LATE_FROM_DAY = 15  # after day 14 of the treatment
LATE_WINDOW = (timedelta(days=7), 2, "cap_week")
UNANSWERED = 2  # then only what is for safety


@dataclass(frozen=True, slots=True)
class Said:
    """One check-in that went out, whichever programme it belonged to."""

    at: datetime
    answered: bool = True


def said(contacts: Sequence[Touchpoint]) -> list[Said]:
    """Return what counts of a member's contacts, the oldest first."""
    out = [
        Said(one.handed_over_at, bool(one.answered))
        for one in contacts
        if one.kind is TouchpointKind.CHECK_IN and one.handed_over_at is not None
    ]
    return sorted(out, key=lambda one: one.at)


def over(
    before: Sequence[Said], *, now: datetime, zone: ZoneInfo, day: int | None, last_member_at: datetime | None
) -> str | None:
    """Say which cap one more optional check-in would break, or None.

    Args:
        before: what went out, the oldest first.
        now: aware.
        zone: where the member lives; decides which calendar day it is, daylight saving included.
        day: of the treatment, 0 on the day itself; None outside a treatment.
        last_member_at: when the member last wrote anything at all; that too is an answer.
    """
    midnight = datetime.combine(now.astimezone(zone).date(), time(0), tzinfo=zone)
    if sum(one.at >= midnight for one in before) >= A_DAY:
        return "daily_cap"
    if before and now - before[-1].at < APART:
        return "too_soon"
    windows = (*WINDOWS, LATE_WINDOW) if day is not None and day >= LATE_FROM_DAY else WINDOWS
    for span, most, reason in windows:
        if sum(now - one.at < span for one in before) >= most:
            return reason
    asked = before[-UNANSWERED:]
    silent = len(asked) == UNANSWERED and not any(one.answered for one in asked)
    if silent and (last_member_at is None or last_member_at < asked[0].at):
        return "unanswered"
    return None
