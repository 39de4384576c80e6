"""What becomes of a message on its way: the last question before it leaves, and what the channel said.

Sending happens outside any transaction, between `start_sending` and a `settle_…`; a crash in between leaves
`sending`, which on the next claim is either repeated (where the vendor recognises a repeat) or kept apart as
`unknown`. Whoever changes a conversation and its messages locks the conversation first.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Literal

from care.model.case import CaseLevel
from care.model.conversation import Conversation
from care.model.ids import OutboxId, TouchpointId, new_id
from care.model.member import Identity
from care.model.message import BOT_VOICES, Author, OutboxItem, OutboxState
from care.model.rights import FROM_HUMANS, MATTERS, Weight
from care.model.touchpoint import TouchpointState
from care.ports import Clock, UnitOfWork
from care.services import cases, rights

ATTEMPTS = 6  # then it is dead and a human sees it
BACKOFF_S = (2, 8, 30, 120, 600)
#: Refusals that say the account itself cannot be written to, whatever the message.
UNREACHABLE = frozenset({"blocked", "deactivated", "unfollowed", "refuses", "blacklisted", "bad_account"})
LOST = frozenset({OutboxState.DEAD, OutboxState.WITHDRAWN, OutboxState.REFUSED})
ENDED_WELL = frozenset({OutboxState.SENT, OutboxState.DELIVERED, OutboxState.READ})

Outcome = Literal["delivered", "read", "refused"]


def start_sending(item: OutboxItem, *, idempotent: bool, uow: UnitOfWork, now: datetime) -> bool:
    """Ask once more whether this may leave, spend its right, and mark it `sending`; commit before calling the vendor.

    Returns:
        False when it must not leave: the bot lost the conversation, an earlier try may have been delivered, it came
        too late, or there is no right to send it.
    """
    conversation = uow.conversations.get(item.conversation_id, lock=True)
    again = item.state is OutboxState.SENDING
    if again and not idempotent and item.author is not Author.SAFETY:
        # A safety message twice is better than none; anything else twice is not ours to risk.
        return _end(item, OutboxState.UNKNOWN, "interrupted", uow=uow, now=now)
    if item.author in BOT_VOICES and (conversation.epoch != item.epoch or not conversation.owned_by_bot):
        return _end(item, OutboxState.WITHDRAWN, "human_owner", uow=uow, now=now)
    identity = uow.members.identity_by_id(item.identity_id)
    if not identity.reachable:
        return _lose(item, OutboxState.WITHDRAWN, "unreachable", uow=uow, now=now)
    if any(channel == item.channel for channel, _, _ in uow.rights.pauses(now)):
        item.state = OutboxState.SENDING if again else OutboxState.QUEUED
        item.lease_until = now
        uow.outbox.save(item)
        return False
    if not again:
        if item.stale_at is not None and item.stale_at <= now:
            return _lose(item, OutboxState.WITHDRAWN, "stale", uow=uow, now=now)
        before = _piece_before(item, uow=uow)
        if before in LOST:
            return _end(item, OutboxState.WITHDRAWN, "piece_lost", uow=uow, now=now)
        if before is OutboxState.HELD or not rights.spend(item, identity, uow=uow, now=now):
            _hold(item, conversation, identity, "no_right", uow=uow, now=now)
            return False
    item.state = OutboxState.SENDING
    item.attempts += 1
    uow.outbox.save(item)
    return True


def settle_sent(item: OutboxItem, provider_id: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record that the vendor accepted the message; a receipt that was faster stands."""
    receipt = _receipt(item, uow=uow)
    item.provider_id, item.settled_at = provider_id, clock.now()
    item.state, item.reason = (receipt.state, receipt.reason) if receipt else (OutboxState.SENT, None)
    uow.outbox.save(item)


