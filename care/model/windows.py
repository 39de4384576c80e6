"""When a contact of a protocol may leave: wall time where the member lives, by day of recovery.

Pure: treatment and dates in, instants out. What is stored and sent is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from care.model.protocol import Protocol, TouchpointPlan

LATE_FROM = time(17, 30)  # an operation that ends later moves the first evening; clinic protocol 2026-01
LATE_DELAY = timedelta(hours=2)
LATE_UNTIL = time(21, 30)
LAST_MINUTE = timedelta(minutes=1)  # what is due at 21:30 still leaves in that minute
TOO_LATE_MORNING = time(8, 30)
AN_HOUR = timedelta(hours=1)
HALF_AN_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Slot:
    """One contact of a protocol on its day, with the instants between which it should leave."""

    plan: TouchpointPlan
    day: int  # of recovery
    opens: datetime
    closes: datetime


def slots(
    protocol: Protocol, ended_at: datetime, zone: ZoneInfo, *, sutures_out_on: date | None, crown_on: date | None
) -> tuple[Slot, ...]:
    """Return every contact whose day is known, earliest first.

    Args:
        protocol: the clinic's.
        ended_at: aware; when the treatment ended.
        zone: where the member lives.
        sutures_out_on: the day the sutures come out, if known.
        crown_on: the day the crown was fitted, if it was.
    """
    first = ended_at.astimezone(zone).date()
    anchors = {"treatment": first, "sutures_out": sutures_out_on, "crown": crown_on}
    found = []
    for plan in protocol.touchpoints:
        anchor = anchors[plan.anchor]
        if anchor is None:
            continue
        on = anchor + timedelta(days=plan.day)
        opens, closes = window(plan, on, ended_at.astimezone(zone), surgery=protocol.surgery)
        found.append(Slot(plan, (on - first).days, opens, closes))
    return tuple(sorted(found, key=lambda slot: slot.opens))


def too_late_to_write(ended_at: datetime, zone: ZoneInfo) -> bool:
    """Whether an operation ended so late that two hours later is no hour for a message: a nurse phones instead."""
    return _too_late(ended_at.astimezone(zone))


def first_evening(plan: TouchpointPlan) -> bool:
    """Whether this is the safety contact of the evening after the treatment."""
    return plan.safety and plan.day == 0 and plan.anchor == "treatment"


def window(plan: TouchpointPlan, on: date, ended: datetime, *, surgery: bool) -> tuple[datetime, datetime]:
    """Return when a contact opens and closes on its day.

    Args:
        plan: one contact of a protocol; its window is local wall time.
        on: the day it falls on, where the member lives.
        ended: when the treatment ended, in the member's zone.
        surgery: whether the protocol is for an operation, which may move the first evening.

    Returns:
        Two aware instants. A wall time that does not exist (daylight saving) moves forward with the clocks.
    """
    zone = ended.tzinfo
    opens, closes = plan.window
    after_treatment = plan.anchor == "treatment"
    if surgery and plan.safety and after_treatment and plan.day == 1 and _too_late(ended):
        opens = TOO_LATE_MORNING
    start, end = datetime.combine(on, opens, tzinfo=zone), datetime.combine(on, closes, tzinfo=zone)
    if surgery and first_evening(plan) and ended.time() >= LATE_FROM:
        latest = datetime.combine(ended.date(), LATE_UNTIL, tzinfo=zone)
        return min(ended + LATE_DELAY, latest), latest + LAST_MINUTE
    if not after_treatment or plan.day != 0:
        return start, end
    if plan.hours_after is not None:
        return max(start, ended, min(ended + timedelta(hours=plan.hours_after), end - HALF_AN_HOUR)), end
    if ended > start:
        start = max(ended, min(ended + AN_HOUR, end - HALF_AN_HOUR))
    return start, end


def _too_late(ended: datetime) -> bool:
    latest = datetime.combine(ended.date(), LATE_UNTIL, tzinfo=ended.tzinfo)
    return ended.time() >= LATE_FROM and ended + LATE_DELAY > latest
