"""Which words name a symptom: the tagger learns from lines, goes by the rules' finds, and is never missed when it is gone."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from care.adapters.language import entity_symptoms
from care.adapters.language.categoriser import ModelDamaged, Trained
from care.adapters.language.entities import EntityReader
from care.adapters.language.entity_text import PlainText
from care.adapters.language.normalise import normalise
from care.adapters.language.symptom_model import READ_LIMIT, SymptomLine, SymptomModel, read_lines
from care.adapters.language.symptom_signs import signs
from care.adapters.language.times import TimeReader
from care.model.entities import Entity, Vocabulary
from care.settings import ROOT

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 10, tzinfo=ZONE)
#: A complaint no rule knows, as members would tell of it, beside what the same people say without one.
SITES = ("左边", "上面", "后槽牙", "下巴那块", "拔牙的地方", "种的那颗", "舌头边")
TAUGHT = [
    *(SymptomLine(f"{when}{site}咕嘟着", ("咕嘟",)) for site in SITES for when in ("", "昨晚开始", "现在还")),
    *(SymptomLine(f"{site}疼，也咕嘟", ("疼", "咕嘟")) for site in SITES),
    *(SymptomLine(f"{site}有点疼", ("疼",)) for site in SITES),
    *(SymptomLine(f"{site}会不会疼", ()) for site in SITES),
    *(SymptomLine(f"同事{site}咕嘟着", ()) for site in SITES),
    *(SymptomLine(f"{when}约个{what}", ()) for when in ("周六", "明早", "下午") for what in ("洗牙", "号", "复查")),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("symptoms")
    SymptomModel.train(TAUGHT).save(folder)
    return folder


@pytest.fixture
def reader(folder: Path) -> EntityReader:
    return _reader(folder)


def _reader(folder: Path) -> EntityReader:
    return EntityReader(Vocabulary({}, {}, {}), TimeReader(ZONE), Trained(folder, SymptomModel.load))


def _symptoms(reader: EntityReader, text: str) -> list[Entity]:
    return [one for one in reader.read(text, MONDAY) if one.entity == "symptom"]


def _named(reader: EntityReader, text: str) -> list[str]:
    return [one.text for one in _symptoms(reader, text)]


def test_a_complaint_no_rule_knows_is_named_once_it_was_taught(reader: EntityReader) -> None:
    alone = EntityReader(Vocabulary({}, {}, {}), TimeReader(ZONE))
    assert _named(alone, "右边咕嘟着") == []

    assert _named(reader, "右边咕嘟着") == ["咕嘟"]


def test_what_the_rules_find_asserted_is_named_in_words_that_were_never_taught(reader: EntityReader) -> None:
    assert _named(reader, "右边有点肿") == ["肿"]


def test_what_is_only_asked_about_or_told_of_a_colleague_is_not_named(reader: EntityReader) -> None:
    assert _named(reader, "右边会不会疼") == []
    assert _named(reader, "同事右边咕嘟着") == []


def test_a_symptom_keeps_its_place_and_script_in_the_members_own_text(reader: EntityReader) -> None:
    text = "😣 左邊  有點 腫"

    (found,) = _symptoms(reader, text)

    assert text[found.start : found.end] == found.text == "腫"
    assert found.value == "肿"


def test_a_word_that_is_said_again_is_named_where_it_is_first_so(reader: EntityReader) -> None:
    (found,) = _symptoms(reader, "左边疼，上面也疼")

    assert found.start == 2


def test_what_stands_far_down_in_a_long_message_is_still_found_by_the_rules(reader: EntityReader) -> None:
    text = "周六约个号，" * (READ_LIMIT // 6 + 5) + "伤口化脓了"

    assert [one.start for one in _symptoms(reader, text)] == [text.index("化脓")]


@pytest.mark.parametrize("text", ["", "   ", "。", "🙂", "\u200b", "\ud800", "\x00\x07", "疼" * 5_000, "a" * 5_000])
def test_any_text_is_read(text: str, reader: EntityReader) -> None:
    assert all(text[one.start : one.end] == one.text for one in reader.read(text, MONDAY))


def test_without_a_trained_tagger_the_rules_read_alone_and_what_is_missing_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = _reader(tmp_path)

    assert _named(alone, "右边有点肿，还流血") == ["肿", "流血"]
    assert alone.missing() == ("symptoms",)
    assert [record.message for record in caplog.records] == ["model not usable"]


@pytest.mark.parametrize("broken", ["tagger.crf", "tagger.sha256", "sounds/words.json", "sounds/lines.npz"])
@pytest.mark.parametrize("rubbish", [b"", b"{broken", b"\xff\xfe" * 50])
def test_a_damaged_model_is_never_opened_and_the_rules_read_alone(
    broken: str, rubbish: bytes, folder: Path, tmp_path: Path
) -> None:
    for file in (one for one in folder.rglob("*") if one.is_file()):
        copy = tmp_path / file.relative_to(folder)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(file.read_bytes())
    (tmp_path / broken).write_bytes(rubbish)

    alone = _reader(tmp_path)

    assert _named(alone, "右边有点肿") == ["肿"]
    assert alone.missing() == ("symptoms",)


def test_a_whole_model_misses_nothing(reader: EntityReader) -> None:
    assert reader.missing() == ()


def test_a_tagger_that_was_never_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged):
        SymptomModel.load(tmp_path)


def test_the_same_lines_teach_the_same(folder: Path, tmp_path: Path) -> None:
    SymptomModel.train(TAUGHT).save(tmp_path)

    assert (tmp_path / "tagger.sha256").read_text() == (folder / "tagger.sha256").read_text()


def test_every_character_is_seen_with_what_the_rules_think_of_it() -> None:
    plain = PlainText.of(normalise("不疼，肿了"), None)

    seen = signs(plain.text, entity_symptoms.findings(plain), 0.5)

    marks = [next(sign for sign in of_one if sign.startswith("R=")) for of_one in seen]
    assert marks == ["R=-", "R=u", "R=-", "R=B", "R=-"]
    assert "denied<0" in seen[1]
    assert "denied<<" in seen[3]


def test_a_label_that_does_not_stand_in_its_line_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps({"text": "肿了，也疼", "spans": ["疼", "肿"]}) + "\n", encoding="utf-8")

    with pytest.raises(ValueError, match="肿"):
        list(read_lines([file]))


def test_every_line_we_teach_with_is_readable_and_stands_there_once() -> None:
    lines = list(read_lines(sorted((ROOT / "data" / "entities").glob("*.jsonl"))))

    assert sum(bool(line.spans) for line in lines) >= 1_800
    assert sum(not line.spans for line in lines) >= 500
    assert len({line.text for line in lines}) == len(lines)
    assert all(len(set(line.spans)) == len(line.spans) for line in lines)
