"""Promises: a case, the colleague it goes to, and the moment the member is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.case import Case, CaseLevel
from care.model.consent import Purpose
from care.model.ids import MemberId, MessageId
from care.model.pack import Pack
from care.model.staff import BOT_READER
from care.ports import UnitOfWork
from care.services import cases, duty

RECEIVED = "sla.received"
ROUND_TO = timedelta(minutes=5)  # a moment is told as people tell it


@dataclass(frozen=True, slots=True)
class Promise:
    """Who answers, until when, and the sentence that says so."""

    case: Case
    name: str
    title: str
    when: str  # 今天下午3点30分, in the clinic's zone
    received: str  # the whole sentence of the pack


def give(
    member_id: MemberId,
    level: CaseLevel,
    reason: str,
    *,
    uow: UnitOfWork,
    now: datetime,
    zone: ZoneInfo,
    pack: Pack,
    message_id: MessageId | None = None,
    summary: str = "",
) -> Promise:
    """Open a case, or join the member's open one of the same track, and say who answers it and when.

    Args:
        member_id: whom it is about.
        level: how much hurry it has.
        reason: a code, at most 64 characters.
        uow: open; committed by the caller.
        now: aware.
        zone: the clinic's; decides what is night, and how the moment is told.
        pack: names the colleague on duty where the staff list has none.
        message_id: what the member wrote that caused it.
        summary: the member's words, kept sealed.

    Returns:
        A promise whose moment is never later than the case is due, on the last full five minutes before.
    """
    opened = cases.open_case(
        member_id, level, reason, uow=uow, now=now, zone=zone, message_id=message_id, summary=summary
    )
    colleague = duty.named(opened.case, uow=uow, now=now)
    member = uow.members.get(member_id, by=BOT_READER, purpose=Purpose.SERVICE_CORE)
    name = colleague.name if colleague else pack.duty_name
    title = colleague.job_title if colleague else pack.duty_title
    when = pack.clock_words(_told(cases.still_to_come(opened.case.due_at, now), now, zone), now, zone)
    return Promise(
        case=opened.case,
        name=name,
        title=title,
        when=when,
        received=pack.say(
            _words(opened.case, uow, now, zone),
            称呼=member.salutation,
            姓名=name,
            岗位=title,
            时间=when,
            电话=pack.duty_phone,
        ),
    )


def _words(case: Case, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> str:
    """Return the sentence that makes the promise: another one when night has fallen and it waits for the morning."""
    night = uow.ladder.rule(case.level).night
    return night if night and uow.ladder.is_night(now, zone) and case.due_at - now > timedelta(hours=1) else RECEIVED


def _told(due: datetime, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment that is told: on full five minutes, not after it is due and not in the past."""
    local = due.astimezone(zone)
    told = local - timedelta(minutes=local.minute % 5, seconds=local.second, microseconds=local.microsecond)
    return told if told > now else local
