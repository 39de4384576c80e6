"""Looking after a recovery: from the treatment that opens it to what every answer leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.answer_rules import Decision, decide
from care.model.answers import read_answer
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.errors import InvalidInput, NotFound
from care.model.ids import EpisodeId, MemberId, MessageId, TouchpointId, TreatmentId, new_id
from care.model.message import Button, Reply
from care.model.pack import Pack
from care.model.protocol import Question
from care.model.staff import BOT_READER, SCHEDULER_READER
from care.model.touchpoint import Answer, Touchpoint, TouchpointKind, TouchpointState
from care.model.treatment import Episode, EpisodeStatus, Treatment
from care.ports import Clock, UnitOfWork
from care.services import cases, planning

CLOCK_SKEW = timedelta(minutes=5)  # how far ahead of ours a practice system's clock may run
OLDEST = timedelta(days=365)  # a treatment longer ago opens no recovery
RECHECK_WINDOW = timedelta(hours=14)  # long enough to move past a night
REPORT_ASKS = {"bleeding": "bleed", "swelling": "swell", "fever": "temp", "numbness": "numb", "trismus": "open"}
STOPPING = frozenset({CaseLevel.L0, CaseLevel.L1, CaseLevel.L2, CaseLevel.P2, CaseLevel.P3})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer led to: what to say next, and the case it opened, if it did."""

    reply: Reply
    level: CaseLevel | None = None


def record_treatment(
    member_id: MemberId,
    *,
    kind: str,
    practitioner: str,
    clinic: str,
    ended_at: datetime,
    uow: UnitOfWork,
    clock: Clock,
    pack: Pack,
    facts: frozenset[str] = frozenset(),
    sutures_out_on: date | None = None,
    external_ref: str | None = None,
) -> tuple[Treatment, Episode | None]:
    """Record a treatment and open its recovery if the pack has a protocol for it.

    Safe to repeat with the same `external_ref`: the first recording stands.

    Args:
        member_id: whose it is.
        kind: a protocol code of the pack; another code of a service is stored without a recovery.
        practitioner: a code of the pack.
        clinic: a code of the pack.
        ended_at: aware; when the treatment ended.
        uow: open; committed by the caller.
        clock: the present.
        pack: protocols, practitioners and clinics.
        facts: what about it changes the after-care, e.g. `bone_graft`.
        sutures_out_on: the day the sutures come out, in the member's calendar.
        external_ref: the practice system's own id.

    Raises:
        NotFound: no such member.
        InvalidInput: a treatment in the future or over a year ago, an unknown code, sutures before the treatment.
    """
    now = clock.now()
    member = uow.members.get(member_id, by=SCHEDULER_READER, purpose=Purpose.CARE)
    if external_ref is not None:
        known = uow.treatments.by_ref(external_ref)
        if known is not None:
            return known, uow.treatments.episode_of(known.id)
    _refuse_nonsense(kind, practitioner, clinic, ended_at, now, pack)
    if sutures_out_on is not None and sutures_out_on < ended_at.astimezone(member.tz).date():
        raise InvalidInput("sutures_out_on", "lies before the treatment")
    treatment = Treatment(
        id=TreatmentId(new_id()),
        member_id=member_id,
        kind=kind,
        practitioner=practitioner,
        clinic=clinic,
        ended_at=ended_at,
        created_at=now,
        facts=facts,
        sutures_out_on=sutures_out_on,
        external_ref=external_ref,
    )
    uow.treatments.add_treatment(treatment)
    protocol = pack.protocols.get(kind)
    if protocol is None:
        return treatment, None
    episode = Episode(
        id=EpisodeId(new_id()),
        member_id=member_id,
        treatment_id=treatment.id,
        protocol=kind,
        version=protocol.version,
        opened_at=now,
    )
    uow.treatments.add_episode(episode)
    planning.plan_episode(episode, treatment, protocol, zone=member.tz, uow=uow, now=now)
    return treatment, episode


