"""Planned contacts when their moment has come: through the gate, into the outbox, or to a recorded reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model import gate
from care.model.answer_rules import at_risk
from care.model.caps import said
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.conversation import Conversation
from care.model.errors import Conflict, NotAllowed
from care.model.gate import GateDecision, Verdict
from care.model.member import Member
from care.model.message import Author, Reply
from care.model.pack import Pack
from care.model.protocol import Silence
from care.model.rights import ChannelRight, Weight
from care.model.staff import SCHEDULER_READER
from care.model.touchpoint import Touchpoint, TouchpointKind, TouchpointState
from care.ports import Clock, UnitOfWork
from care.services import cases, check_ins, crisis, openings, outbox, renewal, rights, verdicts

BY_PHONE = "phone"  # what a member at risk is phoned for; they know of no promise
ATTEMPTS = 3  # then a contact that cannot be made up is given up, so that it never blocks those behind it


def hand_over(touchpoint: Touchpoint, *, uow: UnitOfWork, clock: Clock, pack: Pack, zone: ZoneInfo) -> GateDecision:
    """Ask the gate about a claimed contact and do what it says, in one transaction.

    Returns:
        The gate's decision; when cleared, the message is queued and the touchpoint handed over.

    Raises:
        Conflict: it was cancelled since it was claimed, or another worker has it.
    """
    now = clock.now()
    _still_claimed(touchpoint, uow=uow)
    if not renewal.may_leave(touchpoint, uow=uow, clock=clock, pack=pack):
        return GateDecision(Verdict.SUPPRESSED, "older_version")
    _ask_for_a_call(touchpoint, uow=uow, now=now, pack=pack, zone=zone)
    decision = _ask_gate(touchpoint, uow=uow, now=now)
    touchpoint.reason = decision.reason
    if decision.verdict is Verdict.CLEARED and not _say(touchpoint, uow=uow, now=now, pack=pack):
        decision = GateDecision(Verdict.SUPPRESSED, "nothing_to_say")
    if decision.verdict is Verdict.CLEARED:
        touchpoint.state, touchpoint.handed_over_at = TouchpointState.HANDED_OVER, now
    elif decision.verdict is Verdict.POSTPONED and decision.until is not None:
        touchpoint.state, touchpoint.due_at, touchpoint.attempts = TouchpointState.POSTPONED, decision.until, 0
    else:
        expired = decision.verdict is Verdict.EXPIRED
        touchpoint.state = TouchpointState.EXPIRED if expired else TouchpointState.SUPPRESSED
        touchpoint.reason = decision.reason
        _mind_the_gap(touchpoint, uow=uow, now=now, zone=zone)
    touchpoint.lease_until = None
    uow.treatments.save_touchpoint(touchpoint)
    return decision


def give_up(touchpoint: Touchpoint, *, uow: UnitOfWork, clock: Clock, zone: ZoneInfo) -> bool:
    """Record that a contact could not be made up; before its last attempt it is left to be claimed again.

    Returns:
        Whether this was the end of it. A safety contact is a carer's task then.
    """
    fresh = _still_claimed(touchpoint, uow=uow)
    if fresh.attempts < ATTEMPTS:
        return False
    fresh.state, fresh.reason, fresh.lease_until = TouchpointState.SUPPRESSED, "failed", None
    _mind_the_gap(fresh, uow=uow, now=clock.now(), zone=zone)
    uow.treatments.save_touchpoint(fresh)
    return True


def is_chased(touchpoint: Touchpoint, now: datetime, silence: Silence) -> bool:
    """Whether silence demands anything by now; cheap, so that a tick opens no transaction in vain."""
    silent = _minutes(now - (touchpoint.handed_over_at or now))
    return silent >= silence.forgotten_minutes or (
        touchpoint.safety
        and (
            (touchpoint.silence_step < 2 and silent >= silence.carer_call_minutes)
            or (touchpoint.silence_step < 1 and silent >= silence.second_channel_minutes)
        )
    )


def chase(touchpoint: Touchpoint, *, uow: UnitOfWork, clock: Clock, pack: Pack, zone: ZoneInfo) -> str:
    """Do what silence demands of an unanswered contact: a second channel, then a carer who phones, then an end.

    A member with whom a human is already, or whose danger is being looked after, is not chased.

    Returns:
        `waiting`, `second_channel`, `carer_calls`, `human_there` or `forgotten`.
    """
    now = clock.now()
    conversation = uow.conversations.of_member(touchpoint.member_id, lock=True)
    fresh = uow.treatments.touchpoint(touchpoint.id, lock=True)
    silent, rows = _minutes(now - (fresh.handed_over_at or now)), pack.silence
    if fresh.open_question is None or not is_chased(fresh, now, rows):
        return "waiting"
    done = "waiting"
    there = conversation is None or _human_there(conversation, uow=uow)
    if fresh.safety and fresh.silence_step < 2 and silent >= rows.carer_call_minutes:
        fresh.silence_step = 2
        done = "human_there" if there else "waiting"
        if not there and _early_after_surgery(fresh, uow=uow, pack=pack):
            reason = f"silence:{fresh.plan}"
            cases.open_case(fresh.member_id, CaseLevel.W1, reason, uow=uow, now=now, zone=zone)
            done = "carer_calls"
    elif fresh.safety and fresh.silence_step < 1 and silent >= rows.second_channel_minutes:
        if there:
            fresh.silence_step, done = 1, "human_there"
        elif conversation is not None and _second_channel(fresh, conversation, uow=uow, now=now, pack=pack):
            fresh.silence_step, done = 1, "second_channel"
    elif silent >= rows.forgotten_minutes:
        fresh.closed_at, done = now, "forgotten"
    uow.treatments.save_touchpoint(fresh)
    return done


def _minutes(span: timedelta) -> float:
    return span.total_seconds() / 60


def _still_claimed(touchpoint: Touchpoint, *, uow: UnitOfWork) -> Touchpoint:
    """Lock the conversation, then the contact: everybody who needs both takes them in this order."""
    uow.conversations.of_member(touchpoint.member_id, lock=True)
    fresh = uow.treatments.touchpoint(touchpoint.id, lock=True)
    if fresh.state is not TouchpointState.CLAIMED or fresh.lease != touchpoint.lease:
        raise Conflict("this contact is no longer ours to make")
    return fresh


def _ask_for_a_call(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, pack: Pack, zone: ZoneInfo) -> None:
    """Have somebody phone a member at risk on the mornings the protocol names; the question goes out all the same.

    Asked for once: a contact that is put off is claimed again.
    """
    if touchpoint.kind is not TouchpointKind.CHECK_IN or touchpoint.episode_id is None:
        return
    course = verdicts.course_of(touchpoint.episode_id, uow=uow, pack=pack)
    plan = course.protocol.touchpoint(touchpoint.plan) if course.protocol else None
    reason = f"{BY_PHONE}:{touchpoint.plan}:{touchpoint.occurrence}"[:64]
    if plan is None or not plan.phone or not at_risk(course.facts) or now >= touchpoint.expires_at:
        return
    if reason not in {case.reason for case in uow.cases.of_member(touchpoint.member_id)}:
        cases.open_case(touchpoint.member_id, CaseLevel.W2, reason, uow=uow, now=now, zone=zone)


def _ask_gate(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime) -> GateDecision:
    try:
        member = uow.members.get(touchpoint.member_id, by=SCHEDULER_READER, purpose=gate.PURPOSE[touchpoint.kind])
    except NotAllowed as refused:
        return GateDecision(Verdict.SUPPRESSED, f"consent_{refused.reason}")
    conversation = uow.conversations.of_member(member.id, lock=True)
    reachable = any(identity.reachable for identity in uow.members.identities_of(member.id))
    right = ChannelRight.NONE
    if conversation is not None and reachable:
        right = rights.of_planned(conversation, weight_of(touchpoint), uow=uow, now=now)
    return gate.decide(
        touchpoint,
        member=member,
        conversation=conversation,
        open_cases=uow.cases.open_of(member.id),
        said=said(uow.treatments.touchpoints_of(member.id)),
        reachable=reachable,
        now=now,
        right=right,
        day=_day(touchpoint, member, uow=uow, now=now),
        quiet_until=crisis.quiet_until(member.id, uow=uow),
    )


def weight_of(touchpoint: Touchpoint) -> Weight:
    """Return what a planned contact is worth when rights to send are short."""
    if touchpoint.kind is TouchpointKind.REMINDER:
        return Weight.REMINDER
    return Weight.SAFETY_CHECK_IN if touchpoint.safety else Weight.CHECK_IN


def _day(touchpoint: Touchpoint, member: Member, *, uow: UnitOfWork, now: datetime) -> int | None:
    if touchpoint.episode_id is None:
        return None
    episode = uow.treatments.episode(touchpoint.episode_id)
    return uow.treatments.treatment(episode.treatment_id).day(now, member.tz)


def _say(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, pack: Pack) -> bool:
    conversation = uow.conversations.of_member(touchpoint.member_id, lock=True)
    if conversation is None:
        return False
    reply = compose(touchpoint, uow=uow, now=now, pack=pack)
    if reply is None:
        return False
    _choose_channel(conversation, weight_of(touchpoint), uow=uow, now=now)
    if not conversation.introduced:
        conversation.introduced = True
        signature = openings.signature(uow=uow, pack=pack)
        reply = Reply("\n".join((signature, reply.text)), reply.buttons, reply.asked)
    author = Author.REMINDER if touchpoint.kind is TouchpointKind.REMINDER else Author.CHECK_IN
    outbox.enqueue(
        conversation,
        reply.text,
        author=author,
        key=f"touchpoint:{touchpoint.id}",
        uow=uow,
        now=now,
        buttons=reply.buttons,
        weight=weight_of(touchpoint),
        stale_at=touchpoint.expires_at,
    )
    if touchpoint.reason == gate.ASKS_FOR_WORD:
        conversation.asked = None  # they have not read the question: whatever they write now is no answer to it
    elif reply.asked:
        conversation.asked = reply.asked
    uow.conversations.save(conversation)
    return True


def _choose_channel(conversation: Conversation, weight: Weight, *, uow: UnitOfWork, now: datetime) -> None:
    """Write where the member wrote last, unless nothing may be sent there and another account can be reached."""
    way = rights.way_to(conversation, weight, uow=uow, now=now)
    if way is not None and way.reachable:
        conversation.reply_to = way.id


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
    course = verdicts.course_of(touchpoint.episode_id, uow=uow, pack=pack)
    plan = course.protocol.touchpoint(touchpoint.plan) if course.protocol else None
    if plan is None:
        return None
    before = openings.opening(plan, course, uow=uow, now=now, pack=pack)
    return check_ins.question_reply(touchpoint, question, before=before)


def _second_channel(
    touchpoint: Touchpoint, conversation: Conversation, *, uow: UnitOfWork, now: datetime, pack: Pack
) -> bool:
    """Ask once more where the member was not asked yet; False while it is night there, to be tried again."""
    try:
        member = uow.members.get(touchpoint.member_id, by=SCHEDULER_READER, purpose=gate.PURPOSE[touchpoint.kind])
    except NotAllowed:
        return True  # the member said no more; whether somebody phones is for the carer to decide
    if gate.next_awake(now, member.tz) > now:
        return False
    code = touchpoint.open_question
    others = [
        one
        for one in uow.members.identities_of(member.id)
        if one.reachable
        and one.id != conversation.reply_to
        and rights.left(one, Weight.SAFETY_CHECK_IN, uow=uow, now=now) != 0
    ]
    if not others or code is None:
        return True
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
        weight=Weight.SAFETY_CHECK_IN,
    )
    conversation.asked = reply.asked
    uow.conversations.save(conversation)
    return True


def _human_there(conversation: Conversation, *, uow: UnitOfWork) -> bool:
    danger = any(case.level in gate.SERIOUS for case in uow.cases.open_of(conversation.member_id))
    return danger or conversation.crisis or not conversation.owned_by_bot


def _early_after_surgery(touchpoint: Touchpoint, *, uow: UnitOfWork, pack: Pack) -> bool:
    if touchpoint.episode_id is None or touchpoint.handed_over_at is None:
        return False
    episode = uow.treatments.episode(touchpoint.episode_id)
    protocol = pack.protocols.get(episode.protocol)
    member = uow.members.get(touchpoint.member_id, by=SCHEDULER_READER, purpose=Purpose.CARE)
    day = uow.treatments.treatment(episode.treatment_id).day(touchpoint.handed_over_at, member.tz)
    return protocol is not None and protocol.surgery and day <= pack.silence.carer_call_to_day


def _mind_the_gap(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> None:
    """A safety contact that could not be made becomes a human's task, unless a human is there already."""
    if not touchpoint.safety or touchpoint.reason in {"human_owner", "open_case", "crisis"}:
        return
    if touchpoint.reason == "no_right":
        cases.open_case(
            touchpoint.member_id, CaseLevel.W1, f"no_channel:{touchpoint.plan}", uow=uow, now=now, zone=zone
        )
    elif touchpoint.kind is TouchpointKind.CHECK_IN and touchpoint.reason != "late_enrolment":
        cases.open_case(
            touchpoint.member_id, CaseLevel.W1, f"not_reached:{touchpoint.plan}", uow=uow, now=now, zone=zone
        )
