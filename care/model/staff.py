"""People of the clinic who log in to the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from care.model.ids import StaffId


class Role(StrEnum):
    """What somebody at the clinic is there for."""

    CARER = "carer"
    NURSE = "nurse"
    DOCTOR = "doctor"
    FRONT_DESK = "front_desk"
    LEAD = "lead"
    HEAD_NURSE = "head_nurse"
    STORE_MANAGER = "store_manager"
    DIRECTOR = "director"  # clinic director, a doctor
    REGIONAL_MANAGER = "regional_manager"
    MEDICAL_DIRECTOR = "medical_director"  # of the whole group
    EXECUTIVE = "executive"  # on duty for the group
    ADMIN = "admin"


@dataclass(slots=True)
class Staff:
    """One colleague."""

    id: StaffId
    login: str
    name: str
    role: Role
    created_at: datetime
    job_title: str = "康复关怀师"
    password_hash: str = ""
    active: bool = True
    failed_logins: int = 0
    locked_until: datetime | None = None
    wecom_id: str | None = None  # the account alarms go to, 企业微信 userid
    away_until: datetime | None = None  # on a break, in treatment, at home; gets no new case until then

    def available(self, now: datetime) -> bool:
        """Whether a new case may go to this colleague."""
        return self.active and (self.away_until is None or self.away_until <= now)


@dataclass(slots=True)
class StaffSession:
    """A login; the cookie holds the token, we hold only its hash."""

    token_hash: str
    staff_id: StaffId
    csrf: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at a member's data, for the access log: a colleague, the bot, the practice system, the member."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


BOT_READER = Reader("bot", "")
SCHEDULER_READER = Reader("scheduler", "")
