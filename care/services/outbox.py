"""Putting messages on their way, and keeping what became of each.

Enqueueing happens in the transaction of the turn that speaks, under the conversation's epoch. Sending happens
outside any transaction, between `start_sending` and `settle`; a crash in between leaves `sending`, which on the next
claim is either repeated (where the vendor recognises a repeat) or kept apart as `unknown`.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from care.model.conversation import Conversation
from care.model.errors import OwnershipLost
from care.model.ids import MessageId, OutboxId, new_id
from care.model.message import BOT_VOICES, Author, Button, Message, OutboxItem, OutboxState
from care.ports import Clock, UnitOfWork

ATTEMPTS = 6  # then it is dead and a human sees it
BACKOFF_S = (2, 8, 30, 120, 600)


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
) -> Message | None:
    """Write a message into the conversation and queue it for the member's channel.

    Args:
        conversation: locked by this transaction; its last-spoken time is updated and must be saved by the caller.
        text: what the member will read.
        author: who speaks. Bot voices need a conversation the bot owns.
        key: unique for what is being said; a second enqueue under it does nothing.
        uow: open.
        now: aware.
        buttons: at most a handful.
        carer_id: the colleague who speaks, if one does.
        epoch: the epoch under which it was composed; the conversation's own if not given.

    Returns:
        The message, or None if the key was queued before or there is no channel to send on.

    Raises:
        OwnershipLost: if the conversation changed hands since `epoch`, or a bot voice speaks while a carer owns it.
    """
    if epoch is not None:
        conversation.must_be(epoch)
    if author in BOT_VOICES and not conversation.owned_by_bot:
        raise OwnershipLost("a carer owns this conversation")
    if uow.outbox.by_key(key) is not None or conversation.reply_to is None:
        return None
    identity = uow.members.identity_by_id(conversation.reply_to)
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
    uow.outbox.add(
        OutboxItem(
            id=OutboxId(new_id()),
            key=key,
            conversation_id=conversation.id,
            member_id=conversation.member_id,
            message_id=message.id,
            identity_id=identity.id,
            channel=identity.channel,
            author=author,
            epoch=conversation.epoch,
            queued_at=now,
        )
    )
    conversation.last_outbound_at = now
    return message


def start_sending(item: OutboxItem, *, idempotent: bool, uow: UnitOfWork, now: datetime) -> bool:
    """Ask once more whether this may leave, and mark it `sending`; commit before calling the vendor.

    Returns:
        False when it must not leave: the bot lost the conversation, or an earlier try may have been delivered.
    """
    interrupted = item.state is OutboxState.SENDING
    if interrupted and not idempotent and item.author is not Author.SAFETY:
        # A safety message twice is better than none; anything else twice is not ours to risk.
        return _end(item, OutboxState.UNKNOWN, "interrupted", uow=uow, now=now)
    conversation = uow.conversations.get(item.conversation_id, lock=True)
    if item.author in BOT_VOICES and (conversation.epoch != item.epoch or not conversation.owned_by_bot):
        return _end(item, OutboxState.WITHDRAWN, "human_owner", uow=uow, now=now)
    if not uow.members.identity_by_id(item.identity_id).reachable:
        return _end(item, OutboxState.DEAD, "unreachable", uow=uow, now=now)
    item.state = OutboxState.SENDING
    item.attempts += 1
    uow.outbox.save(item)
    return True


def settle_sent(item: OutboxItem, provider_id: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record that the vendor accepted the message."""
    item.state, item.provider_id, item.settled_at = OutboxState.SENT, provider_id, clock.now()
    item.reason = None
    uow.outbox.save(item)


def settle_refused(item: OutboxItem, reason: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record that it will never be delivered, and that this account cannot be reached."""
    _end(item, OutboxState.DEAD, reason, uow=uow, now=clock.now())
    if reason in {"blocked", "deactivated"}:
        identity = uow.members.identity_by_id(item.identity_id)
        identity.reachable = False
        uow.members.save_identity(identity)


def settle_unknown(item: OutboxItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record that it may have been delivered; safety messages are tried again, nothing else is."""
    if item.author is Author.SAFETY and item.attempts < ATTEMPTS:
        settle_later(item, "unknown", None, uow=uow, clock=clock)
    else:
        _end(item, OutboxState.UNKNOWN, "no_answer", uow=uow, now=clock.now())


def settle_later(item: OutboxItem, reason: str, after_s: float | None, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record a failure that can pass and plan the next try: exponential with jitter, or when the vendor says."""
    now = clock.now()
    if item.attempts >= ATTEMPTS:
        _end(item, OutboxState.DEAD, reason, uow=uow, now=now)
        return
    backoff = BACKOFF_S[min(item.attempts - 1, len(BACKOFF_S) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    item.state, item.reason = OutboxState.FAILED, reason
    item.retry_at = now + timedelta(seconds=max(backoff, after_s or 0))
    uow.outbox.save(item)


def _end(item: OutboxItem, state: OutboxState, reason: str, *, uow: UnitOfWork, now: datetime) -> bool:
    item.state, item.reason, item.settled_at = state, reason, now
    uow.outbox.save(item)
    return False
