"""Alembic's entry: runs the migrations over the connection that `care.adapters.sql.schema` hands in."""

from __future__ import annotations

from alembic import context

from care.adapters.sql.columns import metadata
from care.adapters.sql.schema import render_type

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=render_type,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
