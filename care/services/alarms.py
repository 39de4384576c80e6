"""Who is rung for which case, and when again.

The first round rings those the case belongs to; as long as nobody acknowledges it, later rounds ring everybody of
its roles. An alarm is sent at least once: a process that dies after the call rings again with the same words, which
the vendor keeps from being shown twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from care.model.alarm import Alarm, again_after
from care.model.case import ALARM, CaseLevel
from care.model.staff import Role, Staff
from care.ports import UnitOfWork
from care.services.cases import ROLE_FOR

CALL = timedelta(seconds=60)  # how long a round may take before another process rings
AT_ONCE = 50
NOBODY_AGAIN = timedelta(minutes=1)  # how soon it is looked again for somebody who can be rung


@dataclass(frozen=True, slots=True)
class Ring:
    """Cases for the same people."""

    people: tuple[Staff, ...]
    alarms: tuple[Alarm, ...]


def due(*, uow: UnitOfWork, now: datetime) -> list[Ring]:
    """Claim every case whose next round is due, gathered by whom it rings; commit before ringing."""
    everybody = [staff for staff in uow.staff.all() if staff.active and staff.wecom_id]
    rings: dict[tuple[str, ...], tuple[tuple[Staff, ...], list[Alarm]]] = {}
    for alarm in uow.alarms.claim_due(now, now + CALL, AT_ONCE):
        people = whom(alarm.level, alarm.rounds, everybody)
        rings.setdefault(tuple(one.id for one in people), (people, []))[1].append(alarm)
    return [Ring(people, tuple(alarms)) for people, alarms in rings.values()]


def whom(level: CaseLevel, rounds: int, reachable: Sequence[Staff]) -> tuple[Staff, ...]:
    """Return who is rung, of those who can be, after so many rounds without an answer."""
    roles = ROLE_FOR[level.value[0]]
    if rounds == 0:
        for role in roles:
            first = [one for one in reachable if one.role is role]
            if first:
                leads = [one for one in reachable if one.role is Role.LEAD and one not in first]
                return (*first, *(leads if level in ALARM else ()))
    return tuple(one for one in reachable if one.role in roles) or tuple(reachable)


def rang(alarm: Alarm, *, uow: UnitOfWork, now: datetime) -> None:
    """Record a round that was sent."""
    alarm.rounds += 1
    pause = again_after(alarm.rounds)
    alarm.next_at = now + pause if pause is not None else None
    uow.alarms.save(alarm)


def not_rung(alarm: Alarm, *, uow: UnitOfWork, now: datetime, after: timedelta = NOBODY_AGAIN) -> None:
    """Record that a round could not be sent, and when it is tried again."""
    alarm.next_at = now + after
    uow.alarms.save(alarm)