def cancel_episode(episode_id: EpisodeId, *, reason: str, uow: UnitOfWork, clock: Clock) -> Episode:
    """End a recovery that should not be looked after (recorded by mistake) and cancel what is planned."""
    episode = uow.treatments.episode(episode_id)
    if episode.status is EpisodeStatus.OPEN:
        episode.status, episode.closed_at = EpisodeStatus.CANCELLED, clock.now()
        uow.treatments.save_episode(episode)
        for touchpoint in uow.treatments.waiting_for(episode_id=episode_id):
            touchpoint.state, touchpoint.reason = TouchpointState.CANCELLED, reason
            uow.treatments.save_touchpoint(touchpoint)
    return episode


def current(member_id: MemberId, *, uow: UnitOfWork) -> tuple[Episode, Treatment] | None:
    """Return the member's latest open recovery with its treatment."""
    episodes = uow.treatments.open_episodes(member_id)
    if not episodes:
        return None
    pairs = [(episode, uow.treatments.treatment(episode.treatment_id)) for episode in episodes]
    return max(pairs, key=lambda pair: pair[1].ended_at)


def question_reply(touchpoint: Touchpoint, question: Question, *, before: str = "") -> Reply:
    """Return a question as the member sees it: one sentence, one tap."""
    buttons = tuple(
        Button(option.label, f"answer|{touchpoint.id}|{question.code}|{option.value}") for option in question.options
    )
    return Reply("\n".join(filter(None, (before, question.wording))), buttons, asked=f"checkin.{question.code}")


def answer(
    member_id: MemberId,
    text: str,
    *,
    payload: str | None,
    asked: str | None,
    message_id: MessageId | None,
    uow: UnitOfWork,
    clock: Clock,
    pack: Pack,
    zone: ZoneInfo,
) -> Outcome | None:
    """Take an answer to an open check-in question, by button or in words.

    Args:
        member_id: who answers.
        text: their words.
        payload: the meaning of the tapped button, if one was tapped.
        asked: what the last question in the conversation was about; words count only when it was this question.
        message_id: the message, kept beside the answer.
        uow: open; committed by the caller.
        clock: the present.
        pack: questions and rules.
        zone: the clinic's, for promises.

    Returns:
        What to say next, or None when this is not an answer (the dialogue should read it).
    """
    tapped = _tapped_answer(payload)
    if tapped is not None:
        touchpoint = _touchpoint_of(tapped[0], member_id, uow=uow)
        if touchpoint is None:
            return None
        question, value = pack.questions.get(tapped[1]), tapped[2]
        if question is None or value not in {option.value for option in question.options}:
            return None
        if touchpoint.closed_at is not None or question.code in touchpoint.answered:
            return Outcome(Reply(pack.say("checkin.already")))
    else:
        found = uow.treatments.open_check_in(member_id)
        code = found.open_question if found else None
        if found is None or code is None or asked != f"checkin.{code}":
            return None
        touchpoint, question = found, pack.questions[code]
        read = read_answer(question, text)
        if read is None:
            return None
        value = read
    return _take(
        touchpoint, question, value, text=text, message_id=message_id, uow=uow, clock=clock, pack=pack, zone=zone
    )


def take_report(
    member_id: MemberId,
    text: str,
    *,
    flags: Sequence[str],
    uow: UnitOfWork,
    clock: Clock,
    pack: Pack,
) -> Reply:
    """Ask back when a member tells of a symptom on their own: what hurts gets a number, what else gets its question.

    Whatever needs a human at once was dealt with by the safety assessment before this. Without an open recovery the
    member is asked whether a nurse should call.
    """
    now = clock.now()
    pair = current(member_id, uow=uow)
    if pair is None:
        return Reply(
            pack.say("report.no_episode"),
            (Button(pack.say("button.nurse_call"), "/request_human"), Button(pack.say("button.no"), "/deny")),
            asked="report.nurse",
        )
    episode, _ = pair
    asks = list(dict.fromkeys(REPORT_ASKS[flag] for flag in flags if flag in REPORT_ASKS)) or ["pain"]
    touchpoint = Touchpoint(
        id=TouchpointId(new_id()),
        member_id=member_id,
        kind=TouchpointKind.RECHECK,
        plan="report",
        occurrence=new_id(),
        version=episode.version,
        due_at=now,
        expires_at=now + RECHECK_WINDOW,
        created_at=now,
        safety=True,
        state=TouchpointState.HANDED_OVER,
        reason="member_report",
        episode_id=episode.id,
        ask=tuple(asks),
        handed_over_at=now,
    )
    uow.treatments.plan(touchpoint)
    return question_reply(touchpoint, pack.questions[asks[0]], before=pack.say("report.thanks"))


