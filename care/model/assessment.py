"""What a message says about the member's safety, on three tracks, and why.

Nouns and the one table that sums them up; reading text is the work of the language adapter. Source of the levels:
clinic protocol 2026-01 (medical L0-L3, distress P1-P3, complaint K1-K3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar


class Medical(StrEnum):
    """The body; from harmless to 120."""

    NONE = "none"
    WATCH = "watch"
    L3 = "L3"
    L2 = "L2"
    L1 = "L1"
    L0 = "L0"


class Distress(StrEnum):
    """The mind; P3 is self-harm or suicide, of the member or of another."""

    NONE = "none"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Complaint(StrEnum):
    """Dissatisfaction; K3 is the red alert."""

    NONE = "none"
    K1 = "K1"
    K2 = "K2"
    K3 = "K3"


class Level(StrEnum):
    """What must happen, summed over the tracks."""

    NONE = "none"
    WATCH = "watch"
    URGENT = "urgent"
    EMERGENCY = "emergency"
    CRISIS = "crisis"


class Flag(StrEnum):
    """What it is about, now; in the order in which a nurse wants to read them."""

    BREATHING = "breathing"
    SWALLOWING = "swallowing"
    ALLERGY = "allergy"
    FAINT = "faint"
    CHEST_PAIN = "chest_pain"
    BLEEDING = "bleeding"
    FEVER = "fever"
    SWELLING = "swelling"
    SEVERE_PAIN = "severe_pain"
    NUMBNESS = "numbness"
    TRISMUS = "trismus"
    DRY_SOCKET = "dry_socket"
    IMPLANT_LOOSE = "implant_loose"
    INFECTION_PUS = "infection_pus"
    VISION = "vision"
    SWALLOWED_PART = "swallowed_part"
    WIRE_INJURY = "wire_injury"
    CHEMICAL_BURN = "chemical_burn"
    SINUS = "sinus"
    WOUND_OPEN = "wound_open"
    MEDICATION_ERROR = "medication_error"
    SELF_HARM = "self_harm"
    DISTRESS = "distress"
    VIOLENCE = "violence"
    HARM_BY_OTHERS = "harm_by_others"
    COMPLAINT_SEVERE = "complaint_severe"


Ladder = TypeVar("Ladder", Medical, Distress, Complaint, Level)


def worst(one: Ladder, other: Ladder) -> Ladder:
    """Return the more serious of two values of one track."""
    steps = list(type(one))
    return one if steps.index(one) >= steps.index(other) else other


def at_least(one: Ladder, floor: Ladder) -> bool:
    """Whether `one` is as serious as `floor`, or more."""
    return worst(one, floor) is one


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: these words, by this rule.

    `start` and `end` count characters of the member's own text; `end` is exclusive. `words` are exactly those.
    """

    track: str
    words: str
    rule: str
    start: int
    end: int

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        return {"track": self.track, "words": self.words, "rule": self.rule, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class Emotion:
    """How the member sounds: a label of the taxonomy and a valence from -1 (bad) to 1 (good)."""

    label: str = "calm"
    valence: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """What was known when the message came.

    Attributes:
        asked: what the last question was about, e.g. `checkin.pain`, `survey.nps`, `booking.time`.
        treatment: the treatment being recovered from, by its protocol's name.
        day: days since it, on the member's calendar; the day itself is 0.
    """

    asked: str | None = None
    treatment: str | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict on one message: the worst of each track, the flags, and every reason."""

    medical: Medical = Medical.NONE
    distress: Distress = Distress.NONE
    complaint: Complaint = Complaint.NONE
    flags: tuple[Flag, ...] = ()
    why: tuple[Why, ...] = ()
    emotion: Emotion = Emotion()

    @property
    def level(self) -> Level:
        """What must happen; L3, K1 and K2 alone make a case, not an alarm."""
        levels = (
            Level.CRISIS if self.distress is Distress.P3 else Level.NONE,
            Level.EMERGENCY if self.medical is Medical.L0 else Level.NONE,
            Level.URGENT if self._urgent else Level.NONE,
            Level.WATCH if self.medical is Medical.WATCH or self.distress is Distress.P1 else Level.NONE,
        )
        return next((level for level in levels if level is not Level.NONE), Level.NONE)

    @property
    def _urgent(self) -> bool:
        return (
            self.medical in {Medical.L1, Medical.L2}
            or self.distress is Distress.P2
            or self.complaint is Complaint.K3
        )

    def as_json(self) -> dict[str, object]:
        """Return the `safety` object of the taxonomy."""
        return {
            "level": self.level.value,
            "medical": self.medical.value,
            "distress": self.distress.value,
            "complaint": self.complaint.value,
            "flags": [flag.value for flag in self.flags],
            "why": [reason.as_json() for reason in self.why],
        }


def combine(one: Assessment, other: Assessment) -> Assessment:
    """Return the worse of two readings of one message on each track, with the reasons of both.

    The emotion is that of the first.
    """
    return Assessment(
        medical=worst(one.medical, other.medical),
        distress=worst(one.distress, other.distress),
        complaint=worst(one.complaint, other.complaint),
        flags=in_order((*one.flags, *other.flags)),
        why=(*one.why, *(reason for reason in other.why if reason not in one.why)),
        emotion=one.emotion,
    )


def in_order(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Return each flag once, in the order of `Flag`."""
    found = set(flags)
    return tuple(flag for flag in Flag if flag in found)
