"""No log line can carry what a member said or who they are."""

from __future__ import annotations

import json
import logging
import sys

from care.logs import Line


def test_only_named_fields_pass() -> None:
    record = _record("check-in skipped", touchpoint_id="t1", reason="quiet_hours", text="伤口疼", phone="13800000000")

    line = json.loads(Line().format(record))

    assert line["event"] == "check-in skipped"
    assert line["touchpoint_id"] == "t1"
    assert "伤口" not in json.dumps(line, ensure_ascii=False)
    assert "13800000000" not in json.dumps(line)


def test_an_exceptions_message_is_replaced_by_its_kind_and_place() -> None:
    try:
        raise ValueError("王秀兰 13800000000 说伤口疼")
    except ValueError:
        record = _record("turn failed")
        record.exc_info = sys.exc_info()

    line = Line().format(record)

    assert "ValueError" in line
    assert "test_logs.py" in line
    assert "王秀兰" not in line


def test_a_foreign_librarys_words_do_not_pass() -> None:
    record = _record("POST https://api.telegram.org/bot123:TOKEN/sendMessage 伤口疼", name="httpx")

    assert "TOKEN" not in Line().format(record)
    assert "伤口" not in Line().format(record)


def test_a_line_break_cannot_forge_a_second_record() -> None:
    line = Line().format(_record("x", reason='y\n{"level": "ERROR"}'))

    assert "\n" not in line


def _record(message: str, *, name: str = "care.services.turns", **extra: str) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.INFO, __file__, 1, message, (), None)
    record.__dict__.update(extra)
    return record
