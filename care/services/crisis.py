"""A crisis: nobody is left alone with the machine, and the machine stays out until a named lead signs.

What follows from severe distress besides its own clock: presence lines until a human is in, a human's check the next
day, a supervisor's review within a day, and two weeks without surveys, marketing or tasks.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from care.model.case import Case, CaseLevel, CaseState
from care.model.conversation import Conversation
from care.model.deadline import Deadline, DeadlineKind
from care.model.errors import Conflict, InvalidInput, NotTheirs
from care.model.ids import ConversationId, MemberId, MessageId, StaffId, new_id
from care.model.message import Author, Message
from care.model.pack import Pack
from care.model.rights import Weight
from care.model.staff import Role
from care.model.tasks import TaskKind
from care.ports import Clock, UnitOfWork
from care.services import outbox, tasks

# Source of all of these: clinic protocol 2026-01, section on psychological risk.
PRESENCE_EVERY = timedelta(minutes=2)
REVIEW_WITHIN = timedelta(hours=24)
CHECK_AT = time(10)  # the next day, where the clinic is
LEAD_TOLD_WITHIN = timedelta(minutes=30)
QUIET_FOR = timedelta(days=14)
QUIET_AFTER = frozenset({CaseLevel.P2, CaseLevel.P3})
AFTER_ALL_ELSE = 99  # of what is due at one moment: a broken promise that is told is a sign of presence too
LINES = ("safety.presence", "safety.presence_more")


def opened(case: Case, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> None:
    """See to what follows from a case that has just become one of severe distress. Safe to repeat."""
    if case.level is CaseLevel.P2:
        due = now + LEAD_TOLD_WITHIN
        _task(case, TaskKind.LEAD_TOLD, Role.LEAD, due, uow=uow, now=now)
    if case.level is not CaseLevel.P3:
        return
    tomorrow = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), CHECK_AT, tzinfo=zone)
    _task(case, TaskKind.NEXT_DAY, Role.CARER, tomorrow, uow=uow, now=now)
    _task(case, TaskKind.REVIEW, Role.LEAD, now + REVIEW_WITHIN, uow=uow, now=now)
    if not any(one.kind is DeadlineKind.PRESENCE for one in uow.deadlines.waiting(case.id)):
        _again(case, now + PRESENCE_EVERY, uow=uow)


def stay_present(
    case: Case, conversation: Conversation | None, *, uow: UnitOfWork, now: datetime, pack: Pack
) -> bool:
    """Say in one line that somebody is here, as long as no human has come; False when one has.

    On channels that ration messages it never spends the last of them: those are the human's. A line that could not
    leave at once is not sent late.
    """
    alone = conversation is not None and conversation.crisis and conversation.owned_by_bot
    if conversation is None or not alone or case.state is CaseState.RESOLVED:
        return False
    last = conversation.last_outbound_at
    if last is None or now - last >= PRESENCE_EVERY:
        number = int((now - case.opened_at) / PRESENCE_EVERY)
        outbox.enqueue(
            conversation,
            pack.say(LINES[number % len(LINES)]),
            author=Author.SAFETY,
            key=f"presence:{case.id}:{now.timestamp():.0f}",
            uow=uow,
            now=now,
            weight=Weight.CHECK_IN,
            stale_at=now + PRESENCE_EVERY,
        )
        uow.conversations.save(conversation)
        last = now
    _again(case, last + PRESENCE_EVERY, uow=uow)
    return True


def release(
    conversation_id: ConversationId, staff_id: StaffId, signature: str, *, uow: UnitOfWork, clock: Clock
) -> Conversation:
    """Let automation speak to this member again after a P3: the lead's decision alone, signed with why.

    Raises:
        NotTheirs: the colleague is no lead.
        InvalidInput: without words to sign.
        Conflict: there is no crisis to release.
    """
    colleague = uow.staff.get(staff_id)
    if colleague.role is not Role.LEAD or not colleague.active:
        raise NotTheirs("lead_only")
    if not signature.strip():
        raise InvalidInput("outcome", "say in one line why it is safe")
    now = clock.now()
    conversation = uow.conversations.get(conversation_id, lock=True)
    if not conversation.crisis:
        raise Conflict("there is no crisis to release")
    conversation.crisis = False
    uow.conversations.write(
        Message(
            id=MessageId(new_id()),
            conversation_id=conversation.id,
            member_id=conversation.member_id,
            author=Author.CARER,
            text=f"解除危机：{signature.strip()}（{colleague.name} 签字）",
            at=now,
            carer_id=staff_id,
            note=True,
        )
    )
    uow.conversations.save(conversation)
    return conversation


def quiet_until(member_id: MemberId, *, uow: UnitOfWork) -> datetime | None:
    """Return until when no survey, no marketing and no task may go to a member, or None if nothing speaks against it.

    Fourteen days from the last time severe distress was heard of.
    """
    heavy = [case for case in uow.cases.of_member(member_id) if case.level in QUIET_AFTER]
    return max(((case.raised_at or case.opened_at) + QUIET_FOR for case in heavy), default=None)


def _task(case: Case, kind: TaskKind, role: Role, due_at: datetime, *, uow: UnitOfWork, now: datetime) -> None:
    since = case.raised_at or case.opened_at
    key = f"{case.id}:{kind}:{since.timestamp():.0f}"
    tasks.give(case.member_id, kind, role, key=key, due_at=due_at, case_id=case.id, uow=uow, now=now)


def _again(case: Case, due_at: datetime, *, uow: UnitOfWork) -> None:
    uow.deadlines.add(
        Deadline(id=new_id(), case_id=case.id, kind=DeadlineKind.PRESENCE, due_at=due_at, step=AFTER_ALL_ELSE)
    )
