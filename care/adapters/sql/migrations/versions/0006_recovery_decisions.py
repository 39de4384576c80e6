"""Why a recovery ended.

Expand step: running code ignores the new column. Lock: brief, no table is rewritten on PostgreSQL.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the reason."""
    op.add_column("episode", sa.Column("closed_reason", sa.String(length=80), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("episode", schema=None) as batch_op:
        batch_op.drop_column("closed_reason")
