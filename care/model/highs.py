"""Emotional highs: pictures before and after, milestones, anniversaries; whether one may be shown now, and why not.

Pure. Pictures go to the member alone, by the doctor's own tap, with a consent for each step. Public use of pictures
is no matter for this code: nothing here sends one anywhere but to the member they show.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

#: Tracks and levels whose open cases forbid a high; clinic protocol 2026-11.
CASE_LETTERS = frozenset({"L", "P", "K"})
DOCTOR = "doctor"


class PictureConsent(StrEnum):
    """The four boxes, each ticked on its own; the last is off unless ticked and can be taken back."""

    TAKE = "a"
    SEND_BACK = "b"
    TEACH = "c"
    PUBLISH = "d"


@dataclass(frozen=True, slots=True)
class High:
    """One kind of moment as the clinic decided it."""

    code: str
    name: str
    moment: str  # what has happened, for whoever reviews
    wording: str
    treatments: tuple[str, ...] = ()  # of these only; of all if none
    from_day: int | None = None  # of the recovery, or of what the high is about
    to_day: int | None = None
    picture: bool = False
    consents: tuple[PictureConsent, ...] = ()
    mood_at_least: int = 3
    pain_below: int = 4
    budget: Literal["counts", "in_treatment"] = "counts"


@dataclass(frozen=True, slots=True)
class Highs:
    """All highs of a pack, and how often they come."""

    version: str
    approved_by: str
    a_month: int
    moments: tuple[High, ...]

    def find(self, code: str) -> High | None:
        """Return the high with this code."""
        return next((one for one in self.moments if one.code == code), None)


@dataclass(frozen=True, slots=True)
class MemberNow:
    """What a high is held against."""

    now: datetime
    treatment: str | None = None
    day: int | None = None
    mood: int | None = None  # the last report
    pain: float | None = None
    open_levels: Collection[str] = ()  # of unresolved cases: L2, K1 …
    facts: Collection[str] = ()  # bereaved, treatment_failed, frozen
    consents: Mapping[PictureConsent, bool] | None = None
    highs_at: Sequence[datetime] = ()  # those that counted against the budget


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a high may be shown, and the code of the reason if not."""

    allowed: bool
    reason: str = "allowed"


def may_show(high: High, member: MemberNow, *, by_role: str | None, a_month: int) -> Allowance:
    """Return whether a high may be shown to a member now.

    Args:
        high: the moment.
        member: as they are now.
        by_role: the role of the colleague whose tap it is; None when nobody tapped.
        a_month: how many highs outside treatment a month may have.

    Returns:
        One reason: the first that forbids it, what matters most first.
    """
    forbidden: tuple[tuple[bool, str], ...] = (
        (any(level[:1] in CASE_LETTERS for level in member.open_levels), "open_case"),
        ("bereaved" in member.facts, "bereaved"),
        ("treatment_failed" in member.facts, "treatment_failed"),
        ("frozen" in member.facts, "frozen"),
        (member.mood is not None and member.mood < high.mood_at_least, "low_mood"),
        (member.pain is not None and member.pain >= high.pain_below, "pain"),
        (bool(high.treatments) and member.treatment not in high.treatments, "other_treatment"),
        (high.from_day is not None and (member.day is None or member.day < high.from_day), "too_early"),
        (high.to_day is not None and (member.day is None or member.day > high.to_day), "too_late"),
        (high.picture and by_role != DOCTOR, "not_by_the_doctor"),
        (any(not (member.consents or {}).get(box, False) for box in _boxes(high)), "no_consent"),
        (high.budget == "counts" and _spent(member) >= a_month, "budget"),
    )
    reason = next((code for holds, code in forbidden if holds), None)
    return Allowance(False, reason) if reason else Allowance(True)


def _boxes(high: High) -> tuple[PictureConsent, ...]:
    """Return the boxes that must be ticked; a picture never goes with fewer than taking and sending back."""
    least = (PictureConsent.TAKE, PictureConsent.SEND_BACK) if high.picture else ()
    return tuple(dict.fromkeys((*least, *high.consents)))


def _spent(member: MemberNow) -> int:
    return sum(1 for at in member.highs_at if timedelta(0) <= member.now - at < timedelta(days=30))
