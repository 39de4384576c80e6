"""A lexicon that a nurse edits is refused with file and line when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from care.adapters.language.safety_lexicon import LexiconError, load_lexicon
from care.adapters.language.safety_patterns import PatternError, compile_phrase
from care.settings import ROOT

PACK = ROOT / "packs" / "dental" / "safety.yml"
WORDS = {"血": ["血", "鲜血"], "停": ["止不住", "停不下"]}


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A copy of the pack's lexicon to spoil."""
    folder = tmp_path / "dental"
    folder.mkdir()
    (folder / "safety.yml").write_text(PACK.read_text(encoding="utf-8"), encoding="utf-8")
    return folder / "safety.yml"


def _spoil(path: Path, right: str, wrong: str) -> int:
    """Put `wrong` in place of the first `right` and return its line."""
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    return text[: text.index(right)].count("\n") + 1


def test_the_pack_lexicon_is_sound() -> None:
    lexicon = load_lexicon(PACK)

    assert lexicon.version
    assert {rule.flag.value for rule in lexicon.rules if rule.flag} >= {
        "bleeding",
        "breathing",
        "self_harm",
        "violence",
    }


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("level: L0", "level: L7", "没有 L7 这个级别"),
        ("flag: bleeding", "flag: bleading", "没有 bleading 这个标志"),
        ("ignores: [asked]", "ignores: [maybe]", "不认识 maybe"),
        ('{止不住}"', '{止不注}"', "用了没有的词表 {止不注}"),
        ("血(如泉涌", "血((如泉涌", "（第"),
        ("id: bleeding.unstopped", "id: bleeding.gushing", "重复了"),
        ("    reach: 14", "    reech: 14", "不认识 reech"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(right: str, wrong: str, says: str, edited: Path) -> None:
    line = _spoil(edited, right, wrong)

    with pytest.raises(LexiconError) as refused:
        load_lexicon(edited)

    first = refused.value.problems[0]
    assert first.startswith("dental/safety.yml:")
    if says != "（第":
        assert says in str(refused.value)
    assert any(abs(int(problem.split(":")[1]) - line) <= 12 for problem in refused.value.problems)


def test_broken_yaml_is_named_with_its_line(edited: Path) -> None:
    _spoil(edited, "rules:", "rules: [")

    with pytest.raises(LexiconError, match=r"dental/safety\.yml:\d+: YAML 写法有误"):
        load_lexicon(edited)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match="没有这个文件"):
        load_lexicon(tmp_path / "safety.yml")


def test_a_file_in_another_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "safety.yml"
    path.write_bytes("版本".encode("gbk"))

    with pytest.raises(LexiconError, match="UTF-8"):
        load_lexicon(path)


def test_every_mistake_is_listed_at_once(edited: Path) -> None:
    _spoil(edited, "level: L0", "level: L7")
    _spoil(edited, "flag: fever", "flag: feever")

    with pytest.raises(LexiconError) as refused:
        load_lexicon(edited)

    assert "L7" in str(refused.value)
    assert "feever" in str(refused.value)


@pytest.mark.parametrize(
    ("phrase", "matches", "misses"),
    [
        ("{血}……{停}", "血怎么也止不住", "血不多，停不下"),
        ("肿得?像…馒头", "肿得像个馒头", "肿得像。馒头"),
        ("^重开$", "重开", "重开一单"),
        ("晕~(车|针)", "晕了", "晕车"),
        ("<~(打|哭)肿", "脸肿", "哭肿"),
        ("(都|也)*疼", "都也疼", "酸"),
        ("(直)+抖", "直抖", "抖"),
        ("{数}天", "三天", "天"),
        ("好了，又", "好了，又", "好了又"),
        ("腫痛", "肿疼", "肿"),
    ],
)
def test_the_pattern_language_reads_as_written(phrase: str, matches: str, misses: str) -> None:
    compiled = compile_phrase(phrase, WORDS)

    assert compiled.regex.search(matches)
    assert compiled.possible(frozenset(matches))
    assert not compiled.regex.search(misses)


@pytest.mark.parametrize("phrase", ["(血", "血)", "{没有}", "血?", "|", "~血", "血?|", "{血"])
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str) -> None:
    with pytest.raises(PatternError):
        compile_phrase(phrase, WORDS)
