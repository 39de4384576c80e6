"""How a contact of a protocol begins: the clinic's sentence with what is known about this member's treatment."""

from __future__ import annotations

from datetime import datetime

from care.model.pack import Pack
from care.model.protocol import TouchpointPlan
from care.model.staff import Role
from care.ports import UnitOfWork
from care.services.verdicts import Course

MAY_BE_UNKNOWN = ("医嘱原话", "时间", "下次内容")


def opening(plan: TouchpointPlan, course: Course, *, uow: UnitOfWork, now: datetime, pack: Pack) -> str:
    """Return the opening with its blanks filled, or the plain one if something it needs is not known."""
    treatment = course.treatment
    doctor = pack.practitioners.get(treatment.practitioner)
    values: dict[str, object] = {
        "称呼": course.member.salutation,
        "医生": doctor.name if doctor else pack.say("word.doctor"),
        "护士": on_hand(Role.NURSE, uow=uow, pack=pack),
        "关怀师": on_hand(Role.CARER, uow=uow, pack=pack),
        "医嘱原话": treatment.instructions or "",
        "下次内容": treatment.next_step or "",
        "时间": _sutures_at(course, uow=uow, now=now, pack=pack),
    }
    unknown = any(f"{{{blank}}}" in plan.opening and not values[blank] for blank in MAY_BE_UNKNOWN)
    return pack.fill(plan.plain if unknown and plan.plain else plan.opening, **values)


def signature(*, uow: UnitOfWork, pack: Pack) -> str:
    """Return the words of the first contact that say who writes, and who stands behind it."""
    return pack.say(
        "ai.signature",
        护士=on_hand(Role.NURSE, uow=uow, pack=pack),
        关怀师=on_hand(Role.CARER, uow=uow, pack=pack),
    )


def on_hand(role: Role, *, uow: UnitOfWork, pack: Pack) -> str:
    """Return a colleague of a role as members know them, 护士赵敏, or the role where the clinic names nobody."""
    word = pack.say("word.nurse" if role is Role.NURSE else "word.carer")
    found = next((one for one in uow.staff.all() if one.active and one.role is role), None)
    return f"{word}{found.name}" if found else word


def _sutures_at(course: Course, *, uow: UnitOfWork, now: datetime, pack: Pack) -> str:
    """Return when the visit for the sutures is, 明天下午3点, if one is booked on that day."""
    day, zone = course.treatment.sutures_out_on, course.member.tz
    if day is None:
        return ""
    booked = uow.appointments.of_member(course.member.id, after=now)
    visit = next((one for one in booked if one.slot.start_at.astimezone(zone).date() == day), None)
    return pack.clock_words(visit.slot.start_at, now, zone) if visit else ""