def settle_refused(item: OutboxItem, reason: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record that it will never be delivered; when it is the account that refuses, nothing more is sent there."""
    uow.conversations.get(item.conversation_id, lock=True)
    now = clock.now()
    rights.give_back(item, uow=uow)
    if item.template is not None:
        if reason == "refuses":  # no subscription is left, which says nothing about other messages
            rights.close(item.identity_id, uow=uow, template=item.template)
        _end(item, OutboxState.DEAD, reason, uow=uow, now=now)
        _after_notice(item, uow=uow, now=now)
    else:
        _lose(item, OutboxState.DEAD, reason, uow=uow, now=now, always=reason not in UNREACHABLE)
    if reason in UNREACHABLE and not (item.template is not None and reason == "refuses"):
        close_account(uow.members.identity_by_id(item.identity_id), reason, uow=uow, now=now)


def settle_unknown(item: OutboxItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record that it may have been delivered; safety messages are tried again, nothing else is."""
    receipt = _receipt(item, uow=uow)
    if receipt is not None:
        _end(item, receipt.state, receipt.reason or "", uow=uow, now=clock.now())
    elif item.author is Author.SAFETY and item.template is None and item.attempts < ATTEMPTS:
        settle_later(item, "unknown", None, uow=uow, clock=clock)
    else:
        _end(item, OutboxState.UNKNOWN, "no_answer", uow=uow, now=clock.now())


def settle_later(item: OutboxItem, reason: str, after_s: float | None, *, uow: UnitOfWork, clock: Clock) -> None:
    """Record a failure that can pass and plan the next try: exponential with jitter, or when the vendor says."""
    now = clock.now()
    if reason != "unknown":  # what may have left has cost its right
        rights.give_back(item, uow=uow)
    if item.attempts >= ATTEMPTS:
        uow.conversations.get(item.conversation_id, lock=True)
        _lose(item, OutboxState.DEAD, reason, uow=uow, now=now, always=True)
        return
    backoff = BACKOFF_S[min(item.attempts - 1, len(BACKOFF_S) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    item.state, item.reason = OutboxState.FAILED, reason
    item.retry_at = now + timedelta(seconds=max(backoff, after_s or 0))
    uow.outbox.save(item)


def settle_spent(item: OutboxItem, reason: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """Believe the vendor that there is no right: close the ledger, keep the message for the member's next word."""
    now = clock.now()
    conversation = uow.conversations.get(item.conversation_id, lock=True)
    identity = uow.members.identity_by_id(item.identity_id)
    item.grant_id = None
    rights.close(identity.id, uow=uow, template=item.template)
    if item.template is not None:
        _end(item, OutboxState.DEAD, reason, uow=uow, now=now)
        _after_notice(item, uow=uow, now=now)
        return
    _hold(item, conversation, identity, reason, uow=uow, now=now, vendor_says=True)


def settle_down(item: OutboxItem, reason: str, after_s: float, *, uow: UnitOfWork, clock: Clock) -> bool:
    """Pause the whole channel; the message waits and the try does not count.

    Returns:
        Whether the channel was up until now, so that the alarm is raised once.
    """
    now = clock.now()
    rights.give_back(item, uow=uow)
    item.state, item.reason, item.attempts = OutboxState.QUEUED, reason, max(0, item.attempts - 1)
    uow.outbox.save(item)
    return uow.rights.pause(item.channel, reason, now + timedelta(seconds=after_s), now)


def receive_receipt(
    channel: str, provider_id: str, outcome: Outcome, reason: str | None, *, uow: UnitOfWork, clock: Clock
) -> OutboxItem | None:
    """Record what the vendor says became of a message it took. Receipts come in any order and twice.

    Returns:
        The message; None if the vendor's id is not known (yet).
    """
    now = clock.now()
    found = uow.outbox.by_provider(channel, provider_id)
    if found is None:
        return None
    uow.conversations.get(found.conversation_id, lock=True)
    item = uow.outbox.get(found.id)
    if outcome == "refused":
        if item.state in {OutboxState.REFUSED, OutboxState.READ}:
            return item
        if item.template is not None:
            _end(item, OutboxState.REFUSED, reason or "refused", uow=uow, now=now)
            _after_notice(item, uow=uow, now=now)
        else:
            _lose(item, OutboxState.REFUSED, reason or "refused", uow=uow, now=now, always=True)
        if reason in UNREACHABLE:
            close_account(uow.members.identity_by_id(item.identity_id), reason, uow=uow, now=now)
        return item
    better = OutboxState.READ if outcome == "read" else OutboxState.DELIVERED
    known = {OutboxState.SENDING, OutboxState.UNKNOWN, OutboxState.SENT, OutboxState.DELIVERED}
    if item.state in known and item.state is not better:
        item.state, item.reason, item.settled_at = better, None, item.settled_at or now
        uow.outbox.save(item)
    return item


def close_account(identity: Identity, reason: str, *, uow: UnitOfWork, now: datetime) -> None:
    """Record that an account cannot be written to any more, and withdraw everything that waited for it."""
    identity.reachable = False
    uow.members.save_identity(identity)
    rights.close(identity.id, uow=uow)
    for item in uow.outbox.withdraw_to(identity.id, "unreachable", now):
        if item.template is None and Weight(item.weight) in MATTERS:
            _tell_humans(item, f"undelivered:{item.author}", uow=uow, now=now)
            break  # one task, however much was waiting


def expire_held(*, uow: UnitOfWork, clock: Clock, limit: int = 50) -> int:
    """Withdraw what waited for the member's word until it was too late; return how many."""
    now = clock.now()
    late = uow.outbox.stale(now, limit)
    for item in late:
        uow.conversations.get(item.conversation_id, lock=True)
        fresh = uow.outbox.get(item.id)
        if fresh.state is OutboxState.HELD:
            _lose(fresh, OutboxState.WITHDRAWN, "stale", uow=uow, now=now)
    return len(late)


def release(conversation: Conversation, to: Identity, *, uow: UnitOfWork, now: datetime) -> int:
    """Let go what waited for the member's word, to where they have just written; what is stale is withdrawn.

    Returns:
        How many messages are on their way again. Each still needs a right when its turn comes.
    """
    answers: list[OutboxItem] = []
    waiting = uow.outbox.held(conversation.id)
    for item in waiting:
        if item.stale_at is not None and item.stale_at <= now:
            _lose(item, OutboxState.WITHDRAWN, "stale", uow=uow, now=now)
            continue
        if _fits(item, to, uow=uow):
            item.identity_id, item.channel = to.id, to.channel
        item.state, item.reason, item.retry_at, item.released_at = OutboxState.QUEUED, None, None, now
        item.asks_more = False
        uow.outbox.save(item)
        if item.weight == Weight.ANSWER:
            answers.append(item)
    left = rights.left(to, Weight.ANSWER, uow=uow, now=now, waiting=False) if answers else None
    if left is not None and 0 < left < len(answers):
        answers[left - 1].asks_more = True
        uow.outbox.save(answers[left - 1])
    return sum(item.state is OutboxState.QUEUED for item in waiting)


def _fits(item: OutboxItem, to: Identity, *, uow: UnitOfWork) -> bool:
    """Whether a piece cut for one channel may go out on another."""
    cut_for, takes = uow.terms.of(item.channel).limit, uow.terms.of(to.channel).limit
    if takes is None or takes == cut_for:
        return True
    return cut_for is not None and cut_for.unit == "bytes" and takes.size >= cut_for.size


def _receipt(item: OutboxItem, *, uow: UnitOfWork) -> OutboxItem | None:
    """Return the message if its receipt came before the answer to the call that sent it."""
    uow.conversations.get(item.conversation_id, lock=True)
    fresh = uow.outbox.get(item.id)
    early = {OutboxState.DELIVERED, OutboxState.READ, OutboxState.REFUSED}
    return fresh if fresh.lease == item.lease and fresh.state in early else None


def _piece_before(item: OutboxItem, *, uow: UnitOfWork) -> OutboxState | None:
    """Return what became of the piece before this one: its words only make sense after those."""
    if item.part == 1:
        return None
    key = item.key.removesuffix(f":{item.part}")
    before = uow.outbox.by_key(key if item.part == 2 else f"{key}:{item.part - 1}")
    return before.state if before else None


def _hold(
    item: OutboxItem,
    conversation: Conversation,
    identity: Identity,
    reason: str,
    *,
    uow: UnitOfWork,
    now: datetime,
    vendor_says: bool = False,
) -> None:
    """Keep a message for the member's next word, and ask for that word by a notice, or a human by a task.

    Who wrote a moment ago and is only told more than the rights allow needs neither: they will go on writing.
    """
    if item.template is not None:
        _end(item, OutboxState.DEAD, reason, uow=uow, now=now)
        _after_notice(item, uow=uow, now=now)
        return
    item.state, item.reason, item.retry_at = OutboxState.HELD, reason, None
    item.stale_at = item.stale_at or now + uow.terms.held_for
    uow.outbox.save(item)
    if conversation.asked is not None and item.part == item.parts:
        conversation.asked = None  # its question was not read, so the next word is no answer to it
        uow.conversations.save(conversation)
    last = conversation.last_member_at
    present = last is not None and now - last < uow.terms.present_for
    if present and not vendor_says and Weight(item.weight) > FROM_HUMANS:
        return
    _ask_for_word(item, conversation, identity, uow=uow, now=now, important=vendor_says)


def _ask_for_word(
    item: OutboxItem,
    conversation: Conversation,
    identity: Identity,
    *,
    uow: UnitOfWork,
    now: datetime,
    important: bool,
    after: str | None = None,
) -> None:
    if after is None and uow.outbox.nudged_since(conversation.id, conversation.last_member_at):
        return  # they were asked, or a human was
    nudge = rights.nudge_for(identity, conversation, uow=uow, now=now, after=after)
    if nudge is None:
        weight = Weight(item.weight)
        if weight in MATTERS or (important and weight is Weight.ANSWER):
            _tell_humans(item, f"no_channel:{item.author}", uow=uow, now=now)
        return
    word = conversation.last_member_at.timestamp() if conversation.last_member_at else 0
    uow.outbox.add(
        OutboxItem(
            id=OutboxId(new_id()),
            key=f"nudge:{conversation.id}:{word:.0f}:{len(nudge.template)}:{nudge.template}"[:120],
            conversation_id=conversation.id,
            member_id=conversation.member_id,
            message_id=item.message_id,
            identity_id=identity.id,
            channel=identity.channel,
            author=item.author,
            epoch=item.epoch,
            queued_at=now,
            weight=item.weight,
            template=nudge.template,
            stale_at=item.stale_at,
        )
    )


def _after_notice(notice: OutboxItem, *, uow: UnitOfWork, now: datetime) -> None:
    """A notice that did not reach the member: try the next kind, or tell a human, if something still waits."""
    conversation = uow.conversations.get(notice.conversation_id)
    waiting = uow.outbox.held(conversation.id)
    if not waiting:
        return
    worth_most = min(waiting, key=lambda item: item.weight)
    identity = uow.members.identity_by_id(notice.identity_id)
    _ask_for_word(worth_most, conversation, identity, uow=uow, now=now, important=True, after=notice.template or "")


def _lose(
    item: OutboxItem, state: OutboxState, reason: str, *, uow: UnitOfWork, now: datetime, always: bool = False
) -> bool:
    """End a message that will not reach the member; a human is told of what matters, or of anything if `always`."""
    _end(item, state, reason, uow=uow, now=now)
    matters = Weight(item.weight) in MATTERS
    if reason == "stale" and (plan := _expire_contact(item, uow=uow)) is not None:
        if matters:
            _tell_humans(item, f"not_reached:{plan}", uow=uow, now=now)
        return False
    if item.template is None and (matters or (always and item.weight <= Weight.ANSWER)):
        _tell_humans(item, f"undelivered:{item.author}", uow=uow, now=now)
    return False


def _expire_contact(item: OutboxItem, *, uow: UnitOfWork) -> str | None:
    """Record that a planned contact was not made after all because its time went by; return its plan."""
    kind, _, key = item.key.partition(":")
    if kind != "touchpoint" or ":" in key:
        return None
    touchpoint = uow.treatments.touchpoint(TouchpointId(key), lock=True)
    if touchpoint.state is TouchpointState.HANDED_OVER and touchpoint.closed_at is None:
        touchpoint.state, touchpoint.reason = TouchpointState.EXPIRED, "no_right"
        uow.treatments.save_touchpoint(touchpoint)
    return touchpoint.plan


def _tell_humans(item: OutboxItem, reason: str, *, uow: UnitOfWork, now: datetime) -> None:
    cases.open_case(
        item.member_id, CaseLevel.W1, reason, uow=uow, now=now, zone=uow.terms.zone, message_id=item.message_id
    )


def _end(item: OutboxItem, state: OutboxState, reason: str, *, uow: UnitOfWork, now: datetime) -> bool:
    item.state, item.reason, item.settled_at = state, reason, now
    uow.outbox.save(item)
    return False
