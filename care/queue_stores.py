"""What the core needs its queues to do: messages in, messages out, and the ledger of what may still be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from care.model.ids import ConversationId, IdentityId, InboxId, MessageId, OutboxId
from care.model.message import InboxItem, OutboxItem
from care.model.rights import Grant


class Inbox(Protocol):
    """Inbound messages, stored before they were acknowledged."""

    def add(self, item: InboxItem) -> bool:
        """Store; False if this vendor id came before."""

    def claim(self, now: datetime, lease_until: datetime) -> InboxItem | None:
        """Lock the oldest unread message of a conversation nobody is working on."""

    def get(self, inbox_id: InboxId) -> InboxItem:
        """Return one."""

    def save(self, item: InboxItem) -> None:
        """Store its state; a stale lease number is refused.

        Raises:
            Conflict: if another worker has claimed it since.
        """

    def waiting(self) -> int:
        """Return how many are unread."""


class Outbox(Protocol):
    """Messages on their way out."""

    def add(self, item: OutboxItem) -> bool:
        """Queue; False if this key was queued before."""

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> list[OutboxItem]:
        """Lock due messages, the oldest first, at most the next one of each account; none of a paused channel."""

    def get(self, outbox_id: OutboxId) -> OutboxItem:
        """Return one."""

    def save(self, item: OutboxItem) -> None:
        """Store its state; a stale lease number is refused.

        Raises:
            Conflict: if another worker has claimed it since.
        """

    def withdraw_bot(self, conversation_id: ConversationId, epoch: int, reason: str, now: datetime) -> int:
        """Withdraw what the bot still had waiting under an older epoch; return how many."""

    def withdraw_to(self, identity_id: IdentityId, reason: str, now: datetime) -> list[OutboxItem]:
        """Withdraw everything still waiting for an account that cannot be reached; return it."""

    def for_messages(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, OutboxItem]:
        """Return what became of each message: of one in pieces, the piece that is worst off."""

    def by_key(self, key: str) -> OutboxItem | None:
        """Return the message queued under this key."""

    def by_provider(self, channel: str, provider_id: str) -> OutboxItem | None:
        """Return the message the vendor calls so, or the one whose own id this is."""

    def ahead(self, identity_id: IdentityId, weight: int) -> int:
        """Return how many messages that matter more than `weight` wait for this account."""

    def last_queued(self, identity_id: IdentityId) -> OutboxItem | None:
        """Return the latest message that will leave for this account as soon as its turn comes."""

    def held(self, conversation_id: ConversationId) -> list[OutboxItem]:
        """Return what waits for the member's word, the oldest first."""

    def stale(self, now: datetime, limit: int) -> list[OutboxItem]:
        """Return what waited for the member's word until it was too late."""

    def nudged_since(self, conversation_id: ConversationId, since: datetime | None) -> bool:
        """Whether a notice that something is waiting was queued after `since`, or ever."""

    def released_since(self, conversation_id: ConversationId, since: datetime) -> list[OutboxItem]:
        """Return what was let go on its way again at or after `since`."""


class SendRights(Protocol):
    """The ledger of what may still be sent, vendors' events, and channels that refuse everything for a while."""

    def of(self, identity_id: IdentityId) -> list[Grant]:
        """Return an account's grants."""

    def give(self, grant: Grant) -> None:
        """Store a grant; it takes the place of an older one for the same kind of deed, subscriptions add up."""

    def spend(self, grant_id: str) -> bool:
        """Take one message off a grant; False if nothing was left."""

    def give_back(self, grant_id: str) -> None:
        """Put one message back; a grant that was replaced since is left alone."""

    def close(self, identity_id: IdentityId, *, template: str | None = None) -> None:
        """Spend what is left: of every window, or of every subscription to a notice."""

    def note(self, channel: str, vendor_id: str, kind: str, at: datetime) -> bool:
        """Remember that something happened; False if it was remembered before."""

    def pause(self, channel: str, reason: str, until: datetime, now: datetime) -> bool:
        """Let nothing out on a channel until then; False if it is paused already (then the later end counts)."""

    def pauses(self, now: datetime) -> Sequence[tuple[str, str, datetime]]:
        """Return the channels paused now, why, and until when."""
