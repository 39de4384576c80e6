"""Members as the practice system registers and corrects them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from care.model.consent import Choice, Purpose
from care.model.errors import Conflict, InvalidInput
from care.model.ids import MemberId, new_id
from care.model.member import RISK_FACTS, Member, clean_name, clean_phone, clean_zone
from care.model.staff import Reader
from care.ports import Clock, UnitOfWork
from care.services import conversations

TITLES = ("女士", "先生")
LEVELS = range(5)


def register(
    *,
    name: str | None,
    phone: str | None,
    title: str | None,
    zone: str | None,
    risk_facts: Iterable[str],
    external_ref: str | None,
    by: Reader,
    uow: UnitOfWork,
    clock: Clock,
) -> tuple[Member, bool]:
    """Register a member; the same `external_ref` returns the one registered before.

    Returns:
        The member, and whether they are new.

    Raises:
        InvalidInput: naming the field.
        Conflict: another member has this phone.
    """
    if external_ref is not None:
        known = uow.members.find_by_ref(external_ref, by=by, purpose=Purpose.ADMINISTRATION)
        if known is not None:
            return known, False
    member = Member(id=MemberId(new_id()), created_at=clock.now(), external_ref=external_ref)
    _set(member, name=name, phone=phone, title=title, zone=zone, risk_facts=risk_facts)
    try:
        uow.members.add(member)
    except Conflict:  # the same registration twice at one instant is one registration
        known = uow.members.find_by_ref(external_ref, by=by, purpose=Purpose.ADMINISTRATION) if external_ref else None
        if known is None:
            raise
        return known, False
    conversations.ensure_conversation(member.id, uow=uow, now=clock.now())
    return member, True


def correct(
    member_id: MemberId,
    *,
    by: Reader,
    uow: UnitOfWork,
    name: str | None = None,
    phone: str | None = None,
    title: str | None = None,
    zone: str | None = None,
    risk_facts: Iterable[str] | None = None,
) -> Member:
    """Change what was given; what was not given stays.

    Raises:
        NotFound: no such member.
        InvalidInput: naming the field.
        Conflict: another member has this phone.
    """
    member = uow.members.get(member_id, by=by, purpose=Purpose.ADMINISTRATION)
    _set(member, name=name, phone=phone, title=title, zone=zone, risk_facts=risk_facts)
    uow.members.save(member)
    return member


def set_level(member_id: MemberId, level: int, *, by: Reader, uow: UnitOfWork) -> Member:
    """Turn the knob; lower counts at once.

    Raises:
        InvalidInput: not 0 to 4.
    """
    if level not in LEVELS:
        raise InvalidInput("level", "is 0, 1, 2, 3 or 4")
    member = uow.members.get(member_id, by=by, purpose=Purpose.DATA_RIGHTS)
    member.level = level
    uow.members.save(member)
    return member


def choose(
    member_id: MemberId, purpose: Purpose, *, given: bool, at: datetime, by: Reader, evidence: str, uow: UnitOfWork
) -> None:
    """Record a member's word on a purpose. It counts from this transaction on, also for what is queued."""
    uow.members.choose(member_id, Choice(purpose, given, at), by=by, evidence=evidence)


def _set(
    member: Member,
    *,
    name: str | None,
    phone: str | None,
    title: str | None,
    zone: str | None,
    risk_facts: Iterable[str] | None,
) -> None:
    if name is not None:
        member.name = clean_name(name)
    if phone is not None:
        member.phone = clean_phone(phone)
    if zone is not None:
        member.zone = clean_zone(zone)
    if title is not None:
        if title not in TITLES:
            raise InvalidInput("title", f"is one of {', '.join(TITLES)}")
        member.title = title
    if risk_facts is not None:
        facts = frozenset(risk_facts)
        unknown = facts - RISK_FACTS
        if unknown:
            raise InvalidInput("risk_facts", f"unknown: {', '.join(sorted(unknown))}")
        member.risk_facts = facts
