"""One-time codes, members that became one, pictures and voices.

Expand step: running code ignores the new tables. Lock: none.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WANTED = sa.text("state = 'wanted'")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Make room for codes and files."""
    op.create_table(
        "binding_code",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        _moment("created_at"),
        _moment("expires_at"),
        sa.Column("by", sa.String(length=80), nullable=False),
        _moment("used_at", nullable=True),
        sa.Column("used_by", sa.String(length=32), nullable=True),
        _moment("revoked_at", nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_binding_code_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding_code")),
        sa.UniqueConstraint("code_index", name=op.f("uq_binding_code_code_index")),
    )
    op.create_index(op.f("ix_binding_code_member_id"), "binding_code", ["member_id"], unique=False)
    op.create_table(
        "binding_try",
        sa.Column("identity_id", sa.String(length=32), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        _moment("paused_until", nullable=True),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_binding_try_identity_id")),
        sa.PrimaryKeyConstraint("identity_id", name=op.f("pk_binding_try")),
    )
    op.create_table(
        "member_merge",
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("into_id", sa.String(length=32), nullable=False),
        _moment("at"),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_member_merge_member_id")),
        sa.ForeignKeyConstraint(["into_id"], ["member.id"], name=op.f("fk_member_merge_into_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_merge")),
    )
    op.create_index(op.f("ix_member_merge_into_id"), "member_merge", ["into_id"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("vendor_sealed", sa.LargeBinary(), nullable=False),
        _moment("created_at"),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("mime", sa.String(length=32), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        _moment("retry_at", nullable=True),
        _moment("settled_at", nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_attachment_member_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_attachment_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_member_id"), "attachment", ["member_id"], unique=False)
    op.create_index(op.f("ix_attachment_message_id"), "attachment", ["message_id"], unique=False)
    op.create_index(
        "ix_attachment_wanted",
        "attachment",
        ["retry_at"],
        unique=False,
        sqlite_where=WANTED,
        postgresql_where=WANTED,
    )
    op.create_table(
        "attachment_body",
        sa.Column("attachment_id", sa.String(length=32), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachment.id"], name=op.f("fk_attachment_body_attachment_id")),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_attachment_body")),
    )


def downgrade() -> None:
    """Take it back; the files are gone with it."""
    for table in ("attachment_body", "attachment", "member_merge", "binding_try", "binding_code"):
        op.drop_table(table)
