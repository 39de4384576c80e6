"""Moments of cases, tasks of colleagues, calls that were made."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, text

from care.adapters.sql.columns import Moment, a_ref, an_id, metadata

WAITING = text("done_at IS NULL")

case_deadline = Table(
    "case_deadline",
    metadata,
    an_id(primary_key=True),
    a_ref("care_case", "case_id", nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("outcome", String(16)),
    Column("lease_until", Moment),
    Index("ix_case_deadline_waiting", "due_at", sqlite_where=WAITING, postgresql_where=WAITING),
)

carer_task = Table(
    "carer_task",
    metadata,
    an_id(primary_key=True),
    Column("key", String(80), nullable=False, unique=True),
    a_ref("member", nullable=False, index=True),
    a_ref("care_case", "case_id"),
    Column("kind", String(32), nullable=False),
    Column("role", String(16), nullable=False),
    Column("assigned", String(32)),
    Column("opened_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("done_by", String(32)),
    Column("note_sealed", LargeBinary),
    Index("ix_carer_task_waiting", "due_at", sqlite_where=WAITING, postgresql_where=WAITING),
)

phone_call = Table(
    "phone_call",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    Column("about", String(40), nullable=False, index=True),
    Column("by", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("again_at", Moment),
    Column("note_sealed", LargeBinary),
)
