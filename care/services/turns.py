"""One turn: what a member wrote, read for danger first, answered by whoever may answer.

Safety is read before anything else and needs no model. The dialogue is asked outside any transaction; its answer is
only queued if the conversation still belongs to the bot under the same epoch as when the question was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.answers import says_more
from care.model.assessment import Assessment, Complaint, Context, Distress, Medical
from care.model.binding import CodeTerms
from care.model.case import CaseLevel, more_urgent
from care.model.consent import Purpose
from care.model.conversation import Conversation
from care.model.courtesy import is_courtesy
from care.model.errors import DialogueUnavailable, OwnershipLost
from care.model.member import Member
from care.model.message import Author, InboxItem, InboxState, Message, Reply
from care.model.pack import Pack
from care.model.rights import Weight
from care.model.staff import BOT_READER
from care.ports import Clock, Dialogue, SafetyReader, UnitOfWork, UnitOfWorkFactory
from care.services import (
    account_talk,
    cases,
    check_ins,
    complaints,
    fixed_words,
    invitations,
    media_talk,
    outbox,
    promises,
    recovery,
    released,
)

CHECK_IN_DONE = "/EXTERNAL_check_in_done"  # lets the dialogue take up what was kept while the check-in ran
ANSWERED = "answered:"  # noted on a message whose answer was taken, so that a second attempt takes it no second time
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
    codes: CodeTerms = field(default_factory=CodeTerms)


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
        if read.metadata.get("payload") == CHECK_IN_DONE:
            _answer(item, read, [], parts)  # the answer itself was taken and said already
            return
        if is_courtesy(read.text):  # thanks need no colleague and start no clock
            _answer(item, read, [Reply(parts.pack.say("input.courtesy"))], parts)
            return
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
        emotion = {"label": assessment.emotion.label, "valence": assessment.emotion.valence}
        uow.conversations.set_assessment(message.id, {**assessment.as_json(), "emotion": emotion})
        cases.member_wrote(member.id, uow=uow, now=now, zone=parts.zone)
        taken = account_talk.take(item, message, conversation, parts.codes, parts.zone, parts.pack, uow=uow, now=now)
        left = None if taken else _react(item, conversation, member, message, assessment, parts, uow=uow, now=now)
        if left is None:
            _done(item, uow=uow)
        if not taken:  # else it is saved already, and may be another's by now
            uow.conversations.save(conversation)
        uow.commit()
    if left is None:
        return _Read(finished=True)
    metadata = {
        "turn_id": item.id,
        "member_id": item.member_id,
        "asked": conversation.asked or "",
        "flags": ",".join(flag.value for flag in assessment.flags),
    }
    if message.payload:
        metadata["payload"] = message.payload
    metadata.update(left)
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
) -> dict[str, str] | None:
    """Open cases and answer what has a fixed answer.

    Returns:
        None when the turn is over; else what the dialogue, which goes on, has to know besides the words.
    """
    answered, before = None, _answered_before(item)
    sent = media_talk.sent_with(message, uow=uow)
    if not conversation.crisis and before is None:
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
    settled = None
    if urgent is None:
        settled = complaints.answer(
            conversation, message.text, payload=message.payload, uow=uow, now=now, zone=parts.zone, pack=parts.pack
        )
    if answered is not None and answered.level in check_ins.STOPPING:
        urgent = answered.level if urgent is None or more_urgent(answered.level, urgent) else urgent
    if urgent is CaseLevel.P3:
        conversation.crisis = True
    if urgent is not None and (conversation.owned_by_bot or urgent in {CaseLevel.L0, CaseLevel.P3}):
        text = fixed_words.of(urgent, member, uow=uow, now=now, zone=parts.zone, pack=parts.pack)
        _speak(item, conversation, Reply(text), Author.SAFETY, "safety", uow=uow, now=now)
        conversation.asked = None
        return None
    if settled is not None:
        _speak(item, conversation, settled, Author.SYSTEM, "settled", uow=uow, now=now)
        conversation.asked = settled.asked
        return None
    if not conversation.owned_by_bot:
        return None
    if conversation.crisis:
        _stay_present(item, conversation, parts, uow=uow, now=now)
        return None
    _introduce(item, conversation, parts, uow=uow, now=now)
    if sent and media_talk.thank(item, sent, conversation, message, parts.zone, parts.pack, uow=uow, now=now):
        return None
    if before is not None:
        more = not message.payload and says_more(parts.pack.questions[before], message.text)
        return _to_dialogue(before, conversation.asked, more=more)
    if answered is not None:
        return _after_answer(item, conversation, answered, parts, uow=uow, now=now)
    if released.is_only_a_sign(message, assessment) and (let_go := released.question(item, uow=uow)) is not None:
        conversation.asked = let_go or None
        return None
    if not any(map(str.isalnum, message.text)) and not message.payload:
        _speak(item, conversation, Reply(parts.pack.say("input.empty")), Author.BOT, "empty", uow=uow, now=now)
        return None
    return {}


def _after_answer(
    item: InboxItem,
    conversation: Conversation,
    answered: check_ins.Outcome,
    parts: Parts,
    *,
    uow: UnitOfWork,
    now: datetime,
) -> dict[str, str] | None:
    """Say what an answer led to; leave to the dialogue what else was said, and what was kept while the check-in ran.

    What else was said is answered between the words about the answer and the next question, so that the question
    stands last.
    """
    conversation.asked = answered.after.asked
    if not answered.says_more:
        reply = invitations.added(answered.reply, conversation, uow=uow, now=now, pack=parts.pack)
        _speak(item, conversation, reply, Author.CHECK_IN, "answer", uow=uow, now=now)
        if not (answered.over and answered.before):
            return None
    elif answered.before:
        _speak(item, conversation, Reply(answered.before), Author.CHECK_IN, "answer", uow=uow, now=now)
    item.reason = f"{ANSWERED}{answered.question}"
    uow.inbox.save(item)
    return _to_dialogue(answered.question, conversation.asked, more=answered.says_more)


def _to_dialogue(question: str, asked: str | None, *, more: bool) -> dict[str, str]:
    """Return what the dialogue has to know about words that answered a check-in question."""
    left = {"answered": question, "asked": "", "asks_next": asked or ""}
    return left if more else {**left, "payload": CHECK_IN_DONE}


def _answered_before(item: InboxItem) -> str | None:
    """Return the question whose answer an earlier attempt at this message took, if it did."""
    reason = item.reason or ""
    return reason.removeprefix(ANSWERED) if reason.startswith(ANSWERED) else None


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
    if assessment.complaint is Complaint.K1 and set(levels) - {CaseLevel.L3}:
        levels.append(CaseLevel.K1)  # the dialogue, which hears ordinary complaints, is not asked about this message
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
    spoken = [level for level in levels if level not in {CaseLevel.L3, CaseLevel.K1}]
    return min(spoken, key=list(CaseLevel).index, default=None)


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
            ending = _ending(item, read, replies, parts, uow=uow, now=now)
            for number, reply in enumerate([*replies, *([ending] if ending else [])]):
                author = Author.CHECK_IN if reply is ending else Author.BOT
                _speak(item, conversation, reply, author, str(number), uow=uow, now=now)
            asked = [reply.asked for reply in (*replies, ending) if reply and reply.asked]
            conversation.asked = asked[-1] if asked else released.question(item, uow=uow) or None
            item.reason = None
        except OwnershipLost:
            item.reason = "human_owner"  # the carer saw the message; what the bot made of it is void
        _done(item, uow=uow)
        uow.conversations.save(conversation)
        uow.commit()


def _ending(
    item: InboxItem, read: _Read, replies: Sequence[Reply], parts: Parts, *, uow: UnitOfWork, now: datetime
) -> Reply | None:
    """Return what a check-in says after everything else: its next or its open question, or its last words.

    Whoever is in the middle of something else, such as choosing a time, is asked again when that has ended.
    """
    known = read.metadata
    asks = any(reply.asked for reply in replies)
    if known.get("payload") == CHECK_IN_DONE:
        return None
    if known.get("answered"):
        if known.get("asks_next"):
            return check_ins.reask(item.member_id, uow=uow, pack=parts.pack, words="")
        return None if asks else invitations.closing(item.member_id, uow=uow, now=now, pack=parts.pack)
    again = None
    if known["asked"] and not asks:
        words = "checkin.reask" if replies else "checkin.unclear"
        again = check_ins.reask(item.member_id, uow=uow, pack=parts.pack, words=words)
    return again or (None if replies else Reply(parts.pack.say("input.empty")))


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
            if read.metadata.get("asks_next"):
                ending = check_ins.reask(item.member_id, uow=uow, pack=parts.pack, words="")
                if ending is not None:
                    _speak(item, conversation, ending, Author.CHECK_IN, "next", uow=uow, now=now)
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
        weight=Weight.SAFETY if author is Author.SAFETY else Weight.ANSWER,
    )


def _done(item: InboxItem, *, uow: UnitOfWork) -> None:
    item.state = InboxState.DONE
    uow.inbox.save(item)


def _context(conversation: Conversation, member: Member, *, uow: UnitOfWork, now: datetime) -> Context:
    pair = recovery.current(member.id, uow=uow, now=now)
    if pair is None:
        return Context(asked=conversation.asked, treatment=None, day=None)
    _, treatment = pair
    return Context(asked=conversation.asked, treatment=treatment.kind, day=treatment.day(now, member.tz))
