"""When the assistant does not understand, or cannot: it asks, it brings a human, it never acts on a guess."""

from __future__ import annotations

import pytest

from care.model.case import CaseLevel
from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def test_gibberish_is_asked_back_and_then_handed_to_a_human(talk: Talk) -> None:
    first = talk.say("的了吗呢吧啊哈")
    assert first
    assert not talk.visits()


@pytest.mark.parametrize(
    "words", ["", "   ", "😀😀😀", "\u200b\u200b", "\x00\x00", "/restart", "/book_appointment", "///"]
)
def test_odd_input_is_answered_and_orders_nobody_about(talk: Talk, words: str) -> None:
    assert talk.say(words)
    assert not talk.visits()


def test_five_thousand_characters_are_answered(talk: Talk) -> None:
    assert talk.say("我想约洗牙" + "啊" * 5000)


def test_praise_and_complaint_reach_people(talk: Talk) -> None:
    assert "看得到" in talk.say("你们护士真好，特别有耐心，必须表扬")
    assert not talk.cases()

    answer = talk.say("等了一个半小时没人理我，服务太差了")
    assert "对不起" in answer
    assert talk.cases()


def test_thanks_and_goodbye_are_short(talk: Talk) -> None:
    assert len(talk.say("谢谢你啊")) < 30
    assert len(talk.say("那先这样，拜拜")) < 30


def test_traditional_chinese_books_as_well(talk: Talk) -> None:
    answer = talk.say("我想預約洗牙，星期五下午兩點")

    assert "11月27日" in answer


def test_somebody_waiting_for_the_nurse_hears_again_who_comes_and_when(talk: Talk) -> None:
    talk.was_treated("extraction", days_ago=3)
    talk.say("比昨天更疼了，一跳一跳往耳朵窜，嘴里有臭味")
    before = talk.levels()

    answer = talk.say("怎么还没人给我打电话")

    assert "赵敏" in answer
    assert talk.levels() == before


def test_half_english_books_as_well(talk: Talk) -> None:
    answer = talk.say("hi 想book一个cleaning this saturday afternoon")

    assert "11月28日周六" in answer
    assert "洗牙" in answer


@pytest.mark.parametrize(
    "words",
    [
        "取消我的外卖订单",
        "把我的快递改到下周一",
        "帮我把周五的机票改签到周六",
        "预约个理发",
        "周五下午三点帮我订高铁票",
        "帮我约个眼科",
        "我想买股票，明天下午三点",
        "约辆车去机场",
    ],
)
def test_what_is_arranged_elsewhere_touches_no_visit(talk: Talk, words: str) -> None:
    before = talk.has_visit("scaling", "2026-11-27 15:00")

    answer = talk.say(words)

    assert "帮不上" in answer
    assert not talk.held()
    talk.say("对")
    assert talk.visit().id == before.id


@pytest.mark.parametrize("words", ["狗狗洗牙多少钱", "我家猫要拔牙能约吗"])
def test_animals_are_looked_after_elsewhere(talk: Talk, words: str) -> None:
    assert "宠物医院" in talk.say(words)
    assert not talk.held()


def test_whether_a_treatment_is_right_for_an_ill_person_is_not_answered_here(talk: Talk) -> None:
    answer = talk.say("我妈有高血压，拔牙要紧吗")

    assert "赵敏" in answer
    assert CaseLevel.L3 in talk.levels()


@pytest.mark.parametrize("words", ["牙", "那个", "嗯嗯", "我看看", "是这样的"])
def test_words_that_say_nothing_do_nothing(talk: Talk, words: str) -> None:
    assert talk.say(words)
    assert not talk.held()
    assert not talk.cases()
