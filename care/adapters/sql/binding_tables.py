"""The tables of one-time codes, of members that became one, and of pictures and voices."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, text

from care.adapters.sql.columns import Moment, a_ref, an_id, metadata

WANTED = text("state = 'wanted'")

binding_code = Table(
    "binding_code",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("code_index", LargeBinary, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("by", String(80), nullable=False),
    Column("used_at", Moment),
    Column("used_by", String(32)),
    Column("revoked_at", Moment),
)

binding_try = Table(
    "binding_try",
    metadata,
    a_ref("identity", primary_key=True),
    Column("wrong", Integer, nullable=False),
    Column("paused_until", Moment),
)

#: An anonymous member that turned out to be somebody: where everything of theirs went.
member_merge = Table(
    "member_merge",
    metadata,
    a_ref("member", primary_key=True),
    a_ref("member", "into_id", nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("by", String(80), nullable=False),
)

attachment = Table(
    "attachment",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    a_ref("conversation", nullable=False),
    Column("message_id", String(32), nullable=False, index=True),
    Column("channel", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("vendor_sealed", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("mime", String(32)),
    Column("size", Integer),
    Column("sha256", String(64)),
    Column("reason", String(40)),
    Column("attempts", Integer, nullable=False),
    Column("lease", Integer, nullable=False),
    Column("retry_at", Moment),
    Column("settled_at", Moment),
    Index("ix_attachment_wanted", "retry_at", sqlite_where=WANTED, postgresql_where=WANTED),
)

#: Apart from the rest, so that nothing that lists files ever loads one.
attachment_body = Table(
    "attachment_body",
    metadata,
    a_ref("attachment", primary_key=True),
    Column("body_sealed", LargeBinary, nullable=False),
)
