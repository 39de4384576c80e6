"""What a member can know and decide about their own data, answered from what is stored at this moment.

Counting and looking only, plus the choices that count at once. Taking data along and deleting it need the member's
identity and are promised to a human.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from care.model.consent import ON_UNTIL_WITHDRAWN, Choice, Purpose
from care.model.ids import MemberId, StaffId
from care.model.member import Member
from care.model.staff import Reader
from care.ports import UnitOfWork
from care.services import members

LOOKED_BACK = 200  # lines of the access log that are summed up
SHOWN = 5  # readers; more is a list nobody reads
LOWEST = 0
EARLY = timedelta(
    days=4
)  # after surgery a carer hears of a member who wants no more check-ins; clinic protocol 2026-01


@dataclass(frozen=True, slots=True)
class Held:
    """What is stored about a member, as counts and the least that makes it recognisable."""

    name: str | None
    phone_tail: str
    channels: tuple[str, ...]
    messages: int
    visits: int
    treatments: int
    answers: int
    cases: int
    choices: int
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody who looked, and when last. `name` and `title` are empty for what is not a colleague."""

    kind: str
    name: str
    title: str
    at: datetime


def held(member_id: MemberId, *, by: Reader, uow: UnitOfWork) -> Held:
    """Return what is stored about a member."""
    member = uow.members.get(member_id, by=by, purpose=Purpose.DATA_RIGHTS)
    conversation = uow.conversations.of_member(member_id)
    answers = sum(len(uow.treatments.answers(one.id)) for one in uow.treatments.open_episodes(member_id))
    return Held(
        name=member.name,
        phone_tail=member.phone_tail,
        channels=tuple(sorted({one.channel for one in uow.members.identities_of(member_id)})),
        messages=uow.conversations.count(conversation.id) if conversation else 0,
        visits=len(uow.appointments.of_member(member_id)),
        treatments=len(uow.treatments.treatments_of(member_id)),
        answers=answers,
        cases=len(uow.cases.of_member(member_id)),
        choices=len(member.choices),
        facts=tuple(sorted(member.risk_facts)),
    )


def looks(member_id: MemberId, *, uow: UnitOfWork) -> list[Look]:
    """Return who looked at a member's data lately: each colleague once, newest first; programs of the house not."""
    found: dict[str, Look] = {}
    for line in uow.access.of_member(member_id, LOOKED_BACK):
        kind, _, key = str(line["reader"]).partition(":")
        at = line["at"]
        if kind not in {"staff", "practice"} or str(line["reader"]) in found or not isinstance(at, datetime):
            continue
        colleague = uow.staff.get(StaffId(key)) if kind == "staff" else None
        found[str(line["reader"])] = Look(
            kind, colleague.name if colleague else "", colleague.job_title if colleague else "", at
        )
    return list(found.values())[:SHOWN]


def turn_down(member_id: MemberId, *, lowest: bool, by: Reader, uow: UnitOfWork) -> Member:
    """Turn the knob down by one, or to the lowest; it counts at once."""
    member = uow.members.get(member_id, by=by, purpose=Purpose.DATA_RIGHTS)
    level = LOWEST if lowest else max(LOWEST, member.level - 1)
    return members.set_level(member_id, level, by=by, uow=uow)


def resume(member_id: MemberId, *, at: datetime, by: Reader, evidence: str, uow: UnitOfWork) -> Sequence[Purpose]:
    """Give back what the member had switched off of care; return which. Promotion is never switched on this way."""
    member = uow.members.get(member_id, by=by, purpose=Purpose.DATA_RIGHTS)
    off = [
        purpose
        for purpose in Purpose
        if purpose in ON_UNTIL_WITHDRAWN and (choice := member.choices.get(purpose)) is not None and not choice.given
    ]
    for purpose in off:
        uow.members.choose(member_id, Choice(purpose, True, at), by=by, evidence=evidence)
    return off


def early_after_surgery(member_id: MemberId, *, now: datetime, uow: UnitOfWork) -> bool:
    """Whether the member was treated so lately that a human should know they want no more check-ins."""
    return any(now - one.ended_at < EARLY for one in uow.treatments.treatments_of(member_id))
