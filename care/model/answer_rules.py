"""What an answer means: the clinic's table, read from the top, the first row that fits decides.

Pure: no clock, no database. Risk groups go one level up at the end, so that no row has to name them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from care.model.protocol import AnswerRule, Protocol

#: One level up for medical answers of these; clinic protocol 2026-01.
ONE_LEVEL_UP = frozenset({"minor", "over_70", "pregnant", "immunosuppressed", "anticoagulant"})
#: After an implant every "watch" of these becomes L2; clinic protocol 2026-01.
WATCH_IS_L2 = frozenset({"anticoagulant", "diabetes"})
MEDICAL = frozenset({"pain", "swell", "bleed", "temp", "numb", "open", "sens", "appl"})
HIGHER = {"L3": "L2", "L2": "L1", "L1": "L0"}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules made of an answer, and which row said so."""

    verdict: str
    rule: str
    reason: str = ""
    level: str | None = None
    recheck: timedelta | None = None


def decide(
    question: str,
    value: str,
    *,
    hours: float,
    day: int,
    history: Sequence[tuple[int, str]],
    protocol: Protocol,
    facts: Collection[str],
    plan: str,
    rules: Sequence[AnswerRule],
) -> Decision:
    """Judge one answer.

    Args:
        question: the question's code.
        value: the answer's value; numbers as text.
        hours: since the treatment ended.
        day: of recovery in the member's zone; 0 is the day of treatment.
        history: earlier answers to the same question as (day, value), oldest first.
        protocol: gives the usual course.
        facts: about the treatment and the member.
        plan: the code of the contact that asked, for rows that only hold there.
        rules: the clinic's table.

    Returns:
        The first fitting row's decision, raised for risk groups; without a fitting row the answer is fine.
    """
    for rule in rules:
        if rule.question == question and _fits(rule, value, hours, day, history, protocol, facts, plan):
            recheck = timedelta(minutes=rule.recheck_minutes) if rule.recheck_minutes is not None else None
            return _raised(
                Decision(rule.verdict, rule.id, rule.reason, rule.level, recheck), question, protocol, facts
            )
    return Decision("ok", "ok")


def _fits(
    rule: AnswerRule,
    value: str,
    hours: float,
    day: int,
    history: Sequence[tuple[int, str]],
    protocol: Protocol,
    facts: Collection[str],
    plan: str,
) -> bool:
    number = as_number(value)
    last = history[-1][1] if history else None
    last_number = as_number(last)
    first_number = as_number(history[0][1]) if history else None
    return (
        (not rule.values or value in rule.values)
        and (rule.at_least is None or (number is not None and number >= rule.at_least))
        and (rule.below is None or (number is not None and number < rule.below))
        and (rule.above_prior is None or (number is not None and number > protocol.prior(day) + rule.above_prior))
        and (
            rule.rise is None
            or (number is not None and last_number is not None and number - last_number >= rule.rise)
        )
        and (
            not rule.no_fall_since
            or (number is not None and first_number is not None and first_number > 0 and number >= first_number)
        )
        and (not rule.was or last in rule.was)
        and (rule.from_day is None or day >= rule.from_day)
        and (rule.to_day is None or day <= rule.to_day)
        and (rule.from_hours is None or hours >= rule.from_hours)
        and (not rule.facts or any(fact in facts for fact in rule.facts))
        and not any(fact in facts for fact in rule.without_facts)
        and (not rule.treatments or protocol.code in rule.treatments)
        and (not rule.plans or plan in rule.plans)
    )


def _raised(decision: Decision, question: str, protocol: Protocol, facts: Collection[str]) -> Decision:
    if question not in MEDICAL:
        return decision
    if decision.verdict == "watch" and protocol.code == "implant" and WATCH_IS_L2 & set(facts):
        return replace(decision, verdict="escalate", level="L2", recheck=None, rule=f"{decision.rule}+risk")
    if decision.verdict == "escalate" and decision.level in HIGHER and ONE_LEVEL_UP & set(facts):
        return replace(decision, level=HIGHER[decision.level], rule=f"{decision.rule}+risk")
    return decision


def as_number(value: str | None) -> float | None:
    """Return a stored value as a number, or None for words."""
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None
