"""One turn: what a member wrote, read for danger first, answered by whoever may answer.

Safety is read before anything else and needs no model. The dialogue is asked outside any transaction; its answer is
only queued if the conversation still belongs to the bot under the same epoch as when the question was asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.assessment import Assessment, Complaint, Context, Distress, Medical
from care.model.case import CaseLevel, more_urgent
from care.model.consent import Purpose
from care.model.conversation import Conversation
from care.model.errors import DialogueUnavailable, OwnershipLost
from care.model.member import Member
from care.model.message import Author, InboxItem, InboxState, Message, Reply
from care.model.pack import Pack
from care.model.staff import BOT_READER
from care.ports import Clock, Dialogue, SafetyReader, UnitOfWork, UnitOfWorkFactory
from care.services import cases, check_ins, outbox, promises, recovery

PRESENCE_EVERY = timedelta(minutes=2)  # a short sign of presence until a human is in; clinic protocol 2026-01


@dataclass(frozen=True, slots=True)
class Parts:
    """What a turn works with."""

    units: UnitOfWorkFactory
    clock: Clock
    pack: Pack
    safety: SafetyReader
    dialogue: Dialogue
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class _Read:
    """What is left to do after the message was read for danger and for answers."""

    finished: bool
    tracker_id: str = ""
    epoch: int = 0
    text: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


def process(item: InboxItem, parts: Parts) -> None:
    """Work through one claimed inbound message. Safe to repeat after a crash at any point.

    Raises:
        Conflict: another worker took the message over; nothing was sent.
    """
    read = _read(item, parts)
    if read.finished:
        return
    try:
        replies = list(parts.dialogue.say(read.tracker_id, read.text, read.metadata))
    except DialogueUnavailable as down:
        _answer_without_dialogue(item, read, down.reason, parts)
        return
    _answer(item, read, replies, parts)


def _read(item: InboxItem, parts: Parts) -> _Read:
    with parts.units() as uow:
        now = parts.clock.now()
        conversation = uow.conversations.get(item.conversation_id, lock=True)
        message = uow.conversations.message(item.message_id)
        member = uow.members.get(item.member_id, by=BOT_READER, purpose=Purpose.SAFETY)
        assessment = parts.safety.assess(message.text, _context(conversation, member, uow=uow, now=now))
        uow.conversations.set_assessment(message.id, _kept(assessment))
        finished = _react(item, conversation, member, message, assessment, parts, uow=uow, now=now)
        if finished:
            _done(item, uow=uow)
        uow.conversations.save(conversation)
        uow.commit()
    if finished:
        return _Read(finished=True)
    metadata = {
        "turn_id": item.id,
        "member_id": item.member_id,
        "asked": conversation.asked or "",
        "flags": ",".join(flag.value for flag in assessment.flags),
    }
    if message.payload:
        metadata["payload"] = message.payload
    return _Read(
        finished=False,
        tracker_id=conversation.tracker_id,
        epoch=conversation.epoch,
        text=message.text,
        metadata=metadata,
    )


def _react(
    item: InboxItem,
    conversation: Conversation,
    member: Member,
    message: Message,
    assessment: Assessment,
    parts: Parts,
    *,
    uow: UnitOfWork,
    now: datetime,
) -> bool:
    """Open cases, answer what has a fixed answer, and say whether the turn is over."""
    answered = None
    if not conversation.crisis:
        answered = check_ins.answer(
            member.id,
            message.text,
            payload=message.payload,
            asked=conversation.asked,
            message_id=message.id,
            uow=uow,
            clock=parts.clock,
            pack=parts.pack,
            zone=parts.zone,
            flags=[flag.value for flag in assessment.flags],
            alone=conversation.owned_by_bot,
        )
    urgent = _open_cases(member, message, assessment, parts, uow=uow, now=now)
    if answered is not None and answered.level in check_ins.STOPPING:
        urgent = answered.level if urgent is None or more_urgent(answered.level, urgent) else urgent
    if urgent is CaseLevel.P3:
        conversation.crisis = True
    if urgent is not None and (conversation.owned_by_bot or urgent in {CaseLevel.L0, CaseLevel.P3}):
        text = _fixed_words(urgent, member, parts, uow=uow, now=now)
        _speak(item, conversation, Reply(text), Author.SAFETY, "safety", uow=uow, now=now)
        conversation.asked = None
        return True
    if not conversation.owned_by_bot:
        return True
    if conversation.crisis:
        _stay_present(item, conversation, parts, uow=uow, now=now)
        return True
    _introduce(item, conversation, parts, uow=uow, now=now)
    if answered is not None:
        _speak(item, conversation, answered.reply, Author.CHECK_IN, "answer", uow=uow, now=now)
        conversation.asked = answered.reply.asked
        return True
    if not _has_words(message.text) and not message.payload:
        _speak(item, conversation, Reply(parts.pack.say("input.empty")), Author.BOT, "empty", uow=uow, now=now)
        return True
    return False


def _open_cases(
    member: Member, message: Message, assessment: Assessment, parts: Parts, *, uow: UnitOfWork, now: datetime
) -> CaseLevel | None:
    """Open one case a track the text demands; return the most urgent one that has fixed words."""
    levels: list[CaseLevel] = []
    if assessment.medical in {Medical.L0, Medical.L1, Medical.L2, Medical.L3}:
        levels.append(CaseLevel(assessment.medical.value))
    if assessment.distress in {Distress.P2, Distress.P3}:
        levels.append(CaseLevel(assessment.distress.value))
    if assessment.complaint in {Complaint.K2, Complaint.K3}:
        levels.append(CaseLevel(assessment.complaint.value))
    flags = ",".join(flag.value for flag in assessment.flags) or "words"
    for level in levels:
        cases.open_case(
            member.id,
            level,
            f"said:{flags}"[:64],
            uow=uow,
            now=now,
            zone=parts.zone,
            message_id=message.id,
            summary=message.text,
        )
    spoken = [level for level in levels if level is not CaseLevel.L3]
    return min(spoken, key=list(CaseLevel).index, default=None)


def _fixed_words(level: CaseLevel, member: Member, parts: Parts, *, uow: UnitOfWork, now: datetime) -> str:
    colleague = cases.on_duty(level, uow=uow)
    name = colleague.name if colleague else parts.pack.duty_name
    title = colleague.job_title if colleague else parts.pack.duty_title
    key = {
        CaseLevel.L0: "safety.l0",
        CaseLevel.P3: "safety.p3",
        CaseLevel.P2: "safety.p2",
        CaseLevel.K2: "complaint.k2",
        CaseLevel.K3: "complaint.k3",
    }.get(level, "safety.l1_l2" if member.phone else "safety.l1_l2_no_phone")
    minutes = cases.minutes_left(level, member.id, uow=uow, now=now, zone=parts.zone)
    return parts.pack.say(
        key,
        机构=parts.pack.brand,
        护士=name,
        关怀师=name,
        姓名=name,
        岗位=title,
        称呼=member.salutation,
        尾号=f"尾号 {member.phone_tail}" if member.phone else "",
        N=minutes,
        时间=f"{(now + timedelta(minutes=minutes)).astimezone(parts.zone):%H:%M}",
        电话=parts.pack.duty_phone,
    )


def _stay_present(
    item: InboxItem, conversation: Conversation, parts: Parts, *, uow: UnitOfWork, now: datetime
) -> None:
    last = conversation.last_outbound_at
    if last is None or now - last >= PRESENCE_EVERY:
        _speak(
            item, conversation, Reply(parts.pack.say("safety.presence")), Author.SAFETY, "presence", uow=uow, now=now
        )


def _introduce(item: InboxItem, conversation: Conversation, parts: Parts, *, uow: UnitOfWork, now: datetime) -> None:
    if conversation.introduced:
        return
    conversation.introduced = True
    _speak(item, conversation, Reply(parts.pack.say("ai.disclosure")), Author.BOT, "hello", uow=uow, now=now)


def _answer(item: InboxItem, read: _Read, replies: list[Reply], parts: Parts) -> None:
    with parts.units() as uow:
        now = parts.clock.now()
        conversation = uow.conversations.get(item.conversation_id, lock=True)
        try:
            conversation.must_be(read.epoch)
            back = read.metadata["asked"].startswith("checkin.")
            again = check_ins.reask(item.member_id, uow=uow, pack=parts.pack) if back else None
            for number, reply in enumerate([*replies, *([again] if again else [])]):
                author = Author.CHECK_IN if reply is again else Author.BOT
                _speak(item, conversation, reply, author, str(number), uow=uow, now=now)
            last = again or replies[-1]
            conversation.asked = last.asked
        except OwnershipLost:
            item.reason = "human_owner"  # the carer saw the message; what the bot made of it is void
        _done(item, uow=uow)
        uow.conversations.save(conversation)
        uow.commit()


def _answer_without_dialogue(item: InboxItem, read: _Read, reason: str, parts: Parts) -> None:
    """Say honestly that the bot cannot answer, and bring in a human who can."""
    with parts.units() as uow:
        now = parts.clock.now()
        conversation = uow.conversations.get(item.conversation_id, lock=True)
        message = uow.conversations.message(item.message_id)
        item.reason = f"dialogue_{reason}"[:80]
        promise = promises.give(
            item.member_id,
            CaseLevel.W1,
            "dialogue_down",
            uow=uow,
            now=now,
            zone=parts.zone,
            pack=parts.pack,
            message_id=message.id,
            summary=message.text,
        )
        try:
            conversation.must_be(read.epoch)
            text = parts.pack.say("dialogue.down", 姓名=promise.name, 时间=promise.when, 电话=parts.pack.duty_phone)
            _speak(item, conversation, Reply(text), Author.BOT, "down", uow=uow, now=now)
        except OwnershipLost:
            item.reason = "human_owner"
        _done(item, uow=uow)
        uow.conversations.save(conversation)
        uow.commit()


def _speak(
    item: InboxItem,
    conversation: Conversation,
    reply: Reply,
    author: Author,
    part: str,
    *,
    uow: UnitOfWork,
    now: datetime,
) -> None:
    outbox.enqueue(
        conversation,
        reply.text,
        author=author,
        key=f"turn:{item.id}:{part}",
        uow=uow,
        now=now,
        buttons=reply.buttons,
    )


def _done(item: InboxItem, *, uow: UnitOfWork) -> None:
    item.state = InboxState.DONE
    uow.inbox.save(item)


def _context(conversation: Conversation, member: Member, *, uow: UnitOfWork, now: datetime) -> Context:
    pair = recovery.current(member.id, uow=uow)
    if pair is None:
        return Context(asked=conversation.asked, treatment=None, day=None)
    _, treatment = pair
    return Context(asked=conversation.asked, treatment=treatment.kind, day=treatment.day(now, member.tz))


def _kept(assessment: Assessment) -> dict[str, object]:
    return {
        **assessment.as_json(),
        "emotion": {"label": assessment.emotion.label, "valence": assessment.emotion.valence},
    }


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
