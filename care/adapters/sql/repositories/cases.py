"""Cases on SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, literal_column, select, update

from care.adapters.sql import tables as t
from care.adapters.sql.keys import Keyring
from care.model.case import URGENCY, Case, CaseLevel, CaseState, PauseReason
from care.model.errors import NotFound
from care.model.ids import CaseId, MemberId, StaffId

CHANGING = (
    "reason",
    "due_at",
    "owner",
    "message_id",
    "taken_at",
    "resolved_at",
    "breached_at",
    "acknowledged_at",
    "assigned",
    "assigned_at",
    "raised_at",
    "step",
    "warned_at",
    "paused_at",
    "several",
    "about",
    "legal_late_at",
    "asked_at",
    "carer_asks",
)


class SqlCases:
    """What humans owe members."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add(self, case: Case) -> None:
        self._db.execute(
            insert(t.care_case).values(
                id=case.id, member_id=case.member_id, opened_at=case.opened_at, **self._row(case)
            )
        )

    def get(self, case_id: CaseId, *, lock: bool = False) -> Case:
        query = select(t.care_case).where(t.care_case.c.id == case_id)
        if lock:
            query = query.with_for_update()
        row = self._db.execute(query).mappings().first()
        if row is None:
            raise NotFound("case", case_id)
        return self._case(row)

    def save(self, case: Case) -> None:
        self._db.execute(update(t.care_case).where(t.care_case.c.id == case.id).values(**self._row(case)))

    def open_of(self, member_id: MemberId) -> list[Case]:
        c = t.care_case.c
        found = self._cases((c.member_id == member_id) & (c.state != CaseState.RESOLVED.value))
        return sorted(found, key=_urgency)

    def of_member(self, member_id: MemberId) -> list[Case]:
        found = self._cases(t.care_case.c.member_id == member_id)
        return sorted(found, key=lambda case: case.opened_at, reverse=True)

    def unresolved(self) -> list[Case]:
        return sorted(self._cases(t.care_case.c.state != CaseState.RESOLVED.value), key=_urgency)

    def resolved(self, limit: int) -> list[Case]:
        c = t.care_case.c
        rows = self._db.execute(
            select(t.care_case).where(c.state == CaseState.RESOLVED.value).order_by(c.resolved_at.desc()).limit(limit)
        ).mappings()
        return [self._case(row) for row in rows]

    def loads(self) -> Mapping[StaffId, int]:
        c = t.care_case.c
        whose = func.coalesce(c.owner, c.assigned)
        query = (
            select(whose, func.count())
            .where(literal_column("care_case.state <> 'resolved'"), whose.is_not(None))  # as in the partial index
            .group_by(whose)
        )
        return {StaffId(row[0]): row[1] for row in self._db.execute(query)}

    def last_assigned(self, levels: frozenset[CaseLevel], limit: int) -> list[StaffId]:
        c = t.care_case.c
        query = (
            select(c.assigned)
            .where(c.assigned_at.is_not(None), c.level.in_([level.value for level in levels]))
            .order_by(c.assigned_at.desc())
            .limit(limit)
        )
        return [StaffId(row[0]) for row in self._db.execute(query) if row[0]]

    def _cases(self, condition: Any) -> list[Case]:
        rows = self._db.execute(select(t.care_case).where(condition).order_by(t.care_case.c.due_at)).mappings()
        return [self._case(row) for row in rows]

    def _row(self, case: Case) -> dict[str, Any]:
        row: dict[str, Any] = {name: getattr(case, name) for name in CHANGING}
        detail = {"summary": case.summary, "outcome": case.outcome}
        return row | {
            "level": case.level.value,
            "state": case.state.value,
            "pause_reason": case.pause_reason.value if case.pause_reason else None,
            "detail_sealed": self._keys.seal(case.member_id, "care_case", "detail", case.id, detail),
        }

    def _case(self, row: RowMapping) -> Case:
        member_id = MemberId(row["member_id"])
        detail = self._keys.open(member_id, "care_case", "detail", row["id"], row["detail_sealed"])
        return Case(
            id=CaseId(row["id"]),
            member_id=member_id,
            level=CaseLevel(row["level"]),
            state=CaseState(row["state"]),
            pause_reason=PauseReason(row["pause_reason"]) if row["pause_reason"] else None,
            opened_at=row["opened_at"],
            **{name: row[name] for name in CHANGING},
            **detail,
        )


def _urgency(case: Case) -> tuple[int, datetime]:
    return URGENCY.index(case.level), case.due_at
