"""Turning a protocol into planned contacts for one recovery.

Windows are wall-clock time where the member lives; what is stored is the UTC instant the window opens and closes.
A contact whose window was over when the treatment was recorded is stored as expired, so that it has an outcome too.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from care.model.ids import TouchpointId, new_id
from care.model.protocol import Protocol, TouchpointPlan
from care.model.touchpoint import Touchpoint, TouchpointKind, TouchpointState
from care.model.treatment import Episode, Treatment
from care.ports import UnitOfWork

LATE_FROM = time(17, 30)  # an operation that ends later moves the first evening; clinic protocol 2026-01
LATE_DELAY = timedelta(hours=2)
LATE_UNTIL = time(21, 30)
TOO_LATE_MORNING = time(8, 30)


def plan_episode(
    episode: Episode, treatment: Treatment, protocol: Protocol, *, zone: ZoneInfo, uow: UnitOfWork, now: datetime
) -> list[Touchpoint]:
    """Plan every contact of a protocol. Safe to repeat: a contact planned before is not planned again."""
    planned = []
    for plan in protocol.touchpoints:
        window = window_of(plan, treatment, zone)
        if window is None:
            continue
        due, expires = window
        over = expires <= now
        touchpoint = Touchpoint(
            id=TouchpointId(new_id()),
            member_id=episode.member_id,
            kind=TouchpointKind.CHECK_IN,
            plan=plan.code,
            occurrence=episode.id,
            version=protocol.version,
            due_at=due,
            expires_at=expires,
            created_at=now,
            safety=plan.safety,
            state=TouchpointState.EXPIRED if over else TouchpointState.PLANNED,
            reason="late_enrolment" if over else None,
            episode_id=episode.id,
            ask=plan.ask,
        )
        if uow.treatments.plan(touchpoint):
            planned.append(touchpoint)
    return planned


def window_of(plan: TouchpointPlan, treatment: Treatment, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Return when a contact opens and closes, or None while its anchor is not known (no date for the sutures).

    Args:
        plan: one contact of a protocol; its window is local wall time.
        treatment: when it ended, and when sutures come out.
        zone: where the member lives.

    Returns:
        Two aware instants. A wall time that does not exist (daylight saving) moves forward with the clocks.
    """
    day = _day(plan, treatment, zone)
    if day is None:
        return None
    opens, closes = plan.window
    start = datetime.combine(day, opens, tzinfo=zone)
    end = datetime.combine(day, closes, tzinfo=zone)
    ended = treatment.ended_at.astimezone(zone)
    late = plan.safety and ended.time() >= LATE_FROM
    if late and plan.day == 0 and plan.anchor != "sutures_out":
        latest = datetime.combine(ended.date(), LATE_UNTIL, tzinfo=zone)
        if ended + LATE_DELAY > latest:
            return None  # the nurse phones before closing; the next contact is the first morning
        return ended + LATE_DELAY, latest
    if plan.day == 0 and ended > start:
        start = min(ended + timedelta(hours=1), end - timedelta(minutes=30))
    return start, end


def _day(plan: TouchpointPlan, treatment: Treatment, zone: ZoneInfo) -> date | None:
    if plan.anchor == "sutures_out":
        if treatment.sutures_out_on is None:
            return None
        return treatment.sutures_out_on + timedelta(days=plan.day)
    if plan.anchor == "crown":
        return None  # planned when the crown is recorded
    return treatment.ended_at.astimezone(zone).date() + timedelta(days=plan.day)
