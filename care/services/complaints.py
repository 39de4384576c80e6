"""How a complaint ends: by its member's yes, and by nothing else.

A colleague says it is solved; the member is asked. Yes closes it, no opens it again with the same colleague, silence
becomes a carer's call two days later, and after that the complaint waits, unconfirmed, for as long as it takes.
Whoever the complaint is about has no say in any of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from care.model.case import Case, CaseState
from care.model.conversation import Conversation
from care.model.courtesy import is_courtesy, says_solved
from care.model.deadline import OF_PROMISE, DeadlineKind
from care.model.errors import Conflict, InvalidInput, NotFound, NotTheirs
from care.model.ids import CaseId, MemberId, StaffId
from care.model.message import Author, Button, Reply
from care.model.pack import Pack
from care.ports import Clock, UnitOfWork
from care.services import cases, deadlines, duty, outbox

ASKED = "case.solved"
ASKED_AGAIN = "case.solved_again"  # politeness was no answer; a second time it is let be
WAITS = frozenset({CaseState.ASKED, CaseState.UNCONFIRMED})
OF_ASKING = frozenset({DeadlineKind.ASK_MEMBER, DeadlineKind.CLOSE})


class Heard(StrEnum):
    """What a member told the carer who asked once."""

    SOLVED = "solved"
    UNSOLVED = "unsolved"
    NOTHING = "nothing"


def call_solved(
    case_id: CaseId, staff_id: StaffId, outcome: str, *, uow: UnitOfWork, clock: Clock, pack: Pack
) -> Case:
    """Record that a colleague calls a complaint solved, and ask its member. Safe to repeat.

    Raises:
        InvalidInput: without a line on what was done.
        NotTheirs: the complaint is about this colleague.
        Conflict: it is over already.
    """
    if not outcome.strip():
        raise InvalidInput("outcome", "say in one line what was done")
    now = clock.now()
    conversation, case = _locked(case_id, uow=uow)
    _refuse_whom_it_is_about(case, staff_id)
    if case.state is CaseState.RESOLVED:
        raise Conflict("the case is resolved")
    if case.state in WAITS:
        return case
    case.state, case.owner, case.assigned = CaseState.ASKED, case.owner or staff_id, case.owner or staff_id
    case.asked_at, case.outcome, case.carer_asks = now, outcome.strip(), False
    case.paused_at, case.pause_reason = None, None
    uow.deadlines.let_go(case.id, OF_PROMISE | {DeadlineKind.RESUME}, "kept", now)
    ask_after = timedelta(hours=uow.ladder.ladder.ask_after_hours)
    deadlines.add(case, DeadlineKind.ASK_MEMBER, now + ask_after, uow=uow)
    colleague = uow.staff.get(staff_id)
    said = None
    if conversation is not None:
        said = outbox.enqueue(
            conversation,
            pack.say("sla.solved", 姓名=colleague.name),
            author=Author.SYSTEM,
            key=f"case:{case.id}:solved:{now.timestamp():.0f}",
            uow=uow,
            now=now,
            buttons=_buttons(case, pack),
        )
        conversation.asked = ASKED if said else conversation.asked
        uow.conversations.save(conversation)
    if said is None:
        case.carer_asks = True  # nobody can be asked in writing: somebody calls at once
    uow.cases.save(case)
    return case


def answer(
    conversation: Conversation,
    text: str,
    *,
    payload: str | None,
    uow: UnitOfWork,
    now: datetime,
    zone: ZoneInfo,
    pack: Pack,
) -> Reply | None:
    """Take what a member says to "is it solved?", by button at any time, in words when it was asked last.

    Returns:
        What is said to it, or None when it is no answer to that and should be read by the dialogue.
    """
    tapped = _tapped(payload)
    if tapped is not None:
        case = _of_member(tapped[0], conversation.member_id, uow=uow)
        solved: bool | None = tapped[1]
    elif conversation.asked in {ASKED, ASKED_AGAIN} and not payload:
        case = next((one for one in uow.cases.open_of(conversation.member_id) if one.state in WAITS), None)
        solved = says_solved(text)
    else:
        return None
    if case is None:
        return None
    if case.state not in WAITS:
        return Reply(pack.say("sla.closed")) if tapped and solved and case.state is CaseState.RESOLVED else None
    if solved is None:
        if conversation.asked == ASKED and is_courtesy(text):
            return Reply(pack.say("sla.solved_unclear"), _buttons(case, pack), asked=ASKED_AGAIN)
        return None
    if solved:
        _close(case, case.owner or case.assigned, uow=uow, now=now)
        return Reply(pack.say("sla.closed"))
    reopened = _reopen(case, uow=uow, now=now, zone=zone)
    colleague = duty.named(reopened, uow=uow, now=now)
    words = pack.say(
        "sla.reopened",
        姓名=colleague.name if colleague else pack.duty_name,
        时间=pack.clock_words(reopened.due_at, now, zone),
        电话=pack.duty_phone,
    )
    return Reply(words)


def asked_by_carer(
    case_id: CaseId, staff_id: StaffId, heard: Heard, words: str, *, uow: UnitOfWork, clock: Clock, zone: ZoneInfo
) -> Case:
    """Record what a member said to the carer who asked once whether their complaint is solved.

    Args:
        case_id: the complaint.
        staff_id: who asked; never the one it is about.
        heard: yes, no, or nothing (not reached, no answer).
        words: the member's own words, kept with the case; needed for a yes.
        uow: open.
        clock: the present.
        zone: the clinic's.

    Raises:
        NotTheirs: the complaint is about this colleague.
        Conflict: its member was not asked yet.
        InvalidInput: a yes without the member's words.
    """
    now = clock.now()
    _, case = _locked(case_id, uow=uow)
    _refuse_whom_it_is_about(case, staff_id)
    if case.state not in WAITS:
        raise Conflict("the member has not been asked")
    if heard is Heard.SOLVED:
        if not words.strip():
            raise InvalidInput("outcome", "write down the member's own words")
        case.outcome = f"{case.outcome or ''}\n{words.strip()}".strip()
        _close(case, staff_id, uow=uow, now=now)
    elif heard is Heard.UNSOLVED:
        _reopen(case, uow=uow, now=now, zone=zone)
    else:
        case.carer_asks = False
        uow.deadlines.let_go(case.id, OF_ASKING, "done", now)
        close_after = timedelta(hours=uow.ladder.ladder.close_after_hours)
        deadlines.add(case, DeadlineKind.CLOSE, now + close_after, uow=uow)
        uow.cases.save(case)
    return case


def is_about(case_id: CaseId, staff_id: StaffId, *, uow: UnitOfWork, clock: Clock) -> Case:
    """Record whom a complaint is about; if it lay with them, it goes to somebody else."""
    _, case = _locked(case_id, uow=uow)
    case.about = staff_id
    if staff_id in {case.assigned, case.owner}:
        now = clock.now()
        other = duty.on_duty(case.level, uow=uow, now=now, without={staff_id})
        case.assigned, case.assigned_at = (other.id, now) if other else (None, None)
        case.owner = None
        if case.state is CaseState.TAKEN:
            case.state = CaseState.OPEN
    uow.cases.save(case)
    return case


def involve_departments(case_id: CaseId, *, uow: UnitOfWork, clock: Clock, zone: ZoneInfo) -> Case:
    """Record that several departments have to look into a complaint, for which the law gives more time."""
    _, case = _locked(case_id, uow=uow)
    case.several = True
    uow.cases.save(case)
    deadlines.plan(case, uow=uow, now=clock.now(), zone=zone)
    return case


def _locked(case_id: CaseId, *, uow: UnitOfWork) -> tuple[Conversation | None, Case]:
    """Lock the conversation, then the case: everybody who needs both takes them in this order."""
    conversation = uow.conversations.of_member(uow.cases.get(case_id).member_id, lock=True)
    return conversation, uow.cases.get(case_id, lock=True)


def _close(case: Case, staff_id: StaffId | None, *, uow: UnitOfWork, now: datetime) -> None:
    cases.close(case, staff_id, case.outcome or "", uow=uow, now=now)


def _reopen(case: Case, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> Case:
    uow.deadlines.let_go(case.id, OF_ASKING, "replaced", now)
    return cases.open_again(case, uow=uow, now=now, zone=zone)


def _refuse_whom_it_is_about(case: Case, staff_id: StaffId) -> None:
    if case.about == staff_id:
        raise NotTheirs("complained_about")


def _buttons(case: Case, pack: Pack) -> tuple[Button, ...]:
    return (
        Button(pack.say("button.solved"), f"case|{case.id}|yes"),
        Button(pack.say("button.unsolved"), f"case|{case.id}|no"),
    )


def _tapped(payload: str | None) -> tuple[CaseId, bool] | None:
    parts = (payload or "").split("|")
    if len(parts) != 3 or parts[0] != "case" or parts[2] not in {"yes", "no"}:
        return None
    return CaseId(parts[1]), parts[2] == "yes"


def _of_member(case_id: CaseId, member_id: MemberId, *, uow: UnitOfWork) -> Case | None:
    try:
        case = uow.cases.get(case_id, lock=True)
    except NotFound:
        return None
    return case if case.member_id == member_id else None
