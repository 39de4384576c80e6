"""What a message wants: its intent, what the question before it makes likely, and the second wish beside it."""

from __future__ import annotations

import pytest

from care.adapters.language.intents import IntentReader, clauses_of, plain

TAUGHT = {
    "book_appointment": ["想约洗牙", "帮我约个洗牙", "约周六的号", "给我挂个号", "要约个时间看牙", "预约拔牙"],
    "cancel_appointment": ["取消周六的号", "把预约取消", "周六不来了取消吧", "退掉那个号", "取消我的预约"],
    "ask_price": ["洗牙多少钱", "拔牙什么价", "多少钱一颗", "价格贵不贵", "种牙要多少钱"],
    "report_symptom": ["牙疼得厉害", "脸肿了", "伤口流血", "疼了一夜", "牙龈又肿又疼"],
    "report_improvement": ["不疼了", "好多了", "消肿了", "今天好多了"],
    "report_low_mood": ["心里难受", "提不起劲", "想哭", "心里空落落的"],
    "give_rating": ["给九分", "五颗星", "打八分", "满分"],
    "inform": ["下午三点", "洗牙", "王医生", "周六上午"],
    "affirm": ["好的", "可以", "行", "对"],
    "deny": ["不对", "不用", "不行"],
    "stop": ["算了", "不弄了", "先这样不约了"],
    "thank": ["谢谢", "多谢", "谢谢你们"],
}


@pytest.fixture(scope="module")
def reader() -> IntentReader:
    pairs = [(text, intent) for intent, texts in TAUGHT.items() for text in texts]
    return IntentReader.train([text for text, _ in pairs], [intent for _, intent in pairs])


@pytest.mark.parametrize(
    ("asked", "intent"),
    [("checkin.pain", "report_symptom"), ("survey.nps", "give_rating"), ("booking.time", "inform")],
)
def test_the_same_nine_is_what_was_asked_for(asked: str, intent: str, reader: IntentReader) -> None:
    assert reader.read("9", asked).ranking[0][0] == intent


def test_a_plain_wish_is_heard_whatever_was_asked(reader: IntentReader) -> None:
    assert reader.read("取消我的预约", "checkin.pain").ranking[0][0] == "cancel_appointment"


def test_an_open_check_in_about_the_mood_makes_a_low_mood_likely(reader: IntentReader) -> None:
    unasked, asked = dict(reader.read("2").ranking), dict(reader.read("2", "checkin.mood").ranking)

    assert asked["report_low_mood"] > 5 * unasked["report_low_mood"]


def test_what_was_read_for_danger_makes_a_symptom_likelier(reader: IntentReader) -> None:
    without = dict(reader.read("谢谢，枕头红了一片").ranking)
    with_flag = dict(reader.read("谢谢，枕头红了一片", flags=["bleeding"]).ranking)

    assert with_flag["report_symptom"] > without["report_symptom"]


def test_a_severe_complaint_is_no_sign_of_the_body(reader: IntentReader) -> None:
    assert reader.read("叫你们经理", flags=["complaint_severe"]) == reader.read("叫你们经理")


def test_chances_are_shares_of_one_and_in_order(reader: IntentReader) -> None:
    ranking = reader.read("想约洗牙", "booking.service").ranking

    assert sum(chance for _, chance in ranking) == pytest.approx(1.0, abs=0.01)
    assert [chance for _, chance in ranking] == sorted((chance for _, chance in ranking), reverse=True)
    assert {name for name, _ in ranking} == set(TAUGHT)


def test_a_second_wish_is_found_with_the_clause_that_says_it(reader: IntentReader) -> None:
    meaning = reader.read("帮我约个洗牙，洗牙多少钱")

    assert meaning.ranking[0][0] == "book_appointment"
    assert [(wish.intent, wish.text) for wish in meaning.also] == [("ask_price", "洗牙多少钱")]


def test_two_wishes_are_no_doubt_between_them_and_the_first_said_leads(reader: IntentReader) -> None:
    meaning = reader.read("取消我的预约，另外帮我约个洗牙")

    (main, chance), *others = meaning.ranking
    assert main == "cancel_appointment"
    assert [wish.intent for wish in meaning.also] == ["book_appointment"]
    assert chance > 0.5
    assert dict(others)["book_appointment"] == 0.0


def test_one_clause_carries_one_wish(reader: IntentReader) -> None:
    assert list(reader.read("帮我约个洗牙").also) == []


def test_thanks_and_bare_values_are_no_second_wish(reader: IntentReader) -> None:
    assert list(reader.read("帮我约个洗牙，下午三点，谢谢").also) == []


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("想约洗牙 顺便问下多少钱", ["想约洗牙", "顺便问下多少钱"]),
        ("我想约洗牙顺便问问价格", ["我想约洗牙", "顺便问问价格"]),
        ("好的，行", []),
        ("", []),
    ],
)
def test_clauses_are_cut_where_people_breathe(text: str, clauses: list[str]) -> None:
    assert clauses_of(text) == clauses


def test_of_a_long_message_beginning_and_end_are_read() -> None:
    long = "我先说说我家的事" * 100 + "帮我约个洗牙"

    read = plain(long)

    assert read.startswith("我先说说")
    assert read.endswith("约个洗牙")
    assert len(read) <= 200


def test_nothing_to_read_is_read_as_nothing() -> None:
    assert plain("\u200b") == "…"
