"""Moments at which something has to happen about a case, whoever is awake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from care.model.ids import CaseId


class DeadlineKind(StrEnum):
    """What has to happen."""

    WARN = "warn"  # its owner is told that the time runs out
    BREACH = "breach"  # the promise is broken: the member is told, the case climbs
    ESCALATE = "escalate"  # it climbs one more rung
    LEGAL_WARN = "legal_warn"
    LEGAL = "legal"  # the law's own deadline for a complaint
    ASK_MEMBER = "ask_member"  # silence after "solved?": a carer asks once
    CLOSE = "close"  # silence after that: it waits to be closed
    RESUME = "resume"  # a clock that was held goes on
    PRESENCE = "presence"  # a short sign to somebody in a crisis until a human is in


#: What stops while a clock is held, and when the promise is kept.
OF_PROMISE = frozenset({DeadlineKind.WARN, DeadlineKind.BREACH, DeadlineKind.ESCALATE})
#: What the clock of a promise is made of; planned anew whenever the case changes.
OF_CLOCK = OF_PROMISE | {DeadlineKind.LEGAL_WARN, DeadlineKind.LEGAL}


@dataclass(frozen=True, slots=True)
class Planned:
    """A moment that follows from how a case stands."""

    kind: DeadlineKind
    step: int  # which rung an escalation is for; 0 otherwise
    due_at: datetime


@dataclass(slots=True)
class Deadline:
    """A stored moment. It happens once: whoever finds `done_at` set has nothing left to do."""

    id: str
    case_id: CaseId
    kind: DeadlineKind
    due_at: datetime
    step: int = 0
    done_at: datetime | None = None
    outcome: str | None = None  # `done`, or why it was let go: `replaced`, `kept`, `paused`
    lease_until: datetime | None = None
