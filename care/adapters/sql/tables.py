"""The tables. Anything that tells about a member is a sealed blob or a blind index."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import Date

from care.adapters.sql.columns import Moment, Seq, a_ref, an_id, metadata

member = Table(
    "member",
    metadata,
    an_id(primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("name_sealed", LargeBinary),
    Column("phone_sealed", LargeBinary),
    Column("phone_index", LargeBinary, unique=True),
    Column("title_sealed", LargeBinary),
    Column("risk_sealed", LargeBinary),
    Column("ref_sealed", LargeBinary),
    Column("ref_index", LargeBinary, unique=True),
    Column("zone", String(64), nullable=False),
    Column("level", Integer, nullable=False),
    Column("carer_id", String(32)),
)

consent_event = Table(
    "consent_event",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    a_ref("member", nullable=False, index=True),
    Column("purpose", String(32), nullable=False),
    Column("given", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", String(80), nullable=False),
    Column("evidence", String(120), nullable=False),
)

identity = Table(
    "identity",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    Column("channel", String(16), nullable=False),
    Column("external_sealed", LargeBinary, nullable=False),
    Column("external_index", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("reachable", Boolean, nullable=False),
    UniqueConstraint("channel", "external_index"),
)

conversation = Table(
    "conversation",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, unique=True),
    Column("tracker_id", String(32), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("owner", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("asked", String(64)),
    Column("crisis", Boolean, nullable=False),
    Column("introduced", Boolean, nullable=False),
    Column("reply_to", String(32)),
    Column("last_member_at", Moment),
    Column("last_outbound_at", Moment),
    Column("bot_may_mention", Boolean, nullable=False),
    Index(
        "ix_conversation_with_humans",
        "id",
        sqlite_where=text("owner <> 'bot'"),
        postgresql_where=text("owner <> 'bot'"),
    ),
)

message = Table(
    "message",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    an_id(unique=True, nullable=False),
    a_ref("conversation", nullable=False),
    a_ref("member", nullable=False),
    Column("author", String(16), nullable=False),
    Column("carer_id", String(32)),
    Column("channel", String(16)),
    Column("at", Moment, nullable=False),
    Column("note", Boolean, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("assessment_sealed", LargeBinary),
    Index("ix_message_conversation_seq", "conversation_id", "seq"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    an_id(unique=True, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("vendor_index", LargeBinary, nullable=False),
    a_ref("conversation", nullable=False),
    a_ref("member", nullable=False),
    Column("message_id", String(32), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease", Integer, nullable=False),
    Column("lease_until", Moment),
    Column("reason", String(80)),
    UniqueConstraint("channel", "vendor_index"),
    Index(
        "ix_inbox_unread",
        "conversation_id",
        "seq",
        sqlite_where=text("state IN ('received', 'claimed')"),
        postgresql_where=text("state IN ('received', 'claimed')"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    an_id(unique=True, nullable=False),
    Column("key", String(120), nullable=False, unique=True),
    a_ref("conversation", nullable=False),
    a_ref("member", nullable=False),
    Column("message_id", String(32), nullable=False, index=True),
    a_ref("identity", nullable=False),
    Column("channel", String(16), nullable=False),
    Column("author", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease", Integer, nullable=False),
    Column("lease_until", Moment),
    Column("retry_at", Moment),
    Column("reason", String(80)),
    Column("provider_id", String(80)),
    Column("settled_at", Moment),
    Column("weight", Integer, nullable=False, server_default="3"),
    Column("part", Integer, nullable=False, server_default="1"),
    Column("parts", Integer, nullable=False, server_default="1"),
    Column("cut_from", Integer, nullable=False, server_default="0"),
    Column("cut_to", Integer),
    Column("asks_more", Boolean, nullable=False, server_default=false()),
    Column("template", String(120)),
    Column("grant_id", String(32)),
    Column("stale_at", Moment),
    Column("released_at", Moment),
    Index(
        "ix_outbox_unsent",
        "conversation_id",
        "seq",
        sqlite_where=text("state IN ('queued', 'claimed', 'sending', 'failed')"),
        postgresql_where=text("state IN ('queued', 'claimed', 'sending', 'failed')"),
    ),
    Index(
        "ix_outbox_held",
        "conversation_id",
        sqlite_where=text("state = 'held'"),
        postgresql_where=text("state = 'held'"),
    ),
    Index("ix_outbox_provider", "channel", "provider_id"),
)

appointment = Table(
    "appointment",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    Column("service", String(64), nullable=False),
    Column("practitioner", String(64), nullable=False),
    Column("clinic", String(64), nullable=False),
    Column("chair", String(64), nullable=False),
    Column("start_at", Moment, nullable=False, index=True),
    Column("end_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("status", String(16), nullable=False),
    Column("detail_sealed", LargeBinary),
    Column("moved_from", String(32)),
    Column("key", String(120), unique=True),
    Column("closed_at", Moment),
)

hold = Table(
    "hold",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, unique=True),
    Column("service", String(64), nullable=False),
    Column("practitioner", String(64), nullable=False),
    Column("clinic", String(64), nullable=False),
    Column("chair", String(64), nullable=False),
    Column("start_at", Moment, nullable=False),
    Column("end_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("detail_sealed", LargeBinary),
    Column("moves", String(32)),
)

# One row a quarter of an hour a practitioner or a chair is taken; the primary key is what refuses the second.
taken_cell = Table(
    "taken_cell",
    metadata,
    Column("resource", String(160), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("taken_by", String(32), nullable=False, index=True),
    Column("expires_at", Moment),
    Index("ix_taken_cell_at", "at"),
)

treatment = Table(
    "treatment",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    Column("practitioner", String(64), nullable=False),
    Column("clinic", String(64), nullable=False),
    Column("detail_sealed", LargeBinary, nullable=False),
    Column("ended_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("sutures_out_on", Date),
    Column("ref_index", LargeBinary, unique=True),
)

episode = Table(
    "episode",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    a_ref("treatment", nullable=False, unique=True),
    Column("protocol", String(32), nullable=False),
    Column("version", String(32), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("status", String(16), nullable=False),
    Column("closed_at", Moment),
)

touchpoint = Table(
    "touchpoint",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("plan", String(32), nullable=False),
    Column("occurrence", String(80), nullable=False),
    Column("version", String(32), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("safety", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(80)),
    Column("episode_id", String(32), index=True),
    Column("appointment_id", String(32), index=True),
    Column("ask", String(160), nullable=False),
    Column("answered", String(160), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease", Integer, nullable=False),
    Column("lease_until", Moment),
    Column("handed_over_at", Moment),
    Column("closed_at", Moment),
    Column("silence_step", Integer, nullable=False),
    UniqueConstraint("member_id", "plan", "occurrence", "version"),
    Index(
        "ix_touchpoint_due",
        "due_at",
        sqlite_where=text("state IN ('planned', 'postponed', 'claimed')"),
        postgresql_where=text("state IN ('planned', 'postponed', 'claimed')"),
    ),
    Index(
        "ix_touchpoint_unanswered",
        "handed_over_at",
        sqlite_where=text("state = 'handed_over' AND closed_at IS NULL"),
        postgresql_where=text("state = 'handed_over' AND closed_at IS NULL"),
    ),
)

answer = Table(
    "answer",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    an_id(unique=True, nullable=False),
    a_ref("member", nullable=False, index=True),
    Column("episode_id", String(32), index=True),
    Column("touchpoint_id", String(32)),
    Column("message_id", String(32)),
    Column("at", Moment, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
)

care_case = Table(
    "care_case",
    metadata,
    an_id(primary_key=True),
    a_ref("member", nullable=False, index=True),
    Column("level", String(4), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(32)),
    Column("message_id", String(32)),
    Column("taken_at", Moment),
    Column("resolved_at", Moment),
    Column("breached_at", Moment),
    Column("acknowledged_at", Moment),
    Column("detail_sealed", LargeBinary),
    Column("assigned", String(32)),
    Column("assigned_at", Moment),
    Column("raised_at", Moment),
    Column("step", Integer, nullable=False, server_default="0"),
    Column("warned_at", Moment),
    Column("paused_at", Moment),
    Column("pause_reason", String(16)),
    Column("several", Boolean, nullable=False, server_default=false()),
    Column("about", String(32)),
    Column("legal_late_at", Moment),
    Column("asked_at", Moment),
    Column("carer_asks", Boolean, nullable=False, server_default=false()),
    Index("ix_care_case_assigned_at", "assigned_at"),
    Index(
        "ix_care_case_unresolved",
        "due_at",
        sqlite_where=text("state <> 'resolved'"),
        postgresql_where=text("state <> 'resolved'"),
    ),
)

staff = Table(
    "staff",
    metadata,
    an_id(primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("job_title", String(64), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failed_logins", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("wecom_id", String(64)),
    Column("away_until", Moment),
    Index("ix_staff_wecom_id", "wecom_id", unique=True),
)

staff_session = Table(
    "staff_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    a_ref("staff", nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

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

access_log = Table(
    "access_log",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("member_id", String(32), nullable=False, index=True),
    Column("reader", String(80), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("what", String(80), nullable=False),
    Column("at", Moment, nullable=False),
)

#: Tables that may only grow; triggers in the migrations refuse UPDATE and DELETE.
APPEND_ONLY = ("consent_event", "access_log")
