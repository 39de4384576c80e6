"""Moments of cases: written whenever a clock changes, and what happens when one has come.

A moment is a row. Schedulers lease rows that are due and deal with each in a transaction of its own that first looks,
under a lock, whether it still stands; so each happens once, however many schedulers run.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.case import Case, CaseState
from care.model.conversation import Conversation
from care.model.deadline import OF_CLOCK, Deadline, DeadlineKind, Planned
from care.model.ids import new_id
from care.model.ladder import BreachStep
from care.model.message import Author
from care.model.pack import Pack
from care.model.staff import Role
from care.model.tasks import TaskKind
from care.ports import Clock, UnitOfWork
from care.services import crisis, duty, outbox, tasks

UNTOLD = (
    "silence",
    "not_reached",
    "late_surgery",
    "no_channel",
    "undelivered",
    "phone",
    "not_well",
)  # the member knows of no promise


def plan(case: Case, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> None:
    """Write the moments of a case's clock anew. Safe to repeat; call it after every change to the clock."""
    wanted = [one for one in uow.ladder.deadlines(case, zone) if _is_ahead(one, case, now)]
    standing = [one for one in uow.deadlines.waiting(case.id) if one.kind in OF_CLOCK]
    if {(one.kind, one.step, one.due_at) for one in wanted} == {(one.kind, one.step, one.due_at) for one in standing}:
        return
    if standing:
        uow.deadlines.let_go(case.id, OF_CLOCK, "replaced", now)
    for one in wanted:
        add(case, one.kind, one.due_at, step=one.step, uow=uow)


def add(case: Case, kind: DeadlineKind, due_at: datetime, *, uow: UnitOfWork, step: int = 0) -> None:
    """Store one more moment of a case."""
    uow.deadlines.add(Deadline(id=new_id(), case_id=case.id, kind=kind, due_at=due_at, step=step))


def let_go(case: Case, outcome: str, *, uow: UnitOfWork, now: datetime) -> None:
    """End everything that still waits for a case."""
    uow.deadlines.let_go(case.id, frozenset(DeadlineKind), outcome, now)


def fire(deadline: Deadline, *, uow: UnitOfWork, clock: Clock, pack: Pack, zone: ZoneInfo) -> Case | None:
    """Do what a leased moment demands, if it still stands. Safe to repeat.

    Returns:
        The case, or None if the moment was dealt with, moved or let go meanwhile.
    """
    now = clock.now()
    conversation = uow.conversations.of_member(uow.cases.get(deadline.case_id).member_id, lock=True)
    case = uow.cases.get(deadline.case_id, lock=True)
    fresh = uow.deadlines.get(deadline.id, lock=True)
    if fresh.done_at is not None or fresh.due_at > now:
        return None
    fresh.done_at, fresh.outcome, fresh.lease_until = now, "done", None
    acted = _act(fresh, case, conversation, uow=uow, now=now, pack=pack, zone=zone)
    if not acted:
        fresh.outcome = "kept"
    uow.deadlines.save(fresh)
    uow.cases.save(case)
    return case if acted else None


def _act(
    deadline: Deadline,
    case: Case,
    conversation: Conversation | None,
    *,
    uow: UnitOfWork,
    now: datetime,
    pack: Pack,
    zone: ZoneInfo,
) -> bool:
    kind = deadline.kind
    if kind is DeadlineKind.PRESENCE:
        return crisis.stay_present(case, conversation, uow=uow, now=now, pack=pack)
    if case.state is CaseState.RESOLVED:
        return False
    if kind is DeadlineKind.RESUME:
        return resume(case, uow=uow, now=now, zone=zone)
    if kind is DeadlineKind.ASK_MEMBER:
        case.carer_asks = case.state is CaseState.ASKED
        return case.carer_asks
    if kind is DeadlineKind.CLOSE:
        if case.state is not CaseState.ASKED:
            return False
        case.state, case.carer_asks = CaseState.UNCONFIRMED, False
        return True
    if kind in {DeadlineKind.LEGAL_WARN, DeadlineKind.LEGAL}:
        return _legal(kind, case, uow=uow, now=now)
    return _promise(deadline, case, conversation, uow=uow, now=now, pack=pack, zone=zone)


