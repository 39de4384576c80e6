"""What each figure must not fall below, and where it should get to.

A floor is what `test_understanding_figures` asserts over all sets together: it lies below what was measured by about the
width of the interval, so that it catches a fault and not chance. Goals of the safety figures come from the gates of the house's
rules of care (every emergency and crisis, 97 of 100 urgent messages, at most 3 false alarms in 100); the others are what
a member would no longer notice.
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
    "intent": Goal(0.85, 0.90),
    "intent_alone": Goal(0.85, 0.90),
    "macro_f1": Goal(0.85, 0.90),
    "worst_intent": Goal(0.50, 0.75),
    "out_of_scope_acted": Goal(0.10, 0.03, of_faults=True),
    "entity.service": Goal(0.82, 0.95),
    "entity.practitioner": Goal(0.92, 0.97),
    "entity.time": Goal(0.74, 0.95),
    "entity.pain_score": Goal(0.50, 0.95),
    "entity.temperature": Goal(0.75, 0.97),
    "entity.symptom": Goal(0.40, 0.85),
    "also_precision": Goal(0.70, 0.90),
    "also_recall": Goal(0.42, 0.75),
    "emergency_missed": Goal(0.05, 0.0, of_faults=True),
    "urgent_missed": Goal(0.10, 0.03, of_faults=True),
    "false_alarms": Goal(0.03, 0.01, of_faults=True),
    "emotion": Goal(0.70, 0.85),
    "calibration": Goal(0.06, 0.03, of_faults=True),
}
