"""The ledger of what may still be sent, vendors' events, and channels that refuse everything for a while."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from care.adapters.sql.columns import Moment, a_ref, an_id, metadata

send_grant = Table(
    "send_grant",
    metadata,
    an_id(primary_key=True),
    a_ref("identity", nullable=False, index=True),
    Column("trigger", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("granted_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("template", String(120)),
)

channel_event = Table(
    "channel_event",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("vendor_index", LargeBinary, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("at", Moment, nullable=False),
)

channel_pause = Table(
    "channel_pause",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("reason", String(80), nullable=False),
    Column("until", Moment, nullable=False),
    Column("since", Moment, nullable=False),
)
