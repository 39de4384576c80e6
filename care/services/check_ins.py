"""Answers to check-ins: reading them, judging them by the rules, and what they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.answer_rules import SIGN, Decision
from care.model.answers import read_answer, says_more
from care.model.case import CaseLevel, more_urgent
from care.model.consent import Purpose
from care.model.errors import NotFound
from care.model.gate import next_awake
from care.model.ids import MemberId, MessageId, TouchpointId, new_id
from care.model.message import Button, Reply
from care.model.pack import Pack
from care.model.protocol import Question
from care.model.staff import BOT_READER
from care.model.touchpoint import WAITING, Touchpoint, TouchpointKind, TouchpointState
from care.ports import Clock, UnitOfWork
from care.services import cases, recovery, verdicts
from care.services.verdicts import Course

SOON = timedelta(hours=1)
RECHECK_WINDOW = timedelta(hours=14)  # long enough to move past a night
REPORT = "report"  # the plan of a contact that the member began by telling of a symptom
REPORT_ASKS = {"bleeding": "bleed", "swelling": "swell", "fever": "temp", "numbness": "numb", "trismus": "open"}
STOPPING = frozenset({CaseLevel.L0, CaseLevel.L1, CaseLevel.L2, CaseLevel.P2, CaseLevel.P3})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer led to: what to say about it, what comes after, and the case it opened, if it did."""

    question: str  # the code of what was answered
    before: str = ""  # what is said about the answer
    after: Reply = field(default_factory=lambda: Reply(""))  # the next question, or the words that close the check-in
    level: CaseLevel | None = None
    says_more: bool = False  # whether the words may hold a wish beside the answer

    @property
    def reply(self) -> Reply:
        """Everything in one message."""
        text = "\n".join(filter(None, (self.before, self.after.text)))
        return Reply(text, self.after.buttons, asked=self.after.asked)

    @property
    def over(self) -> bool:
        """Whether no question of a check-in is open any more."""
        return self.after.asked is None


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
    flags: Sequence[str] = (),
    alone: bool = True,
) -> Outcome | None:
    """Take an answer to a check-in question, by button or in words.

    A tap counts whenever it comes: late, while a carer has the conversation, or as a second thought about a question
    answered before; the new answer is judged like the first. Words count only for the question just asked.

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
        flags: what else the words say is going on; each gets its own question before the check-in ends.
        alone: whether the bot has the conversation; with a carer in it only taps count, and no re-check is promised.

    Returns:
        What to say next, or None when this is not an answer (the dialogue should read it).
    """
    tapped = _tapped_answer(payload)
    told: CaseLevel | None = None
    if tapped is not None:
        touchpoint = _touchpoint_of(tapped[0], member_id, uow=uow)
        if touchpoint is None:
            return None
        question, value = pack.questions.get(tapped[1]), tapped[2]
        if question is None or value not in {option.value for option in question.options}:
            return None
        if question.code in touchpoint.answered and _last_value(touchpoint, question, uow=uow) == value:
            return Outcome(question.code, after=Reply(pack.say("checkin.already"), asked=asked))
    else:
        found = uow.treatments.open_check_in(member_id) if alone else None
        code = found.open_question if found else None
        answers_it = found is not None and code is not None and asked == f"checkin.{code}"
        read = read_answer(pack.questions[code], text) if answers_it and code is not None else None
        told = verdicts.hear(
            member_id,
            text,
            touchpoint=found if answers_it else None,
            message_id=message_id,
            uow=uow,
            now=clock.now(),
            pack=pack,
            zone=zone,
        )
        if found is None or code is None or read is None:
            return _told_only(told, found if answers_it else None, uow=uow, now=clock.now())
        touchpoint, question, value = found, pack.questions[code], read
    for code in dict.fromkeys(REPORT_ASKS[flag] for flag in flags if flag in REPORT_ASKS):
        if code != question.code and code not in touchpoint.ask:
            touchpoint.ask = (*touchpoint.ask, code)
    outcome = _take(
        touchpoint,
        question,
        value,
        text=text,
        message_id=message_id,
        uow=uow,
        clock=clock,
        pack=pack,
        zone=zone,
        alone=alone,
    )
    if told in STOPPING and (outcome.level not in STOPPING or more_urgent(told, outcome.level)):
        return _told_only(told, touchpoint, uow=uow, now=clock.now())
    if outcome.over and asked != f"checkin.{question.code}":
        # a late tap does not take back what was asked since
        return replace(outcome, after=replace(outcome.after, asked=asked))
    return replace(outcome, says_more=tapped is None and says_more(question, text))


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
    pair = recovery.current(member_id, uow=uow, now=now)
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
        plan=REPORT,
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


def reask(member_id: MemberId, *, uow: UnitOfWork, pack: Pack, words: str = "checkin.reask") -> Reply | None:
    """Return the open check-in question again, after `words` of the pack that say why."""
    touchpoint = uow.treatments.open_check_in(member_id)
    code = touchpoint.open_question if touchpoint else None
    if touchpoint is None or code is None:
        return None
    choice = uow.members.get(member_id, by=BOT_READER, purpose=Purpose.CARE).choices.get(Purpose.CHECK_INS)
    if choice is not None and not choice.given and touchpoint.plan != REPORT:
        return None  # who does not want to be asked is not asked once more
    return question_reply(touchpoint, pack.questions[code], before=pack.say(words) if words else "")


