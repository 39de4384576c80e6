"""The day's phone list: whom to call, in which order, what they said, how to begin, and how each call ended.

A list is made of what is owed on the phone: cases whose first human calls, complaints to be asked about once, the
check on the day after a crisis. A call that reached its member takes the entry off the list; one that did not leaves
it there, further down; a moment the member named puts it there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.case import URGENCY, Case, CaseLevel, CaseState
from care.model.consent import Purpose
from care.model.errors import InvalidInput, NotFound
from care.model.ids import CaseId, ConversationId, MemberId, StaffId, new_id
from care.model.pack import Pack
from care.model.staff import Reader
from care.model.tasks import ON_THE_PHONE, CallOutcome, CarerTask, PhoneCall, TaskKind
from care.ports import Clock, UnitOfWork
from care.services import cases, complaints, conversations, deadlines, duty, tasks
from care.services.complaints import Heard

#: Levels whose first human calls; of W1 only what silence led to. Clinic protocol 2026-01.
CALLED = frozenset(
    {CaseLevel.L0, CaseLevel.L1, CaseLevel.L2, CaseLevel.P3, CaseLevel.P2, CaseLevel.W2, CaseLevel.K2, CaseLevel.K3}
)
OWED = frozenset({CaseState.OPEN, CaseState.TAKEN})
TRY_AGAIN = timedelta(minutes=30)  # whoever was not reached is tried again after the others
AGAIN_WITHIN = timedelta(days=7)
NOTE_LIMIT = 500  # characters


@dataclass(frozen=True, slots=True)
class Entry:
    """One call to make."""

    about: str  # case:<id> or task:<id>
    member_id: MemberId
    conversation_id: ConversationId | None
    name: str | None
    phone: str | None  # masked
    level: CaseLevel | None
    reason: str  # a code
    since: datetime
    due_at: datetime
    said: str  # the member's words
    first: str  # how to begin
    steps: str
    never: str  # what not to say
    promised: str  # what the member was told, empty if nothing
    tried: int
    call_at: datetime  # not before
    asks_whether_solved: bool = False


def entries(*, by: Reader, uow: UnitOfWork, now: datetime, pack: Pack, zone: ZoneInfo) -> list[Entry]:
    """Return the calls of the day, in order: what may be called now by urgency and moment, then what comes later.

    Args:
        by: who looks; every member shown is a line in the access log.
        uow: open; committed by the caller, or the log is lost.
        now: aware.
        pack: how a call begins.
        zone: the clinic's, which decides what today is.
    """
    owed = [case for case in uow.cases.unresolved() if _is_owed(case)]
    due = [task for task in uow.tasks.open() if task.kind in ON_THE_PHONE and _is_today(task.due_at, now, zone)]
    made = _by_about(uow.tasks.calls([*(f"case:{one.id}" for one in owed), *(f"task:{one.id}" for one in due)]))
    found = [
        _of_case(one, made.get(f"case:{one.id}", ()), by=by, uow=uow, now=now, pack=pack, zone=zone) for one in owed
    ]
    found += [_of_task(one, made.get(f"task:{one.id}", ()), by=by, uow=uow, pack=pack) for one in due]
    today = [one for one in found if one is not None and _is_today(one.call_at, now, zone)]
    return sorted(today, key=lambda one: (one.call_at > now, one.call_at if one.call_at > now else now, *_rank(one)))


def record(
    about: str,
    staff_id: StaffId,
    outcome: CallOutcome,
    *,
    note: str = "",
    again_at: datetime | None = None,
    heard: Heard = Heard.NOTHING,
    uow: UnitOfWork,
    clock: Clock,
    zone: ZoneInfo,
) -> None:
    """Record how a call ended.

    Args:
        about: the entry's.
        staff_id: who called.
        outcome: reached, not reached, or again at a moment.
        note: one line and the mood; needed when the member was reached.
        again_at: when the member wants to be called, within a week.
        heard: what they said when they were asked whether a complaint is solved.
        uow: open.
        clock: the present.
        zone: the clinic's.

    Raises:
        InvalidInput: no note although reached, no moment although again, a note too long.
        NotFound: there is no such entry.
        NotTheirs: a complaint about this very colleague.
    """
    now = clock.now()
    if len(note) > NOTE_LIMIT or (outcome is CallOutcome.REACHED and not note.strip()):
        raise InvalidInput("outcome", "say in one line what was said")
    if outcome is CallOutcome.AGAIN and (again_at is None or not now < again_at <= now + AGAIN_WITHIN):
        raise InvalidInput("again_at", "must lie within the next seven days")
    kind, _, key = about.partition(":")
    if kind == "case":
        member_id = _case_called(CaseId(key), staff_id, outcome, note, heard, uow=uow, clock=clock, zone=zone)
    elif kind == "task":
        task = uow.tasks.get(key, lock=True)
        member_id = task.member_id
        if outcome is CallOutcome.REACHED:
            tasks.done(task.id, staff_id, note, uow=uow, clock=clock)
    else:
        raise NotFound("call", kind)
    kept = again_at if outcome is CallOutcome.AGAIN else None
    uow.tasks.write_call(PhoneCall(new_id(), member_id, about, staff_id, now, outcome, kept, note.strip()))
    conversation = uow.conversations.of_member(member_id, lock=True)
    if conversation is not None and note.strip():
        conversations.write_note(conversation, f"电话：{note.strip()}", staff_id=staff_id, uow=uow, now=now)


def _case_called(
    case_id: CaseId,
    staff_id: StaffId,
    outcome: CallOutcome,
    note: str,
    heard: Heard,
    *,
    uow: UnitOfWork,
    clock: Clock,
    zone: ZoneInfo,
) -> MemberId:
    case = uow.cases.get(case_id)
    if case.carer_asks and outcome is not CallOutcome.AGAIN:
        reached = heard if outcome is CallOutcome.REACHED else Heard.NOTHING
        complaints.asked_by_carer(case_id, staff_id, reached, note, uow=uow, clock=clock, zone=zone)
    elif outcome is CallOutcome.REACHED and case.state is CaseState.OPEN:
        cases.take(case_id, staff_id, uow=uow, clock=clock)
    return case.member_id


def _is_owed(case: Case) -> bool:
    if case.carer_asks:
        return True
    silent = case.level is CaseLevel.W1 and deadlines.is_untold(case.reason)
    return case.state in OWED and case.paused_at is None and (case.level in CALLED or silent)


def _is_today(moment: datetime, now: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(zone).date() <= now.astimezone(zone).date()


def _by_about(made: Sequence[PhoneCall]) -> Mapping[str, list[PhoneCall]]:
    found: dict[str, list[PhoneCall]] = {}
    for call in made:
        found.setdefault(call.about, []).append(call)
    return found


def _call_at(since: datetime, made: Sequence[PhoneCall]) -> tuple[datetime, int] | None:
    """Return from when on to call and how often it was tried since; None when the member was reached since."""
    lately = [call for call in made if call.at >= since]
    if any(call.outcome is CallOutcome.REACHED for call in lately):
        return None
    if not lately:
        return since, 0
    latest = lately[0]
    return latest.again_at or latest.at + TRY_AGAIN, len(lately)


def _of_case(
    case: Case,
    made: Sequence[PhoneCall],
    *,
    by: Reader,
    uow: UnitOfWork,
    now: datetime,
    pack: Pack,
    zone: ZoneInfo,
) -> Entry | None:
    since = (case.asked_at if case.carer_asks else case.raised_at) or case.opened_at
    when = _call_at(since, made)
    if when is None:
        return None
    card = "solved" if case.carer_asks else "silence" if deadlines.is_untold(case.reason) else case.level.value[0]
    colleague = duty.named(case, uow=uow, now=now)
    promised = ""
    if not deadlines.is_untold(case.reason) and case.state in OWED:
        name = colleague.name if colleague else pack.duty_name
        promised = f"{name}，{pack.clock_words(case.due_at, now, zone)}前"
    return _entry(
        f"case:{case.id}",
        case.member_id,
        card,
        by=by,
        uow=uow,
        pack=pack,
        level=case.level,
        reason=case.reason,
        since=since,
        due_at=case.due_at,
        said=case.summary,
        promised=promised,
        when=when,
        asks=case.carer_asks,
    )


def _of_task(task: CarerTask, made: Sequence[PhoneCall], *, by: Reader, uow: UnitOfWork, pack: Pack) -> Entry | None:
    when = _call_at(task.opened_at, made)
    if when is None:
        return None
    return _entry(
        f"task:{task.id}",
        task.member_id,
        TaskKind.NEXT_DAY.value,
        by=by,
        uow=uow,
        pack=pack,
        level=None,
        reason=task.kind.value,
        since=task.opened_at,
        due_at=task.due_at,
        said="",
        promised="",
        when=(max(when[0], task.due_at) if not when[1] else when[0], when[1]),
        asks=False,
    )


def _entry(
    about: str,
    member_id: MemberId,
    card: str,
    *,
    by: Reader,
    uow: UnitOfWork,
    pack: Pack,
    level: CaseLevel | None,
    reason: str,
    since: datetime,
    due_at: datetime,
    said: str,
    promised: str,
    when: tuple[datetime, int],
    asks: bool,
) -> Entry:
    member = uow.members.get(member_id, by=by, purpose=Purpose.CARE)
    conversation = uow.conversations.of_member(member_id)
    never = "call.never_crisis" if card in {"P", TaskKind.NEXT_DAY.value} else "call.never"
    return Entry(
        about=about,
        member_id=member_id,
        conversation_id=conversation.id if conversation else None,
        name=member.name,
        phone=f"{member.phone[:3]}****{member.phone_tail}" if member.phone else None,
        level=level,
        reason=reason,
        since=since,
        due_at=due_at,
        said=said,
        first=pack.say(f"call.first_{card}", 称呼=member.salutation, 机构=pack.brand),
        steps=pack.say("call.steps"),
        never=pack.say(never),
        promised=promised,
        tried=when[1],
        call_at=when[0],
        asks_whether_solved=asks,
    )


def _rank(entry: Entry) -> tuple[int, datetime]:
    return URGENCY.index(entry.level) if entry.level else URGENCY.index(CaseLevel.P2), entry.due_at
