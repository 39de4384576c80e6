"""Tasks of colleagues and their calls on SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, literal_column, select, update

from care.adapters.sql import case_tables as t
from care.adapters.sql.keys import Keyring
from care.model.errors import NotFound
from care.model.ids import CaseId, MemberId, StaffId
from care.model.staff import Role
from care.model.tasks import CallOutcome, CarerTask, PhoneCall, TaskKind

WAITING: ColumnElement[bool] = literal_column("carer_task.done_at IS NULL")  # word for word as in the partial index


class SqlTasks:
    """Tasks of colleagues, and calls they made."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add(self, task: CarerTask) -> bool:
        known = self._db.execute(select(t.carer_task.c.id).where(t.carer_task.c.key == task.key)).first()
        if known is not None:
            return False
        self._db.execute(
            insert(t.carer_task).values(
                id=task.id,
                key=task.key,
                member_id=task.member_id,
                case_id=task.case_id,
                kind=task.kind.value,
                role=task.role.value,
                opened_at=task.opened_at,
                **self._changing(task),
            )
        )
        return True

    def get(self, task_id: str, *, lock: bool = False) -> CarerTask:
        query = select(t.carer_task).where(t.carer_task.c.id == task_id)
        if lock:
            query = query.with_for_update()
        row = self._db.execute(query).mappings().first()
        if row is None:
            raise NotFound("task", task_id)
        return self._task(row)

    def save(self, task: CarerTask) -> None:
        self._db.execute(update(t.carer_task).where(t.carer_task.c.id == task.id).values(**self._changing(task)))

    def open(self) -> list[CarerTask]:
        rows = self._db.execute(select(t.carer_task).where(WAITING).order_by(t.carer_task.c.due_at)).mappings()
        return [self._task(row) for row in rows]

    def of_member(self, member_id: MemberId) -> list[CarerTask]:
        c = t.carer_task.c
        rows = self._db.execute(
            select(t.carer_task).where(c.member_id == member_id).order_by(c.opened_at.desc())
        ).mappings()
        return [self._task(row) for row in rows]

    def write_call(self, call: PhoneCall) -> None:
        note = self._keys.seal(call.member_id, "phone_call", "note", call.id, call.note) if call.note else None
        self._db.execute(
            insert(t.phone_call).values(
                id=call.id,
                member_id=call.member_id,
                about=call.about,
                by=call.by,
                at=call.at,
                outcome=call.outcome.value,
                again_at=call.again_at,
                note_sealed=note,
            )
        )

    def calls(self, about: Sequence[str]) -> list[PhoneCall]:
        c = t.phone_call.c
        rows = self._db.execute(select(t.phone_call).where(c.about.in_(about)).order_by(c.at.desc(), c.id)).mappings()
        return [self._call(row) for row in rows]

    def _changing(self, task: CarerTask) -> dict[str, Any]:
        note = self._keys.seal(task.member_id, "carer_task", "note", task.id, task.note) if task.note else None
        return {
            "assigned": task.assigned,
            "due_at": task.due_at,
            "done_at": task.done_at,
            "done_by": task.done_by,
            "note_sealed": note,
        }

    def _task(self, row: RowMapping) -> CarerTask:
        member_id = MemberId(row["member_id"])
        return CarerTask(
            id=row["id"],
            key=row["key"],
            member_id=member_id,
            case_id=CaseId(row["case_id"]) if row["case_id"] else None,
            kind=TaskKind(row["kind"]),
            role=Role(row["role"]),
            assigned=StaffId(row["assigned"]) if row["assigned"] else None,
            opened_at=row["opened_at"],
            due_at=row["due_at"],
            done_at=row["done_at"],
            done_by=StaffId(row["done_by"]) if row["done_by"] else None,
            note=self._keys.open(member_id, "carer_task", "note", row["id"], row["note_sealed"]) or "",
        )

    def _call(self, row: RowMapping) -> PhoneCall:
        member_id = MemberId(row["member_id"])
        return PhoneCall(
            id=row["id"],
            member_id=member_id,
            about=row["about"],
            by=StaffId(row["by"]),
            at=row["at"],
            outcome=CallOutcome(row["outcome"]),
            again_at=row["again_at"],
            note=self._keys.open(member_id, "phone_call", "note", row["id"], row["note_sealed"]) or "",
        )
