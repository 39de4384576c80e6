"""What members do on a channel besides writing, and what a vendor tells about messages it took.

Every function is safe to repeat: an event is known by the vendor's name for it and counts once. The caller commits
before it acknowledges.
"""

from __future__ import annotations

from dataclasses import dataclass

from care.model.ids import IdentityId, MemberId
from care.model.member import Identity
from care.model.message import Author
from care.model.pack import Pack
from care.model.rights import Trigger
from care.ports import Clock, UnitOfWork
from care.services import conversations, outbox, rights, sending
from care.services.sending import Outcome


@dataclass(frozen=True, slots=True)
class EventRecorded:
    """What became of an event: whether it was new, and whom it was about, if anybody we know."""

    new: bool
    member_id: MemberId | None = None
    identity_id: IdentityId | None = None
    scene: str | None = None

    def __bool__(self) -> bool:
        """Whether it was new."""
        return self.new


def first_time(channel: str, vendor_id: str, *, uow: UnitOfWork, clock: Clock, kind: str = "event") -> bool:
    """Remember an event that needs no more than to be handled once; False if it was before."""
    return uow.rights.note(channel, vendor_id, kind[:16], clock.now())


def followed(
    channel: str,
    external_id: str,
    vendor_id: str,
    *,
    trigger: Trigger = Trigger.FOLLOW,
    scene: str | None = None,
    uow: UnitOfWork,
    clock: Clock,
    pack: Pack,
) -> EventRecorded:
    """Record that somebody follows us, for the first time or again, or that a follower scanned a code of ours.

    Who follows is reachable again and welcomed once; who only scans is not.

    Args:
        channel: ours.
        external_id: the vendor's name for the account.
        vendor_id: unique for this event.
        trigger: FOLLOW or SCAN; decides what may be sent now.
        scene: what the scanned code says, if one was scanned.
        uow: open; committed by the caller.
        clock: the present.
        pack: the words of welcome.
    """
    now = clock.now()
    identity = conversations.find_or_make_identity(channel, external_id, uow=uow, now=now)
    conversation = conversations.ensure_conversation(identity.member_id, uow=uow, now=now)
    if not uow.rights.note(channel, vendor_id, trigger.value, now):
        return EventRecorded(False, identity.member_id, identity.id, scene)
    if not identity.reachable:
        identity.reachable = True
        uow.members.save_identity(identity)
    rights.earn(identity, trigger, uow=uow, now=now)
    conversation.reply_to = identity.id
    if trigger is Trigger.FOLLOW and conversation.owned_by_bot:
        text = pack.say("channel.welcome_back" if conversation.introduced else "ai.disclosure")
        conversation.introduced = True
        gift = uow.terms.grant(channel, trigger)
        outbox.enqueue(
            conversation,
            text,
            author=Author.BOT,
            key=f"welcome:{channel}:{identity.id}:{now.timestamp():.0f}",
            uow=uow,
            now=now,
            stale_at=now + gift.lasts if gift and gift.lasts else None,  # a welcome later than that is none
        )
    uow.conversations.save(conversation)
    return EventRecorded(True, identity.member_id, identity.id, scene)


def unfollowed(
    channel: str, external_id: str, vendor_id: str, *, uow: UnitOfWork, clock: Clock, reason: str = "unfollowed"
) -> EventRecorded:
    """Record that somebody left, or refuses our messages: nothing more is sent there, what waited is withdrawn."""
    now = clock.now()
    identity = uow.members.identity(channel, external_id)
    if identity is None:
        return EventRecorded(uow.rights.note(channel, vendor_id, reason[:16], now))
    uow.conversations.of_member(identity.member_id, lock=True)
    if not uow.rights.note(channel, vendor_id, reason[:16], now):
        return EventRecorded(False, identity.member_id, identity.id)
    sending.close_account(identity, reason, uow=uow, now=now)
    return EventRecorded(True, identity.member_id, identity.id)


def entered(
    channel: str, external_id: str, vendor_id: str, *, scene: str | None = None, uow: UnitOfWork, clock: Clock
) -> EventRecorded:
    """Record that somebody opened a customer-service session; its welcome is the channel's own affair."""
    return _deed(channel, external_id, vendor_id, Trigger.ENTER, scene, uow=uow, clock=clock)


def clicked(channel: str, external_id: str, vendor_id: str, *, uow: UnitOfWork, clock: Clock) -> EventRecorded:
    """Record that somebody tapped an entry of the account's menu."""
    return _deed(channel, external_id, vendor_id, Trigger.CLICK, None, uow=uow, clock=clock)


def opted_in(
    channel: str, external_id: str, vendor_id: str, template: str, accepted: bool, *, uow: UnitOfWork, clock: Clock
) -> EventRecorded:
    """Record that somebody subscribed to one notice of a kind, or took that back."""
    now = clock.now()
    identity = conversations.find_or_make_identity(channel, external_id, uow=uow, now=now)
    uow.conversations.of_member(identity.member_id, lock=True)
    if not uow.rights.note(channel, vendor_id, "opt_in" if accepted else "opt_out", now):
        return EventRecorded(False, identity.member_id, identity.id)
    if accepted:
        rights.earn(identity, Trigger.OPT_IN, uow=uow, now=now, template=template)
    else:
        rights.close(identity.id, uow=uow, template=template)
    return EventRecorded(True, identity.member_id, identity.id)


def receipt(
    channel: str, provider_id: str, outcome: Outcome, reason: str | None, *, uow: UnitOfWork, clock: Clock
) -> EventRecorded:
    """Record what a vendor says became of a message it took.

    Args:
        channel: ours.
        provider_id: the id the sender returned for it, or our own outbox id where the vendor repeats it.
        outcome: `refused` when it was taken and not brought to the member after all.
        reason: a code, for a refusal.
        uow: open; committed by the caller.
        clock: the present.

    Returns:
        `new` False and no member when no message has this id: it may not be stored yet, so let the vendor repeat it.
    """
    item = sending.receive_receipt(channel, provider_id, outcome, reason, uow=uow, clock=clock)
    return EventRecorded(True, item.member_id, item.identity_id) if item else EventRecorded(False)


def _deed(
    channel: str,
    external_id: str,
    vendor_id: str,
    trigger: Trigger,
    scene: str | None,
    *,
    uow: UnitOfWork,
    clock: Clock,
) -> EventRecorded:
    now = clock.now()
    identity: Identity = conversations.find_or_make_identity(channel, external_id, uow=uow, now=now)
    conversation = conversations.ensure_conversation(identity.member_id, uow=uow, now=now)
    if not uow.rights.note(channel, vendor_id, trigger.value, now):
        return EventRecorded(False, identity.member_id, identity.id, scene)
    rights.earn(identity, trigger, uow=uow, now=now)
    sending.release(conversation, identity, uow=uow, now=now)
    return EventRecorded(True, identity.member_id, identity.id, scene)