def closing(member_id: MemberId, *, uow: UnitOfWork, now: datetime, pack: Pack) -> Reply:
    """Return the words that close a check-in, with the time of the next one when there is one."""
    member = uow.members.get(member_id, by=BOT_READER, purpose=Purpose.CARE)
    coming = [
        other
        for other in uow.treatments.touchpoints_of(member_id)
        if other.state in {TouchpointState.PLANNED, TouchpointState.POSTPONED} and other.due_at > now and other.ask
    ]
    if not coming:
        return Reply(pack.say("checkin.close"))
    return Reply(pack.say("checkin.close_next", 时间=pack.clock_words(coming[0].due_at, now, member.tz)))


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
    alone: bool,
) -> Outcome:
    now = clock.now()
    if touchpoint.episode_id is None:
        raise NotFound("episode of touchpoint", touchpoint.id)
    course = verdicts.course_of(touchpoint.episode_id, uow=uow, pack=pack)
    verdict = verdicts.judge(course, question.code, value, plan=touchpoint.plan, uow=uow, now=now, pack=pack)
    decision = verdict.decision
    if question.code not in touchpoint.answered:
        touchpoint.answered = (*touchpoint.answered, question.code)
    level = verdicts.level_of(decision)
    verdicts.store(
        course, question.code, value, verdict, touchpoint_id=touchpoint.id, message_id=message_id, uow=uow, now=now
    )
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
            touchpoint.closed_at = touchpoint.closed_at or now
            uow.treatments.save_touchpoint(touchpoint)
            return Outcome(question.code, level=level)
    again = None
    if decision.recheck is not None and alone:
        again = _plan_recheck(touchpoint, question, decision, uow=uow, now=now)
    before = _words_about(decision, course, again, now=now, pack=pack)
    following = touchpoint.open_question
    if following is not None:
        uow.treatments.save_touchpoint(touchpoint)
        return Outcome(question.code, before, question_reply(touchpoint, pack.questions[following]), level)
    touchpoint.closed_at = touchpoint.closed_at or now
    uow.treatments.save_touchpoint(touchpoint)
    return Outcome(question.code, before, closing(touchpoint.member_id, uow=uow, now=now, pack=pack), level)


def _told_only(
    told: CaseLevel | None, touchpoint: Touchpoint | None, *, uow: UnitOfWork, now: datetime
) -> Outcome | None:
    """End the talk over what was told beside the questions, if it needs somebody at once."""
    if told not in STOPPING:
        return None
    if touchpoint is not None:
        touchpoint.closed_at = touchpoint.closed_at or now
        uow.treatments.save_touchpoint(touchpoint)
    return Outcome(SIGN, level=told)


def _words_about(decision: Decision, course: Course, again: Touchpoint | None, *, now: datetime, pack: Pack) -> str:
    """Return what is said about an answer: the row's own sentence, or the one for its verdict."""
    usual = "checkin.ok"
    if decision.verdict == "escalate":
        usual = "checkin.passed_on"
    elif again is not None:
        usual = "checkin.watch"
    key = decision.say or usual
    if decision.verdict == "watch" and again is None:
        key = "checkin.ok"  # with a carer in the conversation no second look is promised
    instructions = course.treatment.instructions
    if not instructions and f"{key}_plain" in pack.wording:
        key = f"{key}_plain"
    doctor = pack.practitioners.get(course.treatment.practitioner)
    return pack.say(
        key,
        时间=pack.clock_words(again.due_at, now, course.member.tz) if again else "",
        医生=doctor.name if doctor else pack.say("word.doctor"),
        医嘱原话=instructions or "",
    )


def _plan_recheck(
    touchpoint: Touchpoint, question: Question, decision: Decision, *, uow: UnitOfWork, now: datetime
) -> Touchpoint:
    """Plan to look again at the moment the member is told; one question is looked at again once at a time.

    What lies more than an hour ahead waits for the morning if it would fall into the night (clinic protocol 2026-01:
    pain after 21:00 at 08:30). What is due within the hour, such as bleeding after 30 minutes of pressure, is part of
    the talk that asked for it and comes at any hour.
    """
    member = uow.members.get(touchpoint.member_id, by=BOT_READER, purpose=Purpose.CARE)
    due = now + (decision.recheck or timedelta(0))
    if due - now > SOON:
        due = next_awake(due, member.tz)
    plan = f"recheck_{question.code}"
    for earlier in uow.treatments.touchpoints_of(touchpoint.member_id):
        if earlier.plan == plan and earlier.episode_id == touchpoint.episode_id and earlier.state in WAITING:
            earlier.state, earlier.reason = TouchpointState.REPLACED, "asked_again"
            uow.treatments.save_touchpoint(earlier)
    again = Touchpoint(
        id=TouchpointId(new_id()),
        member_id=touchpoint.member_id,
        kind=TouchpointKind.RECHECK,
        plan=plan,
        occurrence=f"{touchpoint.id}:{now.timestamp():.0f}",
        version=touchpoint.version,
        due_at=due,
        expires_at=due + RECHECK_WINDOW,
        created_at=now,
        safety=True,
        episode_id=touchpoint.episode_id,
        ask=decision.recheck_ask or (question.code,),
    )
    uow.treatments.plan(again)
    return again


def _last_value(touchpoint: Touchpoint, question: Question, *, uow: UnitOfWork) -> str | None:
    if touchpoint.episode_id is None:
        return None
    said = [
        answer.value
        for answer in uow.treatments.answers(touchpoint.episode_id)
        if answer.touchpoint_id == touchpoint.id and answer.question == question.code
    ]
    return said[-1] if said else None


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
