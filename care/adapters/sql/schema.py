"""Bringing a database to the current schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from care.adapters.sql import binding_tables, case_tables, rights_tables, tables, vendor_tables
from care.adapters.sql.columns import Moment, metadata
from care.adapters.sql.keys import key_metadata
from care.adapters.sql.tables import APPEND_ONLY

MIGRATIONS = Path(__file__).parent / "migrations"
#: Having been imported, they have filled `metadata`.
DEFINED_IN = (tables, rights_tables, binding_tables, case_tables, vendor_tables)


class DatabaseTrouble(Exception):
    """The database cannot be used; the message says why and what to do, and holds no password."""


def migrate(engine: Engine) -> None:
    """Run every migration the database has not seen.

    Raises:
        DatabaseTrouble: it cannot be reached.
    """
    with _reached(engine), engine.begin() as db:
        command.upgrade(_config(db), "head")


def migrate_keys(engine: Engine) -> None:
    """Make the key store's one table.

    Raises:
        DatabaseTrouble: it cannot be reached.
    """
    with _reached(engine):
        key_metadata.create_all(engine)


def is_current(engine: Engine) -> bool:
    """Whether the database has seen every migration.

    Raises:
        DatabaseTrouble: it cannot be reached.
    """
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with _reached(engine), engine.connect() as db:
        return MigrationContext.configure(db).get_current_revision() == head


def require_current(engine: Engine) -> None:
    """Refuse to work on a database that was not made ready.

    Raises:
        DatabaseTrouble: it cannot be reached, or a migration is missing.
    """
    if not is_current(engine):
        raise DatabaseTrouble("数据库还没有建好，或需要升级。请运行：anxin db init")


@contextmanager
def _reached(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DatabaseError as broken:
        where = engine.url.render_as_string(hide_password=True)
        raise DatabaseTrouble(f"数据库打不开（{where}）。请检查它是否在运行、地址和权限是否正确。") from broken


def differences(engine: Engine) -> Sequence[Any]:
    """Return what the migrated database lacks against the tables; empty when they are equal."""
    with engine.connect() as db:
        return list(compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), metadata))


def append_only_triggers(dialect: str) -> list[str]:
    """Return the statements that make the database itself refuse changes to what may only grow."""
    statements: list[str] = []
    for table in APPEND_ONLY:
        if dialect == "sqlite":
            statements += [
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
                for verb in ("update", "delete")
            ]
        else:
            statements += [
                f"CREATE FUNCTION {table}_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{table} only grows'; END $$",
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_only_grows()",
            ]
    return statements


def render_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our moment type as plain SQLAlchemy into generated migrations."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    return False


def _config(db: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = db
    return config
