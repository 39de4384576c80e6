"""What a message says about danger, on three tracks that run side by side."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Medical(StrEnum):
    """How urgent the body is."""

    NONE = "none"
    WATCH = "watch"
    L3 = "L3"
    L2 = "L2"
    L1 = "L1"
    L0 = "L0"


class Distress(StrEnum):
    """How heavy the heart is."""

    NONE = "none"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Complaint(StrEnum):
    """How serious a grievance is."""

    NONE = "none"
    K1 = "K1"
    K2 = "K2"
    K3 = "K3"


class Level(StrEnum):
    """The three tracks summed up for routing and display."""

    NONE = "none"
    WATCH = "watch"
    URGENT = "urgent"
    EMERGENCY = "emergency"
    CRISIS = "crisis"


class Flag(StrEnum):
    """What a message says is going on now."""

    BLEEDING = "bleeding"
    FEVER = "fever"
    SWELLING = "swelling"
    SEVERE_PAIN = "severe_pain"
    NUMBNESS = "numbness"
    TRISMUS = "trismus"
    BREATHING = "breathing"
    SWALLOWING = "swallowing"
    DRY_SOCKET = "dry_socket"
    IMPLANT_LOOSE = "implant_loose"
    ALLERGY = "allergy"
    INFECTION_PUS = "infection_pus"
    FAINT = "faint"
    CHEST_PAIN = "chest_pain"
    VISION = "vision"
    SWALLOWED_PART = "swallowed_part"
    WIRE_INJURY = "wire_injury"
    CHEMICAL_BURN = "chemical_burn"
    SINUS = "sinus"
    WOUND_OPEN = "wound_open"
    MEDICATION_ERROR = "medication_error"
    DISTRESS = "distress"
    SELF_HARM = "self_harm"
    VIOLENCE = "violence"
    HARM_BY_OTHERS = "harm_by_others"
    COMPLAINT_SEVERE = "complaint_severe"


MEDICAL = tuple(Medical)
DISTRESS = tuple(Distress)
COMPLAINT = tuple(Complaint)


@dataclass(frozen=True, slots=True)
class Why:
    """Which words raised what; `start` and `end` count characters of the original text."""

    track: str
    words: str
    rule: str
    start: int
    end: int


#: What can speak from a message; see the taxonomy.
EMOTIONS = (
    *("calm", "happy", "relieved", "anxious", "afraid", "sad", "lonely", "angry", "disgusted", "in_pain", "ashamed"),
    "unclear",
)


@dataclass(frozen=True, slots=True)
class Emotion:
    """The feeling a message carries; valence −1 to 1; the words that led to it, where it is not calm."""

    label: str = "calm"
    valence: float = 0.0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What was asked last, and the member's latest treatment with its day."""

    asked: str | None = None
    treatment: str | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict on one message, with its reasons."""

    medical: Medical = Medical.NONE
    distress: Distress = Distress.NONE
    complaint: Complaint = Complaint.NONE
    flags: tuple[Flag, ...] = ()
    why: tuple[Why, ...] = ()
    emotion: Emotion = Emotion()

    @property
    def level(self) -> Level:
        """Sum the tracks up; see the taxonomy."""
        if self.distress is Distress.P3:
            return Level.CRISIS
        if self.medical is Medical.L0:
            return Level.EMERGENCY
        if self.medical in {Medical.L1, Medical.L2} or self.distress is Distress.P2 or self.complaint is Complaint.K3:
            return Level.URGENT
        if self.medical is Medical.WATCH or self.distress is Distress.P1:
            return Level.WATCH
        return Level.NONE

    def as_json(self) -> dict[str, object]:
        """Return the verdict as JSON carries it."""
        return {
            "level": self.level.value,
            "medical": self.medical.value,
            "distress": self.distress.value,
            "complaint": self.complaint.value,
            "flags": [flag.value for flag in self.flags],
            "why": [
                {"track": why.track, "words": why.words, "rule": why.rule, "start": why.start, "end": why.end}
                for why in self.why
            ],
        }


def worst(one: Assessment, other: Assessment) -> Assessment:
    """Return the worse of each track, with the reasons of both."""
    return Assessment(
        medical=max(one.medical, other.medical, key=MEDICAL.index),
        distress=max(one.distress, other.distress, key=DISTRESS.index),
        complaint=max(one.complaint, other.complaint, key=COMPLAINT.index),
        flags=tuple(dict.fromkeys((*one.flags, *other.flags))),
        why=(*one.why, *other.why),
        emotion=one.emotion if one.emotion.valence <= other.emotion.valence else other.emotion,
    )
