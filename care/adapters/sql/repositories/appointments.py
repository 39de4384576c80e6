"""The appointment book on SQL. The primary key of `taken_cell` is what refuses a double booking."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from care.adapters.sql import tables as t
from care.adapters.sql.keys import Keyring
from care.model.appointment import Appointment, AppointmentStatus, Hold, Slot
from care.model.errors import Conflict, NotFound, SlotTaken
from care.model.ids import AppointmentId, HoldId, MemberId

SLOT_COLUMNS = ("service", "practitioner", "clinic", "chair", "start_at", "end_at")


class SqlAppointments:
    """Visits, holds and the cells they take."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add(self, appointment: Appointment) -> None:
        try:
            with self._db.begin_nested():
                self._take(appointment.slot, appointment.id, expires_at=None)
                self._insert(appointment)
        except IntegrityError as clash:
            raise Conflict("this booking was made already") from clash

    def get(self, appointment_id: AppointmentId) -> Appointment:
        row = self._first(t.appointment.c.id == appointment_id)
        if row is None:
            raise NotFound("appointment", appointment_id)
        return self._appointment(row)

    def by_key(self, key: str) -> Appointment | None:
        row = self._first(t.appointment.c.key == key)
        return self._appointment(row) if row else None

    def of_member(self, member_id: MemberId, *, after: datetime | None = None) -> list[Appointment]:
        query = select(t.appointment).where(
            t.appointment.c.member_id == member_id,
            t.appointment.c.status == AppointmentStatus.BOOKED.value,
        )
        if after is not None:
            query = query.where(t.appointment.c.start_at > after)
        rows = self._db.execute(query.order_by(t.appointment.c.start_at)).mappings()
        return [self._appointment(row) for row in rows]

    def between(self, start: datetime, end: datetime) -> list[Appointment]:
        rows = self._db.execute(
            select(t.appointment)
            .where(
                t.appointment.c.start_at >= start,
                t.appointment.c.start_at < end,
                t.appointment.c.status == AppointmentStatus.BOOKED.value,
            )
            .order_by(t.appointment.c.start_at)
        ).mappings()
        return [self._appointment(row) for row in rows]

    def close(self, appointment: Appointment) -> None:
        self._db.execute(
            update(t.appointment)
            .where(t.appointment.c.id == appointment.id)
            .values(status=appointment.status.value, closed_at=appointment.closed_at)
        )
        if appointment.status in {AppointmentStatus.CANCELLED, AppointmentStatus.MOVED}:
            self._free(appointment.id)

    def annotate(self, appointment: Appointment) -> None:
        self._db.execute(
            update(t.appointment)
            .where(t.appointment.c.id == appointment.id)
            .values(
                detail_sealed=self._seal(
                    appointment.member_id, "appointment", appointment.id, appointment.for_whom, appointment.note
                )
            )
        )

    def hold(self, hold: Hold) -> None:
        self.release(hold.member_id)
        self._take(hold.slot, hold.id, expires_at=hold.expires_at)
        self._db.execute(
            insert(t.hold).values(
                id=hold.id,
                member_id=hold.member_id,
                expires_at=hold.expires_at,
                moves=hold.moves,
                detail_sealed=self._seal(hold.member_id, "hold", hold.id, hold.for_whom, None),
                **_columns(hold.slot),
            )
        )

    def hold_of(self, member_id: MemberId, now: datetime) -> Hold | None:
        row = (
            self._db.execute(select(t.hold).where(t.hold.c.member_id == member_id, t.hold.c.expires_at > now))
            .mappings()
            .first()
        )
        if row is None:
            return None
        return Hold(
            id=HoldId(row["id"]),
            member_id=member_id,
            slot=_slot(row),
            expires_at=row["expires_at"],
            for_whom=self._detail(member_id, "hold", row)[0],
            moves=AppointmentId(row["moves"]) if row["moves"] else None,
        )

    def release(self, member_id: MemberId) -> None:
        held = self._db.execute(select(t.hold.c.id).where(t.hold.c.member_id == member_id)).scalars().all()
        for hold_id in held:
            self._free(hold_id)
        self._db.execute(delete(t.hold).where(t.hold.c.member_id == member_id))

    def release_expired(self, now: datetime) -> int:
        self._db.execute(delete(t.taken_cell).where(t.taken_cell.c.expires_at <= now))
        return self._db.execute(delete(t.hold).where(t.hold.c.expires_at <= now)).rowcount

    def turn_into_visit(self, hold: Hold, appointment: Appointment) -> None:
        moved = self._db.execute(
            update(t.taken_cell)
            .where(t.taken_cell.c.taken_by == hold.id)
            .values(taken_by=appointment.id, expires_at=None)
        )
        if moved.rowcount != len(list(hold.slot.cells())):
            raise SlotTaken("the hold no longer covers its time")
        self._db.execute(delete(t.hold).where(t.hold.c.id == hold.id))
        self._insert(appointment)

    def taken(self, start: datetime, end: datetime, now: datetime) -> set[tuple[str, datetime]]:
        rows = self._db.execute(
            select(t.taken_cell.c.resource, t.taken_cell.c.at).where(
                t.taken_cell.c.at >= start,
                t.taken_cell.c.at < end,
                (t.taken_cell.c.expires_at.is_(None)) | (t.taken_cell.c.expires_at > now),
            )
        )
        return {(resource, at) for resource, at in rows}

    def _take(self, slot: Slot, taker: str, *, expires_at: datetime | None) -> None:
        cells = [{"resource": r, "at": at, "taken_by": taker, "expires_at": expires_at} for r, at in slot.cells()]
        try:
            with self._db.begin_nested():
                self._db.execute(insert(t.taken_cell), cells)
        except IntegrityError as clash:
            raise SlotTaken("this time was taken by somebody else") from clash

    def _free(self, taker: str) -> None:
        self._db.execute(delete(t.taken_cell).where(t.taken_cell.c.taken_by == taker))

    def _insert(self, appointment: Appointment) -> None:
        self._db.execute(
            insert(t.appointment).values(
                id=appointment.id,
                member_id=appointment.member_id,
                created_at=appointment.created_at,
                status=appointment.status.value,
                moved_from=appointment.moved_from,
                key=appointment.key,
                closed_at=appointment.closed_at,
                detail_sealed=self._seal(
                    appointment.member_id,
                    "appointment",
                    appointment.id,
                    appointment.for_whom,
                    appointment.note,
                ),
                **_columns(appointment.slot),
            )
        )

    def _first(self, condition: Any) -> RowMapping | None:
        return self._db.execute(select(t.appointment).where(condition)).mappings().first()

    def _seal(self, member_id: MemberId, table: str, row: str, whom: str | None, note: str | None) -> bytes | None:
        detail = [whom, note] if whom or note else None
        return self._keys.seal(member_id, table, "detail", row, detail)

    def _detail(self, member_id: MemberId, table: str, row: RowMapping) -> tuple[str | None, str | None]:
        whom, note = self._keys.open(member_id, table, "detail", row["id"], row["detail_sealed"]) or (
            None,
            None,
        )
        return whom, note

    def _appointment(self, row: RowMapping) -> Appointment:
        member_id = MemberId(row["member_id"])
        for_whom, note = self._detail(member_id, "appointment", row)
        return Appointment(
            id=AppointmentId(row["id"]),
            member_id=member_id,
            slot=_slot(row),
            created_at=row["created_at"],
            status=AppointmentStatus(row["status"]),
            for_whom=for_whom,
            note=note,
            moved_from=AppointmentId(row["moved_from"]) if row["moved_from"] else None,
            key=row["key"],
            closed_at=row["closed_at"],
        )


def _slot(row: RowMapping) -> Slot:
    return Slot(**{name: row[name] for name in SLOT_COLUMNS})


def _columns(slot: Slot) -> dict[str, Any]:
    return {name: getattr(slot, name) for name in SLOT_COLUMNS}
