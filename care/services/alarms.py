"""Who is rung for which case, and when again.

The first round rings the one whose turn the case is; as long as nobody acknowledges it, later rounds ring everybody
the ladder names for it, up to the lead. An alarm is sent at least once: a process that dies after the call rings
again with the same words, which the vendor keeps from being shown twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from care.model.alarm import Alarm, again_after
from care.model.case import ALARM
from care.model.staff import Role, Staff
from care.ports import UnitOfWork

CALL = timedelta(seconds=30)  # longer than any call; then another process rings
AT_ONCE = 50
NOBODY_AGAIN = timedelta(minutes=1)  # how soon it is looked again for somebody who can be rung


@dataclass(frozen=True, slots=True)
class Ring:
    """Cases for the same people."""

    people: tuple[Staff, ...]
    alarms: tuple[Alarm, ...]


def due(*, uow: UnitOfWork, now: datetime) -> list[Ring]:
    """Claim every case whose next round is due, gathered by whom it rings; commit before ringing."""
    rings: dict[tuple[str, ...], tuple[tuple[Staff, ...], list[Alarm]]] = {}
    for alarm in uow.alarms.claim_due(now, now + CALL, AT_ONCE):
        people = whom(alarm, uow=uow, now=now)
        rings.setdefault(tuple(one.id for one in people), (people, []))[1].append(alarm)
    return [Ring(people, tuple(alarms)) for people, alarms in rings.values()]


def whom(alarm: Alarm, *, uow: UnitOfWork, now: datetime) -> tuple[Staff, ...]:
    """Return who is rung: the one whose turn it is, or their role; then all the ladder names."""
    reachable = on_phone(uow=uow, now=now)
    rule = uow.ladder.rule(alarm.level)
    if alarm.rounds == 0:
        its_own = [one for one in reachable if one.id == alarm.assigned]
        for role in rule.first if not its_own else ():
            its_own = its_own or [one for one in reachable if one.role is role]
        if its_own:
            leads = [one for one in reachable if one.role is Role.LEAD and one not in its_own]
            return (*its_own, *(leads if alarm.level in ALARM else ()))
    roles = {*rule.first, *(step.to for step in rule.steps), Role.LEAD}
    return tuple(one for one in reachable if one.role in roles) or reachable


def on_phone(*, uow: UnitOfWork, now: datetime) -> tuple[Staff, ...]:
    """Return the colleagues who can be rung: those who are there, or those who are away if nobody is."""
    everybody = [staff for staff in uow.staff.all() if staff.active and staff.wecom_id]
    return tuple(one for one in everybody if one.available(now)) or tuple(everybody)


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
