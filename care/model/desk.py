"""What the carers' desk lists, in ids and numbers; names and words are read elsewhere, and logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from care.model.ids import ConversationId, MemberId, MessageId


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation of the list."""

    conversation_id: ConversationId
    member_id: MemberId
    owner: str
    crisis: bool
    last_message_id: MessageId | None  # internal notes do not count
    member_seq: int  # of the member's latest message; 0 before their first
    unanswered_since: datetime | None = None  # of the member's first message that nobody has answered yet


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stand; two marks that differ say what has to be read again."""

    seq: int  # of the latest message of all
    owners: str  # changes with every takeover, hand-back, crisis and new conversation
    cases: frozenset[tuple[MemberId, str]]
    moving: frozenset[tuple[ConversationId, str]]  # what is being read or sent


@dataclass(frozen=True, slots=True)
class Change:
    """What moved between two marks."""

    conversations: frozenset[ConversationId]
    members: frozenset[MemberId]
    list_moved: bool

    def __bool__(self) -> bool:
        return self.list_moved or bool(self.conversations) or bool(self.members)


def change(before: Mark, after: Mark, spoken: frozenset[ConversationId]) -> Change:
    """Return what moved.

    Args:
        before: the mark seen last.
        after: the mark now.
        spoken: conversations with messages later than `before.seq`.
    """
    moving = frozenset(key for key, _ in before.moving ^ after.moving)
    members = frozenset(key for key, _ in before.cases ^ after.cases)
    return Change(
        conversations=spoken | moving,
        members=members,
        list_moved=bool(spoken) or bool(members) or before.owners != after.owners,
    )
