"""A recovery protocol: what is asked when, and what a usual course looks like. Data, reviewed by the clinic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from itertools import pairwise
from typing import Literal


@dataclass(frozen=True, slots=True)
class Option:
    """One tap: the value that is stored and the words on the button."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question as members see it, and the words they answer it with."""

    code: str
    short: str
    wording: str
    kind: Literal["scale", "choice", "number", "text", "sign"]  # a sign is never asked, only heard in the words
    options: tuple[Option, ...] = ()
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TouchpointPlan:
    """One planned contact of a protocol. The window is wall time where the member lives."""

    code: str
    day: int
    window: tuple[time, time]
    purpose: str
    opening: str
    ask: tuple[str, ...]
    anchor: Literal["treatment", "sutures_out", "crown"] = "treatment"
    safety: bool = False
    support: bool = False
    movable_days: int = 0
    hours_after: float | None = None  # due so long after the treatment; what is late goes while the window is open
    plain: str = ""  # said instead when a blank of the opening cannot be filled
    only_with: tuple[str, ...] = ()  # planned for treatments and members with any of these facts
    never_with: tuple[str, ...] = ()  # not planned with any of these
    phone: bool = False  # for members at risk somebody phones as well

    def is_for(self, facts: Collection[str]) -> bool:
        """Whether this contact is planned for a treatment and a member of whom these facts are known."""
        wanted = not self.only_with or any(fact in facts for fact in self.only_with)
        return wanted and not any(fact in facts for fact in self.never_with)


@dataclass(frozen=True, slots=True)
class Stop:
    """When a recovery has ended well. Every condition that is given must hold.

    `last_day` is the end of patience: then it is closed too if nothing waits and nothing is open, whatever else was
    hoped for. What is kept still goes out; the recovery stays open until the last of it has had its day.
    """

    words: str
    last_day: int
    sutures_out: bool = False
    last_two_ok: bool = False  # every answer of the last two contacts that were answered
    no_open_case: bool = False
    from_day: int = 0
    pain_at_most: int | None = None  # the last report
    next_visit_booked: bool = False
    keep: tuple[str, ...] = ()  # codes of contacts that outlive the stop


@dataclass(frozen=True, slots=True)
class PriorChange:
    """How facts about a treatment change its usual course of pain, until a day."""

    facts: tuple[str, ...]  # any of them
    times: float = 1.0
    plus: float = 0.0
    to_day: int = 7


@dataclass(frozen=True, slots=True)
class Silence:
    """What follows when a safety contact stays without an answer; clinic protocol 2026-01."""

    second_channel_minutes: int = 180
    carer_call_minutes: int = 720
    carer_call_to_day: int = 3  # after an operation; later silence is no reason to phone
    forgotten_minutes: int = 1440  # an unanswered question is not asked again after this


@dataclass(frozen=True, slots=True)
class Protocol:
    """Everything the clinic decided about recovery from one kind of treatment."""

    code: str
    name: str
    version: str
    approved_by: str
    approved_on: date
    prior_pain: Mapping[int, float]  # worst pain 0-10 on the days given; the days between lie on a line
    touchpoints: tuple[TouchpointPlan, ...]
    stop: Stop
    surgery: bool = True
    prior_changes: tuple[PriorChange, ...] = ()

    def touchpoint(self, code: str) -> TouchpointPlan | None:
        """Return the planned contact with this code."""
        return next((plan for plan in self.touchpoints if plan.code == code), None)

    def prior(self, day: float, facts: Collection[str] = ()) -> float:
        """Return the usual worst pain on a day of recovery, 0-10, with what the facts change about it."""
        usual = self._stated(day)
        for change in self.prior_changes:
            if day <= change.to_day and any(fact in facts for fact in change.facts):
                usual = usual * change.times + change.plus
        return usual

    def _stated(self, day: float) -> float:
        days = sorted(self.prior_pain)
        if day <= days[0]:
            return self.prior_pain[days[0]]
        for before, after in pairwise(days):
            if day <= after:
                share = (day - before) / (after - before)
                return self.prior_pain[before] + share * (self.prior_pain[after] - self.prior_pain[before])
        return self.prior_pain[days[-1]]


@dataclass(frozen=True, slots=True)
class Beside:
    """What else was answered the same day."""

    question: str
    values: tuple[str, ...] = ()
    at_least: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """One row of the clinic's table. Every condition that is given must hold; the first row that fits decides."""

    id: str
    question: str
    verdict: Literal["ok", "watch", "escalate"]
    reason: str
    level: str | None = None
    recheck_minutes: int | None = None
    values: tuple[str, ...] = ()
    at_least: float | None = None
    below: float | None = None
    above_prior: float | None = None  # more than this above the usual course
    above_before: bool = False  # above the score before the treatment; of a treatment without one, never
    rise: float | None = None  # at least this above the last report
    fall: float | None = None  # at least this below the last report
    no_fall_since: bool = False  # not below the first report
    not_below_day: int | None = None  # not below the report of that day
    was: tuple[str, ...] = ()  # the last report was one of these
    was_days: int | None = None  # and it is not older than so many days
    words: tuple[str, ...] = ()  # any of these stands in the member's own words
    beside: tuple[Beside, ...] = ()  # one of these was answered the same day; `with` in the pack
    from_day: int | None = None
    to_day: int | None = None
    from_hours: float | None = None
    facts: tuple[str, ...] = ()  # any of them
    without_facts: tuple[str, ...] = ()  # none of them
    treatments: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    recheck_ask: tuple[str, ...] = ()  # what the second look asks; the same question if not given
    say: str | None = None  # the sentence of the pack that is said about the answer
