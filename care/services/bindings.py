"""Whose a channel account is: codes given out and taken in, two members that turn out to be one, parting again.

A code proves that whoever brings it was handed it; it never tells whose it is to somebody who only guesses: wrong,
used and old ones are answered in the same words. Conversations are locked before anything is changed, the
stranger's first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from care.model.binding import BindingCode, CodeKind, CodeTerms, new_code
from care.model.case import CaseLevel
from care.model.consent import Choice, Purpose
from care.model.conversation import BOT, Conversation
from care.model.errors import NotFound
from care.model.ids import IdentityId, InboxId, MemberId, StaffId, new_id
from care.model.member import Identity, Member
from care.model.message import Author
from care.model.pack import Pack
from care.model.staff import Reader
from care.ports import UnitOfWork
from care.services import conversations, outbox, promises


class Verdict(StrEnum):
    """What became of a code somebody brought."""

    BOUND = "bound"
    ALREADY = "already"
    WRONG = "wrong"
    PAUSED = "paused"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What became of a code, and where the account talks from now on."""

    verdict: Verdict
    conversation: Conversation  # locked, not yet saved


def give_code(
    member_id: MemberId, kind: CodeKind, *, by: Reader, terms: CodeTerms, uow: UnitOfWork, now: datetime
) -> tuple[str, BindingCode]:
    """Make a code for a member; older ones of the same kind are void from here on.

    Returns:
        The code's words, which are kept nowhere, and what is known about it.

    Raises:
        NotFound: no such member, or one that became another.
    """
    member = uow.members.get(member_id, by=by, purpose=Purpose.ADMINISTRATION)
    if uow.bindings.merged_into(member.id) is not None:
        raise NotFound("member", member_id)
    words = new_code()
    code = BindingCode(new_id(), member.id, kind, created_at=now, expires_at=now + terms.lasts(kind), by=str(by))
    uow.bindings.add(code, words)
    uow.access.write(by=by, member_id=member.id, purpose=Purpose.ADMINISTRATION, what=f"code:{kind}", at=now)
    return words, code


def redeem(
    words: str,
    identity: Identity,
    conversation: Conversation,
    *,
    terms: CodeTerms,
    uow: UnitOfWork,
    now: datetime,
    zone: ZoneInfo,
    pack: Pack,
    turn: InboxId | None = None,
) -> Redeemed:
    """Take a code in. One that is live joins the account to the member it was made for.

    Args:
        words: the code, cleaned by `code_in`.
        identity: who brings it.
        conversation: theirs, locked.
        terms: how often one may be wrong.
        uow: open; committed by the caller.
        now: aware.
        zone: the clinic's, for the promise made in a conflict.
        pack: names who answers.
        turn: the inbound message it came in, if it came in one.
    """
    tries = uow.bindings.tries(identity.id)
    if tries.paused(now):
        return Redeemed(Verdict.PAUSED, conversation)
    code = uow.bindings.find(words)
    if code is None or not code.live(now):
        tries.was_wrong(terms, now)
        uow.bindings.save_tries(tries)
        return Redeemed(Verdict.PAUSED if tries.paused(now) else Verdict.WRONG, conversation)
    if code.member_id == identity.member_id:
        return Redeemed(Verdict.ALREADY, conversation)
    if uow.bindings.known_to_practice(identity.member_id):
        promises.give(
            identity.member_id,
            CaseLevel.W1,
            "binding_conflict",
            uow=uow,
            now=now,
            zone=zone,
            pack=pack,
        )
        return Redeemed(Verdict.CONFLICT, conversation)
    code.used_at, code.used_by = now, identity.id
    uow.bindings.save(code)
    tries.wrong, tries.paused_until = 0, None
    uow.bindings.save_tries(tries)
    joined = _join(identity, conversation, code.member_id, turn=turn, uow=uow, now=now)
    return Redeemed(Verdict.BOUND, joined)


