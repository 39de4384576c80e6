"""What an answer means: the clinic's table, read from the top, the first row that fits decides.

Pure: no clock, no database. Risk groups go one level up at the end, so that no row has to name them. Answers of one
day are also read together (`decide_together`): a row may ask what else was answered, and it does not matter which
came first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from care.model.protocol import AnswerRule, Beside, Protocol

#: One level up for medical answers of these; clinic protocol 2026-01.
ONE_LEVEL_UP = frozenset({"minor", "over_70", "pregnant", "immunosuppressed", "anticoagulant"})
#: One level up for who was sedated and has nobody at home; clinic protocol 2026-01.
ALONE_AFTER_SEDATION = frozenset({"lives_alone", "sedation"})
#: After an implant every "watch" of these becomes L2; clinic protocol 2026-01.
WATCH_IS_L2 = frozenset({"anticoagulant", "diabetes"})
MEDICAL = frozenset({"pain", "swell", "bleed", "temp", "numb", "open", "sens", "appl", "sign"})
HIGHER = {"L3": "L2", "L2": "L1", "L1": "L0"}
FOR_RISK = "L3"  # what a second look becomes for who is at risk; the second look itself stays
SIGN = "sign"  # the question nobody asks: what is heard in the member's own words
#: From light to grave, over all tracks; for telling which of two decisions counts.
GRAVITY = ("W1", "L3", "W2", "L2", "L1", "L0")

Said = Mapping[str, tuple[str, ...]]  # the day's answers by question; of a sign every one, else the latest


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules made of an answer, which row said so, and which answers besides it the row looked at."""

    verdict: str
    rule: str
    reason: str = ""
    level: str | None = None
    recheck: timedelta | None = None
    recheck_ask: tuple[str, ...] = ()
    say: str | None = None
    used: tuple[tuple[str, str], ...] = ()  # (question, value)

    @property
    def weight(self) -> int:
        """How grave it is: 0 fine, 1 look again, more the graver the level."""
        if self.verdict == "escalate":
            return 2 + (GRAVITY.index(self.level) if self.level in GRAVITY else 0)
        return int(self.verdict == "watch")


