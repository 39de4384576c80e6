"""Asking for the next right at a natural moment: at the end of a talk, when the next contact lies outside the window.

The vendor lets nobody write to a member who has been silent for two days. Whoever has just answered is told once a
planned contact that a word on that day lets us ask again, or where to agree to a notice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from care.model.consent import Purpose
from care.model.conversation import Conversation
from care.model.ids import MemberId
from care.model.member import Identity
from care.model.message import Reply
from care.model.pack import Pack
from care.model.rights import Trigger
from care.model.staff import BOT_READER
from care.model.touchpoint import WAITING, Touchpoint
from care.ports import UnitOfWork
from care.services import check_ins


def added(reply: Reply, conversation: Conversation, *, uow: UnitOfWork, now: datetime, pack: Pack) -> Reply:
    """Return the last words of a talk, with a line that asks for a word where one will be needed.

    Nothing is added where the vendor counts nothing, where a notice may be sent at any time, or where the next
    contact still lies inside the window.
    """
    if reply.asked is not None or conversation.reply_to is None:
        return reply
    identity = uow.members.identity_by_id(conversation.reply_to)
    terms = uow.terms.of(identity.channel)
    if terms.gifts is None or any(not nudge.needs_opt_in for nudge in terms.nudges):
        return reply
    coming = _next_outside_the_window(identity, uow=uow, now=now)
    if coming is None or not uow.rights.note(identity.channel, f"invited:{coming.id}", "invited", now):
        return reply
    member = uow.members.get(conversation.member_id, by=BOT_READER, purpose=Purpose.CARE)
    if terms.nudges and terms.subscribe_url:
        line = pack.say("right.invite_link", 链接=terms.subscribe_url)
    else:
        line = pack.say("right.invite", 时间=pack.clock_words(coming.due_at, now, member.tz))
    return replace(reply, text=f"{reply.text}\n{line}")


def closing(member_id: MemberId, *, uow: UnitOfWork, now: datetime, pack: Pack) -> Reply:
    """Return the words that close a check-in, with the line that asks for a word where one will be needed."""
    reply = check_ins.closing(member_id, uow=uow, now=now, pack=pack)
    conversation = uow.conversations.of_member(member_id)
    return added(reply, conversation, uow=uow, now=now, pack=pack) if conversation else reply


def _next_outside_the_window(identity: Identity, *, uow: UnitOfWork, now: datetime) -> Touchpoint | None:
    windows = [one.expires_at for one in uow.rights.of(identity.id) if one.trigger is Trigger.MESSAGE]
    end = max((end for end in windows if end is not None), default=now)
    for touchpoint in uow.treatments.touchpoints_of(identity.member_id):
        if touchpoint.state in WAITING and touchpoint.due_at > now and touchpoint.ask:
            return touchpoint if touchpoint.due_at >= end else None
    return None
