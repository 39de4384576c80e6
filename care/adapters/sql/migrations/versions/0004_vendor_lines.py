"""Where the reading of a vendor's log stands, whose a session is at the vendor's desk, and how colleagues are rung.

Expand step: running code ignores the new tables and the column. Lock: brief, no table is rewritten on PostgreSQL.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WITH_HUMANS = sa.text("owner <> 'bot'")
STATE_WITH_HUMANS = sa.text("state IN (2, 3)")


def upgrade() -> None:
    """Make room for cursors, sessions and alarms."""
    op.add_column("staff", sa.Column("wecom_id", sa.String(length=64), nullable=True))
    op.create_index("ix_staff_wecom_id", "staff", ["wecom_id"], unique=True)
    op.create_index(
        "ix_conversation_with_humans",
        "conversation",
        ["id"],
        unique=False,
        sqlite_where=WITH_HUMANS,
        postgresql_where=WITH_HUMANS,
    )
    op.create_table(
        "channel_cursor",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("position", sa.String(length=128), nullable=False),
        sa.Column("caught_up", sa.Boolean(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_channel_cursor")),
    )
    op.create_table(
        "vendor_session",
        sa.Column("identity_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("servicer", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("asked_case", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_vendor_session_identity_id")),
        sa.PrimaryKeyConstraint("identity_id", name=op.f("pk_vendor_session")),
    )
    op.create_index(
        "ix_vendor_session_with_humans",
        "vendor_session",
        ["identity_id"],
        unique=False,
        sqlite_where=STATE_WITH_HUMANS,
        postgresql_where=STATE_WITH_HUMANS,
    )
    op.create_table(
        "case_alarm",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_case_alarm_case_id")),
        sa.PrimaryKeyConstraint("case_id", "occasion", name=op.f("pk_case_alarm")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("case_alarm")
    op.drop_table("vendor_session")
    op.drop_table("channel_cursor")
    op.drop_index("ix_conversation_with_humans", "conversation")
    op.drop_index("ix_staff_wecom_id", "staff")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("wecom_id")
