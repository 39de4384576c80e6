"""The language report: whole, self-contained, and honest about what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from tests.language.figures import Measured, figures, line_of
from tests.language.report import benchmark, page

MONDAY = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
ALARM = {"track": "distress", "words": "晚安", "rule": "model.P3 0.93", "start": 0, "end": 2}
SCORE = {"name": "ours: all (shipped)", "accuracy": 0.9, "low": 0.88, "high": 0.92, "macro_f1": 0.9}
SCORE |= {"calibration_error": 0.02, "p95_ms": 5.0, "import_mib": 100.0, "answer_mib": 200.0, "train_s": 60.0}
BENCH = {
    "measured_at": "2026-11-23T02:00:00+00:00",
    "machine": "a machine of the practice, 2 cores",
    "quick": True,
    "epochs": 12,
    "lines": 3000,
    "messages": 4,
    "scores": [SCORE],
    "curve": [
        {"share": share, "lines": int(3000 * share), "accuracy": right, "low": right - 0.02, "high": right + 0.02}
        for share, right in ((0.25, 0.74), (0.5, 0.83), (1.0, 0.9))
    ],
}


def _line(text: str, wanted: str, said: str, *, level: str = "none", why: tuple[Any, ...] = (), **labels: Any) -> Any:
    row: Mapping[str, Any] = {
        "text": text,
        "intent": wanted,
        "entities": [],
        "medical": "none",
        "emotion": "calm",
        **labels,
    }
    emotion = {"label": "calm", "valence": 0.0, "words": ""}
    found = {"intent": said, "confidence": 0.8, "also": [], "entities": [], "emotion": emotion}
    return line_of("dev_c", row, {**found, "safety": {"level": level, "why": list(why)}})


@pytest.fixture
def found() -> Measured:
    """Four messages: one right, one misheard, one emergency missed, one false alarm."""
    lines = [
        _line("约个洗牙", "book_appointment", "book_appointment"),
        _line("<b>多少钱</b> & 约不约", "ask_price", "book_appointment"),
        _line("血止不住了还在往外涌", "report_symptom", "report_symptom", medical="L0"),
        _line("晚安啦我去睡了", "goodbye", "goodbye", level="crisis", why=(ALARM,)),
    ]
    return Measured(lines, frozenset(), 0.35)


def _read(written: str) -> ElementTree.Element:
    return ElementTree.fromstring(written)


def _text(root: ElementTree.Element, identity: str) -> str:
    part = root.find(f".//*[@id='{identity}']")
    assert part is not None
    return re.sub(r"\s+", " ", "".join(part.itertext()))


def test_the_page_is_well_formed_and_needs_nothing_but_itself(found: Measured) -> None:
    written = page(found, BENCH, MONDAY)

    root = _read(written)

    assert root.tag == "html"
    assert re.findall(r"https?:|//[a-z]|@import|url\(", written) == []
    assert {one.tag for one in root.iter()} & {"script", "link", "img", "iframe", "object"} == set()
    inside = {f"#{one.get('id')}" for one in root.iter() if one.get("id")}
    assert {one.get("href") for one in root.iter("a")} <= inside


def test_what_was_missed_and_what_was_cried_are_told_with_their_reasons(found: Measured) -> None:
    told = _text(_read(page(found, None, MONDAY)), "safety")

    assert "漏报 1 句" in told
    assert "血止不住了还在往外涌" in told
    assert "没有一条规则听出什么" in told
    assert "虚惊 1 句" in told
    assert "听到“晚安” model.P3 0.93" in told


def test_a_confusion_shows_its_message_as_it_was_written(found: Measured) -> None:
    root = _read(page(found, None, MONDAY))

    assert "问价格" in _text(root, "confusions")
    assert "“<b>多少钱</b> & 约不约”" in _text(root, "confusions")
    misses = [one for one in root.iter("rect") if one.get("class") == "miss"]
    assert len(misses) == 1


def test_a_model_that_is_missing_is_said_and_has_no_figures(found: Measured) -> None:
    absent = Measured(found.lines, frozenset({"intents", "emotion"}), 0.35)

    root = _read(page(absent, None, MONDAY))

    assert "情绪模型、意图模型" in _text(root, "missing")
    for part in ("heat", "sure", "confusions", "intents"):
        assert "意图模型不在" in _text(root, part)
    assert "漏报 1 句" in _text(root, "safety")
    rows = ["".join(one.itertext()) for one in root.iter("div") if one.get("class") == "figure"]
    assert [row for row in rows if "主要意图说对" in row and "没有数据" not in row] == []
    assert [row for row in rows if "急症与轻生漏报" in row and "100.0%" not in row] == []


def test_without_a_benchmark_it_says_how_to_run_one_and_with_one_it_draws_the_curve(found: Measured) -> None:
    without, drawn = _read(page(found, None, MONDAY)), _read(page(found, BENCH, MONDAY))

    assert "make bench-language" in _text(without, "curve")
    assert without.find(".//*[@id='bench']") is None
    assert "90.0%" in _text(drawn, "curve")
    assert "四分之一" in _text(drawn, "curve")
    assert "ours: all (shipped)" in _text(drawn, "bench")


def test_without_any_set_the_page_still_stands() -> None:
    root = _read(page(Measured([], frozenset(), 0.35), None, MONDAY))

    assert "还没有标注好的句子" in _text(root, "sets")
    assert set(figures([], frozenset(), 0.35).values()) == {None}


def test_a_damaged_benchmark_is_no_benchmark(tmp_path: Any) -> None:
    (tmp_path / "half.json").write_text('{"scores": [')
    (tmp_path / "other.json").write_text("[1, 2]")

    assert benchmark(tmp_path / "half.json") is None
    assert benchmark(tmp_path / "other.json") is None
    assert benchmark(tmp_path / "none.json") is None
