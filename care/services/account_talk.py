"""What members say about their account itself: a code, going on in another channel, parting.

Read before the dialogue, and only when it is the whole message; buttons carry the account they are about.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from care.model.binding import ELSEWHERE, UNBIND, CodeKind, CodeTerms, code_in, shown
from care.model.conversation import Conversation
from care.model.ids import IdentityId
from care.model.member import Identity
from care.model.message import Author, Button, InboxItem, Message
from care.model.pack import Pack
from care.model.staff import Reader
from care.ports import UnitOfWork
from care.services import bindings, outbox

PART, STAY = "account|part|", "account|stay"


def take(
    item: InboxItem,
    message: Message,
    conversation: Conversation,
    terms: CodeTerms,
    zone: ZoneInfo,
    pack: Pack,
    *,
    uow: UnitOfWork,
    now: datetime,
) -> bool:
    """Do what a message asks about the account, if that is what it is about.

    Returns:
        Whether the turn is over. Every conversation that was changed is saved; the caller's may be out of date then.
    """
    text, payload = message.text.strip(), message.payload
    identity = _writer(item, conversation, uow=uow)
    if identity is None or conversation.crisis:
        return False
    if payload is None and (words := code_in(text)) is not None:
        redeemed = bindings.redeem(
            words, identity, conversation, terms=terms, uow=uow, now=now, zone=zone, pack=pack, turn=item.id
        )
        bindings.answer(redeemed, key=f"turn:{item.id}:bind", terms=terms, uow=uow, now=now, pack=pack)
        return True
    if payload is None and ELSEWHERE.fullmatch(text):
        _give_code(item, conversation, terms=terms, uow=uow, now=now, pack=pack)
        return True
    if payload is None and UNBIND.fullmatch(text):
        _ask_to_part(item, identity, conversation, uow=uow, now=now, pack=pack)
        return True
    if payload == STAY:
        _say(item, conversation, pack.say("binding.kept"), uow=uow, now=now)
        return True
    if payload is not None and payload.startswith(PART):
        _part(item, IdentityId(payload.removeprefix(PART)), conversation, uow=uow, now=now, pack=pack)
        return True
    return False


def _writer(item: InboxItem, conversation: Conversation, *, uow: UnitOfWork) -> Identity | None:
    """Return the account a message came from: the one last written from, or the newest of its channel."""
    theirs = [one for one in uow.members.identities_of(conversation.member_id) if one.channel == item.channel]
    return next((one for one in theirs if one.id == conversation.reply_to), theirs[0] if theirs else None)


def _give_code(
    item: InboxItem,
    conversation: Conversation,
    *,
    terms: CodeTerms,
    uow: UnitOfWork,
    now: datetime,
    pack: Pack,
) -> None:
    by = Reader("member", conversation.member_id)
    kind = CodeKind.SECOND_CHANNEL
    words, _ = bindings.give_code(conversation.member_id, kind, by=by, terms=terms, uow=uow, now=now)
    minutes = int(terms.second_channel.total_seconds() // 60)
    _say(item, conversation, pack.say("binding.code", 内容=shown(words), 分钟=minutes), uow=uow, now=now)


def _ask_to_part(
    item: InboxItem, identity: Identity, conversation: Conversation, *, uow: UnitOfWork, now: datetime, pack: Pack
) -> None:
    if not bindings.is_bound(identity, uow=uow):
        _say(item, conversation, pack.say("binding.not_bound"), uow=uow, now=now)
        return
    buttons = (
        Button(pack.say("binding.yes"), f"{PART}{identity.id}"),
        Button(pack.say("binding.no"), STAY),
    )
    text = pack.say("binding.ask", 项目=bindings.channel_name(identity.channel, pack))
    _say(item, conversation, text, uow=uow, now=now, buttons=buttons)


def _part(
    item: InboxItem,
    identity_id: IdentityId,
    conversation: Conversation,
    *,
    uow: UnitOfWork,
    now: datetime,
    pack: Pack,
) -> None:
    mine = {one.id for one in uow.members.identities_of(conversation.member_id)}
    if identity_id not in mine:  # parted before; a second tap changes nothing
        _say(item, conversation, pack.say("binding.not_bound"), uow=uow, now=now)
        return
    bindings.unbind(identity_id, by=Reader("member", conversation.member_id), uow=uow, now=now, pack=pack)


def _say(
    item: InboxItem,
    conversation: Conversation,
    text: str,
    *,
    uow: UnitOfWork,
    now: datetime,
    buttons: tuple[Button, ...] = (),
) -> None:
    key = f"turn:{item.id}:account"
    outbox.enqueue(conversation, text, author=Author.SYSTEM, key=key, uow=uow, now=now, buttons=buttons)
    uow.conversations.save(conversation)
