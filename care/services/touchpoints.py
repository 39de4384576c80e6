"""Planned contacts when their moment has come: through the gate, into the outbox, or to a recorded reason."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from care.model import gate
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.errors import NotAllowed
from care.model.gate import GateDecision, Verdict
from care.model.member import Member
from care.model.message import Author, Reply
from care.model.pack import Pack
from care.model.staff import SCHEDULER_READER
from care.model.touchpoint import Touchpoint, TouchpointKind, TouchpointState
from care.ports import Clock, UnitOfWork
from care.services import cases, check_ins, outbox

SECOND_CHANNEL_AFTER = timedelta(hours=3)  # a safety contact without an answer; clinic protocol 2026-01
CARER_CALLS_AFTER = timedelta(hours=12)
FORGOTTEN_AFTER = timedelta(hours=24)  # an unanswered question is not asked again after this


def hand_over(touchpoint: Touchpoint, *, uow: UnitOfWork, clock: Clock, pack: Pack, zone: ZoneInfo) -> GateDecision:
    """Ask the gate about a claimed contact and do what it says, in one transaction.

    Returns:
        The gate's decision; when cleared, the message is queued and the touchpoint handed over.
    """
    now = clock.now()
    decision = _ask_gate(touchpoint, uow=uow, now=now)
    touchpoint.reason = decision.reason
    if decision.verdict is Verdict.CLEARED and not _say(touchpoint, uow=uow, now=now, pack=pack):
        decision = GateDecision(Verdict.SUPPRESSED, "nothing_to_say")
    if decision.verdict is Verdict.CLEARED:
        touchpoint.state, touchpoint.handed_over_at = TouchpointState.HANDED_OVER, now
    elif decision.verdict is Verdict.POSTPONED and decision.until is not None:
        touchpoint.state, touchpoint.due_at = TouchpointState.POSTPONED, decision.until
    else:
        expired = decision.verdict is Verdict.EXPIRED
        touchpoint.state = TouchpointState.EXPIRED if expired else TouchpointState.SUPPRESSED
        touchpoint.reason = decision.reason
        _mind_the_gap(touchpoint, uow=uow, now=now, zone=zone)
    touchpoint.lease_until = None
    uow.treatments.save_touchpoint(touchpoint)
    return decision


def chase(touchpoint: Touchpoint, *, uow: UnitOfWork, clock: Clock, pack: Pack, zone: ZoneInfo) -> str:
    """Do what silence demands of an unanswered contact.

    Returns:
        `waiting`, `second_channel`, `carer_calls` or `forgotten`.
    """
    now = clock.now()
    silent_for = now - (touchpoint.handed_over_at or now)
    if touchpoint.safety and touchpoint.silence_step < 2 and silent_for >= CARER_CALLS_AFTER:
        touchpoint.silence_step = 2
        cases.open_case(touchpoint.member_id, CaseLevel.W1, f"silence:{touchpoint.plan}", uow=uow, now=now, zone=zone)
        uow.treatments.save_touchpoint(touchpoint)
        return "carer_calls"
    if touchpoint.safety and touchpoint.silence_step < 1 and silent_for >= SECOND_CHANNEL_AFTER:
        touchpoint.silence_step = 1
        uow.treatments.save_touchpoint(touchpoint)
        _second_channel(touchpoint, uow=uow, now=now, pack=pack)
        return "second_channel"
    if silent_for >= FORGOTTEN_AFTER:
        touchpoint.closed_at = now
        uow.treatments.save_touchpoint(touchpoint)
        return "forgotten"
    return "waiting"


def _ask_gate(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime) -> GateDecision:
    try:
        member = uow.members.get(touchpoint.member_id, by=SCHEDULER_READER, purpose=gate.PURPOSE[touchpoint.kind])
    except NotAllowed as refused:
        return GateDecision(Verdict.SUPPRESSED, f"consent_{refused.reason}")
    conversation = uow.conversations.of_member(member.id, lock=True)
    reachable = any(identity.reachable for identity in uow.members.identities_of(member.id))
    return gate.decide(
        touchpoint,
        member=member,
        conversation=conversation,
        open_cases=uow.cases.open_of(member.id),
        sent_today=_sent_today(member, uow=uow, now=now),
        reachable=reachable,
        now=now,
    )


def _sent_today(member: Member, *, uow: UnitOfWork, now: datetime) -> int:
    midnight = datetime.combine(now.astimezone(member.tz).date(), time(0), tzinfo=member.tz)
    return sum(
        1
        for other in uow.treatments.touchpoints_of(member.id)
        if other.kind is TouchpointKind.CHECK_IN
        and not other.safety
        and other.handed_over_at is not None
        and other.handed_over_at >= midnight
    )


def _say(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, pack: Pack) -> bool:
    conversation = uow.conversations.of_member(touchpoint.member_id, lock=True)
    if conversation is None:
        return False
    reply = compose(touchpoint, uow=uow, now=now, pack=pack)
    if reply is None:
        return False
    if not conversation.introduced:
        conversation.introduced = True
        reply = Reply("\n".join((pack.say("ai.signature"), reply.text)), reply.buttons, reply.asked)
    author = Author.REMINDER if touchpoint.kind is TouchpointKind.REMINDER else Author.CHECK_IN
    outbox.enqueue(
        conversation,
        reply.text,
        author=author,
        key=f"touchpoint:{touchpoint.id}",
        uow=uow,
        now=now,
        buttons=reply.buttons,
    )
    if reply.asked:
        conversation.asked = reply.asked
    uow.conversations.save(conversation)
    return True


def compose(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, pack: Pack) -> Reply | None:
    """Return what a contact says, with its first question, or None when what it was about is gone."""
    member = uow.members.get(touchpoint.member_id, by=SCHEDULER_READER, purpose=Purpose.CARE)
    if touchpoint.kind is TouchpointKind.REMINDER:
        if touchpoint.appointment_id is None:
            return None
        slot = uow.appointments.get(touchpoint.appointment_id).slot
        words = pack.say(
            f"reminder.{touchpoint.plan}",
            称呼=member.salutation,
            时间=pack.clock_words(slot.start_at, now, member.tz),
            医生=pack.practitioners[slot.practitioner].name,
            项目=pack.services[slot.service].name,
            门店=pack.clinics[slot.clinic].name,
            地址=pack.clinics[slot.clinic].address,
            准备=pack.services[slot.service].preparation,
        )
        return Reply(words)
    question = pack.questions[touchpoint.ask[0]]
    if touchpoint.kind is TouchpointKind.RECHECK or touchpoint.episode_id is None:
        before = pack.say("checkin.recheck", 称呼=member.salutation)
        return check_ins.question_reply(touchpoint, question, before=before)
    episode = uow.treatments.episode(touchpoint.episode_id)
    treatment = uow.treatments.treatment(episode.treatment_id)
    plan = pack.protocols[episode.protocol].touchpoint(touchpoint.plan)
    if plan is None:
        return None
    doctor = pack.practitioners.get(treatment.practitioner)
    opening = pack.fill(plan.opening, 称呼=member.salutation, 医生=doctor.name if doctor else pack.say("word.doctor"))
    return check_ins.question_reply(touchpoint, question, before=opening)


def _second_channel(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, pack: Pack) -> None:
    conversation = uow.conversations.of_member(touchpoint.member_id, lock=True)
    if conversation is None or not conversation.owned_by_bot:
        return
    others = [
        identity
        for identity in uow.members.identities_of(touchpoint.member_id)
        if identity.reachable and identity.id != conversation.reply_to
    ]
    member = uow.members.get(touchpoint.member_id, by=SCHEDULER_READER, purpose=Purpose.CARE)
    if not others or gate.next_awake(now, member.tz) > now:
        return
    code = touchpoint.open_question
    if code is None:
        return
    conversation.reply_to = others[0].id
    reply = check_ins.question_reply(touchpoint, pack.questions[code], before=pack.say("checkin.second_channel"))
    outbox.enqueue(
        conversation,
        reply.text,
        author=Author.CHECK_IN,
        key=f"touchpoint:{touchpoint.id}:second",
        uow=uow,
        now=now,
        buttons=reply.buttons,
    )
    conversation.asked = reply.asked
    uow.conversations.save(conversation)


def _mind_the_gap(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> None:
    """A safety contact that could not be made becomes a human's task, unless a human is there already."""
    if not touchpoint.safety or touchpoint.reason in {"human_owner", "open_case", "crisis"}:
        return
    if touchpoint.kind is TouchpointKind.CHECK_IN and touchpoint.reason != "late_enrolment":
        cases.open_case(
            touchpoint.member_id, CaseLevel.W1, f"not_reached:{touchpoint.plan}", uow=uow, now=now, zone=zone
        )
