"""A recovery protocol: what is asked when, and what a usual course looks like. Data, reviewed by the clinic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
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
    kind: Literal["scale", "choice", "number", "text"]
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


@dataclass(frozen=True, slots=True)
class Protocol:
    """Everything the clinic decided about recovery from one kind of treatment."""

    code: str
    name: str
    version: str
    approved_by: str
    prior_pain: Mapping[int, float]  # worst pain 0-10 on the days given; the days between lie on a line
    touchpoints: tuple[TouchpointPlan, ...]
    stop: str
    surgery: bool = True

    def touchpoint(self, code: str) -> TouchpointPlan | None:
        """Return the planned contact with this code."""
        return next((plan for plan in self.touchpoints if plan.code == code), None)

    def prior(self, day: float) -> float:
        """Return the usual worst pain on a day of recovery, 0-10, interpolated between the stated days."""
        days = sorted(self.prior_pain)
        if day <= days[0]:
            return self.prior_pain[days[0]]
        for before, after in pairwise(days):
            if day <= after:
                share = (day - before) / (after - before)
                return self.prior_pain[before] + share * (self.prior_pain[after] - self.prior_pain[before])
        return self.prior_pain[days[-1]]


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
    rise: float | None = None  # at least this above the last report
    no_fall_since: bool = False  # not below the first report
    was: tuple[str, ...] = ()  # the last report was one of these
    from_day: int | None = None
    to_day: int | None = None
    from_hours: float | None = None
    facts: tuple[str, ...] = ()  # any of them
    without_facts: tuple[str, ...] = ()  # none of them
    treatments: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
