"""Synthetic members: how they feel, hurt, read, answer and fall ill. None of it is taken from the estimator's grid.

Courses are skewed and continuous; people differ in how they read and answer; complications begin at an hour, show in
symptoms and do harm after a while. All figures are assumptions made to be plausible, none is fitted to anybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from care.model.history import Subject
from care.model.protocol import Protocol

ZONE = ZoneInfo("Asia/Shanghai")
FIRST_MONDAY = date(2026, 3, 2)
DAYS = 15  # D0 to D14
#: Share of members, low of the mood, first day's fear, share with a complication.
TREATMENTS: dict[str, tuple[float, float, float, float]] = {
    "implant": (0.30, 3.1, 2.2, 0.05),
    "extraction": (0.25, 3.1, 2.0, 0.13),
    "root_canal": (0.15, 2.3, 2.0, 0.08),
    "ortho": (0.15, 2.8, 1.0, 0.05),
    "perio_surgery": (0.10, 2.7, 1.8, 0.07),
    "scaling": (0.03, 1.0, 0.8, 0.01),
    "whitening": (0.02, 1.3, 0.6, 0.03),
}
ARCHETYPES = {"early": 0.27, "late": 0.28, "double": 0.15, "flat": 0.18, "anxious": 0.12}
#: Complication: (days of onset, what answers show while it lasts, hours to harm, chance a day that the member tells).
ILLS: dict[str, tuple[tuple[float, float], dict[str, str], tuple[float, float], float]] = {
    "bleeding": ((0.1, 0.8), {"bleed": "flowing"}, (10, 30), 0.75),
    "dry_socket": ((1.8, 4.5), {"pain": "+4"}, (30, 90), 0.35),
    "infection": ((2.5, 9.0), {"pain": "+3", "swell": "more", "temp": "38.6"}, (36, 110), 0.35),
    "flare_up": ((0.6, 2.0), {"pain": "+5"}, (24, 60), 0.40),
    "numbness": ((0.2, 0.5), {"numb": "same"}, (48, 120), 0.20),
    "wire": ((1.5, 10.0), {"appl": "stabs", "pain": "+2"}, (48, 120), 0.45),
    "burn": ((0.1, 0.6), {"sens": "8", "pain": "+4"}, (24, 60), 0.45),
}
MAY_HAPPEN = {
    "implant": ("infection", "infection", "bleeding", "numbness"),
    "extraction": ("dry_socket", "dry_socket", "infection", "bleeding"),
    "root_canal": ("flare_up",),
    "ortho": ("wire",),
    "perio_surgery": ("infection", "bleeding"),
    "scaling": ("infection",),
    "whitening": ("burn",),
}


@dataclass(frozen=True, slots=True)
class Complication:
    """Something that goes wrong: from when, until when it can wait, and what it shows."""

    kind: str
    onset: float  # days since midnight of the day of treatment
    harm: float
    shows: dict[str, str]
    tells: float  # chance a day that the member tells on their own


@dataclass(slots=True)
class SyntheticMember:
    """One person after one treatment. Times are days since midnight of the day of treatment, in the member's zone."""

    subject: Subject
    archetype: str
    base: float
    mood: Callable[[float], float]  # distress without any contact, by time
    pain_factor: float
    reads: float  # log-odds
    answers: float
    writes: float  # chance a day of writing unasked when low
    complication: Complication | None
    wander: list[float]
    random: Random

    def distress(self, at: float, relief: float = 0.0) -> float:
        """Return distress 0-10 at a time, lowered by what support has given."""
        day = min(max(int(at), 0), len(self.wander) - 1)
        return min(10.0, max(0.0, self.mood(at) + self.wander[day] - relief))

    def is_low(self, day: int) -> bool:
        """Whether the day is a low one without any contact, judged at 20:00."""
        return self.distress(day + 20 / 24) >= max(5.0, self.base + 1.5)

    def ill(self, at: float, cured_at: float | None) -> bool:
        """Whether the complication shows at a time."""
        return self.complication is not None and self.complication.onset <= at and (cured_at is None or at < cured_at)

    def tells(self, question: str, at: float, protocol: Protocol, *, relief: float, cured_at: float | None) -> str:
        """Return the answer this member gives to a question at a time."""
        ill = self.complication if self.ill(at, cured_at) else None
        grown = min(1.0, (at - ill.onset) / 0.5) if ill else 0.0  # half a day until it shows fully
        shown = ill.shows.get(question) if ill and (grown > 0.5 or question != "swell") else None
        if question == "mood":
            told = 5.15 - 0.42 * self.distress(at, relief) + self.random.gauss(0, 0.45)
            return str(min(5, max(1, round(told))))
        if question in {"pain", "sens"}:
            usual = protocol.prior(at, self.subject.facts) * self.pain_factor + self.random.gauss(0, 0.7)
            worse = grown * float(shown) if shown and shown.startswith("+") else 0.0
            return shown if shown and not shown.startswith("+") else str(min(10, max(0, round(usual + worse))))
        if shown:
            return shown
        day = int(at)
        chance = self.random.random()
        return {
            "swell": self._swelling(day, chance, surgery=protocol.surgery),
            "bleed": "pink" if day <= 1 and chance < 0.35 else "red" if day == 0 and chance > 0.985 else "none",
            "temp": f"{36.6 + 0.25 * abs(self.random.gauss(0, 1)):.1f}",
            "numb": "fading" if day == 0 or (day == 1 and chance < 0.15) else "none",
            "open": "two" if day <= 3 and chance < 0.4 else "normal",
            "med": "missed" if chance < 0.08 else "done",
            "appl": "bearable" if chance < 0.2 else "none",
            "worry": "怕长不好" if self.distress(at) > 5.5 and chance < 0.12 else "none",
        }.get(question, "none")

    @staticmethod
    def _swelling(day: int, chance: float, *, surgery: bool) -> str:
        if not surgery:
            return "slight" if chance < 0.05 else "none"
        if day in (1, 2, 3) and chance < 0.25:
            return "clear"
        return "slight" if day <= 4 and chance < 0.6 else "none"


