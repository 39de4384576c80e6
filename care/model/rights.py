"""What a vendor still lets us send to whom, until when.

A channel such as WeChat gives the right to write: five messages for a message, three for a click. Each gift is a
grant in a ledger; every message that leaves spends one. Channels without such limits have no grants and need none.
Rules only; how much is given for what is a setting, because vendors change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from care.model.ids import IdentityId
from care.model.message import Author
from care.model.pieces import PieceLimit


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

    @property
    def left(self) -> int:
        """How much of it was not spent."""
        return max(0, self.total - self.used)


class Weight(IntEnum):
    """What rights are spent on first; the smaller, the more it matters."""

    SAFETY = 0
    CARER = 1
    SYSTEM = 2
    ANSWER = 3  # to the member's own words
    SAFETY_CHECK_IN = 4
    CHECK_IN = 5
    REMINDER = 6


FROM_HUMANS = Weight.CARER  # up to here the last rights of a window may be spent
MATTERS = frozenset(
    {Weight.SAFETY, Weight.CARER, Weight.SYSTEM, Weight.SAFETY_CHECK_IN}
)  # a human is told of its loss

WEIGHT_OF = {
    Author.SAFETY: Weight.SAFETY,
    Author.CARER: Weight.CARER,
    Author.SYSTEM: Weight.SYSTEM,
    Author.BOT: Weight.ANSWER,
    Author.CHECK_IN: Weight.SAFETY_CHECK_IN,
    Author.REMINDER: Weight.REMINDER,
    Author.MEMBER: Weight.ANSWER,
}


class ChannelRight(StrEnum):
    """What a planned contact may do on the member's channels."""

    OPEN = "open"  # it can be said
    NUDGE = "nudge"  # it waits for the member's word; a notice asks for one
    NONE = "none"  # no way to the member but a human


@dataclass(frozen=True, slots=True)
class Gift:
    """How many messages something the member did is worth, and for how long; None is without end."""

    count: int
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Nudge:
    """A notice the vendor sends for us outside every window: a template, or one the member subscribed to once."""

    template: str
    needs_opt_in: bool = False


@dataclass(frozen=True, slots=True)
class ChannelTerms:
    """On what terms a channel lets us write."""

    gifts: Mapping[Trigger, Gift] | None = None  # None: at any time, as often as we like
    limit: PieceLimit | None = None
    nudges: tuple[Nudge, ...] = ()  # the first that may be sent is
    rings: bool = True  # whether the member notices; a web page nobody looks at is no other way to them
    subscribe_url: str = ""  # where the member gives the right to one more notice


ANYTHING = ChannelTerms()


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms all channels let us write; carried by every unit of work."""

    channels: Mapping[str, ChannelTerms] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))  # the clinic's, for promises
    kept: int = 1  # the last rights of a window, for safety and humans only
    held_for: timedelta = timedelta(hours=24)  # then it is stale, unless the message brings its own end
    present_for: timedelta = timedelta(minutes=10)  # a member who wrote so lately needs no notice
    more: str = ""  # the line that ends a piece when the rest waits for the member's word

    def of(self, channel: str) -> ChannelTerms:
        """Return a channel's terms; one we know nothing of sets none."""
        return self.channels.get(channel, ANYTHING)

    def grant(self, channel: str, trigger: Trigger) -> Gift | None:
        """Return what a member's deed is worth on a channel; None if nothing, or if nothing is counted there."""
        return (self.of(channel).gifts or {}).get(trigger)


def spendable(grants: Iterable[Grant], now: datetime) -> list[Grant]:
    """Return the open grants a message may be written on, the one that ends first in front."""
    found = [grant for grant in grants if grant.trigger is not Trigger.OPT_IN and grant.open_at(now)]
    return sorted(found, key=lambda grant: (grant.expires_at is None, grant.expires_at or now, grant.granted_at))


def left_for(weight: Weight, grants: Iterable[Grant], now: datetime, *, kept: int, ahead: int = 0) -> int:
    """Return how many messages of this weight may still leave.

    Args:
        weight: what they are worth.
        grants: the account's.
        now: aware.
        kept: the last rights of a long window, which are for safety and humans.
        ahead: how many messages that matter more are waiting for the same account.
    """
    open_ones = spendable(grants, now)
    total = sum(grant.left for grant in open_ones)
    if weight > FROM_HUMANS:  # a minute after a click no human writes: only the long window keeps something back
        window = sum(grant.left for grant in open_ones if grant.trigger is Trigger.MESSAGE)
        total -= min(kept, window)
    return max(0, total - ahead)


def credit(grants: Iterable[Grant], template: str, now: datetime) -> Grant | None:
    """Return the oldest subscription to this notice that was not used."""
    found = [one for one in grants if one.trigger is Trigger.OPT_IN and one.template == template and one.open_at(now)]
    return min(found, key=lambda grant: grant.granted_at, default=None)