@dataclass(frozen=True, slots=True)
class Given:
    """Everything about one answer that a row may ask for."""

    value: str
    hours: float
    day: int
    history: Sequence[tuple[int, str]]
    protocol: Protocol
    facts: Collection[str]
    plan: str
    beside: Said = field(default_factory=dict)
    before: float | None = None

    @property
    def number(self) -> float | None:
        """The answer as a number."""
        return as_number(self.value)

    @property
    def last(self) -> str | None:
        """The report before this one."""
        return self.history[-1][1] if self.history else None


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
    beside: Said | None = None,
    before: float | None = None,
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
        beside: what else was answered this day.
        before: the score before the treatment, 0-10, if it was told.

    Returns:
        The first fitting row's decision, raised for risk groups; without a fitting row the answer is fine.
    """
    given = Given(value, hours, day, history, protocol, facts, plan, beside or {}, before)
    for rule in rules:
        if rule.question == question and _fits(rule, given):
            return _raised(_said_by(rule, given), question, protocol, facts)
    return Decision("ok", "ok")


def decide_together(
    question: str,
    value: str,
    *,
    hours: float,
    day: int,
    histories: Mapping[str, Sequence[tuple[int, str]]],
    protocol: Protocol,
    facts: Collection[str],
    plan: str,
    rules: Sequence[AnswerRule],
    today: Said,
    before: float | None = None,
) -> Decision:
    """Judge an answer with the others of its day; whichever row is graver counts.

    Args:
        question: what was answered now.
        value: the answer.
        hours: since the treatment ended.
        day: of recovery.
        histories: earlier answers by question as (day, value), oldest first.
        protocol: gives the usual course.
        facts: about the treatment and the member.
        plan: the code of the contact that asked.
        rules: the clinic's table.
        today: the other answers of this day.
        before: the score before the treatment, if it was told.
    """

    def judged(code: str, what: str, table: Sequence[AnswerRule], others: Said) -> Decision:
        earlier = histories.get(code, ())
        if code != question:
            earlier = earlier[:-1]  # the answer itself is not its own past
        return decide(
            code,
            what,
            hours=hours,
            day=day,
            history=earlier,
            protocol=protocol,
            facts=facts,
            plan=plan,
            rules=table,
            beside=others,
            before=before,
        )

    gravest = judged(question, value, rules, today)
    linked = [rule for rule in rules if any(part.question == question for part in rule.beside)]
    now_known = {**today, question: (*(today.get(question, ()) if question == SIGN else ()), value)}
    for code, values in today.items():
        for other in values:
            found = judged(code, other, [rule for rule in linked if rule.question == code], now_known)
            if found.weight > gravest.weight and (question, value) in found.used:
                gravest = replace(found, used=((code, other), *found.used))
    return gravest


def at_risk(facts: Collection[str]) -> bool:
    """Whether medical answers of a member with these facts count one level higher."""
    return bool(ONE_LEVEL_UP & set(facts)) or set(facts) >= ALONE_AFTER_SEDATION


def _fits(rule: AnswerRule, given: Given) -> bool:
    return (
        (not rule.values or given.value in rule.values)
        and (not rule.words or any(word in given.value for word in rule.words))
        and _number_fits(rule, given)
        and _history_fits(rule, given)
        and (rule.from_day is None or given.day >= rule.from_day)
        and (rule.to_day is None or given.day <= rule.to_day)
        and (rule.from_hours is None or given.hours >= rule.from_hours)
        and (not rule.facts or any(fact in given.facts for fact in rule.facts))
        and not any(fact in given.facts for fact in rule.without_facts)
        and (not rule.treatments or given.protocol.code in rule.treatments)
        and (not rule.plans or given.plan in rule.plans)
        and (not rule.beside or any(_answered(part, given.beside) for part in rule.beside))
    )


def _number_fits(rule: AnswerRule, given: Given) -> bool:
    number = given.number
    bounds = (rule.at_least, rule.below, rule.above_prior)
    if number is None:
        return all(bound is None for bound in bounds) and not rule.above_before
    return (
        (rule.at_least is None or number >= rule.at_least)
        and (rule.below is None or number < rule.below)
        and (rule.above_prior is None or number > given.protocol.prior(given.day, given.facts) + rule.above_prior)
        and (not rule.above_before or (given.before is not None and number > given.before))
    )


def _history_fits(rule: AnswerRule, given: Given) -> bool:
    number, last = given.number, as_number(given.last)
    if rule.rise is not None and (number is None or last is None or number - last < rule.rise):
        return False
    if rule.fall is not None and (number is None or last is None or last - number < rule.fall):
        return False
    if rule.no_fall_since:
        first = as_number(given.history[0][1]) if given.history else None
        if number is None or first is None or first <= 0 or number < first:
            return False
    if rule.not_below_day is not None:
        then = next((as_number(said) for day, said in given.history if day == rule.not_below_day), None)
        if number is None or then is None or number < then:
            return False
    if rule.was_days is not None and (not given.history or given.day - given.history[-1][0] > rule.was_days):
        return False
    return not rule.was or given.last in rule.was


def _answered(part: Beside, said: Said) -> tuple[str, ...]:
    """Return the answers that make this part hold."""
    return tuple(
        value
        for value in said.get(part.question, ())
        if (not part.values or value in part.values)
        and (part.at_least is None or ((number := as_number(value)) is not None and number >= part.at_least))
    )


def _said_by(rule: AnswerRule, given: Given) -> Decision:
    used = [(part.question, value) for part in rule.beside for value in _answered(part, given.beside)]
    if given.history and (rule.rise is not None or rule.fall is not None or rule.was):
        used.append((rule.question, given.history[-1][1]))
    if given.history and rule.no_fall_since:
        used.append((rule.question, given.history[0][1]))
    if rule.not_below_day is not None:
        used += [(rule.question, said) for day, said in given.history if day == rule.not_below_day][:1]
    recheck = timedelta(minutes=rule.recheck_minutes) if rule.recheck_minutes is not None else None
    return Decision(rule.verdict, rule.id, rule.reason, rule.level, recheck, rule.recheck_ask, rule.say, tuple(used))


def _raised(decision: Decision, question: str, protocol: Protocol, facts: Collection[str]) -> Decision:
    if question not in MEDICAL:
        return decision
    named = f"{decision.rule}+risk"
    if decision.verdict == "watch" and protocol.code == "implant" and WATCH_IS_L2 & set(facts):
        return replace(decision, verdict="escalate", level="L2", recheck=None, rule=named)
    if not at_risk(facts):
        return decision
    if decision.verdict == "watch":
        return replace(decision, verdict="escalate", level=FOR_RISK, rule=named)
    if decision.verdict == "escalate" and decision.level in HIGHER:
        return replace(decision, level=HIGHER[decision.level], rule=named)
    return decision


def as_number(value: str | None) -> float | None:
    """Return a stored value as a number, or None for words."""
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None
