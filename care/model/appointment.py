"""The appointment book: times, the cells they occupy, and the visits in them.

A practitioner and a chair are each taken for every quarter of an hour of a visit. The database allows each
(resource, quarter) once, which is what makes a double booking impossible on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from care.model.errors import NaiveDatetime
from care.model.ids import AppointmentId, HoldId, MemberId

CELL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which a service can be done by somebody in some chair. Aware UTC."""

    service: str
    practitioner: str
    clinic: str
    chair: str
    start_at: datetime
    end_at: datetime

    def cells(self) -> Iterator[tuple[str, datetime]]:
        """Yield each (resource, quarter of an hour) this slot occupies."""
        for resource in (f"practitioner:{self.practitioner}", f"chair:{self.clinic}:{self.chair}"):
            for at in quarters(self.start_at, self.end_at):
                yield resource, at


@dataclass(frozen=True, slots=True)
class Opening:
    """A time a practitioner works and could do a service; whether it is free, only the book knows. Aware UTC."""

    service: str
    practitioner: str
    clinic: str
    chairs: tuple[str, ...]  # any one of them will do
    start_at: datetime
    end_at: datetime

    def slot(self, taken: set[tuple[str, datetime]]) -> Slot | None:
        """Return this time in the first free chair, or None if practitioner or chairs are taken."""
        for chair in self.chairs:
            slot = Slot(self.service, self.practitioner, self.clinic, chair, self.start_at, self.end_at)
            if not any(cell in taken for cell in slot.cells()):
                return slot
        return None


def quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the start of every quarter of an hour from `start` to before `end`, in UTC.

    Raises:
        NaiveDatetime: if `start` carries no zone.
    """
    if start.tzinfo is None:
        raise NaiveDatetime("a slot needs a zone")
    at = start.astimezone(UTC)
    at -= timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    while at < end:
        yield at
        at += CELL


class AppointmentStatus(StrEnum):
    """What became of a visit."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    MOVED = "moved"
    DONE = "done"
    NO_SHOW = "no_show"


@dataclass(slots=True)
class Appointment:
    """A visit that was agreed."""

    id: AppointmentId
    member_id: MemberId
    slot: Slot
    created_at: datetime
    status: AppointmentStatus = AppointmentStatus.BOOKED
    for_whom: str | None = None  # 妈, 儿子…; None when for the member
    note: str | None = None
    moved_from: AppointmentId | None = None
    key: str | None = None  # the turn that made it, so that a repeat changes nothing
    closed_at: datetime | None = None


@dataclass(slots=True)
class Hold:
    """A time kept for a member while they make up their mind."""

    id: HoldId
    member_id: MemberId
    slot: Slot
    expires_at: datetime
    for_whom: str | None = None
    moves: AppointmentId | None = None  # the visit this would replace