def reask(member_id: MemberId, *, uow: UnitOfWork, pack: Pack) -> Reply | None:
    """Return the open check-in question again, for the end of an answer to something else."""
    touchpoint = uow.treatments.open_check_in(member_id)
    code = touchpoint.open_question if touchpoint else None
    if touchpoint is None or code is None:
        return None
    return question_reply(touchpoint, pack.questions[code], before=pack.say("checkin.reask"))


def _take(
    touchpoint: Touchpoint,
    question: Question,
    value: str,
    *,
    text: str,
    message_id: MessageId | None,
    uow: UnitOfWork,
    clock: Clock,
    pack: Pack,
    zone: ZoneInfo,
) -> Outcome:
    now = clock.now()
    decision = Decision("ok", rule="skipped", reason="跳过")
    if value != "skip":
        decision = _judge(touchpoint, question, value, uow=uow, now=now, pack=pack)
    touchpoint.answered = (*touchpoint.answered, question.code)
    level = CaseLevel(decision.level) if decision.verdict == "escalate" and decision.level else None
    _store(touchpoint, question, value, decision, message_id=message_id, uow=uow, now=now)
    before = pack.say("checkin.ok")
    if level is not None:
        cases.open_case(
            touchpoint.member_id,
            level,
            f"rule:{decision.rule}"[:64],
            uow=uow,
            now=now,
            zone=zone,
            message_id=message_id,
            summary=f"{question.short}：{text}（{decision.reason}）",
        )
        if level in STOPPING:
            touchpoint.closed_at = now
            uow.treatments.save_touchpoint(touchpoint)
            return Outcome(Reply(""), level)
        before = pack.say("checkin.passed_on")
    elif decision.verdict == "watch" and decision.recheck is not None:
        again = _plan_recheck(touchpoint, question, decision, uow=uow, now=now)
        member = uow.members.get(touchpoint.member_id, by=BOT_READER, purpose=Purpose.CARE)
        before = pack.say(
            "checkin.watch_bleed" if question.code == "bleed" else "checkin.watch",
            时间=pack.clock_words(again.due_at, now, member.tz),
        )
    following = touchpoint.open_question
    if following is not None:
        uow.treatments.save_touchpoint(touchpoint)
        return Outcome(question_reply(touchpoint, pack.questions[following], before=before), level)
    touchpoint.closed_at = now
    uow.treatments.save_touchpoint(touchpoint)
    return Outcome(Reply("\n".join((before, _closing(touchpoint, uow=uow, now=now, pack=pack)))), level)


def _judge(
    touchpoint: Touchpoint, question: Question, value: str, *, uow: UnitOfWork, now: datetime, pack: Pack
) -> Decision:
    member = uow.members.get(touchpoint.member_id, by=BOT_READER, purpose=Purpose.CARE)
    if touchpoint.episode_id is None:
        raise NotFound("episode of touchpoint", touchpoint.id)
    episode = uow.treatments.episode(touchpoint.episode_id)
    treatment = uow.treatments.treatment(episode.treatment_id)
    protocol = pack.protocols[episode.protocol]
    earlier = [item for item in uow.treatments.answers(episode.id) if item.question == question.code]
    return decide(
        question.code,
        value,
        hours=(now - treatment.ended_at).total_seconds() / 3600,
        day=treatment.day(now, member.tz),
        history=[(item.day or 0, item.value) for item in earlier],
        protocol=protocol,
        facts=treatment.facts | member.risk_facts,
        plan=touchpoint.plan,
        rules=pack.rules,
    )


