"""Moments of cases as rows, tasks that follow from cases, calls that were made; what the ladder has to know.

Expand step: running code ignores the new tables and columns. Lock: brief, no table is rewritten on PostgreSQL. A case
that is open when this runs has no moments yet; the scheduler plans them when it starts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WAITING = sa.text("done_at IS NULL")
MOMENTS = ("assigned_at", "raised_at", "warned_at", "paused_at", "legal_late_at", "asked_at")
WORDS = (("assigned", 32), ("pause_reason", 16), ("about", 32))
ANSWERS = ("several", "carer_asks")


def upgrade() -> None:
    """Make room for the ladder."""
    for name, length in WORDS:
        op.add_column("care_case", sa.Column(name, sa.String(length=length), nullable=True))
    for name in MOMENTS:
        op.add_column("care_case", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in ANSWERS:
        op.add_column("care_case", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("care_case", sa.Column("step", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_care_case_assigned_at", "care_case", ["assigned_at"], unique=False)
    op.add_column("staff", sa.Column("away_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "case_deadline",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_case_deadline_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_deadline")),
    )
    op.create_index(op.f("ix_case_deadline_case_id"), "case_deadline", ["case_id"], unique=False)
    op.create_index(
        "ix_case_deadline_waiting",
        "case_deadline",
        ["due_at"],
        unique=False,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_table(
        "carer_task",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("assigned", sa.String(length=32), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=32), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_carer_task_case_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_carer_task_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carer_task")),
        sa.UniqueConstraint("key", name=op.f("uq_carer_task_key")),
    )
    op.create_index(op.f("ix_carer_task_member_id"), "carer_task", ["member_id"], unique=False)
    op.create_index(
        "ix_carer_task_waiting",
        "carer_task",
        ["due_at"],
        unique=False,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_table(
        "phone_call",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_phone_call_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call")),
    )
    op.create_index(op.f("ix_phone_call_about"), "phone_call", ["about"], unique=False)
    op.create_index(op.f("ix_phone_call_member_id"), "phone_call", ["member_id"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("phone_call")
    op.drop_table("carer_task")
    op.drop_table("case_deadline")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("away_until")
    op.drop_index("ix_care_case_assigned_at", "care_case")
    with op.batch_alter_table("care_case", schema=None) as batch_op:
        for name in ("step", *ANSWERS, *MOMENTS, *(name for name, _ in WORDS)):
            batch_op.drop_column(name)
