"""What a carer sees at the desk: the list, one conversation, and what is known about its member.

Reading only. Every reading of a member goes through `members.get`, which asks whether it is allowed and writes the
access log. The list is read again with every message that comes in anywhere; `Glances` keeps it from filling the log
with the same glance at the same name all day.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from care.model.appointment import Appointment
from care.model.case import Case, CaseState
from care.model.consent import Purpose
from care.model.conversation import BOT, Conversation
from care.model.desk import Mark, Row
from care.model.ids import CaseId, ConversationId, MemberId, MessageId
from care.model.member import Identity, Member
from care.model.message import Message, OutboxItem
from care.model.staff import Reader, Staff
from care.model.touchpoint import Answer, Touchpoint
from care.model.treatment import Episode, Treatment
from care.ports import UnitOfWork

GLANCE = timedelta(minutes=10)  # a name that stays on a colleague's screen is one reading for so long
GLANCES_KEPT = 20_000
PAGE = 50  # messages of a thread at once
CLOSED_SHOWN = 5  # resolved cases shown beside the open ones


class DeskIndex(Protocol):
    """Which conversations there are and what has changed: ids and states, nothing sealed."""

    def mark(self) -> Mark:
        """Return how things stand."""

    def spoken_since(self, seq: int) -> set[ConversationId]:
        """Return the conversations in which something was written after `seq`."""

    def rows(self, limit: int) -> tuple[list[Row], int]:
        """Return the latest conversations and all that a human holds or owes something to; and how many there are."""


class Glances:
    """Names a colleague has on the screen, so that the same look is logged once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, MemberId], tuple[str | None, datetime]] = {}
        self._lock = threading.Lock()

    def name(self, member_id: MemberId, *, by: Reader, uow: UnitOfWork, now: datetime) -> str | None:
        """Return the member's name, reading and logging it if this colleague has not seen it lately."""
        key = (str(by), member_id)
        with self._lock:
            kept = self._names.get(key)
        if kept is not None and now - kept[1] < GLANCE:
            return kept[0]
        name = uow.members.get(member_id, by=by, purpose=Purpose.CARE).name
        self.keep(member_id, name, by=by, now=now)
        return name

    def keep(self, member_id: MemberId, name: str | None, *, by: Reader, now: datetime) -> None:
        """Remember a name that was just read and logged."""
        with self._lock:
            if len(self._names) >= GLANCES_KEPT:
                self._names.clear()
            self._names[(str(by), member_id)] = (name, now)


@dataclass(frozen=True, slots=True)
class Card:
    """One line of the list."""

    row: Row
    name: str | None
    cases: tuple[Case, ...]  # unresolved, most urgent first
    last: Message | None

    @property
    def needs_human(self) -> bool:
        """Whether something is open that nobody has taken."""
        return any(case.state is CaseState.OPEN for case in self.cases)

    @property
    def waiting_since(self) -> datetime | None:
        """Since when the member waits for a human: for one who takes a case, or for the next word of the owner."""
        waits = [case.opened_at for case in self.cases if case.state is CaseState.OPEN]
        if self.row.owner != BOT and self.row.unanswered_since is not None:
            waits.append(self.row.unanswered_since)
        return min(waits, default=None)

    def belongs_to(self, staff: Staff) -> bool:
        """Whether this colleague holds the conversation or one of its cases."""
        return self.row.owner == staff.id or any(case.owner == staff.id for case in self.cases)


