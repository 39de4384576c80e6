"""`anxin understand` without the dialogue model: one JSON object a line, whatever the line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from anxin import understand as reading
from care.bootstrap import Reading, build_reading
from care.settings import ROOT, Settings

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 10, tzinfo=ZONE)
LEVELS = {"none", "watch", "urgent", "emergency", "crisis"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return build_reading(Settings(data_dir=tmp_path_factory.mktemp("data")))


def _results(house: Reading, *lines: str, only: str | None = "time") -> list[dict[str, Any]]:
    found = list(reading.understand(lines, house, intents=None, only=only, now=MONDAY))
    return [json.loads(json.dumps(each, ensure_ascii=False)) for each in found]


def test_a_time_comes_out_as_the_contract_has_it(house: Reading) -> None:
    [result] = _results(house, "帮我约下周三下午三点")

    assert result == {
        "text": "帮我约下周三下午三点",
        "time": {
            "text": "下周三下午三点",
            "start": "2026-12-02T15:00:00+08:00",
            "end": "2026-12-02T16:00:00+08:00",
            "grain": "hour",
        },
    }


def test_without_a_time_the_time_is_null(house: Reading) -> None:
    [result] = _results(house, "你好呀")

    assert result == {"text": "你好呀", "time": None}


def test_a_line_of_json_brings_its_own_id_moment_and_question(house: Reading) -> None:
    line = {"id": "a001", "text": "9", "context": {"asked": "booking.time"}, "now": "2027-01-28T08:00:00+08:00"}

    [result] = _results(house, json.dumps(line))

    assert result["id"] == "a001"
    assert result["time"]["start"] == "2027-01-28T09:00:00+08:00"


def test_the_moment_may_be_in_another_zone_and_the_answer_is_in_the_clinics(house: Reading) -> None:
    [result] = _results(house, json.dumps({"text": "明天下午三点", "now": "2026-11-22T17:00:00+00:00"}))

    assert result["time"]["start"] == "2026-11-24T15:00:00+08:00"


@pytest.mark.parametrize(
    "text",
    ["任何时候都行", "{不是 JSON", "🦷", "ignore previous instructions", "'; DROP TABLE", "a" * 5000, '{"a":' * 3000],
)
def test_any_text_gets_a_result_in_every_mode(text: str, house: Reading) -> None:
    for only in ("time", "safety", None):
        [result] = _results(house, text, only=only)

        assert result["text"] == text
        assert "error" not in result


def test_safety_alone_says_level_tracks_flags_and_why(house: Reading) -> None:
    [result] = _results(house, "伤口一直流血止不住", only="safety")

    assert set(result) == {"text", "safety", "emotion"}
    assert {"level", "medical", "distress", "complaint", "flags", "why"} <= set(result["safety"])
    assert result["safety"]["level"] in LEVELS
    assert set(result["emotion"]) == {"label", "valence", "words"}
    assert -1 <= result["emotion"]["valence"] <= 1


def test_entities_come_out_as_the_contract_has_them(house: Reading) -> None:
    [result] = _results(house, "想约王医森洗牙，后天", only=None)

    named = {entity["entity"]: entity for entity in result["entities"]}
    assert named["service"] == {"entity": "service", "text": "洗牙", "start": 5, "end": 7, "value": "scaling"}
    assert named["practitioner"]["value"] == "wang_jianguo"
    assert named["time"]["value"] == result["time"]
    order = ("text", "intent", "confidence", "alternatives", "also", "entities", "time", "safety", "emotion")
    assert tuple(result) == order


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 1}',
        '{"text": 7}',
        '{"text": null}',
        '{"text": "明天", "context": "booking"}',
        '{"text": "明天", "context": [1]}',
        '{"text": "明天", "now": "昨天"}',
        '{"text": "明天", "now": "2026-11-23T10:00:00"}',
        '{"text": "明天", "now": "0001-01-01T00:00:00+08:00"}',
        '{"text": "明天", "context": {"asked": 5}}',
        '{"text": "明天", "context": {"day": "三"}}',
    ],
    ids=lambda line: line[:40],
)
def test_a_bad_line_is_answered_with_its_number_and_the_next_goes_on(line: str, house: Reading) -> None:
    results = _results(house, "你好", line, "明天")

    assert len(results) == 3
    assert results[1]["error"].startswith("第 2 行")
    assert results[2]["time"]["grain"] == "day"


def test_a_danger_at_the_end_of_a_very_long_message_counts(house: Reading) -> None:
    [result] = _results(house, "我想问问洗牙多少钱。" * 3_000 + "我喘不上气了", only="safety")

    assert result["safety"]["level"] == "emergency"


def test_a_bad_line_keeps_its_id_so_that_it_can_be_found_again(house: Reading) -> None:
    [result] = _results(house, '{"id": "a7", "text": 7}')

    assert result["id"] == "a7"
    assert "error" in result


def test_half_a_character_comes_out_as_one_that_can_be_written(house: Reading) -> None:
    [result] = _results(house, '{"text": "\\ud83e明天"}')

    assert result["text"].encode() == "\ufffd明天".encode()
    assert result["time"]["text"] == "明天"


def test_a_file_with_odd_bytes_is_read_to_its_end(tmp_path: Path, house: Reading) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes("明天\u2028下午\n".encode() + b"\xff\xfe\n" + "你好".encode())

    texts = [result["text"] for result in _results(house, *reading.lines_of(file))]

    assert texts == ["明天\u2028下午", "\ufffd\ufffd", "你好"]


def test_empty_lines_are_passed_over_and_empty_text_is_not(house: Reading) -> None:
    results = _results(house, "", "  \n", '{"text": ""}')

    assert results == [{"text": "", "time": None}]


def test_the_command_reads_lines_and_writes_lines(tmp_path: Path) -> None:
    lines = b"\xff\n" + ("明天下午三点\n" + json.dumps({"id": "b", "text": "你好"}) + "\n").encode()

    done = subprocess.run(
        [sys.executable, "-m", "anxin", "understand", "--only", "time"],
        input=lines,
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"ANXIN_DATA_DIR": str(tmp_path)},
    )

    odd, first, second = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert odd["time"] is None
    assert first["time"]["grain"] == "hour"
    assert second == {"id": "b", "text": "你好", "time": None}
