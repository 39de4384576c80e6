"""What a vendor still lets us send to whom, until when.

A channel such as WeChat gives the right to write: five messages for a message, three for a click. Each gift is a
grant in a ledger; every message that leaves spends one. Channels without such limits have no grants and need none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from care.model.ids import IdentityId


class Trigger(StrEnum):
    """What the member did that lets us write to them."""

    MESSAGE = "message"
    CLICK = "click"  # a tapped menu entry or quick reply
    FOLLOW = "follow"
    SCAN = "scan"
    ENTER = "enter"  # opened a customer-service session
    OPT_IN = "opt_in"  # a one-time subscription: one notice, without end


@dataclass(slots=True)
class Grant:
    """One gift of rights. `template` names the notice a subscription was given for."""

    id: str
    identity_id: IdentityId
    trigger: Trigger
    total: int
    granted_at: datetime
    expires_at: datetime | None = None
    used: int = 0
    template: str | None = None

    def open_at(self, now: datetime) -> bool:
        """Whether anything of it is left at `now`, aware."""
        return self.used < self.total and (self.expires_at is None or now < self.expires_at)
