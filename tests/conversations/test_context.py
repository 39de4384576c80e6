"""The same word means what was asked: a number is a pain, a rating, an hour or a place in a list."""

from __future__ import annotations

import pytest

from tests.conversations.talk import Talk
from tests.conversations.test_recovery import check_in

pytestmark = pytest.mark.rasa


def ask(talk: Talk, asked: str) -> None:
    """Let a question have been put by something that is not part of the talk."""
    with talk.house.unit_of_work() as uow:
        conversation = uow.conversations.of_member(talk.member_id, lock=True)
        assert conversation is not None
        conversation.asked = asked
        uow.conversations.save(conversation)
        uow.commit()


@pytest.mark.parametrize("words", ["3", "三", "3分", "三分吧"])
def test_in_a_check_in_a_number_is_the_pain(talk: Talk, words: str) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")

    talk.say(words)

    assert [answer.value for answer in talk.answers()] == ["3"]


@pytest.mark.parametrize("words", ["好", "不", "都行", "随便", "一般般"])
def test_in_a_check_in_what_is_no_number_is_asked_again_kindly(talk: Talk, words: str) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")

    answer = talk.say(words)

    assert answer.startswith("没听准您的意思")
    assert answer.count("最疼的时候") == 1
    assert talk.answers() == []
    assert not talk.visits()
    talk.say("3")
    assert [answer.value for answer in talk.answers()] == ["3"]


@pytest.mark.parametrize("words", ["9", "九", "9分"])
def test_in_a_survey_a_number_is_the_rating(talk: Talk, words: str) -> None:
    ask(talk, "survey.nps")

    assert "最想让我们改的一点" in talk.say(words)
    assert not talk.cases()


def test_in_a_survey_a_low_number_reaches_a_human(talk: Talk) -> None:
    ask(talk, "survey.nps")

    assert "没做好" in talk.say("三")
    assert talk.cases()


@pytest.mark.parametrize("words", ["好", "都行", "随便", "一般般"])
def test_in_a_survey_a_word_without_a_number_is_asked_for_one(talk: Talk, words: str) -> None:
    ask(talk, "survey.csat")

    assert "0 到 5" in talk.say(words)
    assert "最想让我们改的一点" in talk.say("4")


@pytest.mark.parametrize("words", ["都行", "环境", "一般般", "随便"])
def test_whatever_somebody_would_change_is_taken(talk: Talk, words: str) -> None:
    ask(talk, "survey.why")

    assert "记下了" in talk.say(words)
    assert not talk.visits()


@pytest.mark.parametrize("words", ["9", "九", "九点"])
def test_while_a_time_is_chosen_a_number_is_an_hour(talk: Talk, words: str) -> None:
    talk.say("约洗牙")

    assert "上午9点" in talk.say(words)


@pytest.mark.parametrize("words", ["三", "3"])
def test_while_a_time_is_chosen_a_small_number_is_a_place_in_the_list(talk: Talk, words: str) -> None:
    third = talk.say("约洗牙").splitlines()[3]

    answer = talk.say(words)

    assert "读给您听" in answer
    assert third.split(" · ")[0].removeprefix("3. ") in answer


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("都行", "读给您听"),
        ("随便", "读给您听"),
        ("好", "您要哪一个"),
        ("一般般", "您要哪一个"),
        ("不", "再看看这几个"),
    ],
)
def test_while_a_time_is_chosen_a_word_is_about_the_times(talk: Talk, words: str, expected: str) -> None:
    talk.say("约洗牙")

    assert expected in talk.say(words)
    assert not talk.visits()


@pytest.mark.parametrize(
    ("words", "expected"), [("三", "深度洁治"), ("3", "深度洁治"), ("随便", "口腔检查"), ("都行", "口腔检查")]
)
def test_while_a_service_is_chosen_a_word_is_about_the_services(talk: Talk, words: str, expected: str) -> None:
    talk.say("我要预约")

    assert f"{expected}最近能约到" in talk.say(words)


@pytest.mark.parametrize("words", ["9", "好", "一般般"])
def test_a_word_that_names_no_service_is_asked_back(talk: Talk, words: str) -> None:
    talk.say("我要预约")

    assert "没听准是哪一项" in talk.say(words)


@pytest.mark.parametrize("words", ["9", "九", "好", "随便", "都行"])
def test_a_price_still_needs_the_name_of_something(talk: Talk, words: str) -> None:
    talk.say("多少钱")

    assert "哪一项的价格" in talk.say(words)
    assert "168–398" in talk.say("洗牙")


@pytest.mark.parametrize(
    ("words", "expected"), [("好", "这次想做什么"), ("随便", "这次想做什么"), ("九点", "九点"), ("不", "不勉强")]
)
def test_an_offer_to_book_is_taken_or_not(talk: Talk, words: str, expected: str) -> None:
    assert "要约一个吗" in talk.say("我约了几号")

    assert expected in talk.say(words)


@pytest.mark.parametrize("words", ["9", "九", "9分", "三"])
def test_without_a_question_a_number_begins_nothing(talk: Talk, words: str) -> None:
    answer = talk.say(words)

    assert f"“{words}”" in answer
    assert not talk.buttons()
    assert not talk.cases()
    assert not talk.held()
    assert len(talk.say("好")) < 10


@pytest.mark.parametrize("words", ["好", "不", "都行", "随便", "一般般"])
def test_without_a_question_a_word_begins_nothing(talk: Talk, words: str) -> None:
    assert talk.say(words)
    assert not talk.cases()
    assert not talk.held()
