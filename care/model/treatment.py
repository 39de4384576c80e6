"""A treatment that was done, and the episode of recovery it opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from care.model.ids import EpisodeId, MemberId, TreatmentId


@dataclass(slots=True)
class Treatment:
    """What was done, when it ended, and what about it changes the after-care."""

    id: TreatmentId
    member_id: MemberId
    kind: str  # a protocol code: implant, extraction, …
    practitioner: str
    clinic: str
    ended_at: datetime
    created_at: datetime
    facts: frozenset[str] = frozenset()  # bone_graft, sinus_lift, …
    sutures_out_on: date | None = None
    external_ref: str | None = None
    instructions: str | None = None  # the doctor's own words to the member, repeated and never added to
    next_step: str | None = None  # what the plan of treatment has next, as the member may read it
    pain_before: float | None = None  # 0-10, before the treatment

    def day(self, now: datetime, zone: ZoneInfo) -> int:
        """Return the recovery day in the member's zone; the day of treatment is 0."""
        return (now.astimezone(zone).date() - self.ended_at.astimezone(zone).date()).days


class EpisodeStatus(StrEnum):
    """Whether a recovery is still being looked after."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Episode:
    """One treatment's recovery under one version of one protocol."""

    id: EpisodeId
    member_id: MemberId
    treatment_id: TreatmentId
    protocol: str
    version: str
    opened_at: datetime
    status: EpisodeStatus = EpisodeStatus.OPEN
    closed_at: datetime | None = None
    closed_reason: str | None = None  # a code: stop, over, or what a colleague or the practice said
