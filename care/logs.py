"""Logs: fixed words plus ids, codes and durations. Whatever else somebody adds is dropped here.

Member text, names, numbers and channel ids cannot reach a log line, because only the fields named below pass and
exceptions are written as their type and place, never with their message.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

ALLOWED = frozenset(
    {
        "action",
        "appointment_id",
        "attempt",
        "case_id",
        "channel",
        "code",
        "conversation_id",
        "count",
        "duration_ms",
        "episode_id",
        "epoch",
        "inbox_id",
        "level",
        "member_id",
        "message_id",
        "outbox_id",
        "port",
        "reason",
        "rule",
        "staff_id",
        "state",
        "status",
        "touchpoint_id",
        "treatment_id",
        "worker",
    }
)
VALUE_LIMIT = 80  # characters of one field
QUIET = (
    "httpx",
    "httpcore",
    "telegram",
    "apscheduler",
    "sanic",
    "rasa_sdk",
    "uvicorn.access",
    "alembic",
    "asyncio",
)
OURS = ("care", "bot", "actions", "scheduler", "console", "api", "anxin")


class Line(logging.Formatter):
    """One JSON object a line. The words of foreign libraries are replaced by where they came from."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        ours = record.name.split(".")[0] in OURS
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "from": record.name,
            "event": str(record.msg) if ours else f"{record.name}:{record.lineno}",
        }
        for name in ALLOWED & record.__dict__.keys():
            if name in {"level"} and not ours:
                continue
            value = record.__dict__[name]
            if isinstance(value, int | float | bool) or value is None:
                line[name if name != "level" else "care_level"] = value
            else:
                line[name if name != "level" else "care_level"] = str(value)[:VALUE_LIMIT]
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            last = traceback.extract_tb(trace)[-3:]
            line["error"] = kind.__name__
            line["at_code"] = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in last]
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str) -> None:
    """Send all logging of this process through the filter, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
