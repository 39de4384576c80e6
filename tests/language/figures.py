"""What the trained models make of labelled messages, as figures with an interval each; everything is computed once.

Every `dev_*.jsonl` of this folder is a set; a new one is picked up by itself. `PROVENANCE` says where a set comes from,
because a set that the readers were mended on flatters. Intervals are Wilson's, 95 %, for whatever is counted in messages;
macro-F1 and calibration are no such counts, and get the middle 95 % of resampled sets. An F1 is counted as right finds among right
finds and half of all faults. Where a model was never trained, its figures are missing and not zero.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from anxin.understand import understand
from care.bootstrap import build_reading
from care.model.assessment import Assessment, Complaint, Distress, Level, Medical
from care.settings import ROOT, Settings, load_settings

HERE: Final = Path(__file__).parent
NOW: Final = "2026-11-23T10:00:00+08:00"  # a Monday morning; the sets carry no moment of their own
PROVENANCE: Final[Mapping[str, str]] = {
    "dev_a": "by the house, shared with the people who wrote the training lines; intents only",
    "dev_b": "by the house, shared with the people who wrote the training lines; intents only",
    "dev_c": "by strangers to the training lines; worked with since its first reading",
    "dev_d": "by strangers to the training lines; worked with since its first reading",
    "dev_e": "fresh: by strangers to the training lines, nothing was mended on it",
    "dev_f": "by strangers to the training lines; fresh but for danger, where the rules were mended on it",
}
UNKNOWN: Final = "of unknown provenance"
ALL: Final = "all"
ENOUGH: Final = 10  # messages of one intent, below which its figure says little
Z: Final = 1.96  # 95 %
RESAMPLES, SEED = 300, 7
BINS: Final = 10  # of confidence, equally wide
ALARMS: Final = frozenset((Level.URGENT, Level.EMERGENCY, Level.CRISIS))
GRAVEST: Final = frozenset((Level.EMERGENCY, Level.CRISIS))
NO_WISH: Final = frozenset(("out_of_scope", "chitchat"))
#: Intents that set something going: a booking, a member's data, a human. Being sent there by mistake costs somebody.
ACTIONS: Final = frozenset(
    (
        *(
            "book_appointment",
            "reschedule_appointment",
            "cancel_appointment",
            "list_appointments",
            "ask_availability",
        ),
        *("running_late", "family_booking", "request_human", "complain", "ask_data_held", "ask_data_use"),
        *("ask_profile_tags", "ask_access_log", "correct_data", "export_data", "delete_data", "set_personalization"),
        *("set_data_sharing", "opt_out_marketing", "opt_out_checkins", "opt_in"),
    )
)
NAMED: Final = ("service", "practitioner", "time", "pain_score", "temperature", "symptom")
#: Without a model its figures are missing. The rules read danger alone if they have to, and that is a figure.
NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "intents": (
        *(
            "intent",
            "intent_alone",
            "macro_f1",
            "worst_intent",
            "out_of_scope_acted",
            "also_precision",
            "also_recall",
        ),
        "calibration",
    ),
    "emotion": ("emotion",),
}
FEELINGS: Final = ("positive", "neutral", "negative")
_SIDE: Final = {"happy": "positive", "relieved": "positive", "calm": "neutral", "unclear": "neutral"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure between 0 and 1 with its interval; `of` is how much it rests on, in messages or finds."""

    value: float
    low: float
    high: float
    right: float
    of: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """What a message names, in characters of its text; `value` is None where only the words count."""

    entity: str
    start: int
    end: int
    value: object

    def is_met_by(self, found: Mapping[str, Any]) -> bool:
        """Whether a find is of this kind, overlaps the words and has the value where one was labelled."""
        overlaps = found["start"] < self.end and self.start < found["end"]
        return (
            found["entity"] == self.entity and overlaps and (self.value is None or _same(self.value, found["value"]))
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled message and what was understood of it. Only a `full` one carries more labels than intents."""

    set: str
    text: str
    asked: str | None
    wanted: str
    accepted: frozenset[str]  # the wanted intent and what a reasonable reader might choose instead
    also: frozenset[str]
    full: bool
    level: Level
    feeling: str
    named: tuple[Named, ...]
    found: Mapping[str, Any]  # as `anxin understand` says it

    @property
    def understood(self) -> str:
        """What counts for it: the wanted intent if the reading is acceptable, else the reading."""
        return self.wanted if self.is_right else str(self.found["intent"])

    @property
    def is_right(self) -> bool:
        """Whether the main wish was read acceptably."""
        return self.found["intent"] in self.accepted

    @property
    def alarm(self) -> Level:
        """The level it was assessed at."""
        return Level(self.found["safety"]["level"])

    @property
    def felt(self) -> str:
        """On which side the feeling was read."""
        return side(self.found["emotion"]["label"])

    @property
    def is_harmless(self) -> bool:
        """Whether no alarm is due."""
        return self.full and self.level is Level.NONE

    @property
    def is_missed(self) -> bool:
        """Whether an alarm was due and none of the right kind came."""
        if self.level in GRAVEST:
            return self.alarm not in GRAVEST
        return self.full and self.level in ALARMS and self.alarm not in ALARMS


@dataclass(frozen=True, slots=True)
class Measured:
    """All lines as they were understood, and the names of models that are not there."""

    lines: Sequence[Line]
    missing: frozenset[str]
    threshold: float  # below this confidence the dialogue asks back

    @property
    def sets(self) -> list[str]:
        """The sets there are, in order."""
        return sorted({line.set for line in self.lines})

    def of(self, name: str) -> list[Line]:
        """Return the lines of one set, or all."""
        return [line for line in self.lines if name in {ALL, line.set}]

    def table(self) -> dict[str, dict[str, Figure | None]]:
        """Return figure → set → value; None where the set has no such labels or the model is missing."""
        each = {name: figures(self.of(name), self.missing, self.threshold) for name in (ALL, *self.sets)}
        return {key: {name: found[key] for name, found in each.items()} for key in each[ALL]}


def provenance(name: str) -> str:
    """Return in one line where a set comes from."""
    return PROVENANCE.get(name, UNKNOWN)


@cache
def measured() -> Measured:
    """Read every set with the trained models, once a process."""
    return measure(sorted(HERE.glob("dev_*.jsonl")), load_settings())


def measure(files: Iterable[Path], settings: Settings) -> Measured:
    """Read sets with what was trained below the settings' folder of models."""
    rows = [
        (path.stem, json.loads(row)) for path in files for row in path.read_text(encoding="utf-8").splitlines() if row
    ]
    reading = build_reading(settings)
    intents = reading.intents.get()
    asked = (
        json.dumps({"text": row["text"], "context": row.get("context"), "now": NOW}, ensure_ascii=False)
        for _, row in rows
    )
    results = list(understand(asked, reading, intents=intents, only=None, now=datetime.fromisoformat(NOW)))
    missing = frozenset((*reading.safety.missing(), *(() if intents else ("intents",))))
    lines = [line_of(name, row, found) for (name, row), found in zip(rows, results, strict=True)]
    return Measured(lines, missing, fallback_threshold())


def line_of(name: str, row: Mapping[str, Any], found: Mapping[str, Any]) -> Line:
    """Return a labelled row with what was understood of it."""
    full = "medical" in row
    levels = {"medical": Medical, "distress": Distress, "complaint": Complaint}
    truth = Assessment(**{track: kind(row.get(track, "none")) for track, kind in levels.items()})
    return Line(
        set=name,
        text=row["text"],
        asked=(row.get("context") or {}).get("asked"),
        wanted=row["intent"],
        accepted=frozenset((row["intent"], *(row.get("accept") or ()))),
        also=frozenset(row.get("also") or ()),
        full=full,
        level=truth.level,
        feeling=side(row["emotion"]) if full else "",
        named=tuple(_named(row)) if full else (),
        found=found,
    )


def figures(lines: Sequence[Line], missing: frozenset[str], threshold: float) -> dict[str, Figure | None]:
    """Return every figure of some lines, in the order they are told."""
    full = [line for line in lines if line.full]
    astray = [line for line in lines if line.wanted in NO_WISH]
    harmless = [line for line in full if line.is_harmless]
    gravest = [line for line in full if line.level in GRAVEST]
    urgent = [line for line in full if line.level is Level.URGENT]
    found_also = [(line, name) for line in full for name in line.found["also"]]
    wanted_also = [(line, name) for line in full for name in line.also]
    found: dict[str, Figure | None] = {
        "intent": share(line.is_right for line in lines),
        "intent_alone": share(line.is_right for line in lines if line.asked is None),
        "macro_f1": _resampled(lines, macro_f1),
        "worst_intent": _worst(lines),
        "out_of_scope_acted": share(_acts(line, threshold) for line in astray),
        **{f"entity.{name}": entity_f1(full, name) for name in NAMED},
        "also_precision": share(name in line.accepted | line.also for line, name in found_also),
        "also_recall": share(name in {line.found["intent"], *line.found["also"]} for line, name in wanted_also),
        "emergency_missed": share(line.is_missed for line in gravest),
        "urgent_missed": share(line.is_missed for line in urgent),
        "false_alarms": share(line.alarm in ALARMS for line in harmless),
        "emotion": share(line.felt == line.feeling for line in full),
        "calibration": _resampled(lines, calibration_error),
    }
    absent = {name for model in missing for name in NEEDS.get(model, ())}
    return {name: None if name in absent else figure for name, figure in found.items()}


def share(hits: Iterable[bool]) -> Figure | None:
    """Return a share with its Wilson interval; None of nothing."""
    told = list(hits)
    return wilson(sum(told), len(told)) if told else None


def wilson(right: float, of: float, note: str = "") -> Figure:
    """Return a share with its Wilson interval, 95 %."""
    part, spread = right / of, Z * Z / of
    middle = (part + spread / 2) / (1 + spread)
    half = Z * math.sqrt(part * (1 - part) / of + spread / (4 * of)) / (1 + spread)
    return Figure(part, max(0.0, middle - half), min(1.0, middle + half), right, of, note)


def macro_f1(lines: Sequence[Line]) -> float:
    """Return the mean F1 of the intents that were wanted, each weighing the same."""
    hit = Counter(line.wanted for line in lines if line.is_right)
    wanted, understood = Counter(line.wanted for line in lines), Counter(line.understood for line in lines)
    return sum(2 * hit[name] / (often + understood[name]) for name, often in wanted.items()) / len(wanted)


def calibration(lines: Sequence[Line]) -> list[tuple[float, float, int]]:
    """Return mean confidence, share right and number of lines, for each bin of confidence that has any."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for line in lines:
        sure = float(line.found["confidence"])
        bins[min(int(sure * BINS), BINS - 1)].append((sure, line.is_right))
    return [
        (sum(sure for sure, _ in one) / len(one), sum(right for _, right in one) / len(one), len(one))
        for _, one in sorted(bins.items())
    ]


def calibration_error(lines: Sequence[Line]) -> float:
    """Return the expected calibration error: how far confidence and truth lie apart, on average."""
    return sum(abs(sure - right) * often for sure, right, often in calibration(lines)) / len(lines)


def by_intent(lines: Sequence[Line]) -> dict[str, Figure]:
    """Return the share understood of every wanted intent."""
    often = Counter(line.wanted for line in lines)
    hit = Counter(line.wanted for line in lines if line.is_right)
    return {name: wilson(hit[name], of, name) for name, of in often.items()}


def entity_f1(lines: Sequence[Line], entity: str) -> Figure | None:
    """Return the F1 of one kind; pieces of one symptom that are found apart count once."""
    right = faults = 0
    for line in lines:
        left = [found for found in line.found["entities"] if found["entity"] == entity]
        named = [one for one in line.named if one.entity == entity]
        for one in named:
            met = next((found for found in left if one.is_met_by(found)), None)
            if met is None:
                faults += 1
            else:
                right += 1
                left.remove(met)
        pieces = (
            [found for found in left if any(one.is_met_by(found) for one in named)] if entity == "symptom" else []
        )
        faults += len(left) - len(pieces)
    return wilson(right, right + faults / 2) if right + faults else None


def side(label: str) -> str:
    """Return the side of a feeling: positive, neutral or negative."""
    return _SIDE.get(label, "negative")


def fallback_threshold() -> float:
    """Return the confidence below which the dialogue asks back, as its configuration says."""
    pipeline = YAML(typ="safe", pure=True).load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    return float(next(one["threshold"] for one in pipeline if one["name"] == "FallbackClassifier"))


def _named(row: Mapping[str, Any]) -> Iterable[Named]:
    """Yield what a row names; words that are labelled twice stand in the text twice."""
    after: dict[tuple[str, str], int] = {}
    for one in row["entities"]:
        words = one["text"]
        start = row["text"].find(words, after.get((one["entity"], words), 0))
        start = start if start >= 0 else row["text"].find(words)
        after[one["entity"], words] = start + len(words)
        yield Named(one["entity"], start, start + len(words), one.get("value"))


def _same(wanted: object, found: object) -> bool:
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return abs(wanted - found) < 0.05
    return wanted == found


def _acts(line: Line, threshold: float) -> bool:
    acts = line.found["intent"] in ACTIONS - line.accepted
    return acts and float(line.found["confidence"]) >= threshold


def _worst(lines: Sequence[Line]) -> Figure | None:
    enough = [one for one in by_intent(lines).values() if one.of >= ENOUGH]
    return min(enough, key=lambda one: one.value, default=None)


def _resampled(lines: Sequence[Line], count: Callable[[Sequence[Line]], float]) -> Figure | None:
    if not lines:
        return None
    chance = random.Random(SEED)
    tried = sorted(count(chance.choices(lines, k=len(lines))) for _ in range(RESAMPLES))
    value, cut = count(lines), round(RESAMPLES * 0.025)
    return Figure(value, min(value, tried[cut]), max(value, tried[-cut - 1]), value * len(lines), len(lines))