def _promise(
    deadline: Deadline,
    case: Case,
    conversation: Conversation | None,
    *,
    uow: UnitOfWork,
    now: datetime,
    pack: Pack,
    zone: ZoneInfo,
) -> bool:
    if not uow.ladder.runs(case):
        return False
    if deadline.kind is DeadlineKind.WARN:
        case.warned_at = now
        return True
    number = deadline.step if deadline.kind is DeadlineKind.ESCALATE else 1
    if number <= case.step or (deadline.kind is DeadlineKind.BREACH and case.breached_at is not None):
        return False
    case.breached_at = case.breached_at or now
    step = uow.ladder.rule(case.level).steps[number - 1]
    name = climb(case, step.to, number, uow=uow, now=now) or pack.duty_name
    if conversation is not None and _is_told(case, step, conversation):
        _tell(case, step, number, name, conversation, uow=uow, now=now, pack=pack, zone=zone)
    return True


def climb(case: Case, role: Role, number: int, *, uow: UnitOfWork, now: datetime) -> str | None:
    """Give a case to the colleague of the rung, or the next one up; return their name, None if nobody works here."""
    colleague = duty.next_up(role, case, uow=uow, now=now)
    case.step = number
    if colleague is None:
        return None
    case.assigned, case.assigned_at, case.acknowledged_at = colleague.id, now, None
    return colleague.name


def hold(case: Case, *, uow: UnitOfWork, now: datetime) -> None:
    """Stop what a promise's clock would do; the law's deadline goes on."""
    uow.deadlines.let_go(case.id, OF_CLOCK - {DeadlineKind.LEGAL, DeadlineKind.LEGAL_WARN}, "paused", now)


def resume(case: Case, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> bool:
    """Let a held clock go on with the time that was left; False if it was not held."""
    if case.paused_at is None:
        return False
    held = now - case.paused_at
    case.due_at, case.raised_at = case.due_at + held, (case.raised_at or case.opened_at) + held
    case.paused_at, case.pause_reason = None, None
    uow.deadlines.let_go(case.id, frozenset({DeadlineKind.RESUME}), "kept", now)
    plan(case, uow=uow, now=now, zone=zone)
    return True


def is_untold(reason: str) -> bool:
    """Whether a member knows nothing of a promise behind a case opened for this reason."""
    return reason.partition(":")[0] in UNTOLD


def _is_told(case: Case, step: BreachStep, conversation: Conversation) -> bool:
    """Whether the member is written to: they know of the promise, and no colleague is talking with them about it."""
    with_them = case.state is CaseState.TAKEN and not conversation.owned_by_bot
    return bool(step.says) and not is_untold(case.reason) and not with_them


def _tell(
    case: Case,
    step: BreachStep,
    number: int,
    name: str,
    conversation: Conversation,
    *,
    uow: UnitOfWork,
    now: datetime,
    pack: Pack,
    zone: ZoneInfo,
) -> None:
    text = pack.say(
        step.says,
        时间=f"{case.due_at.astimezone(zone):%H:%M}",
        上级姓名=name,
        分钟=step.minutes,
        电话=pack.duty_phone,
    )
    rung = "" if number == 1 else f":{number}"
    outbox.enqueue(
        conversation,
        text,
        author=Author.SYSTEM,
        key=f"case:{case.id}:breach:{case.level}:{case.due_at.timestamp():.0f}{rung}",
        uow=uow,
        now=now,
    )
    uow.conversations.save(conversation)


def _legal(kind: DeadlineKind, case: Case, *, uow: UnitOfWork, now: datetime) -> bool:
    if kind is DeadlineKind.LEGAL:
        case.legal_late_at = now
        climb(case, uow.ladder.ladder.command[-2], max(case.step, 1), uow=uow, now=now)
    tasks.give(
        case.member_id,
        TaskKind.COMPLAINT_LEGAL,
        Role.LEAD,
        key=f"{case.id}:{kind}",
        due_at=now + timedelta(hours=4),
        case_id=case.id,
        uow=uow,
        now=now,
    )
    return True


def _is_ahead(one: Planned, case: Case, now: datetime) -> bool:
    """Whether a moment of the clock has still to happen."""
    if one.kind is DeadlineKind.WARN:
        return case.warned_at is None and one.due_at > now
    if one.kind is DeadlineKind.BREACH:
        return case.breached_at is None
    if one.kind is DeadlineKind.ESCALATE:
        return one.step > case.step
    if one.kind is DeadlineKind.LEGAL:
        return case.legal_late_at is None
    return one.due_at > now
