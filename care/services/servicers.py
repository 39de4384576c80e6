"""Colleagues who serve a member at the vendor's own desk, and what that means for the conversation here.

What they write there is kept here as a carer's words, and their first word takes the conversation over, exactly as
in the console. When they end the session there, the conversation goes back to the bot, unless a colleague holds it
here meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from care.model.case import CaseLevel
from care.model.conversation import BOT, Conversation
from care.model.errors import NotFound
from care.model.ids import InboxId, MemberId, MessageId, StaffId, new_id
from care.model.member import Identity
from care.model.message import TEXT_LIMIT, Author, InboxItem, InboxState, Message
from care.model.staff import Staff
from care.model.vendor import SERVICER, WITH_HUMANS, ServiceState
from care.ports import UnitOfWork
from care.services import cases, conversations


@dataclass(frozen=True, slots=True)
class Account:
    """A member's account on a channel, in the vendor's words."""

    channel: str
    external_id: str


def carer_wrote(
    account: Account,
    text: str,
    *,
    vendor_id: str,
    servicer: str,
    at: datetime,
    uow: UnitOfWork,
    now: datetime,
    holds: bool = True,
) -> Message | None:
    """Keep what a colleague wrote at the vendor's desk; it was delivered there already.

    Args:
        account: to whom it was written.
        text: the words, or a placeholder for what is not text.
        vendor_id: unique for these words; the same words twice are kept once.
        servicer: the vendor's name for the colleague.
        at: when they were written.
        uow: open.
        now: aware.
        holds: whether it takes the conversation over; words of long ago do not.

    Returns:
        The message, or None for a repeat.
    """
    identity = conversations.find_or_make_identity(account.channel, account.external_id, uow=uow, now=now)
    conversation = _conversation(identity, uow=uow)
    colleague = who(servicer, uow=uow)
    message = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        member_id=conversation.member_id,
        author=Author.CARER,
        text=text[:TEXT_LIMIT],
        at=at,
        carer_id=colleague.id if colleague else None,
        channel=account.channel,
    )
    kept = InboxItem(
        id=InboxId(new_id()),
        channel=account.channel,
        vendor_id=vendor_id,
        conversation_id=conversation.id,
        member_id=conversation.member_id,
        message_id=message.id,
        received_at=now,
        state=InboxState.DONE,  # nothing to be answered
        reason="carer",
    )
    if not uow.inbox.add(kept):
        return None
    written = uow.conversations.write(message)
    conversation.last_outbound_at = at
    uow.conversations.save(conversation)
    if holds:
        _hold(conversation, identity, servicer, colleague, uow=uow, now=now)
    return written


def accepted(
    account: Account,
    servicer: str,
    *,
    uow: UnitOfWork,
    now: datetime,
    state: ServiceState = ServiceState.SERVICER,
) -> Conversation:
    """A colleague, or the pool of waiting sessions, has the session: the bot is silent from this commit on."""
    identity = conversations.find_or_make_identity(account.channel, account.external_id, uow=uow, now=now)
    conversation = _conversation(identity, uow=uow)
    _hold(conversation, identity, servicer, who(servicer, uow=uow), uow=uow, now=now, state=state)
    return conversation


def found_held(account: Account, servicer: str, *, uow: UnitOfWork, now: datetime, state: ServiceState) -> bool:
    """A session turned out to be held at the vendor's desk: take that as `accepted`.

    Returns:
        False when the conversation was given back here and the vendor only has not been told yet; nothing changes.
    """
    identity = conversations.find_or_make_identity(account.channel, account.external_id, uow=uow, now=now)
    conversation = _conversation(identity, uow=uow)
    session = uow.sessions.get(identity.id)
    if session.state in WITH_HUMANS and conversation.owned_by_bot and session.epoch != conversation.epoch:
        return False
    accepted(account, servicer, uow=uow, now=now, state=state)
    return True


def ended(account: Account, *, uow: UnitOfWork, now: datetime) -> Conversation | None:
    """The session was ended at the vendor's desk; the bot answers the member's next word.

    Not when a colleague has taken the conversation over here since, and not in a crisis: that one the lead releases.
    """
    identity = uow.members.identity(account.channel, account.external_id)
    if identity is None:
        return None
    conversation = _conversation(identity, uow=uow)
    session = uow.sessions.get(identity.id)
    theirs = session.epoch == conversation.epoch and session.state in WITH_HUMANS
    session.state, session.servicer, session.problem = ServiceState.ENDED, None, None
    if theirs and not conversation.owned_by_bot and not conversation.crisis:
        _note(conversation, "会话已在企业微信里结束，交回小安。", uow=uow, now=now)
        conversation.hand_back()
        session.epoch = conversation.epoch
    uow.sessions.save(session)
    uow.conversations.save(conversation)
    return conversation


def note(account: Account, text: str, *, uow: UnitOfWork, now: datetime) -> None:
    """Leave a line for carers beside the conversation, if there is one."""
    identity = uow.members.identity(account.channel, account.external_id)
    if identity is not None:
        _note(_conversation(identity, uow=uow), text, uow=uow, now=now)


def not_stored(account: Account, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> None:
    """Something the member wrote cannot be kept here: a carer has to read it at the vendor's desk."""
    identity = uow.members.identity(account.channel, account.external_id)
    if identity is None:
        return
    cases.open_case(identity.member_id, CaseLevel.W1, "not_stored", uow=uow, now=now, zone=zone)
    note(account, "会员有一句话没能存下来，请到企业微信里看原话。", uow=uow, now=now)


