"""What a human has to do for a member besides answering a case, and calls that were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from care.model.ids import CaseId, MemberId, StaffId
from care.model.staff import Role


class TaskKind(StrEnum):
    """What has to be done."""

    NEXT_DAY = "next_day"  # the day after a crisis a human looks after the member
    REVIEW = "review"  # a supervisor goes through what was done in a crisis
    LEAD_TOLD = "lead_told"  # the lead hears of severe distress
    COMPLAINT_LEGAL = "complaint_legal"  # a complaint nears or has passed the law's deadline


#: Tasks done on the phone with the member; the others are done at the desk.
ON_THE_PHONE = frozenset({TaskKind.NEXT_DAY})


@dataclass(slots=True)
class CarerTask:
    """One thing somebody has to do once; `key` keeps it from being made twice."""

    id: str
    key: str
    member_id: MemberId
    kind: TaskKind
    role: Role
    opened_at: datetime
    due_at: datetime
    case_id: CaseId | None = None
    assigned: StaffId | None = None
    done_at: datetime | None = None
    done_by: StaffId | None = None
    note: str = ""  # sealed


class CallOutcome(StrEnum):
    """How a call ended."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    AGAIN = "again"  # at a moment the member named


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """A call somebody made about a case or a task."""

    id: str
    member_id: MemberId
    about: str  # case:<id> or task:<id>
    by: StaffId
    at: datetime
    outcome: CallOutcome
    again_at: datetime | None = None
    note: str = ""  # sealed
