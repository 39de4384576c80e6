"""What may still be sent to whom, pieces of long messages, and what became of what was sent.

Expand step: running code ignores the new tables; new columns of the outbox carry the value they mean for its rows.
Lock: brief on PostgreSQL (constant defaults rewrite no table).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HELD = sa.text("state = 'held'")


def upgrade() -> None:
    """Make room for grants, events, pauses and pieces."""
    for column in (
        sa.Column("weight", sa.Integer(), server_default="3", nullable=False),
        sa.Column("part", sa.Integer(), server_default="1", nullable=False),
        sa.Column("parts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("cut_from", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cut_to", sa.Integer(), nullable=True),
        sa.Column("asks_more", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("template", sa.String(length=120), nullable=True),
        sa.Column("grant_id", sa.String(length=32), nullable=True),
        sa.Column("stale_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("outbox", column)
    op.create_index(
        "ix_outbox_held", "outbox", ["conversation_id"], unique=False, sqlite_where=HELD, postgresql_where=HELD
    )
    op.create_index("ix_outbox_provider", "outbox", ["channel", "provider_id"], unique=False)
    op.create_table(
        "send_grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("identity_id", sa.String(length=32), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("template", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_send_grant_identity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_send_grant")),
    )
    op.create_index(op.f("ix_send_grant_identity_id"), "send_grant", ["identity_id"], unique=False)
    op.create_table(
        "channel_event",
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("vendor_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "vendor_index", name=op.f("pk_channel_event")),
    )
    op.create_table(
        "channel_pause",
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_pause")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("channel_pause")
    op.drop_table("channel_event")
    op.drop_table("send_grant")
    op.drop_index("ix_outbox_provider", "outbox")
    op.drop_index("ix_outbox_held", "outbox")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        for name in (
            "released_at",
            "stale_at",
            "grant_id",
            "template",
            "asks_more",
            "cut_to",
            "cut_from",
            "parts",
            "part",
            "weight",
        ):
            batch_op.drop_column(name)
