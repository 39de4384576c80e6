"""Cases: opening them, taking, holding and closing them.

One open case a track and member: a second alarm raises the level of the first and brings its moment forward; while
its clock runs it never starts a second one. A case whose clock has stopped, because somebody took it or because its
promise was broken and the member was told so, starts anew when the member needs somebody again and the bot is alone
with them: what the member is told then must be held by somebody. Complaints close in `complaints`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.case import TRACK_OF, Case, CaseLevel, CaseState, PauseReason, Track, more_urgent
from care.model.deadline import DeadlineKind
from care.model.errors import Conflict, InvalidInput
from care.model.ids import CaseId, MemberId, MessageId, StaffId, new_id
from care.model.staff import Role, Staff
from care.ports import Clock, UnitOfWork
from care.services import crisis, deadlines, duty
from care.services.deadlines import is_untold

SUMMARY_LIMIT = 500  # characters
RETOLD = timedelta(minutes=5)  # a promise made again in the moment between its end and its breach
HELD_AT_MOST = timedelta(days=7)  # a clock that is held longer is a forgotten one
NO_COMPLAINT = frozenset({"suggestion"})  # answered like a complaint, and none

#: Whose phones ring for a family of cases; whom a case goes to stands in the ladder.
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
        level: how much hurry it has. A second complaint within the ladder's days is a major one.
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
    if level is CaseLevel.K1 and _is_second_complaint(member_id, reason, uow=uow, now=now):
        level = CaseLevel.K2
    same_track = [case for case in uow.cases.open_of(member_id) if case.track is TRACK_OF[level.value[0]]]
    if not same_track:
        return Opened(_new(member_id, level, reason, message_id, summary, uow=uow, now=now, zone=zone), news=True)
    case = same_track[0]
    due_at = uow.ladder.due(level, now, zone)
    raised = more_urgent(level, case.level)
    if raised:
        stopped = case.state is not CaseState.OPEN
        case.level, case.reason, case.message_id = level, reason, message_id or case.message_id
        _start_anew(case, due_at if stopped else min(case.due_at, due_at), uow=uow, now=now)
    again = not raised and _needs_somebody_again(case, conversation is None or conversation.owned_by_bot, uow=uow)
    if again:
        case.reason, case.message_id = reason, message_id or case.message_id
        _start_anew(case, uow.ladder.due(case.level, now, zone), uow=uow, now=now)
    if is_untold(case.reason) and not is_untold(reason):
        case.reason = reason  # from here on the member knows of it
    if summary and summary[:SUMMARY_LIMIT] not in case.summary:
        case.summary = f"{case.summary}\n{summary}".strip()[-SUMMARY_LIMIT:]
    uow.cases.save(case)
    if raised or again:
        deadlines.plan(case, uow=uow, now=now, zone=zone)
        crisis.opened(case, uow=uow, now=now, zone=zone)
    return Opened(case, news=raised or again)


def minutes_left(level: CaseLevel, member_id: MemberId, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> int:
    """Return the minutes a member may be told: those of the clock that runs for them, whole and at least one."""
    track = TRACK_OF[level.value[0]]
    running = [case for case in uow.cases.open_of(member_id) if case.track is track and uow.ladder.runs(case)]
    due_at = running[0].due_at if running else uow.ladder.due(level, now, zone)
    return max(1, int((still_to_come(due_at, now) - now).total_seconds() // 60))


def answers(level: CaseLevel, member_id: MemberId, *, uow: UnitOfWork, now: datetime) -> Staff | None:
    """Return the colleague a member is told for a level: whose turn their open case of that track is."""
    track = TRACK_OF[level.value[0]]
    for case in uow.cases.open_of(member_id):
        if case.track is track:
            return duty.named(case, uow=uow, now=now)
    return duty.on_duty(level, uow=uow, now=now)


def still_to_come(due: datetime, now: datetime) -> datetime:
    """Return a moment that may be told: the due one, or a few minutes from now if it has just passed."""
    return due if due > now else now + RETOLD


def take(case_id: CaseId, staff_id: StaffId, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Make a case a colleague's own. Taking it also acknowledges its alarm.

    The clock stops, except a complaint's: its member was promised an answer, not a reader.

    Raises:
        Conflict: it is resolved.
    """
    case = uow.cases.get(case_id, lock=True)
    if case.state is CaseState.RESOLVED:
        raise Conflict("the case is resolved")
    now = clock.now()
    case.state, case.owner = CaseState.TAKEN, staff_id
    if case.assigned != staff_id:
        case.assigned, case.assigned_at = staff_id, now
    case.taken_at = case.taken_at or now
    case.acknowledged_at = case.acknowledged_at or now
    uow.cases.save(case)
    if not uow.ladder.runs(case):
        deadlines.hold(case, uow=uow, now=now)
    return case


