"""The tables about vendors' sides of things; they tell nothing about a member."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, text

from care.adapters.sql.columns import Moment, metadata

channel_cursor = Table(
    "channel_cursor",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("position", String(128), nullable=False),
    Column("caught_up", Boolean, nullable=False),
    Column("lease", Integer, nullable=False),
    Column("lease_until", Moment),
    Column("moved_at", Moment),
)

vendor_session = Table(
    "vendor_session",
    metadata,
    Column("identity_id", String(32), ForeignKey("identity.id"), primary_key=True),
    Column("state", Integer, nullable=False),
    Column("epoch", Integer),
    Column("servicer", String(64)),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Moment),
    Column("problem", String(40)),
    Column("asked_case", String(32)),
    Index(
        "ix_vendor_session_with_humans",
        "identity_id",
        sqlite_where=text("state IN (2, 3)"),
        postgresql_where=text("state IN (2, 3)"),
    ),
)

case_alarm = Table(
    "case_alarm",
    metadata,
    Column("case_id", String(32), ForeignKey("care_case.id"), primary_key=True),
    Column("occasion", String(40), primary_key=True),
    Column("rounds", Integer, nullable=False),
    Column("next_at", Moment),
    Column("lease_until", Moment),
)