@dataclass(frozen=True, slots=True)
class Thread:
    """A stretch of one conversation."""

    conversation: Conversation
    messages: Sequence[Message]
    deliveries: Mapping[MessageId, OutboxItem]
    older: bool  # whether there is more before


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a carer has to know about the member they talk to."""

    member: Member
    identities: Sequence[Identity]
    cases: Sequence[Case]
    resolved: Sequence[Case]
    episode: Episode | None
    treatment: Treatment | None
    treatments: Sequence[Treatment]
    answers: Sequence[Answer]
    touchpoints: Sequence[Touchpoint]
    appointments: Sequence[Appointment]


def cards(rows: Sequence[Row], *, by: Reader, glances: Glances, uow: UnitOfWork, now: datetime) -> list[Card]:
    """Return the list: the most urgent first, then who waits longest for their carer, then the latest spoken.

    Args:
        rows: of the index, read before the unit of work was opened.
        by: the colleague; every name they have not on the screen yet is logged.
        glances: what they have.
        uow: open; committed by the caller, or the log is lost.
        now: aware.
    """
    owed: dict[MemberId, list[Case]] = {}
    for case in uow.cases.unresolved():  # most urgent first already
        owed.setdefault(case.member_id, []).append(case)
    found = [
        Card(
            row=row,
            name=glances.name(row.member_id, by=by, uow=uow, now=now),
            cases=tuple(owed.get(row.member_id, ())),
            last=uow.conversations.message(row.last_message_id) if row.last_message_id else None,
        )
        for row in rows
    ]
    rank = {case.id: number for number, case in enumerate(case for cases in owed.values() for case in cases)}
    return sorted(found, key=lambda card: _rank(card, rank))


def thread(
    conversation_id: ConversationId,
    *,
    by: Reader,
    uow: UnitOfWork,
    after: int = 0,
    before: int | None = None,
) -> Thread:
    """Return the newest messages, those after a number, or those before one; oldest first, notes included.

    Raises:
        NotFound: no such conversation.
    """
    conversation = uow.conversations.get(conversation_id)
    uow.members.get(conversation.member_id, by=by, purpose=Purpose.CARE)
    found = uow.conversations.history(conversation.id, after=after, before=before, limit=PAGE + 1)
    older = not after and len(found) > PAGE
    messages = found[-PAGE:] if older else found[:PAGE]
    deliveries = uow.outbox.for_messages([message.id for message in messages])
    return Thread(conversation=conversation, messages=messages, deliveries=deliveries, older=older)


def surroundings(member_id: MemberId, *, by: Reader, uow: UnitOfWork, now: datetime) -> Surroundings:
    """Return what is known about a member: their recovery, what is planned, what they told, what is owed.

    Raises:
        NotFound: no such member.
    """
    member = uow.members.get(member_id, by=by, purpose=Purpose.CARE)
    cases = uow.cases.of_member(member_id)
    pairs = [(uow.treatments.treatment(one.treatment_id), one) for one in uow.treatments.open_episodes(member_id)]
    treatment, episode = max(pairs, key=lambda pair: pair[0].ended_at) if pairs else (None, None)
    return Surroundings(
        member=member,
        identities=uow.members.identities_of(member_id),
        cases=uow.cases.open_of(member_id),
        resolved=[case for case in cases if case.state is CaseState.RESOLVED][:CLOSED_SHOWN],
        episode=episode,
        treatment=treatment,
        treatments=uow.treatments.treatments_of(member_id),
        answers=uow.treatments.answers(episode.id) if episode else [],
        touchpoints=uow.treatments.touchpoints_of(member_id),
        appointments=uow.appointments.of_member(member_id, after=now - timedelta(hours=12)),
    )


def phone(member_id: MemberId, *, by: Reader, uow: UnitOfWork, now: datetime) -> str | None:
    """Return the whole number; that it was shown is a line of its own in the access log."""
    member = uow.members.get(member_id, by=by, purpose=Purpose.CARE)
    uow.access.write(by=by, member_id=member_id, purpose=Purpose.CARE, what="phone", at=now)
    return member.phone


def guarded_case(case_id: CaseId, *, by: Reader, uow: UnitOfWork) -> Case:
    """Return a case after logging that this colleague looked at its member.

    Raises:
        NotFound: no such case.
    """
    case = uow.cases.get(case_id, lock=True)
    uow.members.get(case.member_id, by=by, purpose=Purpose.CARE)
    return case


def guarded_conversation(conversation_id: ConversationId, *, by: Reader, uow: UnitOfWork) -> Conversation:
    """Return a conversation, locked, after logging that this colleague looked at its member.

    Raises:
        NotFound: no such conversation.
    """
    conversation = uow.conversations.get(conversation_id, lock=True)
    uow.members.get(conversation.member_id, by=by, purpose=Purpose.CARE)
    return conversation


def _rank(card: Card, rank: Mapping[CaseId, int]) -> tuple[int, float, float]:
    spoken = card.last.at.timestamp() if card.last else 0.0
    if card.row.crisis and not card.cases:
        return 0, -1, -spoken
    if card.cases:
        return 0, min(rank[case.id] for case in card.cases), -spoken
    if card.waiting_since is not None:
        return 1, card.waiting_since.timestamp(), -spoken
    return 2, 0, -spoken