def answer(redeemed: Redeemed, *, key: str, terms: CodeTerms, uow: UnitOfWork, now: datetime, pack: Pack) -> None:
    """Say what became of a code, where the account talks now, and save the conversation."""
    minutes = int(terms.pause.total_seconds() // 60)
    text = pack.say(f"binding.{redeemed.verdict}", 机构=pack.brand, 分钟=minutes, 电话=pack.duty_phone)
    conversation = redeemed.conversation
    outbox.enqueue(conversation, text, author=Author.SYSTEM, key=key[:110], uow=uow, now=now)
    uow.conversations.save(conversation)


def is_bound(identity: Identity, *, uow: UnitOfWork) -> bool:
    """Whether the account belongs to somebody: known to the practice, or with an account elsewhere."""
    return (
        uow.bindings.known_to_practice(identity.member_id) or len(uow.members.identities_of(identity.member_id)) > 1
    )


def unbind(identity_id: IdentityId, *, by: Reader, uow: UnitOfWork, now: datetime, pack: Pack) -> Conversation:
    """Part an account from its member: it starts anew as a stranger, told so, and sees nothing of before.

    What still waited for the account is withdrawn; the member's other accounts go on.

    Returns:
        The conversation of the new stranger.

    Raises:
        NotFound: no such account.
    """
    identity = uow.members.identity_by_id(identity_id)
    before = uow.conversations.of_member(identity.member_id, lock=True)
    uow.outbox.withdraw_to(identity.id, "unbound", now)
    stranger = Member(id=MemberId(new_id()), created_at=now)
    uow.members.add(stranger)
    uow.bindings.move_identity(identity, stranger.id)
    if before is not None:
        if before.reply_to == identity.id:
            left = uow.members.identities_of(before.member_id)
            before.reply_to = next((one.id for one in left if one.reachable), None)
        uow.conversations.save(before)
    uow.access.write(
        by=by,
        member_id=identity.member_id,
        purpose=Purpose.ADMINISTRATION,
        what=f"unbound:{identity.channel}",
        at=now,
    )
    fresh = conversations.ensure_conversation(stranger.id, uow=uow, now=now)
    fresh.reply_to = identity.id
    text = pack.say("binding.unbound", 机构=pack.brand)
    outbox.enqueue(fresh, text, author=Author.SYSTEM, key=f"unbound:{stranger.id}", uow=uow, now=now)
    uow.conversations.save(fresh)
    return fresh


def channel_name(channel: str, pack: Pack) -> str:
    """Return what members call a channel."""
    key = f"channel_name.{channel}"
    return pack.say(key if key in pack.wording else "channel_name.other")


def _join(
    identity: Identity,
    old: Conversation,
    target_id: MemberId,
    *,
    turn: InboxId | None,
    uow: UnitOfWork,
    now: datetime,
) -> Conversation:
    """Make a stranger the member they are: messages, visits, cases and accounts move in this one transaction."""
    new = conversations.ensure_conversation(target_id, uow=uow, now=now)
    by = Reader("member", target_id)
    _narrow_choices(identity.member_id, target_id, by=by, uow=uow, now=now)
    if not old.owned_by_bot and new.owned_by_bot:
        new.take_over(StaffId(old.owner))  # a human who is in stays in
        uow.outbox.withdraw_bot(new.id, new.epoch, "human_owner", now)
    uow.bindings.merge(old, new, turn=turn, by=str(by), at=now)
    new.crisis = new.crisis or old.crisis
    new.introduced = new.introduced or old.introduced
    new.bot_may_mention = new.bot_may_mention and old.bot_may_mention
    new.reply_to = identity.id
    new.last_member_at = max(filter(None, (new.last_member_at, old.last_member_at)), default=None)
    new.last_outbound_at = max(filter(None, (new.last_outbound_at, old.last_outbound_at)), default=None)
    new.asked = None
    old.owner, old.crisis, old.asked, old.reply_to = BOT, False, None, None
    old.epoch += 1
    uow.conversations.save(old)
    for member_id, what in ((target_id, f"bound:{identity.channel}"), (old.member_id, "merged")):
        uow.access.write(by=by, member_id=member_id, purpose=Purpose.ADMINISTRATION, what=what, at=now)
    return new


def _narrow_choices(old_id: MemberId, target_id: MemberId, *, by: Reader, uow: UnitOfWork, now: datetime) -> None:
    """Keep what either has refused; what only the stranger agreed to was not asked of this member."""
    old = uow.members.get(old_id, by=by, purpose=Purpose.DATA_RIGHTS)
    target = uow.members.get(target_id, by=by, purpose=Purpose.DATA_RIGHTS)
    for purpose, choice in old.choices.items():
        known = target.choices.get(purpose)
        if not choice.given and (known is None or known.given):
            uow.members.choose(target_id, Choice(purpose, False, now), by=by, evidence=f"merged:{old_id}")
    if old.level < target.level:
        target.level = old.level
        uow.members.save(target)
    if target.name is None and old.name is not None:
        target.name = old.name
        uow.members.save(target)
    old.name = old.title = None  # who became somebody else is nobody
    uow.members.save(old)
