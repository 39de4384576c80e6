"""A few demo members with a visit, a recovery and a promise, so that a first look shows something."""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta

from care.adapters.passwords import Argon2Passwords
from care.bootstrap import House
from care.model.consent import Purpose
from care.model.errors import CareError
from care.model.staff import Reader, Role
from care.services import booking, conversations, members, recovery
from care.services import staff as colleagues

DEMO = Reader("demo", "")
STAFF = (
    ("lijing", "李静", Role.CARER, "康复关怀师"),
    ("zhaomin", "赵敏", Role.NURSE, "值班护士"),
    ("sunlan", "孙岚", Role.LEAD, "关怀组长"),
)
MEMBERS = (
    ("demo-wang", "王秀兰", "女士", "13800001001", "implant"),
    ("demo-chen", "陈志远", "先生", "13800001002", "extraction"),
    ("demo-liu", "刘倩", "女士", "13800001003", None),
)


def load(house: House, *, password: str | None = None) -> str | None:
    """Load demo colleagues and members. Safe to repeat.

    Returns:
        The password of the demo colleagues if they are new, else None.
    """
    chosen = password or secrets.token_urlsafe(12)
    passwords = Argon2Passwords()
    new = False
    with house.unit_of_work() as uow:
        for login, name, role, title in STAFF:
            if uow.staff.by_login(login) is None:
                colleagues.add_staff(
                    login=login,
                    name=name,
                    role=role,
                    job_title=title,
                    password=chosen,
                    uow=uow,
                    clock=house.clock,
                    passwords=passwords,
                )
                new = True
        uow.commit()
    for ref, name, title, phone, treated in MEMBERS:
        _member(house, ref, name, title, phone, treated)
    return chosen if new else None


def _member(house: House, ref: str, name: str, title: str, phone: str, treated: str | None) -> None:
    now = house.clock.now()
    with house.unit_of_work() as uow:
        member, new = members.register(
            name=name,
            phone=phone,
            title=title,
            zone=None,
            risk_facts=(),
            external_ref=ref,
            by=DEMO,
            uow=uow,
            clock=house.clock,
        )
        if not new:
            return
        conversations.add_identity(member.id, "web", f"demo:{ref}", uow=uow, now=now)
        if treated is not None:
            local = now.astimezone(house.zone)
            ended = datetime.combine(local.date() - timedelta(days=1), time(11), tzinfo=house.zone)
            surgeon = next(
                one for one in house.pack.practitioners.values() if "implant" in " ".join(one.specialities)
            )
            recovery.record_treatment(
                member.id,
                kind=treated,
                practitioner=surgeon.code,
                clinic=next(iter(house.pack.clinics)),
                ended_at=ended,
                sutures_out_on=local.date() + timedelta(days=7),
                external_ref=f"{ref}-treatment",
                uow=uow,
                clock=house.clock,
                pack=house.pack,
            )
        uow.commit()
    if treated is None:
        _visit(house, ref)


def _visit(house: House, ref: str) -> None:
    """Book the first free time of the first service that has one."""
    with house.unit_of_work() as uow:
        member = uow.members.find_by_ref(ref, by=DEMO, purpose=Purpose.SERVICE_CORE)
        if member is None:
            return
        for code in house.pack.services:
            wish = booking.Wish(code)
            try:
                found = booking.offer(wish, uow=uow, slots=house.slots, clock=house.clock)
            except CareError:
                continue
            if found.slots:
                booking.book(
                    member.id,
                    wish,
                    found.slots[0].start_at,
                    key=f"demo:{ref}",
                    uow=uow,
                    slots=house.slots,
                    clock=house.clock,
                )
                uow.commit()
                return
