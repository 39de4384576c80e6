"""Where the marks of the report's pictures stand; how they look is the template's business. Units of a view box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.language.figures import Line, calibration

CELL: Final = 14
LEFT, TOP = 118, 112  # room for names
WIDTH, HEIGHT, MARGIN = 360, 260, 40
FAINTEST: Final = 0.3  # of a cell that is not empty
ENOUGH: Final = 5  # messages of a mark, below which the line passes it by
SMALLEST, LARGEST = 3.0, 11.0  # radius of a point


@dataclass(frozen=True, slots=True)
class Cell:
    """How often one intent was read for another."""

    x: int
    y: int
    strength: float
    right: bool
    told: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Wanted intents down, understood across, both in the order of the groups."""

    names: Sequence[str]
    cells: Sequence[Cell]
    borders: Sequence[int]  # where a group ends
    side: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return LEFT + self.side, TOP + self.side


@dataclass(frozen=True, slots=True)
class Point:
    """A mark, its label, and for a share the ends of its interval."""

    x: float
    y: float
    radius: float
    told: str
    label: str = ""
    high: float = 0.0
    low: float = 0.0
    firm: bool = True  # rests on enough


@dataclass(frozen=True, slots=True)
class Curve:
    """Marks from left to right, with the grid behind them."""

    points: Sequence[Point]
    grid: Sequence[tuple[float, str]]  # height and its label
    ends: tuple[float, float] = (MARGIN, WIDTH - 12)

    @property
    def path(self) -> str:
        """The line through all marks that are firm."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points if point.firm)


def heat_map(lines: Sequence[Line], order: Mapping[str, str], groups: Sequence[int]) -> HeatMap:
    """Return who was read for whom.

    Args:
        lines: what was wanted and understood.
        order: intent → name, in the order of rows and columns; intents without a name stand at the end.
        groups: how many intents each group has.
    """
    seen = {line.wanted for line in lines} | {line.understood for line in lines}
    names = dict(order) | {name: name for name in sorted(seen - order.keys())}
    place = {name: number for number, name in enumerate(names)}
    often = Counter(line.wanted for line in lines)
    cells = []
    for (wanted, understood), count in sorted(Counter((line.wanted, line.understood) for line in lines).items()):
        part = count / often[wanted]
        told = f"想要：{names[wanted]}；听成：{names[understood]}；{count} 句（{part:.0%}）"
        x, y = LEFT + place[understood] * CELL, TOP + place[wanted] * CELL
        cells.append(Cell(x, y, round(FAINTEST + (1 - FAINTEST) * part**0.5, 3), wanted == understood, told))
    ends = [sum(groups[: number + 1]) * CELL for number in range(len(groups) - 1)]
    return HeatMap(list(names.values()), cells, ends, len(names) * CELL)


def calibration_curve(lines: Sequence[Line]) -> Curve:
    """Return how often it was right, by how sure it said it was."""
    bins = calibration(lines)
    most = max((often for _, _, often in bins), default=1)
    points = [
        Point(
            x=_across(sure),
            y=_down(right),
            radius=round(SMALLEST + (LARGEST - SMALLEST) * (often / most) ** 0.5, 1),
            told=f"自己说有 {sure:.0%} 把握的 {often} 句里，对了 {right:.0%}",
            firm=often >= ENOUGH,
        )
        for sure, right, often in bins
    ]
    return Curve(points, [(_down(part / 4), f"{part * 25}%") for part in range(5)])


def learning_curve(steps: Sequence[Mapping[str, Any]]) -> Curve:
    """Return how many messages are understood, by how many lines were learned."""
    told = sorted(steps, key=lambda step: step["lines"])
    most = max((step["lines"] for step in told), default=1)
    floor = min((int(step["low"] * 5) / 5 for step in told), default=0.0)  # so that the grid has round labels

    def height(share: float) -> float:
        return _down((share - floor) / (1 - floor))

    points = [
        Point(
            x=_across(step["lines"] / most * 0.94),
            y=height(step["accuracy"]),
            radius=4.0,
            told=f"学 {step['lines']} 句：说对 {step['accuracy']:.1%}",
            label=f"{step['accuracy']:.1%}",
            high=height(step["high"]),
            low=height(step["low"]),
        )
        for step in told
    ]
    shares = [floor + (1 - floor) * part / 4 for part in range(5)]
    return Curve(points, [(height(share), f"{share:.0%}") for share in shares])


def _across(share: float) -> float:
    return round(MARGIN + share * (WIDTH - MARGIN - 12), 1)


def _down(share: float) -> float:
    return round(HEIGHT - MARGIN - share * (HEIGHT - MARGIN - 12), 1)