def greeted(account: Account, text: str, *, uow: UnitOfWork, now: datetime) -> MemberId | None:
    """Keep the greeting somebody was shown on entering; it says who we are, so the first answer need not.

    Returns:
        Whose history it stands in, or None if nobody is known by this account.
    """
    identity = uow.members.identity(account.channel, account.external_id)
    if identity is None:
        return None
    conversation = _conversation(identity, uow=uow)
    uow.conversations.write(
        Message(
            id=MessageId(new_id()),
            conversation_id=conversation.id,
            member_id=conversation.member_id,
            author=Author.SYSTEM,
            text=text,
            at=now,
            channel=account.channel,
        )
    )
    conversation.introduced = True
    uow.conversations.save(conversation)
    return conversation.member_id


def came_back(identity: Identity, *, uow: UnitOfWork) -> None:
    """The member wrote: a session that had ended is a new one again."""
    session = uow.sessions.get(identity.id)
    if session.state is ServiceState.ENDED:
        session.state = ServiceState.NEW
        uow.sessions.save(session)


def who(servicer: str, *, uow: UnitOfWork) -> Staff | None:
    """Return the colleague the vendor calls so."""
    return next((staff for staff in uow.staff.all() if servicer and staff.wecom_id == servicer), None)


def _hold(
    conversation: Conversation,
    identity: Identity,
    servicer: str,
    colleague: Staff | None,
    *,
    uow: UnitOfWork,
    now: datetime,
    state: ServiceState = ServiceState.SERVICER,
) -> None:
    holder = colleague.id if colleague else StaffId(SERVICER)
    if conversation.owner in {BOT, SERVICER}:
        conversation.take_over(holder)
        uow.outbox.withdraw_bot(conversation.id, conversation.epoch, "human_owner", now)
        uow.conversations.save(conversation)
    session = uow.sessions.get(identity.id)
    if conversation.owner == holder:  # else somebody holds it here, and an end over there does not end that
        session.epoch = conversation.epoch
    session.state, session.servicer, session.problem = state, servicer or None, None
    uow.sessions.save(session)


def _conversation(identity: Identity, *, uow: UnitOfWork) -> Conversation:
    conversation = uow.conversations.of_member(identity.member_id, lock=True)
    if conversation is None:
        raise NotFound("conversation of member", identity.member_id)
    return conversation


def _note(conversation: Conversation, text: str, *, uow: UnitOfWork, now: datetime) -> None:
    uow.conversations.write(
        Message(
            id=MessageId(new_id()),
            conversation_id=conversation.id,
            member_id=conversation.member_id,
            author=Author.SYSTEM,
            text=text,
            at=now,
            note=True,
        )
    )
