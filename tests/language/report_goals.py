"""What each figure must not fall below, and where it should get to.

Floors are what members may expect at least, goals where it should get to. `test_understanding_figures` asserts the
floors over all sets together, except where `SHORT` says that a figure is still below: there it asserts what was
reached, so that it does not fall back unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tests.language.figures import Figure

Verdict = Literal["reached", "short", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class Goal:
    """A floor and a goal; of what is counted as a fault, the floor is the most there may be."""

    floor: float
    goal: float
    of_faults: bool = False

    def holds(self, figure: Figure) -> bool:
        """Whether the floor holds."""
        return figure.value <= self.floor if self.of_faults else figure.value >= self.floor

    def surely_holds(self, figure: Figure) -> bool:
        """Whether the floor holds all over the interval."""
        return figure.high <= self.floor if self.of_faults else figure.low >= self.floor

    def verdict(self, figure: Figure | None) -> Verdict:
        """Say how a figure stands to both."""
        if figure is None:
            return "absent"
        if not self.holds(figure):
            return "failed"
        reached = figure.value <= self.goal if self.of_faults else figure.value >= self.goal
        return "reached" if reached else "short"


GOALS: Final[Mapping[str, Goal]] = {
    "intent": Goal(0.88, 0.94),
    "intent_alone": Goal(0.88, 0.94),
    "macro_f1": Goal(0.85, 0.92),
    "worst_intent": Goal(0.70, 0.85),
    "out_of_scope_acted": Goal(0.05, 0.02, of_faults=True),
    "entity.service": Goal(0.85, 0.92),
    "entity.practitioner": Goal(0.85, 0.92),
    "entity.time": Goal(0.85, 0.92),
    "entity.pain_score": Goal(0.85, 0.92),
    "entity.temperature": Goal(0.85, 0.92),
    "entity.symptom": Goal(0.85, 0.92),
    "also_precision": Goal(0.70, 0.90),
    "also_recall": Goal(0.40, 0.75),
    "emergency_missed": Goal(0.0, 0.0, of_faults=True),
    "urgent_missed": Goal(0.04, 0.01, of_faults=True),
    "false_alarms": Goal(0.03, 0.01, of_faults=True),
    "emotion": Goal(0.80, 0.88),
    "calibration": Goal(0.06, 0.03, of_faults=True),
}

#: What is still below its floor, and what was reached. A stranger names one symptom where the reader hears each sign
#: (肿得硬邦邦), and tags fewer past treatments and times of the past than it does. The worst intent (complain) stands
#: at its floor, give or take one message.
SHORT: Final[Mapping[str, float]] = {
    **{"entity.symptom": 0.68, "entity.time": 0.82},
    "worst_intent": 0.65,
}


def falls_back(key: str, figure: Figure) -> bool:
    """Whether a figure is below its floor, or below what was reached where it never got there."""
    return figure.value < SHORT[key] if key in SHORT else not GOALS[key].holds(figure)
