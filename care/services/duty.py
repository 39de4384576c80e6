"""Whom a case goes to: by role, then by who is there, then by who has the least to carry.

What a colleague carries is the number of unresolved cases in their name. Severe ones are shared out besides: nobody
gets more of them in a row than the ladder allows while somebody else of the same role is there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from care.model.case import Case, CaseLevel
from care.model.ids import StaffId
from care.model.staff import Role, Staff
from care.ports import UnitOfWork

REMEMBERED = 40  # assignments looked back on, to take turns among those who carry the same


def on_duty(
    level: CaseLevel, *, uow: UnitOfWork, now: datetime, without: Collection[StaffId | None] = ()
) -> Staff | None:
    """Return the colleague a case of this level goes to first, or None if the clinic has nobody active.

    Args:
        level: the case's.
        uow: open.
        now: aware; somebody who is away at this moment only counts when nobody else is there.
        without: colleagues it must not go to, e.g. the one a complaint is about; disregarded if nobody else exists.
    """
    ladder = uow.ladder
    everyone = _active(uow, without)
    roles = ladder.rule(level).first
    there = [one for one in everyone if one.available(now)]
    for people in (there, everyone):
        for role in (*roles, *above(roles[0], ladder.ladder.command)):
            able = [one for one in people if one.role is role]
            if able:
                return _lightest(able, level, uow)
    return _lightest(everyone, level, uow) if everyone else None


def next_up(role: Role, case: Case, *, uow: UnitOfWork, now: datetime) -> Staff | None:
    """Return who takes a case over that has climbed to `role`: of that role, else the next one up, never nobody.

    Whoever has it already does not get it again while there is somebody else; nor does the one a complaint is about.
    """
    command = uow.ladder.ladder.command
    upwards = (role, *above(role, command))
    downwards = tuple(reversed(command[: command.index(role)])) if role in command else ()
    everyone = _active(uow, {case.assigned, case.owner, case.about})
    there = [one for one in everyone if one.available(now)]
    for people in (there, everyone):
        for wanted in (*upwards, *downwards):
            able = [one for one in people if one.role is wanted]
            if able:
                return _lightest(able, case.level, uow)
    return on_duty(case.level, uow=uow, now=now, without={case.about})


def named(case: Case, *, uow: UnitOfWork, now: datetime) -> Staff | None:
    """Return the colleague a member may be told for a case: whose turn it is, if they still work here."""
    if case.assigned is not None:
        colleague = next((one for one in uow.staff.all() if one.id == case.assigned), None)
        if colleague is not None and colleague.active:
            return colleague
    return on_duty(case.level, uow=uow, now=now, without={case.about})


def above(role: Role, command: Sequence[Role]) -> tuple[Role, ...]:
    """Return the roles over this one, the nearest first."""
    return tuple(command[command.index(role) + 1 :]) if role in command else ()


def _active(uow: UnitOfWork, without: Collection[StaffId | None]) -> list[Staff]:
    active = [one for one in uow.staff.all() if one.active]
    return [one for one in active if one.id not in without] or active


def _lightest(able: Sequence[Staff], level: CaseLevel, uow: UnitOfWork) -> Staff:
    """Return the one with the fewest open cases; of several, who got the last one longest ago."""
    if len(able) == 1:
        return able[0]
    rules = uow.ladder.ladder
    if level in rules.severe:
        row = uow.cases.last_assigned(rules.severe, rules.severe_in_a_row)
        if len(row) == rules.severe_in_a_row and len(set(row)) == 1:
            able = [one for one in able if one.id != row[0]]
    loads = uow.cases.loads()
    lately = uow.cases.last_assigned(frozenset(CaseLevel), REMEMBERED)
    turn = {one: -number for number, one in reversed(list(enumerate(lately)))}
    return min(able, key=lambda one: (loads.get(one.id, 0), turn.get(one.id, -REMEMBERED), one.login))
