"""A member's one conversation, over all channels, and who may speak in it.

The owner is the bot or one carer. Every change of owner raises the epoch by one; whatever was written under an
older epoch can never be sent. That single number is why the bot cannot talk over a human.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from care.model.errors import OwnershipLost
from care.model.ids import ConversationId, IdentityId, MemberId, StaffId

BOT = "bot"


@dataclass(slots=True)
class Conversation:
    """Everything said between a member and us."""

    id: ConversationId
    member_id: MemberId
    tracker_id: str  # random; the only name the dialogue model ever learns
    created_at: datetime
    owner: str = BOT
    epoch: int = 0
    asked: str | None = None  # what the last question was about, e.g. checkin.pain
    crisis: bool = False  # set by P3; only a human takes it back
    introduced: bool = False
    reply_to: IdentityId | None = None
    last_member_at: datetime | None = None
    last_outbound_at: datetime | None = None
    bot_may_mention: bool = True

    @property
    def owned_by_bot(self) -> bool:
        """Whether the bot may answer."""
        return self.owner == BOT

    def take_over(self, carer: StaffId) -> None:
        """Give the conversation to a carer; what the bot still has in its mouth is void from here on."""
        if self.owner != carer:
            self.owner = carer
            self.epoch += 1
            self.asked = None

    def hand_back(self) -> None:
        """Give the conversation back to the bot."""
        if self.owner != BOT:
            self.owner = BOT
            self.epoch += 1
            self.asked = None

    def must_be(self, epoch: int) -> None:
        """Refuse to go on under an older epoch.

        Raises:
            OwnershipLost: if the conversation changed hands meanwhile.
        """
        if self.epoch != epoch:
            raise OwnershipLost(f"epoch {epoch} is over, now {self.epoch}")
