"""Alarms to colleagues' phones about cases that cannot wait for somebody to look at the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from care.model.case import CaseLevel
from care.model.ids import CaseId, MemberId, StaffId

#: Levels whose first human is due within minutes.
RINGING = (CaseLevel.L0, CaseLevel.P3, CaseLevel.L1)
#: After the first round: when nobody has acknowledged by then, more people are rung, again and again.
AGAIN_AFTER = (timedelta(minutes=2), timedelta(minutes=3), timedelta(minutes=5))
ROUNDS = 8  # then the case is long broken, and the console says so


@dataclass(slots=True)
class Alarm:
    """One case that rings. A case raised or started anew is a new `occasion`."""

    case_id: CaseId
    member_id: MemberId
    level: CaseLevel
    opened_at: datetime
    due_at: datetime
    breached: bool
    occasion: str
    assigned: StaffId | None = None  # whose turn the case is
    rounds: int = 0  # rounds that were sent
    next_at: datetime | None = None


def occasion(level: CaseLevel, due_at: datetime) -> str:
    """Name what a case rings for: its level and its clock."""
    return f"{level}:{int(due_at.timestamp())}"


def again_after(rounds: int) -> timedelta | None:
    """Return how long after this many rounds the next one comes, or None if there is none."""
    if rounds >= ROUNDS:
        return None
    return AGAIN_AFTER[min(rounds, len(AGAIN_AFTER)) - 1]
