"""One plain form for everything a member may type, without losing where each character came from."""

from __future__ import annotations

import pytest

from care.adapters.language.normalise import fold, normalise, number


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("牙齦腫了", "牙龈肿了"),
        ("好痛", "好疼"),
        ("ＡＢＣ１２３", "abc123"),
        ("流 血 不 止", "流血不止"),
        ("流.血.不.止", "流血不止"),
        ("流\u200b血", "流血"),
        ("佢唔舒服", "他不舒服"),
        ("打坏了", "打坏了"),
        ("一个劲儿流血", "一个劲流血"),
    ],
)
def test_scripts_widths_and_spaces_come_to_one_form(typed: str, plain: str) -> None:
    assert normalise(typed).text == plain


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("流雪停不下来", "流血停不下来"),
        ("出雪了", "出血了"),
        ("又发骚了", "又发烧了"),
        ("脸种了", "脸肿了"),
        ("种值牙", "种植牙"),
        ("仲流紧血", "还流紧血"),
        ("嘴张不kai", "嘴张不开"),
        ("发shao了", "发烧了"),
        ("想自鲨", "想自杀"),
        ("侯咙痛", "喉咙疼"),
        ("伤口化农", "伤口流脓"),
        ("脸有点钟", "脸有点肿"),
        ("fashao le", "发烧le"),
        ("中指牙", "种植牙"),
        ("渗雪", "渗血"),
    ],
)
def test_misspellings_that_matter_are_read_as_meant(typed: str, plain: str) -> None:
    assert normalise(typed).text == plain


@pytest.mark.parametrize("typed", ["紫砂壶真好看", "想4点来", "风骚", "种牙", "儿子", "女儿", "下雪了", "中间那颗牙"])
def test_ordinary_words_that_look_like_misspellings_stay(typed: str) -> None:
    assert normalise(typed).text == typed


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("烧到三十八度五", "烧到38.5度"),
        ("38点5", "38.5度"),
        ("38°5", "38.5度"),
        ("体温计红了385", "体温计红了38.5度"),
        ("三十九度", "39.0度"),
        ("三十八度半", "38.5度"),
        ("房间号385", "房间号385"),
        ("385元", "385元"),
        ("下午三点半", "下午三点半"),
    ],
)
def test_temperatures_are_spelled_out_and_other_numbers_are_left(typed: str, plain: str) -> None:
    assert normalise(typed).text == plain


def test_every_character_knows_where_it_came_from() -> None:
    typed = "我  牙齦 腫了🩸，烧到三十八度五"

    plain = normalise(typed)

    assert len(plain.offsets) == len(plain.text)
    start = plain.text.index("38.5")
    first, last = plain.original_span(start, start + len("38.5度"))
    assert typed[first:last] == "三十八度五"
    gum = plain.text.index("牙龈")
    first, last = plain.original_span(gum, gum + 2)
    assert typed[first:last] == "牙齦"


def test_emoji_are_words() -> None:
    assert "发烧" in normalise("🤒").text
    assert "血" in normalise("🩸").text


@pytest.mark.parametrize(
    "text", ["", "\0", "\ud800", "\udfff血", "\u202e倒着写", "🙂" * 50, "\n\n\n", "?" * 5000, "ﷺ"]
)
def test_no_text_breaks_it(text: str) -> None:
    plain = normalise(text)

    assert len(plain.text) == len(plain.offsets)
    assert all(0 <= first < last <= len(text) for first, last in plain.offsets)


@pytest.mark.parametrize(
    ("words", "value"), [("三", 3), ("十", 10), ("十二", 12), ("二十", 20), ("7.5", 7.5), ("半", 0.5), ("两", 2)]
)
def test_small_numbers_are_read(words: str, value: float) -> None:
    assert number(words) == value


@pytest.mark.parametrize("words", ["", "很", "12345", "三点", "十十"])
def test_what_is_no_number_is_none(words: str) -> None:
    assert number(words) is None


def test_patterns_and_messages_fold_the_same_way() -> None:
    assert fold("腫痛") == normalise("腫痛").text
