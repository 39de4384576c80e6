"""A planned contact, from the moment it is planned to its one recorded outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from care.model.ids import AppointmentId, EpisodeId, MemberId, MessageId, TouchpointId


class TouchpointState(StrEnum):
    """Where a planned contact stands. Everything but the first three is an outcome."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    POSTPONED = "postponed"
    HANDED_OVER = "handed_over"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    EXPIRED = "expired"


WAITING = frozenset({TouchpointState.PLANNED, TouchpointState.POSTPONED})


class TouchpointKind(StrEnum):
    """What a planned contact is for."""

    CHECK_IN = "check_in"
    RECHECK = "recheck"
    REMINDER = "reminder"


@dataclass(slots=True)
class Touchpoint:
    """One contact with one member, due at one moment."""

    id: TouchpointId
    member_id: MemberId
    kind: TouchpointKind
    plan: str  # A0, A1 … of the protocol, or the name of a reminder
    occurrence: str  # what makes it unique within the plan: the episode, the appointment
    version: str
    due_at: datetime
    expires_at: datetime
    created_at: datetime
    safety: bool = False
    state: TouchpointState = TouchpointState.PLANNED
    reason: str | None = None
    episode_id: EpisodeId | None = None
    appointment_id: AppointmentId | None = None
    ask: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    attempts: int = 0
    lease: int = 0
    lease_until: datetime | None = None
    handed_over_at: datetime | None = None
    closed_at: datetime | None = None  # when the member answered the last question, or it went quiet
    silence_step: int = 0  # 0 nothing yet, 1 second channel tried, 2 a carer was asked to phone

    @property
    def open_question(self) -> str | None:
        """The question the member has been asked and not yet answered."""
        if self.state is not TouchpointState.HANDED_OVER or self.closed_at is not None:
            return None
        return next((q for q in self.ask if q not in self.answered), None)


@dataclass(slots=True)
class Answer:
    """What a member told us, and what the rules made of it."""

    id: str
    member_id: MemberId
    question: str
    value: str
    at: datetime
    verdict: str
    rule: str
    level: str | None = None
    reason: str = ""
    episode_id: EpisodeId | None = None
    touchpoint_id: TouchpointId | None = None
    message_id: MessageId | None = None
    day: int | None = None
    because: tuple[str, ...] = ()  # ids of the other answers the decision rests on