def make(number: int, seed: str, *, late_by: float = 0.0, archetype: str | None = None) -> SyntheticMember:
    """Return one member, the same for the same number and seed.

    Args:
        number: of the member.
        seed: of the whole run.
        late_by: days by which every low comes later than usual.
        archetype: a course everybody has; drawn if not given.
    """
    random = Random(f"{seed}:{number}")  # noqa: S311 - chance, not a secret
    treatment = random.choices(list(TREATMENTS), [row[0] for row in TREATMENTS.values()])[0]
    _, height, fear, ill = TREATMENTS[treatment]
    kind = archetype or random.choices(list(ARCHETYPES), list(ARCHETYPES.values()))[0]
    facts = set()
    if random.random() < 0.18:
        facts.add("lives_alone")
    if treatment == "extraction" and random.random() < 0.25:
        facts.add("simple")
    if treatment == "scaling" and random.random() < 0.4:
        facts.add("srp")
    if random.random() < 0.05:
        facts.add("anticoagulant")
    first = FIRST_MONDAY + timedelta(days=number % 28)
    ended_at = datetime.combine(first, datetime.min.time(), tzinfo=ZONE) + timedelta(
        minutes=random.randint(600, 1110)
    )
    sutures = None
    if treatment in {"implant", "extraction", "perio_surgery"}:
        sutures = first + timedelta(days=random.choice((7, 8, 9, 10)))
    base = min(4.8, random.lognormvariate(0.8, 0.32))
    if kind == "anxious":
        base = min(5.0, base + random.uniform(0.8, 1.6))
    tallness = height * random.lognormvariate(0.0, 0.38) * (1.25 if "lives_alone" in facts else 1.0)
    fright = fear * random.lognormvariate(0.0, 0.5) * (1.6 if kind == "anxious" else 1.0)
    mdas = min(25, max(5, round(random.gauss(11, 3.5) + (6 if kind == "anxious" else 0))))
    return SyntheticMember(
        subject=Subject(
            f"synthetic-{seed}-{number}",
            treatment,
            ended_at,
            facts=frozenset(facts),
            mdas=mdas if random.random() < 0.5 else None,
            channels=2 if random.random() < 0.85 else 1,
            sutures_out_on=sutures,
        ),
        archetype=kind,
        base=base,
        mood=_course(kind, base, tallness, fright, late_by, random),
        pain_factor=random.lognormvariate(0.0, 0.3),
        reads=random.gauss(2.0, 0.9),
        answers=random.gauss(2.1, 1.1),
        writes=min(0.5, random.expovariate(1 / 0.11)),
        complication=_complication(treatment, random) if random.random() < ill else None,
        wander=_wander(random),
        random=random,
    )


def _course(
    kind: str, base: float, tallness: float, fright: float, late_by: float, random: Random
) -> Callable[[float], float]:
    """Return distress by time: rises that come faster than they go, on a fear that fades within a day or two."""
    early = (random.uniform(-0.4, 0.8) + late_by, random.uniform(0.9, 2.0), random.uniform(1.2, 3.0), 1.0)
    late = (random.uniform(1.2, 3.2) + late_by, random.uniform(1.3, 2.8), random.uniform(1.0, 2.5), 1.0)
    low = (random.uniform(0.0, 2.0) + late_by, random.uniform(1.5, 4.0), 0.8, 0.3)
    waves = {
        "early": [early],
        "late": [late],
        "double": [(*early[:3], 0.9), (late[0] + 1.5, *late[1:3], 0.9)],
        "flat": [low],
        "anxious": [(*(early if random.random() < 0.5 else late)[:3], 0.8)],
    }[kind]
    fades = random.uniform(0.4, 0.9)

    def distress(at: float) -> float:
        found = base + fright * math.exp(-max(0.0, at - 0.6) / fades)
        for onset, peak, sharpness, share in waves:
            since = at - onset
            if since > 0:
                ratio = since / peak
                found += tallness * share * (ratio * math.exp(1 - ratio)) ** sharpness
        return found

    return distress


def _wander(random: Random) -> list[float]:
    days, last = [], 0.0
    for _ in range(DAYS + 1):
        last = 0.5 * last + random.gauss(0, 0.55)
        days.append(last)
    return days


def _complication(treatment: str, random: Random) -> Complication:
    kind = random.choice(MAY_HAPPEN[treatment])
    between, shows, hours, tells = ILLS[kind]
    onset = 0.75 + random.uniform(*between)
    return Complication(kind, onset, onset + random.uniform(*hours) / 24, shows, tells)
