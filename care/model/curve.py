"""One member's course of distress: what was expected, what was reported, and what tomorrow may bring.

A grid of hypotheses (shape, shift, size, base) is weighed by every report; what no hypothesis explains is carried a
few days as a residual. Nothing is trained: every figure of the prior is in the pack, every step can be done by hand.
Distress runs from 0 to 10; a mood of 1 to 5 is read as distress by a straight line. Days are days of recovery.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

SPREAD = 0.95  # day-to-day spread of distress around a known course; clinic protocol 2026-01
LOW = 5.0  # distress from which a day counts as low, or 1.5 above the member's own base; clinic protocol 2026-01
ABOVE_BASE = 1.5
MOOD_AT_ZERO, MOOD_PER_POINT = 5.15, 0.42  # mood = 5.15 - 0.42 · distress; clinic protocol 2026-01
SUPPORTED = 0.35  # how much lower a report reads within 30 h of support; clinic protocol 2026-01
FADES = 0.6  # a day later this much is left of a residual
CARRY = 2.0  # a residual is clipped to this
ALONE_SIZE = 0.6
ANXIOUS_BASE = 1.0
PAIN_WEIGHT = 0.25  # distress for each point of pain above the usual course
MOOD_VARIANCE, TEXT_VARIANCE, SILENCE_VARIANCE = 2.3, 5.0, 6.0
SILENCE = 0.8  # two unanswered prompts of somebody who answers: this much above what was expected
EIGHTY = 1.2816  # standard deviations that hold 80 % of a normal distribution
NINETY_FIVE = 1.645  # one-sided
STEADY = 0.5  # a shape lower than this has no day to shift


@dataclass(frozen=True, slots=True)
class Peak:
    """One rise of a shape, centred on a time in days, where 0.5 is noon of the day of treatment."""

    at: float
    width: float
    height: float = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How a course may rise and fall."""

    code: str
    weight: float
    peaks: tuple[Peak, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One value of a grid's axis and how likely it is beforehand."""

    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Course:
    """What is usual after one kind of treatment: the height of the low, and the fear of the first day."""

    amplitude: float
    first_day: float


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """Which theme fits whom when, if the member named none."""

    theme: str
    treatments: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    from_day: int = 0
    to_day: int = 365


@dataclass(frozen=True, eq=False)
class Curves:
    """Everything a pack says about moods: priors, themes and the words for reasons."""

    version: str
    approved_by: str
    shapes: tuple[Shape, ...]
    shifts: tuple[Step, ...]
    sizes: tuple[Step, ...]
    bases: tuple[Step, ...]
    treatments: Mapping[str, Course]
    themes: tuple[ThemeRow, ...]
    support: Mapping[str, str]
    reasons: Mapping[str, str]

    def reason(self, key: str, **values: object) -> str:
        """Return one sentence of the pack with its blanks filled."""
        return self.reasons[key].format(**values)

    def theme(self, treatment: str, facts: frozenset[str], day: int) -> str:
        """Return the theme that fits when the member named none."""
        for row in self.themes:
            if (
                row.from_day <= day <= row.to_day
                and (not row.treatments or treatment in row.treatments)
                and (not row.facts or any(fact in facts for fact in row.facts))
            ):
                return row.theme
        return self.themes[-1].theme


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was heard. `distress` None is silence: somewhat worse than expected, with little weight."""

    day: int
    distress: float | None
    variance: float = MOOD_VARIANCE
    supported: bool = False
    mood: int | None = None


@dataclass(frozen=True, slots=True)
class PainReport:
    """Worst pain 0-10 on a day, beside what is usual on that day."""

    day: int
    pain: float
    usual: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """The real course has left the band; `reason_zh` says how, in one sentence."""

    code: str
    day: int
    reason_zh: str


class Grid:
    """The hypotheses for one kind of treatment and one kind of member, with their courses worked out once a day."""

    def __init__(self, curves: Curves, treatment: str, *, alone: bool, anxious: bool) -> None:
        course = curves.treatments[treatment]
        self._first_day = course.first_day
        self._hypotheses: list[tuple[float, float, float, Shape]] = []
        self.prior: list[float] = []
        self.thresholds: list[float] = []
        for shape in curves.shapes:
            steady = max(peak.height for peak in shape.peaks) < STEADY
            for shift in curves.shifts if not steady else (Step(0, 1.0),):
                for size in curves.sizes:
                    for base in curves.bases:
                        height = (size.value + (ALONE_SIZE if alone else 0.0)) * course.amplitude
                        floor = base.value + (ANXIOUS_BASE if anxious else 0.0)
                        self._hypotheses.append((floor, height, shift.value, shape))
                        self.thresholds.append(max(LOW, floor + ABOVE_BASE))
                        self.prior.append(shape.weight * shift.weight * size.weight * base.weight)
        total = sum(self.prior)
        self.prior = [weight / total for weight in self.prior]
        self._by_day: dict[int, list[float]] = {}
        self._over: dict[int, list[float]] = {}

    def course(self, day: int) -> list[float]:
        """Return the distress every hypothesis expects on a day."""
        found = self._by_day.get(day)
        if found is None:
            first = self._first_day * math.exp(-(day + 1))
            found = [
                floor
                + first
                + height
                * sum(
                    peak.height * math.exp(-0.5 * ((day + 0.5 - peak.at - shift) / peak.width) ** 2)
                    for peak in shape.peaks
                )
                for floor, height, shift, shape in self._hypotheses
            ]
            self._by_day[day] = found
        return found

    def over(self, day: int) -> list[float]:
        """Return by how much every hypothesis lies over its own threshold of a low day, in units for `erf`."""
        found = self._over.get(day)
        if found is None:
            scale = SPREAD * math.sqrt(2)
            pairs = zip(self.course(day), self.thresholds, strict=True)
            found = [(mean - threshold) / scale for mean, threshold in pairs]
            self._over[day] = found
        return found


@lru_cache(maxsize=256)
def grid(curves: Curves, treatment: str, alone: bool, anxious: bool) -> Grid:
    """Return the hypotheses, worked out once for everybody of the same kind."""
    return Grid(curves, treatment, alone=alone, anxious=anxious)


@dataclass(frozen=True, slots=True)
class _Belief:
    weights: list[float]
    residual: float = 0.0
    day: int = 0


@lru_cache(maxsize=4096)
def _belief(hypotheses: Grid, heard: tuple[Observation, ...]) -> _Belief:
    """Weigh the grid by everything heard, oldest first; a prefix is remembered, so one more report is one step."""
    if not heard:
        return _Belief(hypotheses.prior)
    return _step(hypotheses, _belief(hypotheses, heard[:-1]), heard[-1])


def _step(hypotheses: Grid, before: _Belief, one: Observation) -> _Belief:
    course = hypotheses.course(one.day)
    carried = before.residual * FADES ** max(0, one.day - before.day)
    if one.distress is None:
        told = sum(map(_times, before.weights, course)) + carried + SILENCE
    else:
        told = one.distress + (SUPPORTED if one.supported else 0.0)
    half = -0.5 / one.variance
    exp = math.exp
    weights = [
        weight * exp(half * (told - mean) * (told - mean))
        for weight, mean in zip(before.weights, course, strict=True)
    ]
    total = sum(weights)
    if total <= 0.0:  # so far from every hypothesis that the arithmetic gives out: keep what was believed
        weights, total = before.weights, 1.0
    weights = [weight / total for weight in weights]
    left = told - sum(map(_times, weights, course))
    residual = 0.5 * carried + 0.5 * min(max(left, -CARRY), CARRY)
    return _Belief(weights, residual, one.day)


def _times(one: float, other: float) -> float:
    return one * other


@dataclass(frozen=True, slots=True)
class Curve:
    """What is believed about one recovery after everything heard so far."""

    curves: Curves
    hypotheses: Grid
    heard: tuple[Observation, ...] = ()
    pains: tuple[PainReport, ...] = ()

    @classmethod
    def prior(cls, curves: Curves, treatment: str, *, alone: bool = False, anxious: bool = False) -> Curve:
        """Return what is expected before anything was heard.

        Args:
            curves: the pack's.
            treatment: a protocol code.
            alone: whether the member lives alone.
            anxious: dental anxiety before the treatment of 19 or more on the MDAS.
        """
        return cls(curves, grid(curves, treatment, alone, anxious))

    def hear(self, observation: Observation) -> Curve:
        """Return the curve after one more report."""
        return Curve(self.curves, self.hypotheses, (*self.heard, observation), self.pains)

    def hear_pain(self, report: PainReport) -> Curve:
        """Return the curve after a report of pain; what lies above the usual course weighs on the mood."""
        return Curve(self.curves, self.hypotheses, self.heard, (*self.pains, report))

    def expected(self, day: int) -> tuple[float, float, float]:
        """Return mean distress on a day and the band that holds it four times in five, each 0-10."""
        mean, spread = self._moments(day)
        return _inside(mean), _inside(mean - EIGHTY * spread), _inside(mean + EIGHTY * spread)

    def trough_probability(self, day: int) -> float:
        """Return how likely the day is a low one for this member, as if nobody wrote."""
        belief = _belief(self.hypotheses, self.heard)
        lift = (self._residual(belief, day) + self._pain_lift(day)) / (SPREAD * math.sqrt(2))
        erf = math.erf
        over = self.hypotheses.over(day)
        return 0.5 + 0.5 * sum([w * erf(z + lift) for w, z in zip(belief.weights, over, strict=True)])

    def cautious_probability(self, day: int) -> float:
        """Return the probability with which we act: never lower for a worse last answer.

        A very low mood on one day can make an early course so sure that a later day looks safe. What somebody has
        just told us must not earn them less, so the highest probability over all better last answers counts.
        """
        found = self.trough_probability(day)
        last = self.heard[-1] if self.heard else None
        if last is None or last.distress is None:
            return found
        for better in (distress_of(mood) for mood in (5, 4, 3, 2)):
            if better < last.distress:
                changed = Observation(last.day, better, last.variance, last.supported)
                other = Curve(self.curves, self.hypotheses, (*self.heard[:-1], changed), self.pains)
                found = max(found, other.trough_probability(day))
        return found

    def leaves_band(self) -> Alarm | None:
        """Return an alarm if the last report, or the last two, lie worse than what was expected before them.

        One report counts from the worst twentieth on, two in a row from the worst tenth. Pain counts when it is three
        points above the usual course, or twice more than one and a half (clinic protocol 2026-01).
        """
        words = self.curves
        if self.heard and (last := self.heard[-1]).distress is not None:
            far = self._surprise(len(self.heard) - 1)
            if far >= NINETY_FIVE:
                value = last.mood if last.mood is not None else round(mood_of(last.distress or 0.0))
                return Alarm("mood", last.day, words.reason("band_low", 日=last.day, 值=value))
            if far >= EIGHTY and len(self.heard) > 1 and self._surprise(len(self.heard) - 2) >= EIGHTY:
                return Alarm("mood_twice", last.day, words.reason("band_low_twice"))
        over = [report.pain - report.usual for report in self.pains[-2:]]
        if over and (over[-1] >= 3 or (len(over) == 2 and min(over) > 1.5)):
            worst = self.pains[-1]
            return Alarm("pain", worst.day, words.reason("band_pain", 日=worst.day, 值=f"{worst.pain:g}"))
        return None

    @property
    def reason_zh(self) -> str:
        """What a carer reads beside the curve."""
        alarm = self.leaves_band()
        return alarm.reason_zh if alarm else self.curves.reason("within")

    def _surprise(self, index: int) -> float:
        """By how many standard deviations a report was worse than what was expected before it."""
        report = self.heard[index]
        if report.distress is None:
            return 0.0
        before = Curve(self.curves, self.hypotheses, self.heard[:index], ())
        mean, spread = before._moments(report.day)
        told = report.distress + (SUPPORTED if report.supported else 0.0)
        return (told - mean) / math.sqrt(spread**2 + report.variance / 2)

    def _moments(self, day: int) -> tuple[float, float]:
        belief = _belief(self.hypotheses, self.heard)
        course = self.hypotheses.course(day)
        mean = sum(map(_times, belief.weights, course))
        square = sum([w * m * m for w, m in zip(belief.weights, course, strict=True)])
        spread = math.sqrt(max(0.0, square - mean * mean) + SPREAD**2)
        return mean + self._residual(belief, day) + self._pain_lift(day), spread

    @staticmethod
    def _residual(belief: _Belief, day: int) -> float:
        return belief.residual * FADES ** max(0, day - belief.day)

    def _pain_lift(self, day: int) -> float:
        if not self.pains:
            return 0.0
        last = self.pains[-1]
        return PAIN_WEIGHT * max(0.0, last.pain - last.usual) * FADES ** max(0, day - last.day)


def distress_of(mood: float) -> float:
    """Return the distress 0-10 that a mood 1-5 stands for."""
    return _inside((MOOD_AT_ZERO - mood) / MOOD_PER_POINT)


def mood_of(distress: float) -> float:
    """Return the mood 1-5 that a distress stands for."""
    return min(5.0, max(1.0, MOOD_AT_ZERO - MOOD_PER_POINT * distress))


def from_mood(day: int, mood: int, *, supported: bool = False) -> Observation:
    """Return a tapped mood as something heard."""
    return Observation(day, distress_of(mood), MOOD_VARIANCE, supported, mood)


def from_text(day: int, valence: float, *, supported: bool = False) -> Observation:
    """Return the feeling of free words, -1 to 1, as something heard with half the weight of a tap."""
    return Observation(day, distress_of(3.4 + 1.6 * valence), TEXT_VARIANCE, supported)


def from_silence(day: int) -> Observation:
    """Return two unanswered prompts of somebody who usually answers as something heard."""
    return Observation(day, None, SILENCE_VARIANCE)


def replay(curve: Curve, heard: Sequence[Observation], pains: Sequence[PainReport] = ()) -> Curve:
    """Return a curve after many reports at once, oldest first."""
    return Curve(curve.curves, curve.hypotheses, (*curve.heard, *heard), (*curve.pains, *pains))


def _inside(distress: float) -> float:
    return min(10.0, max(0.0, distress))
