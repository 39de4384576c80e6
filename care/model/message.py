"""What was said, what still has to be read, and what still has to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from care.model.ids import ConversationId, IdentityId, InboxId, MemberId, MessageId, OutboxId

TEXT_LIMIT = 8_000  # characters of one inbound message that are kept; no channel takes longer ones


class Author(StrEnum):
    """Who wrote a message; the console and the member's page always show it."""

    MEMBER = "member"
    BOT = "bot"
    CHECK_IN = "check_in"
    REMINDER = "reminder"
    SAFETY = "safety"
    CARER = "carer"
    SYSTEM = "system"


BOT_VOICES = frozenset({Author.BOT, Author.CHECK_IN, Author.REMINDER})


@dataclass(frozen=True, slots=True)
class Button:
    """One tap: what it says and what it means."""

    title: str
    payload: str


@dataclass(slots=True)
class Message:
    """One thing said. Never changed once written; `seq` orders a conversation."""

    id: MessageId
    conversation_id: ConversationId
    member_id: MemberId
    author: Author
    text: str
    at: datetime
    seq: int = 0
    buttons: tuple[Button, ...] = ()
    payload: str | None = None
    carer_id: str | None = None
    channel: str | None = None
    assessment: Mapping[str, object] | None = None
    note: bool = False  # internal: never leaves the house


class InboxState(StrEnum):
    """How far an inbound message has been worked through."""

    RECEIVED = "received"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class InboxItem:
    """An inbound message that was stored before it was acknowledged."""

    id: InboxId
    channel: str
    vendor_id: str
    conversation_id: ConversationId
    member_id: MemberId
    message_id: MessageId
    received_at: datetime
    state: InboxState = InboxState.RECEIVED
    attempts: int = 0
    lease: int = 0
    lease_until: datetime | None = None
    reason: str | None = None


class OutboxState(StrEnum):
    """Where an outbound message stands; `unknown` is never repeated blindly, `held` waits for the member's word."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"
    HELD = "held"  # the vendor gives no right to send now
    DELIVERED = "delivered"
    READ = "read"
    REFUSED = "refused"  # taken by the vendor and not brought to the member after all


@dataclass(slots=True)
class OutboxItem:
    """One message, or a piece of one, on its way to one channel account. `key` makes a repeat impossible."""

    id: OutboxId
    key: str
    conversation_id: ConversationId
    member_id: MemberId
    message_id: MessageId
    identity_id: IdentityId
    channel: str
    author: Author
    epoch: int
    queued_at: datetime
    state: OutboxState = OutboxState.QUEUED
    attempts: int = 0
    lease: int = 0
    lease_until: datetime | None = None
    retry_at: datetime | None = None
    reason: str | None = None
    provider_id: str | None = None
    settled_at: datetime | None = None
    weight: int = 3  # see `care.model.rights.Weight`
    part: int = 1
    parts: int = 1
    cut_from: int = 0  # the span of the message's characters this piece is
    cut_to: int | None = None
    asks_more: bool = False  # ends with the line that asks for a word, because the rest has no right to follow
    template: str | None = None  # set: not the message itself but a notice that one is waiting
    grant_id: str | None = None  # the right it was sent on
    stale_at: datetime | None = None  # not sent from here on
    released_at: datetime | None = None  # when the member's word let it go on its way again


@dataclass(frozen=True, slots=True)
class Reply:
    """Something the dialogue or a service wants said; not yet a message."""

    text: str
    buttons: tuple[Button, ...] = ()
    asked: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
