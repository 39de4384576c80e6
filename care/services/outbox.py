"""Putting messages on their way.

Enqueueing happens in the transaction of the turn that speaks, under the conversation's epoch; a message longer than
its channel takes becomes several rows in a row. What becomes of them is decided in `sending`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from care.model.conversation import Conversation
from care.model.errors import OwnershipLost
from care.model.ids import MessageId, OutboxId, new_id
from care.model.member import Identity
from care.model.message import BOT_VOICES, Author, Button, Message, OutboxItem, OutboxState
from care.model.pieces import Piece, cut
from care.model.rights import WEIGHT_OF, Terms, Weight
from care.ports import UnitOfWork
from care.services import rights


def enqueue(
    conversation: Conversation,
    text: str,
    *,
    author: Author,
    key: str,
    uow: UnitOfWork,
    now: datetime,
    buttons: tuple[Button, ...] = (),
    carer_id: str | None = None,
    epoch: int | None = None,
    weight: Weight | None = None,
    stale_at: datetime | None = None,
) -> Message | None:
    """Write a message into the conversation and queue it for the member's channel.

    Args:
        conversation: locked by this transaction; its last-spoken time is updated and must be saved by the caller.
        text: what the member will read.
        author: who speaks. Bot voices need a conversation the bot owns.
        key: unique for what is being said, at most 110 characters; a second enqueue under it does nothing.
        uow: open.
        now: aware.
        buttons: at most a handful.
        carer_id: the colleague who speaks, if one does.
        epoch: the epoch under which it was composed; the conversation's own if not given.
        weight: what it is worth when rights are short; what its author's words are worth if not given.
        stale_at: from when on it is better not sent at all.

    Returns:
        The message, or None if the key was queued before or there is no channel to send on.

    Raises:
        OwnershipLost: if the conversation changed hands since `epoch`, or a bot voice speaks while a carer owns it.
    """
    if epoch is not None:
        conversation.must_be(epoch)
    if author in BOT_VOICES and not conversation.owned_by_bot:
        raise OwnershipLost("a carer owns this conversation")
    worth = WEIGHT_OF[author] if weight is None else weight
    if uow.outbox.by_key(key) is not None:
        return None
    identity = rights.way_to(conversation, worth, uow=uow, now=now)
    if identity is None:
        return None
    message = uow.conversations.write(
        Message(
            id=MessageId(new_id()),
            conversation_id=conversation.id,
            member_id=conversation.member_id,
            author=author,
            text=text,
            at=now,
            buttons=buttons,
            carer_id=carer_id,
            channel=identity.channel,
        )
    )
    terms = uow.terms.of(identity.channel)
    pieces = cut(text, terms.limit, spare=f"\n{uow.terms.more}" if terms.gifts is not None else "")
    last_to_leave = _last_to_leave(identity, worth, len(pieces), uow=uow, now=now)
    if last_to_leave == 0:
        _ask_with_the_last(identity, uow=uow)
    for number, piece in enumerate(pieces, start=1):
        uow.outbox.add(
            OutboxItem(
                id=OutboxId(new_id()),
                key=key if number == 1 else f"{key}:{number}",
                conversation_id=conversation.id,
                member_id=conversation.member_id,
                message_id=message.id,
                identity_id=identity.id,
                channel=identity.channel,
                author=author,
                epoch=conversation.epoch,
                queued_at=now,
                weight=worth,
                part=number,
                parts=len(pieces),
                cut_from=piece.start,
                cut_to=piece.end,
                asks_more=number == last_to_leave,
                stale_at=stale_at,
            )
        )
    conversation.last_outbound_at = now
    return message


def _last_to_leave(identity: Identity, weight: Weight, parts: int, *, uow: UnitOfWork, now: datetime) -> int | None:
    """Return the piece of an answer after which the rights are spent, so that it can ask for a word; 0 for none."""
    if weight is not Weight.ANSWER:
        return None
    left = rights.left(identity, weight, uow=uow, now=now)
    return left if left is not None and left < parts else None


def _ask_with_the_last(identity: Identity, *, uow: UnitOfWork) -> None:
    """Let the last message that still has a right say that there is more, if it has not left yet."""
    last = uow.outbox.last_queued(identity.id)
    if last is not None and last.weight == Weight.ANSWER and last.state is OutboxState.QUEUED:
        last.asks_more = True
        uow.outbox.save(last)


def as_sent(item: OutboxItem, message: Message, terms: Terms) -> Message:
    """Return the message as the channel is given it: this piece of its words, buttons only with the last."""
    whole = message.text
    end = len(whole) if item.cut_to is None else item.cut_to
    short = item.part == item.parts and end < len(whole.rstrip())
    text = Piece(item.cut_from, end, short=short).of(whole)
    limit = terms.of(item.channel).limit
    if item.asks_more and terms.more:
        asking = f"{text}\n{terms.more}"
        text = asking if limit is None or limit.length(asking) <= limit.size else text
    return replace(message, text=text, buttons=message.buttons if item.part == item.parts else ())
