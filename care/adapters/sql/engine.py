"""Opening a database so that SQLite and PostgreSQL keep the same promises."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

BUSY_TIMEOUT_S = 10.0
#: Threads of one process queue here for SQLite's one write lock; its own waiting sleeps in steps of milliseconds.
_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()


def open_engine(url: str) -> Engine:
    """Return an engine for `url`; the folder of an SQLite file is made if needed.

    SQLite runs in WAL with `synchronous=FULL` (an acknowledged message must survive a power cut), foreign keys and
    secure deletion on, and every transaction takes the write lock at its start, so that no transaction can fail
    half way because another one wrote first.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediate)
    _turns[engine] = threading.Lock()
    return engine


def wait_for_turn(engine: Engine) -> threading.Lock | None:
    """Wait until no other thread of this process writes to an SQLite database.

    Returns:
        The lock, to be released by the caller; None on PostgreSQL, and after ten seconds, when the database's own
        refusal is what the caller should see.
    """
    turn = _turns.get(engine)
    return turn if turn is not None and turn.acquire(timeout=BUSY_TIMEOUT_S) else None


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
