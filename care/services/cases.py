"""Cases: opening them, whom they go to, and what the member is told.

One open case a track and member: a second alarm raises the level of the first and brings its moment forward; while
its clock runs it never starts a second one. A case whose clock has stopped, because somebody took it or because its
promise was broken and the member was told so, starts anew when the member needs somebody again and the bot is alone
with them: what the member is told then must be held by somebody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.case import PROMISE, TRACK_OF, Case, CaseLevel, CaseState, due_at, in_hours, more_urgent
from care.model.errors import Conflict
from care.model.ids import CaseId, MemberId, MessageId, StaffId, new_id
from care.model.message import Author
from care.model.pack import Pack
from care.model.staff import Role, Staff
from care.ports import Clock, UnitOfWork
from care.services import outbox

SUMMARY_LIMIT = 500  # characters
UNTOLD = (
    "silence",
    "not_reached",
    "late_surgery",
    "no_channel",
    "undelivered",
)  # the member knows of no promise
RETOLD = timedelta(minutes=5)  # a promise made again in the moment between its end and its breach

ROLE_FOR = {
    "L": (Role.NURSE, Role.DOCTOR, Role.CARER, Role.LEAD),
    "P": (Role.CARER, Role.LEAD, Role.NURSE),
    "W": (Role.CARER, Role.LEAD, Role.NURSE),
    "K": (Role.LEAD, Role.CARER, Role.FRONT_DESK),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A case and whether something about it is new to the member."""

    case: Case
    news: bool


def open_case(
    member_id: MemberId,
    level: CaseLevel,
    reason: str,
    *,
    uow: UnitOfWork,
    now: datetime,
    zone: ZoneInfo,
    message_id: MessageId | None = None,
    summary: str = "",
) -> Opened:
    """Open a case, or raise the member's open one of the same track.

    Args:
        member_id: whom it is about.
        level: how much hurry it has.
        reason: a code such as `flag:bleeding`, `request_human`, `silence`.
        uow: open.
        now: aware.
        zone: the clinic's, which decides what is night.
        message_id: what the member wrote that caused it.
        summary: the member's words, kept sealed; cut at 500 characters.

    Returns:
        The case, and whether it is new, more urgent than before, or started anew.
    """
    conversation = uow.conversations.of_member(member_id, lock=True)  # two alarms at once must not make two cases
    fresh = Case(
        id=CaseId(new_id()),
        member_id=member_id,
        level=level,
        reason=reason,
        opened_at=now,
        due_at=due_at(level, now, zone),
        summary=summary[:SUMMARY_LIMIT],
        message_id=message_id,
    )
    same_track = [case for case in uow.cases.open_of(member_id) if case.track is fresh.track]
    if not same_track:
        uow.cases.add(fresh)
        return Opened(fresh, news=True)
    case = same_track[0]
    raised = more_urgent(level, case.level)
    if raised:
        case.level, case.reason, case.message_id = level, reason, message_id or case.message_id
        case.due_at = min(case.due_at, fresh.due_at) if case.state is CaseState.OPEN else fresh.due_at
        case.state, case.breached_at, case.acknowledged_at = CaseState.OPEN, None, None
    alone = conversation is None or conversation.owned_by_bot
    again = not raised and alone and (case.state is CaseState.TAKEN or case.breached_at is not None)
    if again:
        case.reason, case.message_id = reason, message_id or case.message_id
        case.state, case.due_at = CaseState.OPEN, due_at(case.level, now, zone)
        case.breached_at, case.acknowledged_at = None, None
    if _untold(case.reason) and not _untold(reason):
        case.reason = reason  # from here on the member knows of it
    if summary and summary[:SUMMARY_LIMIT] not in case.summary:
        case.summary = f"{case.summary}\n{summary}".strip()[-SUMMARY_LIMIT:]
    uow.cases.save(case)
    return Opened(case, news=raised or again)


def on_duty(level: CaseLevel, *, uow: UnitOfWork) -> Staff | None:
    """Return the colleague a case of this level goes to first."""
    active = [staff for staff in uow.staff.all() if staff.active]
    for role in ROLE_FOR[level.value[0]]:
        for staff in active:
            if staff.role is role:
                return staff
    return active[0] if active else None


