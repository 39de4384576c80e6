"""What a policy came to over many members, with intervals from drawing members again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from anxin.simulation.world import Outcome

DRAWS = 400


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with the interval that holds it in 95 of 100 draws."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}–{self.high:.3g}]"


def _share(
    part: Callable[[Outcome], float], whole: Callable[[Outcome], float]
) -> Callable[[Sequence[Outcome]], float]:
    def figure(many: Sequence[Outcome]) -> float:
        total = sum(whole(one) for one in many)
        return sum(part(one) for one in many) / total if total else 0.0

    return figure


FIGURES: dict[str, Callable[[Sequence[Outcome]], float]] = {
    "coverage": _share(lambda one: one.covered, lambda one: one.low_days),
    "contacts": _share(lambda one: one.contacts, lambda _: 1),
    "with_second_looks": _share(lambda one: one.everything, lambda _: 1),
    "precision": _share(lambda one: one.supports_on_low_days, lambda one: one.supports),
    "missed": _share(lambda one: one.missed, lambda one: one.ill),
    "late": _share(lambda one: one.late, lambda one: one.ill),
    "false": _share(lambda one: one.false, lambda _: 1),
    "minutes": _share(lambda one: one.minutes, lambda _: 1),
    "low_days": _share(lambda one: one.low_days, lambda _: 1),
    "opted_out": _share(lambda one: one.opted_out, lambda _: 1),
}


def figures(outcomes: Sequence[Outcome], *, draws: int = DRAWS) -> dict[str, Figure]:
    """Return every figure with its interval (bootstrap over members, always the same draws)."""
    random = Random(len(outcomes))  # noqa: S311 - chance, not a secret
    again = [random.choices(outcomes, k=len(outcomes)) for _ in range(draws)]
    found = {}
    for name, figure in FIGURES.items():
        values = sorted(figure(many) for many in again)
        edge = max(0, int(0.025 * draws) - 1)
        found[name] = Figure(figure(outcomes), values[edge], values[-1 - edge])
    return found
