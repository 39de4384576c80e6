"""What members are told about pictures and voices; a picture inside an open recovery brings in a nurse."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from care.model.attachment import Attachment
from care.model.case import CaseLevel
from care.model.conversation import Conversation
from care.model.message import Author, InboxItem, Message
from care.model.pack import Pack
from care.model.rights import Weight
from care.ports import UnitOfWork
from care.services import check_ins, outbox, promises

PLACEHOLDER = re.compile(r"\s*\[(?:图片|语音)\]\s*$")


def sent_with(message: Message, *, uow: UnitOfWork) -> Attachment | None:
    """Return the file a message came with, and leave in the message only the words beside it."""
    sent = uow.attachments.of_messages([message.id]).get(message.id)
    if sent is not None:
        message.text = PLACEHOLDER.sub("", message.text)
    return sent


def thank(
    item: InboxItem,
    sent: Attachment,
    conversation: Conversation,
    message: Message,
    zone: ZoneInfo,
    pack: Pack,
    *,
    uow: UnitOfWork,
    now: datetime,
) -> bool:
    """Say that a file came, and ask the check-in question again that it left unanswered.

    Returns:
        Whether the turn is over: nothing was said beside the file.
    """
    text = _about(sent, message, uow=uow, now=now, zone=zone, pack=pack)
    outbox.enqueue(conversation, text, author=Author.BOT, key=f"turn:{item.id}:media", uow=uow, now=now)
    if message.text.strip() or message.payload:
        return False
    if (conversation.asked or "").startswith("checkin."):
        again = check_ins.reask(sent.member_id, uow=uow, pack=pack, words="media.and_question")
        if again is not None:
            key = f"turn:{item.id}:again"
            outbox.enqueue(
                conversation,
                again.text,
                author=Author.CHECK_IN,
                key=key,
                uow=uow,
                now=now,
                buttons=again.buttons,
                weight=Weight.ANSWER,
            )
            conversation.asked = again.asked
    return True


def _about(sent: Attachment, message: Message, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo, pack: Pack) -> str:
    if sent.kind == "voice":
        return pack.say("media.voice", 电话=pack.duty_phone)
    if not uow.treatments.open_episodes(sent.member_id):
        return pack.say("media.picture")
    promise = promises.give(
        sent.member_id,
        CaseLevel.L3,
        "picture",
        uow=uow,
        now=now,
        zone=zone,
        pack=pack,
        message_id=message.id,
        summary=message.text,
    )
    return pack.say("media.picture_care", 岗位=promise.title, 姓名=promise.name, 时间=promise.when)
