"""Colleagues and their logins on SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from care.adapters.sql import tables as t
from care.model.errors import Conflict, NotFound
from care.model.ids import StaffId
from care.model.staff import Role, Staff, StaffSession

CHANGING = ("name", "job_title", "password_hash", "active", "failed_logins", "locked_until", "wecom_id", "away_until")


class SqlStaffList:
    """The staff list."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, staff: Staff) -> None:
        try:
            with self._db.begin_nested():
                self._db.execute(
                    insert(t.staff).values(
                        id=staff.id,
                        login=staff.login,
                        role=staff.role.value,
                        created_at=staff.created_at,
                        **{name: getattr(staff, name) for name in CHANGING},
                    )
                )
        except IntegrityError as clash:
            raise Conflict("this login is taken") from clash

    def get(self, staff_id: StaffId) -> Staff:
        found = self._first(t.staff.c.id == staff_id)
        if found is None:
            raise NotFound("staff", staff_id)
        return found

    def by_login(self, login: str) -> Staff | None:
        return self._first(t.staff.c.login == login)

    def all(self) -> list[Staff]:
        rows = self._db.execute(select(t.staff).order_by(t.staff.c.active.desc(), t.staff.c.login)).mappings()
        return [_staff(row) for row in rows]

    def save(self, staff: Staff) -> None:
        self._db.execute(
            update(t.staff)
            .where(t.staff.c.id == staff.id)
            .values(role=staff.role.value, **{name: getattr(staff, name) for name in CHANGING})
        )

    def add_session(self, session: StaffSession) -> None:
        self._db.execute(
            insert(t.staff_session).values(
                token_hash=session.token_hash,
                staff_id=session.staff_id,
                csrf=session.csrf,
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
                expires_at=session.expires_at,
            )
        )

    def session(self, token_hash: str) -> StaffSession | None:
        row = (
            self._db.execute(select(t.staff_session).where(t.staff_session.c.token_hash == token_hash))
            .mappings()
            .first()
        )
        if row is None:
            return None
        return StaffSession(
            token_hash=row["token_hash"],
            staff_id=StaffId(row["staff_id"]),
            csrf=row["csrf"],
            created_at=row["created_at"],
            last_seen_at=row["last_seen_at"],
            expires_at=row["expires_at"],
        )

    def touch_session(self, token_hash: str, at: datetime) -> None:
        self._db.execute(
            update(t.staff_session).where(t.staff_session.c.token_hash == token_hash).values(last_seen_at=at)
        )

    def end_session(self, token_hash: str) -> None:
        self._db.execute(delete(t.staff_session).where(t.staff_session.c.token_hash == token_hash))

    def end_sessions_of(self, staff_id: StaffId) -> None:
        self._db.execute(delete(t.staff_session).where(t.staff_session.c.staff_id == staff_id))

    def _first(self, condition: Any) -> Staff | None:
        row = self._db.execute(select(t.staff).where(condition)).mappings().first()
        return _staff(row) if row else None


def _staff(row: RowMapping) -> Staff:
    return Staff(
        id=StaffId(row["id"]),
        login=row["login"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        **{name: row[name] for name in CHANGING},
    )