def acknowledge(case_id: CaseId, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Silence a case's alarm: somebody has seen it."""
    case = uow.cases.get(case_id, lock=True)
    case.acknowledged_at = case.acknowledged_at or clock.now()
    uow.cases.save(case)
    return case


def resolve(case_id: CaseId, staff_id: StaffId, outcome: str, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Close a case with one line on what was done. Safe to repeat.

    Raises:
        Conflict: it is a complaint, which only its member's yes closes.
    """
    case = uow.cases.get(case_id, lock=True)
    if is_complaint(case):
        raise Conflict("a complaint is closed by the member")
    return close(case, staff_id, outcome, uow=uow, now=clock.now())


def close(case: Case, staff_id: StaffId | None, outcome: str, *, uow: UnitOfWork, now: datetime) -> Case:
    """Write that a case is over, and let go of every moment that waits for it. Safe to repeat."""
    if case.state is not CaseState.RESOLVED:
        case.state, case.owner, case.resolved_at, case.outcome = CaseState.RESOLVED, staff_id, now, outcome
        case.paused_at, case.pause_reason, case.carer_asks = None, None, False
        uow.cases.save(case)
        deadlines.let_go(case, "resolved", uow=uow, now=now)
    return case


def open_again(case: Case, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> Case:
    """Start a complaint's clock anew with the colleague who had it, because its member says it is not solved."""
    _start_anew(case, uow.ladder.due(case.level, now, zone), uow=uow, now=now, keeps=case.owner)
    uow.cases.save(case)
    deadlines.plan(case, uow=uow, now=now, zone=zone)
    return case


def is_complaint(case: Case) -> bool:
    """Whether only its member may say that a case is over."""
    return case.track is Track.COMPLAINT and case.reason not in NO_COMPLAINT


def pause(case_id: CaseId, reason: PauseReason, until: datetime, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Hold a case's clock for a stated reason until a stated moment, when it goes on by itself.

    Raises:
        Conflict: nothing runs, or a case of this level is never held.
        InvalidInput: `until` is not within the next week.
    """
    now = clock.now()
    case = uow.cases.get(case_id, lock=True)
    if not uow.ladder.rule(case.level).may_pause:
        raise Conflict("this clock is never held")
    if case.state not in {CaseState.OPEN, CaseState.TAKEN} or case.paused_at is not None:
        raise Conflict("nothing runs that could be held")
    if not now < until <= now + HELD_AT_MOST:
        raise InvalidInput("until", "must lie within the next seven days")
    case.paused_at, case.pause_reason = now, reason
    deadlines.hold(case, uow=uow, now=now)
    deadlines.add(case, DeadlineKind.RESUME, until, uow=uow)
    uow.cases.save(case)
    return case


def resume(case_id: CaseId, *, uow: UnitOfWork, clock: Clock, zone: ZoneInfo) -> Case:
    """Let a held clock go on with the time that was left. Safe to repeat."""
    case = uow.cases.get(case_id, lock=True)
    if deadlines.resume(case, uow=uow, now=clock.now(), zone=zone):
        uow.cases.save(case)
    return case


def member_wrote(member_id: MemberId, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> None:
    """Let clocks go on that waited for the member's word."""
    for case in uow.cases.open_of(member_id):
        if case.pause_reason is PauseReason.WAITING_MEMBER and deadlines.resume(case, uow=uow, now=now, zone=zone):
            uow.cases.save(case)


def _new(
    member_id: MemberId,
    level: CaseLevel,
    reason: str,
    message_id: MessageId | None,
    summary: str,
    *,
    uow: UnitOfWork,
    now: datetime,
    zone: ZoneInfo,
) -> Case:
    case = Case(
        id=CaseId(new_id()),
        member_id=member_id,
        level=level,
        reason=reason,
        opened_at=now,
        due_at=uow.ladder.due(level, now, zone),
        summary=summary[:SUMMARY_LIMIT],
        message_id=message_id,
        about=_named_in(summary, uow=uow) if TRACK_OF[level.value[0]] is Track.COMPLAINT else None,
    )
    _assign(case, uow=uow, now=now)
    uow.cases.add(case)
    deadlines.plan(case, uow=uow, now=now, zone=zone)
    crisis.opened(case, uow=uow, now=now, zone=zone)
    return case


def _start_anew(
    case: Case, due_at: datetime, *, uow: UnitOfWork, now: datetime, keeps: StaffId | None = None
) -> None:
    case.state, case.due_at, case.raised_at, case.step = CaseState.OPEN, due_at, now, 0
    case.breached_at, case.acknowledged_at, case.warned_at = None, None, None
    case.paused_at, case.pause_reason, case.carer_asks = None, None, False
    if keeps is not None and any(one.id == keeps and one.active for one in uow.staff.all()):
        case.assigned, case.assigned_at = keeps, now
    else:
        _assign(case, uow=uow, now=now)


def _assign(case: Case, *, uow: UnitOfWork, now: datetime) -> None:
    """Give a case to whoever it fits; who had it keeps it, if they are there and it is theirs by role."""
    first = uow.ladder.rule(case.level).first
    had = {case.owner, case.assigned} - {None, case.about}
    for one in uow.staff.all() if had else ():
        if one.id in had and one.available(now) and one.role in first:
            case.assigned, case.assigned_at = one.id, now
            return
    colleague = duty.on_duty(case.level, uow=uow, now=now, without={case.about})
    case.assigned, case.assigned_at = (colleague.id, now) if colleague else (None, None)


def _needs_somebody_again(case: Case, alone: bool, *, uow: UnitOfWork) -> bool:
    """Whether nobody looks after a case any more that the member has just come back to."""
    if case.state in {CaseState.ASKED, CaseState.UNCONFIRMED}:
        return True
    taken = case.state is CaseState.TAKEN and uow.ladder.rule(case.level).until == "taken"
    return alone and (taken or case.breached_at is not None)


def _is_second_complaint(member_id: MemberId, reason: str, *, uow: UnitOfWork, now: datetime) -> bool:
    """Whether the member complained before within the ladder's days, and not in this very talk."""
    if reason in NO_COMPLAINT:
        return False
    ladder = uow.ladder.ladder
    since = now - timedelta(days=ladder.repeat_within_days)
    until = now - timedelta(minutes=ladder.repeat_after_minutes)
    return any(is_complaint(case) and since <= case.opened_at <= until for case in uow.cases.of_member(member_id))


def _named_in(words: str, *, uow: UnitOfWork) -> StaffId | None:
    """Return the colleague a complaint calls by name."""
    return next((one.id for one in uow.staff.all() if one.active and one.name and one.name in words), None)
