"""What an answer demands by the pack's rules, judged with the others of its day, stored with what led to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from care.model.answer_rules import SIGN, Decision, decide_together
from care.model.answers import heard_signs
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.ids import EpisodeId, MemberId, MessageId, TouchpointId, new_id
from care.model.member import Member
from care.model.pack import Pack
from care.model.protocol import Protocol
from care.model.staff import BOT_READER
from care.model.touchpoint import Answer, Touchpoint
from care.model.treatment import Episode, Treatment
from care.ports import UnitOfWork
from care.services import cases, recovery

SKIP = "skip"
UNASKED = "unasked"  # the plan of what was told without a question
SKIPPED = Decision("ok", rule="skipped", reason="跳过")
#: A recovery whose protocol the pack no longer has: nobody decided what its answers mean, so a nurse reads them.
WITHOUT_PROTOCOL = Decision("escalate", rule="no_protocol", reason="方案已不在内容包里", level="L3")


@dataclass(frozen=True, slots=True)
class Course:
    """A recovery with everything its answers are judged by."""

    episode: Episode
    treatment: Treatment
    member: Member
    protocol: Protocol | None

    def day(self, now: datetime) -> int:
        """Return the day of recovery where the member lives."""
        return self.treatment.day(now, self.member.tz)

    @property
    def facts(self) -> frozenset[str]:
        """What is known about the treatment and the member that changes the after-care."""
        return self.treatment.facts | self.member.risk_facts


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision with the ids of the other answers it rests on."""

    decision: Decision
    because: tuple[str, ...] = ()


def course_of(episode_id: EpisodeId, *, uow: UnitOfWork, pack: Pack) -> Course:
    """Return a recovery with its treatment, member and protocol."""
    episode = uow.treatments.episode(episode_id)
    treatment = uow.treatments.treatment(episode.treatment_id)
    member = uow.members.get(episode.member_id, by=BOT_READER, purpose=Purpose.CARE)
    return Course(episode, treatment, member, pack.protocols.get(episode.protocol))


def judge(
    course: Course, question: str, value: str, *, plan: str, uow: UnitOfWork, now: datetime, pack: Pack
) -> Verdict:
    """Judge an answer by the pack's table, together with what else was answered on this day of recovery.

    Args:
        course: whose recovery.
        question: the question's code.
        value: the answer; `skip` is never judged.
        plan: the code of the contact that asked.
        uow: open.
        now: aware.
        pack: the rules.
    """
    if value == SKIP:
        return Verdict(SKIPPED)
    if course.protocol is None:
        return Verdict(WITHOUT_PROTOCOL)
    day = course.day(now)
    said = [one for one in uow.treatments.answers(course.episode.id) if one.value != SKIP]
    histories: dict[str, list[tuple[int, str]]] = {}
    today: dict[str, tuple[str, ...]] = {}
    for one in said:
        histories.setdefault(one.question, []).append((one.day or 0, one.value))
        if one.day == day and one.question == SIGN:
            today[SIGN] = (*today.get(SIGN, ()), one.value)
        elif one.day == day and one.question != question:
            today[one.question] = (one.value,)
    decision = decide_together(
        question,
        value,
        hours=(now - course.treatment.ended_at).total_seconds() / 3600,
        day=day,
        histories=histories,
        protocol=course.protocol,
        facts=course.facts,
        plan=plan,
        rules=pack.rules,
        today=today,
        before=course.treatment.pain_before,
    )
    latest = {(one.question, one.value): one.id for one in said}
    return Verdict(decision, tuple(latest[used] for used in decision.used if used in latest))


def store(
    course: Course,
    question: str,
    value: str,
    verdict: Verdict,
    *,
    touchpoint_id: TouchpointId | None,
    message_id: MessageId | None,
    uow: UnitOfWork,
    now: datetime,
) -> Answer:
    """Keep an answer with its verdict, the row that said so and the answers it rests on."""
    decision = verdict.decision
    answer = Answer(
        id=new_id(),
        member_id=course.episode.member_id,
        question=question,
        value=value,
        at=now,
        verdict=decision.verdict,
        rule=decision.rule,
        level=decision.level,
        reason=decision.reason,
        episode_id=course.episode.id,
        touchpoint_id=touchpoint_id,
        message_id=message_id,
        day=course.day(now),
        because=verdict.because,
    )
    uow.treatments.add_answer(answer)
    return answer


def hear(
    member_id: MemberId,
    text: str,
    *,
    touchpoint: Touchpoint | None,
    message_id: MessageId | None,
    uow: UnitOfWork,
    now: datetime,
    pack: Pack,
    zone: ZoneInfo,
) -> CaseLevel | None:
    """Keep the signs a member's words tell of as answers nobody asked for, and do what they demand with the others.

    Args:
        member_id: who wrote.
        text: their words; a button's words are not heard.
        touchpoint: the check-in these words came in, if one was open.
        message_id: the message, kept beside the answer.
        uow: open.
        now: aware.
        pack: which words tell of what.
        zone: the clinic's, for promises.

    Returns:
        The gravest level a sign led to, or None.
    """
    signs = heard_signs(pack.questions.get(SIGN), text)
    pair = recovery.current(member_id, uow=uow, now=now) if signs else None
    if pair is None:
        return None
    episode_id = touchpoint.episode_id if touchpoint and touchpoint.episode_id else pair[0].id
    course = course_of(episode_id, uow=uow, pack=pack)
    gravest: Decision | None = None
    for sign in signs:
        plan = touchpoint.plan if touchpoint else UNASKED
        verdict = judge(course, SIGN, sign, plan=plan, uow=uow, now=now, pack=pack)
        kept = touchpoint.id if touchpoint else None
        store(course, SIGN, sign, verdict, touchpoint_id=kept, message_id=message_id, uow=uow, now=now)
        decision = verdict.decision
        level = level_of(decision)
        if level is not None:
            cases.open_case(
                member_id,
                level,
                f"rule:{decision.rule}"[:64],
                uow=uow,
                now=now,
                zone=zone,
                message_id=message_id,
                summary=f"{text}（{decision.reason}）",
            )
        if gravest is None or decision.weight > gravest.weight:
            gravest = decision
    return level_of(gravest) if gravest else None


def level_of(decision: Decision) -> CaseLevel | None:
    """Return the level of the case a decision opens, or None."""
    return CaseLevel(decision.level) if decision.verdict == "escalate" and decision.level else None
