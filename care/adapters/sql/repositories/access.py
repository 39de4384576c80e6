"""The access log: who looked at whom, why and when. It only grows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from care.adapters.sql import tables as t
from care.model.consent import Purpose
from care.model.ids import MemberId
from care.model.staff import Reader


class SqlAccessLog:
    """The access log on SQL; lines of one transaction that say the same are written once."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._written: set[tuple[str, str, str, str]] = set()

    def write(self, *, by: Reader, member_id: MemberId, purpose: Purpose, what: str, at: datetime) -> None:
        line = (str(by), member_id, purpose.value, what)
        if line in self._written:
            return
        self._written.add(line)
        self._db.execute(
            insert(t.access_log).values(member_id=member_id, reader=str(by), purpose=purpose.value, what=what, at=at)
        )

    def of_member(self, member_id: MemberId, limit: int) -> list[Mapping[str, object]]:
        rows = self._db.execute(
            select(t.access_log.c.reader, t.access_log.c.purpose, t.access_log.c.what, t.access_log.c.at)
            .where(t.access_log.c.member_id == member_id)
            .order_by(t.access_log.c.seq.desc())
            .limit(limit)
        ).mappings()
        return [dict(row) for row in rows]
