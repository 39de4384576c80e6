"""Turning a protocol into planned contacts for one recovery.

Windows are wall-clock time where the member lives; what is stored is the UTC instant the window opens and closes.
A contact whose window was over when the treatment was recorded is stored as expired, so that it has an outcome too.

An operation that ends late moves the first evening to two hours later. When that would be too late for a message, the
contact is stored as suppressed, a nurse is asked to phone before closing, and the first morning begins earlier.

A contact that is only for some treatments or members (`only_with`, `never_with`) is not planned for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.ids import TouchpointId, new_id
from care.model.pack import Pack
from care.model.protocol import Protocol, TouchpointPlan
from care.model.touchpoint import Touchpoint, TouchpointKind, TouchpointState
from care.model.treatment import Episode, Treatment
from care.model.windows import first_evening, too_late_to_write, window
from care.ports import UnitOfWork

NURSE_PHONES = "late_surgery"


def plan_episode(
    episode: Episode,
    treatment: Treatment,
    protocol: Protocol,
    *,
    zone: ZoneInfo,
    uow: UnitOfWork,
    now: datetime,
    facts: Collection[str] = (),
    crown_on: date | None = None,
    renewing: Mapping[str, Touchpoint] | None = None,
) -> list[Touchpoint]:
    """Plan every contact of a protocol. Safe to repeat: a contact planned before is not planned again.

    Args:
        episode: the recovery.
        treatment: when it ended, when sutures come out.
        protocol: the clinic's.
        zone: where the member lives.
        uow: open.
        now: aware.
        facts: about the treatment and the member; they decide which contacts are for them.
        crown_on: the day the crown was fitted, if it was.
        renewing: contacts of an older version by code, when a recovery under way is planned anew: what has passed by
            then is not planned, unless the older contact was still to come, whose window it then has.

    Returns:
        What was planned now, those included whose outcome is known already.
    """
    planned = []
    too_late = protocol.surgery and too_late_to_write(treatment.ended_at, zone)
    for plan in [one for one in protocol.touchpoints if one.is_for(facts)]:
        window = window_of(plan, treatment, zone, surgery=protocol.surgery, crown_on=crown_on)
        if window is None:
            continue
        due, expires = window
        if renewing is not None and expires <= now:
            older = renewing.get(plan.code)
            if older is None or older.expires_at <= now:
                continue
            due, expires = older.due_at, older.expires_at
        state, reason = TouchpointState.PLANNED, None
        if expires <= now:
            state, reason = TouchpointState.EXPIRED, "late_enrolment"
        elif too_late and first_evening(plan):
            state, reason = TouchpointState.SUPPRESSED, NURSE_PHONES
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
            state=state,
            reason=reason,
            episode_id=episode.id,
            ask=plan.ask,
        )
        if uow.treatments.plan(touchpoint):
            planned.append(touchpoint)
    return planned


def window_of(
    plan: TouchpointPlan,
    treatment: Treatment,
    zone: ZoneInfo,
    *,
    surgery: bool = True,
    crown_on: date | None = None,
) -> tuple[datetime, datetime] | None:
    """Return when a contact opens and closes, or None while its anchor is not known (no date for the sutures).

    Args:
        plan: one contact of a protocol; its window is local wall time.
        treatment: when it ended, and when sutures come out.
        zone: where the member lives.
        surgery: whether the protocol is for an operation, which may move the first evening.
        crown_on: the day the crown was fitted, if it was.

    Returns:
        Two aware instants. A wall time that does not exist (daylight saving) moves forward with the clocks.
    """
    day = _day(plan, treatment, zone, crown_on)
    return window(plan, day, treatment.ended_at.astimezone(zone), surgery=surgery) if day else None


def crown_day(treatment: Treatment, zone: ZoneInfo, *, uow: UnitOfWork, pack: Pack) -> date | None:
    """Return the day the first crown after a treatment was fitted, where the member lives, or None."""
    crowns = {service.code for service in pack.services.values() if service.marks == "crown"}
    fitted = [
        other.ended_at
        for other in uow.treatments.treatments_of(treatment.member_id)
        if other.kind in crowns and other.ended_at > treatment.ended_at
    ]
    return min(fitted).astimezone(zone).date() if fitted else None


def _day(plan: TouchpointPlan, treatment: Treatment, zone: ZoneInfo, crown_on: date | None) -> date | None:
    if plan.anchor == "sutures_out":
        if treatment.sutures_out_on is None:
            return None
        return treatment.sutures_out_on + timedelta(days=plan.day)
    if plan.anchor == "crown":
        return crown_on + timedelta(days=plan.day) if crown_on else None  # planned when the crown is recorded
    return treatment.ended_at.astimezone(zone).date() + timedelta(days=plan.day)
