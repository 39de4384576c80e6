"""The fixed words for what cannot wait for an answer of the dialogue: danger, a crisis, a grave complaint."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.case import CaseLevel
from care.model.member import Member
from care.model.pack import Pack
from care.ports import UnitOfWork
from care.services import cases

KEYS = {
    CaseLevel.L0: "safety.l0",
    CaseLevel.P3: "safety.p3",
    CaseLevel.P2: "safety.p2",
    CaseLevel.K2: "complaint.k2",
    CaseLevel.K3: "complaint.k3",
}


def of(level: CaseLevel, member: Member, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo, pack: Pack) -> str:
    """Return what a member reads when a case of this level was opened: always a name, a time and a number.

    Args:
        level: of the most urgent case.
        member: whom it is said to.
        uow: open.
        now: aware.
        zone: the clinic's, in which the time is told.
        pack: the words.
    """
    colleague = cases.answers(level, member.id, uow=uow, now=now)
    name = colleague.name if colleague else pack.duty_name
    minutes = cases.minutes_left(level, member.id, uow=uow, now=now, zone=zone)
    due = (now + timedelta(minutes=minutes)).astimezone(zone)
    same_day = due.date() == now.astimezone(zone).date()
    return pack.say(
        KEYS.get(level, "safety.l1_l2" if member.phone else "safety.l1_l2_no_phone"),
        机构=pack.brand,
        护士=name,
        关怀师=name,
        姓名=name,
        岗位=colleague.job_title if colleague else pack.duty_title,
        称呼=member.salutation,
        尾号=f"尾号 {member.phone_tail}" if member.phone else "",
        N=minutes,
        时间=f"{due:%H:%M}" if same_day else pack.clock_words(due, now, zone),
        电话=pack.duty_phone,
    )
