"""Moments of cases on SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, literal_column, or_, select, update

from care.adapters.sql import case_tables as t
from care.model.deadline import Deadline, DeadlineKind
from care.model.errors import NotFound
from care.model.ids import CaseId

WAITING: ColumnElement[bool] = literal_column(
    "case_deadline.done_at IS NULL"
)  # word for word as in the partial index


class SqlDeadlines:
    """Moments at which something has to happen about a case."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, deadline: Deadline) -> None:
        self._db.execute(
            insert(t.case_deadline).values(
                id=deadline.id,
                case_id=deadline.case_id,
                kind=deadline.kind.value,
                step=deadline.step,
                due_at=deadline.due_at,
            )
        )

    def get(self, deadline_id: str, *, lock: bool = False) -> Deadline:
        query = select(t.case_deadline).where(t.case_deadline.c.id == deadline_id)
        if lock:
            query = query.with_for_update()
        row = self._db.execute(query).mappings().first()
        if row is None:
            raise NotFound("deadline", deadline_id)
        return _deadline(row)

    def save(self, deadline: Deadline) -> None:
        self._db.execute(
            update(t.case_deadline)
            .where(t.case_deadline.c.id == deadline.id)
            .values(
                due_at=deadline.due_at,
                done_at=deadline.done_at,
                outcome=deadline.outcome,
                lease_until=deadline.lease_until,
            )
        )

    def waiting(self, case_id: CaseId) -> list[Deadline]:
        c = t.case_deadline.c
        rows = self._db.execute(
            select(t.case_deadline).where(c.case_id == case_id, c.done_at.is_(None)).order_by(c.due_at, c.step)
        ).mappings()
        return [_deadline(row) for row in rows]

    def let_go(self, case_id: CaseId, kinds: frozenset[DeadlineKind], outcome: str, at: datetime) -> None:
        c = t.case_deadline.c
        self._db.execute(
            update(t.case_deadline)
            .where(c.case_id == case_id, c.done_at.is_(None), c.kind.in_([kind.value for kind in kinds]))
            .values(done_at=at, outcome=outcome)
        )

    def claim_due(self, now: datetime, lease_until: datetime, limit: int) -> list[Deadline]:
        c = t.case_deadline.c
        query = (
            select(t.case_deadline)
            .where(WAITING, c.due_at <= now, or_(c.lease_until.is_(None), c.lease_until <= now))
            .order_by(c.due_at, c.step, c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = [_deadline(row) for row in self._db.execute(query).mappings().all()]
        if due:
            self._db.execute(
                update(t.case_deadline).where(c.id.in_([one.id for one in due])).values(lease_until=lease_until)
            )
        return due


def _deadline(row: RowMapping) -> Deadline:
    return Deadline(
        id=row["id"],
        case_id=CaseId(row["case_id"]),
        kind=DeadlineKind(row["kind"]),
        step=row["step"],
        due_at=row["due_at"],
        done_at=row["done_at"],
        outcome=row["outcome"],
        lease_until=row["lease_until"],
    )
