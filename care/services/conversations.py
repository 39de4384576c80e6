"""Receiving what members write, and who may speak to them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from care.model.attachment import Clean, MediaKind
from care.model.consent import Purpose
from care.model.conversation import BOT, Conversation
from care.model.errors import Conflict, InvalidInput, NotFound
from care.model.ids import ConversationId, IdentityId, InboxId, MemberId, MessageId, StaffId, new_id
from care.model.member import Identity, Member
from care.model.message import TEXT_LIMIT, Author, Button, InboxItem, Message
from care.model.pack import Pack
from care.model.rights import Trigger
from care.model.staff import Reader
from care.ports import Clock, UnitOfWork
from care.services import attachments, outbox, rights, sending, staying

CARER_TEXT_LIMIT = 2_000  # characters of one message a carer writes


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a voice the vendor keeps for us, by the vendor's name for it."""

    kind: MediaKind
    vendor_id: str
    clean: Clean | None = None  # the file itself, where the channel brought it along


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something a channel received, in our words."""

    channel: str
    external_id: str
    vendor_id: str
    text: str
    button: str | None = None  # the token of a tapped button, see `button_token`
    trigger: Trigger = Trigger.MESSAGE
    media: Media | None = None  # fetched later, never while the vendor waits


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an inbound message."""

    inbox_id: InboxId | None  # None when it was a repeat
    conversation_id: ConversationId
    member_id: MemberId
    message_id: MessageId | None


def button_token(message: Message, index: int) -> str:
    """Return the short name under which a channel shows a button; 64 bytes is the least a vendor allows."""
    return f"{message.id}:{index}"


def record_inbound(inbound: Inbound, *, uow: UnitOfWork, clock: Clock) -> Recorded:
    """Store an inbound message once, finding or making its member; commit before acknowledging it.

    A tapped button is looked up among what we sent into this very conversation; an unknown or foreign token is
    simply its text, so that nobody can order the dialogue about.
    """
    now = clock.now()
    identity = find_or_make_identity(inbound.channel, inbound.external_id, uow=uow, now=now)
    conversation = uow.conversations.of_member(identity.member_id, lock=True)
    if conversation is None:
        raise NotFound("conversation of member", identity.member_id)
    text, payload = inbound.text[:TEXT_LIMIT], None
    if inbound.button:
        tapped = _tapped(inbound.button, conversation, uow=uow)
        if tapped is not None:
            text, payload = tapped.title, tapped.payload
    message = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        member_id=conversation.member_id,
        author=Author.MEMBER,
        text=text,
        at=now,
        payload=payload,
        channel=inbound.channel,
    )
    item = InboxItem(
        id=InboxId(new_id()),
        channel=inbound.channel,
        vendor_id=inbound.vendor_id,
        conversation_id=conversation.id,
        member_id=conversation.member_id,
        message_id=message.id,
        received_at=now,
    )
    if not uow.inbox.add(item):
        return Recorded(None, conversation.id, conversation.member_id, None)
    uow.conversations.write(message)
    if inbound.media is not None:
        media = inbound.media
        attachments.note(message, inbound.channel, media.kind, media.vendor_id, media.clean, uow=uow, now=now)
    conversation.last_member_at = now
    conversation.reply_to = identity.id
    uow.conversations.save(conversation)
    if not identity.reachable:
        identity.reachable = True
        uow.members.save_identity(identity)
    rights.earn(identity, inbound.trigger, uow=uow, now=now)
    sending.release(conversation, identity, uow=uow, now=now)
    return Recorded(item.id, conversation.id, conversation.member_id, message.id)


def find_or_make_identity(channel: str, external_id: str, *, uow: UnitOfWork, now: datetime) -> Identity:
    """Return the channel account, making a new member with a conversation for one never seen before."""
    known = uow.members.identity(channel, external_id)
    if known is not None:
        return known
    member = Member(id=MemberId(new_id()), created_at=now)
    uow.members.add(member)
    return add_identity(member.id, channel, external_id, uow=uow, now=now)


def add_identity(member_id: MemberId, channel: str, external_id: str, *, uow: UnitOfWork, now: datetime) -> Identity:
    """Give a member a channel account, and a conversation if they have none.

    Raises:
        Conflict: the account belongs to another member.
    """
    known = uow.members.identity(channel, external_id)
    if known is not None:
        if known.member_id != member_id:
            raise Conflict("this channel account belongs to another member")
        return known
    identity = Identity(
        id=IdentityId(new_id()), member_id=member_id, channel=channel, external_id=external_id, created_at=now
    )
    uow.members.add_identity(identity)
    conversation = ensure_conversation(member_id, uow=uow, now=now)
    if conversation.reply_to is None:
        conversation.reply_to = identity.id
        uow.conversations.save(conversation)
    return identity


def ensure_conversation(member_id: MemberId, *, uow: UnitOfWork, now: datetime) -> Conversation:
    """Return the member's conversation, locked, making it if it does not exist."""
    known = uow.conversations.of_member(member_id, lock=True)
    if known is not None:
        return known
    conversation = Conversation(id=ConversationId(new_id()), member_id=member_id, tracker_id=new_id(), created_at=now)
    uow.conversations.add(conversation)
    return conversation


