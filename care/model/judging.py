"""What a member's answers demand, never less for a worse answer.

The clinic's table decides each answer with the others of its day (`answer_rules`). A table is written row by row and
can ask for a slower look at a worse answer; here an answer gets at least what any better one would have got, and at
least as soon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from care.model.answer_rules import SIGN, Decision, as_number, decide, decide_together
from care.model.case import CaseLevel
from care.model.history import Report
from care.model.protocol import AnswerRule, Protocol

SKIP = "skip"
#: From good to bad. Numbers order themselves; what is not listed has no order (medicine taken, words, signs).
ORDER: dict[str, tuple[str, ...]] = {
    "pain": tuple(str(score) for score in range(11)),
    "sens": tuple(str(score) for score in range(11)),
    "mood": ("5", "4", "3", "2", "1"),
    "swell": ("none", "slight", "clear", "more", "spread"),
    "bleed": ("none", "pink", "red", "flowing", "clots", "gushing"),
    "numb": ("none", "fading", "same"),
    "open": ("normal", "two", "one"),
    "appl": ("none", "bearable", "stabs", "loose", "lost", "swallowed"),
}
DEGREES = ("36.5", "37.5", "38.0", "38.5")  # the clinic's thresholds of fever

Told = tuple[tuple[int, str, str], ...]  # (day, question, value), oldest first


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one answer demands: a level for a human, a moment to look again, or nothing."""

    report: Report
    rule: str
    reason: str
    verdict: str
    level: CaseLevel | None = None
    recheck: timedelta | None = None
    recheck_ask: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Table:
    """The clinic's rules by question, and which questions are read together."""

    rules: tuple[AnswerRule, ...]
    by_question: dict[str, tuple[AnswerRule, ...]]
    beside: dict[str, frozenset[str]]

    @classmethod
    def of(cls, rules: Sequence[AnswerRule]) -> Table:
        """Sort rules by question; within one they keep their order."""
        questions = dict.fromkeys(rule.question for rule in rules)
        links: dict[str, set[str]] = {code: set() for code in questions}
        for rule in rules:
            for part in rule.beside:
                links[rule.question].add(part.question)
                links.setdefault(part.question, set()).add(rule.question)
        return cls(
            tuple(rules),
            {code: tuple(rule for rule in rules if rule.question == code) for code in questions},
            {code: frozenset(others) for code, others in links.items()},
        )


@dataclass(frozen=True, eq=False)
class Case:
    """What stays the same while one recovery's answers are judged."""

    protocol: Protocol
    facts: frozenset[str]
    table: Table
    before: float | None  # pain before the treatment


def judge(
    reports: Sequence[Report],
    *,
    since: datetime,
    ended_at: datetime,
    days: Sequence[int],
    protocol: Protocol,
    facts: frozenset[str],
    table: Table,
    before: float | None = None,
) -> list[Judgement]:
    """Judge the answers given since a moment, oldest first.

    Args:
        reports: all answers, oldest first.
        since: aware; older answers count as history only.
        ended_at: when the treatment ended.
        days: the day of recovery of every report.
        protocol: gives the usual course.
        facts: about the treatment and the member.
        table: the clinic's.
        before: worst pain 0-10 before the treatment, if it was told.
    """
    case = _case(SameProtocol(protocol), facts, table, before)
    told: Told = tuple((day, one.question, one.value) for day, one in zip(days, reports, strict=True))
    found = []
    for place, report in enumerate(reports):
        if report.at < since or report.value == SKIP:
            continue
        related = table.beside.get(report.question, frozenset()) | {report.question}
        earlier = tuple(one for one in told[:place] if one[1] in related and one[2] != SKIP)
        hours = round((report.at - ended_at).total_seconds() / 3600, 2)
        decision = _judged(case, report.question, report.value, hours, days[place], earlier, report.plan)
        level = CaseLevel(decision.level) if decision.verdict == "escalate" and decision.level else None
        found.append(
            Judgement(
                report,
                decision.rule,
                decision.reason,
                decision.verdict,
                level,
                decision.recheck,
                decision.recheck_ask or (report.question,),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class SameProtocol:
    """A protocol as part of a cache's key: the same object is the same protocol."""

    it: Protocol

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameProtocol) and self.it is other.it

    def __hash__(self) -> int:
        return hash((self.it.code, self.it.version))


@lru_cache(maxsize=512)
def _case(protocol: SameProtocol, facts: frozenset[str], table: Table, before: float | None) -> Case:
    return Case(protocol.it, facts, table, before)


@lru_cache(maxsize=8192)
def _judged(case: Case, question: str, value: str, hours: float, day: int, earlier: Told, plan: str) -> Decision:
    """Return the gravest of what this answer and every better one would have led to, with the soonest second look."""
    decided = [_decided(case, question, one, hours, day, earlier, plan) for one in (*_better(question, value), value)]
    gravest = max(reversed(decided), key=_weight)
    soonest = min((one for one in decided if one.recheck is not None), key=_recheck, default=None)
    if soonest is None:
        return gravest
    asked = gravest.recheck_ask if gravest.recheck is not None else soonest.recheck_ask
    return replace(gravest, recheck=soonest.recheck, recheck_ask=asked)


def _decided(case: Case, question: str, value: str, hours: float, day: int, earlier: Told, plan: str) -> Decision:
    histories: dict[str, list[tuple[int, str]]] = {}
    today: dict[str, tuple[str, ...]] = {}
    for when, code, said in earlier:
        histories.setdefault(code, []).append((when, said))
        if when == day and code == SIGN:
            today[SIGN] = (*today.get(SIGN, ()), said)
        elif when == day and code != question:
            today[code] = (said,)
    if not today:
        return decide(
            question,
            value,
            hours=hours,
            day=day,
            history=histories.get(question, ()),
            protocol=case.protocol,
            facts=case.facts,
            plan=plan,
            rules=case.table.by_question.get(question, ()),
            before=case.before,
        )
    return decide_together(
        question,
        value,
        hours=hours,
        day=day,
        histories=histories,
        protocol=case.protocol,
        facts=case.facts,
        plan=plan,
        rules=case.table.rules,
        today=today,
        before=case.before,
    )


def _better(question: str, value: str) -> tuple[str, ...]:
    order = ORDER.get(question, ())
    if value in order:
        return order[: order.index(value)]
    if question == "temp":
        degrees = as_number(value)
        return tuple(one for one in DEGREES if degrees is not None and float(one) < degrees)
    return ()


def _weight(decision: Decision) -> int:
    return decision.weight


def _recheck(decision: Decision) -> timedelta:
    return decision.recheck or timedelta.max