def promised_minutes(level: CaseLevel, now: datetime, zone: ZoneInfo) -> int:
    """Return the minutes the member is told; levels that wait for the morning count until then."""
    day, night = PROMISE[level]
    if in_hours(now, zone):
        return day
    if night is not None:
        return night
    return max(1, int((due_at(level, now, zone) - now).total_seconds() // 60))


def minutes_left(level: CaseLevel, member_id: MemberId, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> int:
    """Return the minutes a member may be told: those of the clock that runs for them, whole and at least one."""
    track = TRACK_OF[level.value[0]]
    running = [case for case in uow.cases.open_of(member_id) if case.track is track and case.state is CaseState.OPEN]
    if not running:
        return promised_minutes(level, now, zone)
    return max(1, int((still_to_come(running[0].due_at, now) - now).total_seconds() // 60))


def still_to_come(due: datetime, now: datetime) -> datetime:
    """Return a moment that may be told: the due one, or a few minutes from now if it has just passed."""
    return due if due > now else now + RETOLD


def take(case_id: CaseId, staff_id: StaffId, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Make a case a colleague's own. Taking it also acknowledges its alarm.

    Raises:
        Conflict: it is resolved.
    """
    case = uow.cases.get(case_id, lock=True)
    if case.state is CaseState.RESOLVED:
        raise Conflict("the case is resolved")
    now = clock.now()
    case.state, case.owner = CaseState.TAKEN, staff_id
    case.taken_at = case.taken_at or now
    case.acknowledged_at = case.acknowledged_at or now
    uow.cases.save(case)
    return case


def acknowledge(case_id: CaseId, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Silence a case's alarm: somebody has seen it."""
    case = uow.cases.get(case_id, lock=True)
    case.acknowledged_at = case.acknowledged_at or clock.now()
    uow.cases.save(case)
    return case


def resolve(case_id: CaseId, staff_id: StaffId, outcome: str, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Close a case with one line on what was done. Safe to repeat."""
    case = uow.cases.get(case_id, lock=True)
    if case.state is not CaseState.RESOLVED:
        case.state, case.owner, case.resolved_at, case.outcome = (
            CaseState.RESOLVED,
            staff_id,
            clock.now(),
            outcome,
        )
        uow.cases.save(case)
    return case


def breaching(*, uow: UnitOfWork, clock: Clock) -> list[CaseId]:
    """Return the open cases past their moment whose breach nobody has recorded yet."""
    return [case.id for case in uow.cases.breaching(clock.now())]


def tell_breach(case_id: CaseId, *, uow: UnitOfWork, clock: Clock, pack: Pack, zone: ZoneInfo) -> Case | None:
    """Record a broken promise at the moment it breaks and tell the member who looks after it now. Safe to repeat.

    A case the member was never told of is recorded, not told: they would hear of a promise nobody made them.

    Returns:
        The case, or None if somebody took, moved or told it meanwhile.
    """
    now = clock.now()
    conversation = uow.conversations.of_member(uow.cases.get(case_id).member_id, lock=True)
    case = uow.cases.get(case_id, lock=True)
    if case.state is not CaseState.OPEN or case.breached_at is not None or case.due_at > now:
        return None
    case.breached_at = now
    uow.cases.save(case)
    if conversation is None or _untold(case.reason):
        return case
    next_one = _next_up(case, uow=uow)
    text = pack.say(
        "sla.breach",
        时间=f"{case.due_at.astimezone(zone):%H:%M}",
        上级姓名=next_one.name if next_one else pack.duty_name,
        分钟=5 if case.level in {CaseLevel.L0, CaseLevel.P3, CaseLevel.L1} else 15,
        电话=pack.duty_phone,
    )
    outbox.enqueue(
        conversation,
        text,
        author=Author.SYSTEM,
        key=f"case:{case.id}:breach:{case.level}:{case.due_at.timestamp():.0f}",
        uow=uow,
        now=now,
    )
    uow.conversations.save(conversation)
    return case


def _next_up(case: Case, *, uow: UnitOfWork) -> Staff | None:
    active = [staff for staff in uow.staff.all() if staff.active]
    for role in (Role.LEAD, Role.DOCTOR, Role.NURSE):
        for staff in active:
            if staff.role is role and staff.id != case.owner:
                return staff
    return on_duty(case.level, uow=uow)


def _untold(reason: str) -> bool:
    return reason.partition(":")[0] in UNTOLD
