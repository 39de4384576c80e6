"""The ledger of what may still be sent: what a member's deed gives, which way a message takes, what it costs.

Every caller holds the conversation's lock, so that two messages never spend the same right.
"""

from __future__ import annotations

from datetime import datetime

from care.model.conversation import Conversation
from care.model.ids import IdentityId, new_id
from care.model.member import Identity
from care.model.message import OutboxItem
from care.model.rights import ChannelRight, Grant, Nudge, Trigger, Weight, credit, left_for, spendable
from care.ports import UnitOfWork


def earn(
    identity: Identity, trigger: Trigger, *, uow: UnitOfWork, now: datetime, template: str | None = None
) -> Grant | None:
    """Record what the member's deed lets us send; None where the channel counts nothing or gives nothing for it.

    A fresh deed takes the place of an older one of its kind; subscriptions add up.
    """
    gift = uow.terms.grant(identity.channel, trigger)
    if gift is None:
        return None
    grant = Grant(
        id=new_id(),
        identity_id=identity.id,
        trigger=trigger,
        total=gift.count,
        granted_at=now,
        expires_at=now + gift.lasts if gift.lasts is not None else None,
        template=template,
    )
    uow.rights.give(grant)
    return grant


def left(identity: Identity, weight: Weight, *, uow: UnitOfWork, now: datetime, waiting: bool = True) -> int | None:
    """Return how many more messages of this weight may leave to an account; None where nothing is counted.

    Args:
        identity: the account.
        weight: what they are worth.
        uow: open.
        now: aware.
        waiting: whether messages of the same weight that are queued already come first; those that matter more do.
    """
    if uow.terms.of(identity.channel).gifts is None:
        return None
    ahead = uow.outbox.ahead(identity.id, weight + 1 if waiting else weight)
    return left_for(weight, uow.rights.of(identity.id), now, kept=uow.terms.kept, ahead=ahead)


def way_to(conversation: Conversation, weight: Weight, *, uow: UnitOfWork, now: datetime) -> Identity | None:
    """Return the account a message goes to.

    Answers go where the member wrote. Anything else too, unless nothing may be sent there now and another account
    rings and may be written to.
    """
    if conversation.reply_to is None:
        return None
    here = uow.members.identity_by_id(conversation.reply_to)
    if weight is Weight.ANSWER or (here.reachable and left(here, weight, uow=uow, now=now) != 0):
        return here
    others = [one for one in uow.members.identities_of(conversation.member_id) if one.id != here.id and one.reachable]
    ringing = [one for one in others if uow.terms.of(one.channel).rings]
    open_ones = [one for one in ringing if left(one, weight, uow=uow, now=now) != 0]
    if open_ones:
        return open_ones[0]
    return here if here.reachable or not others else [*ringing, *others][0]


def of_planned(conversation: Conversation, weight: Weight, *, uow: UnitOfWork, now: datetime) -> ChannelRight:
    """Return what a planned contact may do on the member's channels now."""
    way = way_to(conversation, weight, uow=uow, now=now)
    if way is None or not way.reachable:
        return ChannelRight.NONE
    if left(way, weight, uow=uow, now=now) != 0:
        return ChannelRight.OPEN
    return ChannelRight.NUDGE if nudge_for(way, conversation, uow=uow, now=now) else ChannelRight.NONE


def nudge_for(
    identity: Identity, conversation: Conversation, *, uow: UnitOfWork, now: datetime, after: str | None = None
) -> Nudge | None:
    """Return the notice that may be sent to ask for the member's word; one between two of their words.

    Args:
        identity: the account.
        conversation: theirs.
        uow: open.
        now: aware.
        after: the notice that was refused; the next one in the settings may still go.
    """
    if after is None and uow.outbox.nudged_since(conversation.id, conversation.last_member_at):
        return None
    nudges = list(uow.terms.of(identity.channel).nudges)
    names = [nudge.template for nudge in nudges]
    if after is not None:
        nudges = nudges[names.index(after) + 1 :] if after in names else []
    grants = uow.rights.of(identity.id) if any(nudge.needs_opt_in for nudge in nudges) else []
    for nudge in nudges:
        if not nudge.needs_opt_in or credit(grants, nudge.template, now) is not None:
            return nudge
    return None


def spend(item: OutboxItem, identity: Identity, *, uow: UnitOfWork, now: datetime) -> bool:
    """Take the right a message needs off the ledger and note it on the message; False if there is none."""
    terms = uow.terms.of(identity.channel)
    item.grant_id = None
    if item.template is not None:
        wanted = next((nudge for nudge in terms.nudges if nudge.template == item.template), None)
        if wanted is None or not wanted.needs_opt_in:
            return wanted is not None
        found = credit(uow.rights.of(identity.id), item.template, now)
    else:
        if terms.gifts is None:
            return True
        if left(identity, Weight(item.weight), uow=uow, now=now, waiting=False) == 0:
            return False
        found = next(iter(spendable(uow.rights.of(identity.id), now)), None)
    if found is None or not uow.rights.spend(found.id):
        return False
    item.grant_id = found.id
    return True


def give_back(item: OutboxItem, *, uow: UnitOfWork) -> None:
    """Put back what a message took that is known not to have left."""
    if item.grant_id is not None:
        uow.rights.give_back(item.grant_id)
        item.grant_id = None


def close(identity_id: IdentityId, *, uow: UnitOfWork, template: str | None = None) -> None:
    """Believe the vendor: nothing may be sent to this account, or no more notice of this kind."""
    uow.rights.close(identity_id, template=template)