def _store(
    touchpoint: Touchpoint,
    question: Question,
    value: str,
    decision: Decision,
    *,
    message_id: MessageId | None,
    uow: UnitOfWork,
    now: datetime,
) -> None:
    day = None
    if touchpoint.episode_id is not None:
        member = uow.members.get(touchpoint.member_id, by=BOT_READER, purpose=Purpose.CARE)
        episode = uow.treatments.episode(touchpoint.episode_id)
        day = uow.treatments.treatment(episode.treatment_id).day(now, member.tz)
    uow.treatments.add_answer(
        Answer(
            id=new_id(),
            member_id=touchpoint.member_id,
            question=question.code,
            value=value,
            at=now,
            verdict=decision.verdict,
            rule=decision.rule,
            level=decision.level,
            reason=decision.reason,
            episode_id=touchpoint.episode_id,
            touchpoint_id=touchpoint.id,
            message_id=message_id,
            day=day,
        )
    )


def _plan_recheck(
    touchpoint: Touchpoint, question: Question, decision: Decision, *, uow: UnitOfWork, now: datetime
) -> Touchpoint:
    due = now + (decision.recheck or timedelta(0))
    again = Touchpoint(
        id=TouchpointId(new_id()),
        member_id=touchpoint.member_id,
        kind=TouchpointKind.RECHECK,
        plan=f"recheck_{question.code}",
        occurrence=f"{touchpoint.id}",
        version=touchpoint.version,
        due_at=due,
        expires_at=due + RECHECK_WINDOW,
        created_at=now,
        safety=True,
        episode_id=touchpoint.episode_id,
        ask=(question.code,),
    )
    uow.treatments.plan(again)
    return again


def _closing(touchpoint: Touchpoint, *, uow: UnitOfWork, now: datetime, pack: Pack) -> str:
    member = uow.members.get(touchpoint.member_id, by=BOT_READER, purpose=Purpose.CARE)
    coming = [
        other
        for other in uow.treatments.touchpoints_of(touchpoint.member_id)
        if other.state in {TouchpointState.PLANNED, TouchpointState.POSTPONED} and other.due_at > now and other.ask
    ]
    if not coming:
        return pack.say("checkin.close")
    return pack.say("checkin.close_next", 时间=pack.clock_words(coming[0].due_at, now, member.tz))


def _tapped_answer(payload: str | None) -> tuple[TouchpointId, str, str] | None:
    parts = (payload or "").split("|")
    if len(parts) != 4 or parts[0] != "answer":
        return None
    return TouchpointId(parts[1]), parts[2], parts[3]


def _touchpoint_of(touchpoint_id: TouchpointId, member_id: MemberId, *, uow: UnitOfWork) -> Touchpoint | None:
    try:
        touchpoint = uow.treatments.touchpoint(touchpoint_id, lock=True)
    except NotFound:
        return None
    return touchpoint if touchpoint.member_id == member_id else None


def _refuse_nonsense(
    kind: str, practitioner: str, clinic: str, ended_at: datetime, now: datetime, pack: Pack
) -> None:
    if ended_at.tzinfo is None:
        raise InvalidInput("ended_at", "needs a time zone")
    if ended_at > now + CLOCK_SKEW:
        raise InvalidInput("ended_at", "lies in the future")
    if ended_at < now - OLDEST:
        raise InvalidInput("ended_at", "lies more than a year back")
    if kind not in pack.protocols and kind not in pack.services:
        raise InvalidInput("kind", "is neither a protocol nor a service of the pack")
    if practitioner not in pack.practitioners:
        raise InvalidInput("practitioner", "is not in the pack")
    if clinic not in pack.clinics:
        raise InvalidInput("clinic", "is not in the pack")
