"""A case: something a human must do for a member, by a stated moment.

Who that is and which moment, for each level, is the clinic's promise and stands in its pack; see `care.model.ladder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from care.model.ids import CaseId, MemberId, MessageId, StaffId


class CaseLevel(StrEnum):
    """How much hurry a case has, in four families: medical, psychological, care, complaint."""

    L0 = "L0"
    P3 = "P3"
    L1 = "L1"
    K3 = "K3"
    P2 = "P2"
    L2 = "L2"
    W2 = "W2"
    K2 = "K2"
    W1 = "W1"
    L3 = "L3"
    K1 = "K1"


URGENCY = tuple(CaseLevel)  # most urgent first
ALARM = frozenset({CaseLevel.L0, CaseLevel.P3})


class Track(StrEnum):
    """Which side of care a case belongs to; each runs its own clock."""

    MEDICAL = "medical"
    DISTRESS = "distress"
    CARE = "care"
    COMPLAINT = "complaint"


TRACK_OF = {"L": Track.MEDICAL, "P": Track.DISTRESS, "W": Track.CARE, "K": Track.COMPLAINT}


class CaseState(StrEnum):
    """Whether a human still owes something."""

    OPEN = "open"
    TAKEN = "taken"
    ASKED = "asked"  # a complaint that a colleague calls solved; the member was asked whether it is
    UNCONFIRMED = "unconfirmed"  # 待确认关闭: nobody answered, also not a carer who asked once more
    RESOLVED = "resolved"


class PauseReason(StrEnum):
    """Why a clock stands still."""

    WAITING_MEMBER = "waiting_member"  # only the member can go on: a picture, a decision
    MEMBER_LATER = "member_later"  # the member named a later moment
    THIRD_PARTY = "third_party"  # somebody outside has to answer first: a laboratory, an insurer


@dataclass(slots=True)
class Case:
    """One promise to one member."""

    id: CaseId
    member_id: MemberId
    level: CaseLevel
    reason: str  # a code; the words are in the member's message
    opened_at: datetime
    due_at: datetime
    state: CaseState = CaseState.OPEN
    summary: str = ""
    owner: StaffId | None = None
    message_id: MessageId | None = None
    taken_at: datetime | None = None
    resolved_at: datetime | None = None
    breached_at: datetime | None = None
    acknowledged_at: datetime | None = None
    outcome: str | None = None
    assigned: StaffId | None = None  # whose turn it is: the name the member was told
    assigned_at: datetime | None = None
    raised_at: datetime | None = None  # since when it has this level and this clock; None: since it was opened
    step: int = 0  # how many rungs it has climbed
    warned_at: datetime | None = None
    paused_at: datetime | None = None
    pause_reason: PauseReason | None = None
    several: bool = False  # several departments have to answer a complaint
    about: StaffId | None = None  # the colleague a complaint is about, who cannot close it
    legal_late_at: datetime | None = None
    asked_at: datetime | None = None  # when the member was asked whether it is solved
    carer_asks: bool = False  # nobody answered that: a carer asks once

    @property
    def track(self) -> Track:
        """The family the level belongs to."""
        return TRACK_OF[self.level.value[0]]

    @property
    def alarm(self) -> bool:
        """Whether the console must ring until somebody acknowledges it."""
        return self.level in ALARM and self.acknowledged_at is None and self.state is CaseState.OPEN


def more_urgent(one: CaseLevel, other: CaseLevel) -> bool:
    """Whether `one` comes before `other`."""
    return URGENCY.index(one) < URGENCY.index(other)
