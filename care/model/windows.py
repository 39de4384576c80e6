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
EARLY_MORNING = time(8, 30)
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
        opens, closes = _window(plan, on, ended_at.astimezone(zone), surgery=protocol.surgery)
        found.append(Slot(plan, (on - first).days, opens, closes))
    return tuple(sorted(found, key=lambda slot: slot.opens))


def too_late_to_write(ended_at: datetime, zone: ZoneInfo) -> bool:
    """Whether an operation ended so late that two hours later is no hour for a message: a nurse phones instead."""
    ended = ended_at.astimezone(zone)
    return ended.time() >= LATE_FROM and ended + LATE_DELAY > datetime.combine(ended.date(), LATE_UNTIL, tzinfo=zone)


def _window(plan: TouchpointPlan, on: date, ended: datetime, *, surgery: bool) -> tuple[datetime, datetime]:
    zone = ended.tzinfo
    opens = datetime.combine(on, plan.window[0], tzinfo=zone)
    closes = datetime.combine(on, plan.window[1], tzinfo=zone)
    if plan.anchor != "treatment":
        return opens, closes
    late = ended.time() >= LATE_FROM
    if plan.day == 0 and plan.safety and surgery and late:
        latest = datetime.combine(on, LATE_UNTIL, tzinfo=zone)
        return min(ended + LATE_DELAY, latest), latest
    if plan.day == 1 and plan.safety and surgery and late:
        latest = datetime.combine(ended.date(), LATE_UNTIL, tzinfo=zone)
        if ended + LATE_DELAY > latest:
            return datetime.combine(on, EARLY_MORNING, tzinfo=zone), closes
    if plan.day == 0 and ended > opens:
        opens = max(ended, min(ended + AN_HOUR, closes - HALF_AN_HOUR))
    return opens, closes