def take_over(
    conversation_id: ConversationId, staff_id: StaffId, *, uow: UnitOfWork, clock: Clock, pack: Pack
) -> Conversation:
    """Give the conversation to a carer. From this commit on the bot is silent; what it had queued is withdrawn.

    Safe to repeat; taking over from a colleague is allowed and leaves a line in the conversation.
    """
    now = clock.now()
    conversation = uow.conversations.get(conversation_id, lock=True)
    if conversation.owner == staff_id:
        return conversation
    colleague = uow.staff.get(staff_id)
    conversation.take_over(staff_id)
    uow.outbox.withdraw_bot(conversation.id, conversation.epoch, "human_owner", now)
    outbox.enqueue(
        conversation,
        pack.say("owner.taken_over", 姓名=colleague.name, 岗位=colleague.job_title),
        author=Author.SYSTEM,
        key=f"owner:{conversation.id}:{conversation.epoch}",
        uow=uow,
        now=now,
    )
    uow.conversations.save(conversation)
    return conversation


def hand_back(
    conversation_id: ConversationId,
    staff_id: StaffId,
    *,
    outcome: str,
    next_step: str,
    may_mention: bool,
    uow: UnitOfWork,
    clock: Clock,
    pack: Pack,
    because: str = "",
) -> Conversation:
    """Give the conversation back to the bot; outcome and next step are kept as an internal note.

    Args:
        conversation_id: which.
        staff_id: who hands it back; must hold it.
        outcome: what was agreed, in one line.
        next_step: what happens next, by whom and when, in one line.
        may_mention: whether the bot may bring it up.
        uow: open.
        clock: the present.
        pack: the sentence the member reads.
        because: why a lead hands it back within a day of something grave.

    Raises:
        InvalidInput: without an outcome or a next step.
        Conflict: the carer does not own it, or a crisis was not released.
        HandBackTooSoon: something grave happened within the last day.
    """
    if not outcome.strip():
        raise InvalidInput("outcome", "say in one line what was agreed")
    if not next_step.strip():
        raise InvalidInput("next_step", "say in one line what comes next")
    now = clock.now()
    conversation = uow.conversations.get(conversation_id, lock=True)
    if conversation.owner == BOT:
        return conversation
    if conversation.owner != staff_id:
        raise Conflict("a colleague owns this conversation")
    if conversation.crisis:
        raise Conflict("a crisis is released by the lead first")
    colleague = uow.staff.get(staff_id)
    staying.refuse_too_soon(conversation.member_id, colleague, because, uow=uow, now=now)
    lines = (
        outcome.strip(),
        f"下一步：{next_step.strip()}",
        f"提前交还：{because.strip()}" if because.strip() else "",
    )
    write_note(conversation, "\n".join(filter(None, lines)), staff_id=staff_id, uow=uow, now=now)
    conversation.hand_back()
    conversation.bot_may_mention = may_mention
    outbox.enqueue(
        conversation,
        pack.say("owner.handed_back", 姓名=colleague.name),
        author=Author.SYSTEM,
        key=f"owner:{conversation.id}:{conversation.epoch}",
        uow=uow,
        now=now,
    )
    uow.conversations.save(conversation)
    return conversation


def write_as_carer(
    conversation_id: ConversationId, staff_id: StaffId, text: str, *, key: str, uow: UnitOfWork, clock: Clock
) -> Message | None:
    """Send what a carer wrote. The first word of a human takes the conversation over by itself.

    Raises:
        InvalidInput: empty or too long.
        Conflict: a colleague owns the conversation, or the member has no channel.
    """
    words = text.strip()
    if not words or len(words) > CARER_TEXT_LIMIT:
        raise InvalidInput("text", f"must have 1 to {CARER_TEXT_LIMIT} characters")
    now = clock.now()
    conversation = uow.conversations.get(conversation_id, lock=True)
    full_key = f"carer:{hashlib.sha256(f'{conversation_id}:{staff_id}:{key}'.encode()).hexdigest()[:40]}"
    if uow.outbox.by_key(full_key) is not None:
        return None
    if conversation.owner not in {BOT, staff_id}:
        raise Conflict("a colleague owns this conversation")
    if conversation.reply_to is None:
        raise Conflict("this member has no channel to write to")
    if conversation.owner == BOT:
        conversation.take_over(staff_id)
        uow.outbox.withdraw_bot(conversation.id, conversation.epoch, "human_owner", now)
    message = outbox.enqueue(
        conversation, words, author=Author.CARER, key=full_key, uow=uow, now=now, carer_id=staff_id
    )
    uow.conversations.save(conversation)
    return message


def write_note(
    conversation: Conversation, text: str, *, staff_id: StaffId, uow: UnitOfWork, now: datetime
) -> Message:
    """Keep an internal note beside the conversation; it never leaves the house."""
    return uow.conversations.write(
        Message(
            id=MessageId(new_id()),
            conversation_id=conversation.id,
            member_id=conversation.member_id,
            author=Author.CARER,
            text=text,
            at=now,
            carer_id=staff_id,
            note=True,
        )
    )


def history(
    member_id: MemberId,
    *,
    by: Reader,
    purpose: Purpose,
    uow: UnitOfWork,
    after: int = 0,
    before: int | None = None,
    limit: int = 50,
    notes: bool = False,
) -> Sequence[Message]:
    """Return what was said, after asking whether the reader may and logging that they did."""
    uow.members.get(member_id, by=by, purpose=purpose)
    conversation = uow.conversations.of_member(member_id)
    if conversation is None:
        return []
    messages = uow.conversations.history(conversation.id, after=after, before=before, limit=limit)
    return [message for message in messages if notes or not message.note]


def _tapped(token: str, conversation: Conversation, *, uow: UnitOfWork) -> Button | None:
    message_id, _, index = token.rpartition(":")
    if not message_id or not index.isdecimal() or len(index) > 3:
        return None
    try:
        message = uow.conversations.message(MessageId(message_id))
    except NotFound:
        return None
    if message.conversation_id != conversation.id or int(index) >= len(message.buttons):
        return None
    return message.buttons[int(index)]
