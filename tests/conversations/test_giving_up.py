"""Stopping in the middle, and coming back."""

from __future__ import annotations

import pytest

from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


@pytest.mark.parametrize("words", ["算了", "先不约了", "算了我再想想", "不弄了 麻烦", "改天再说吧"])
def test_giving_up_lets_go_of_the_time(talk: Talk, words: str) -> None:
    talk.say("约这周四下午三点洗牙")
    assert talk.held()

    answer = talk.say(words)

    assert "先不约" in answer or "放" in answer
    assert not talk.held()
    assert not talk.visits()


def test_the_stop_button_lets_go_too(talk: Talk) -> None:
    talk.say("约这周四下午三点洗牙")

    talk.tap("先不约了")

    assert not talk.held()
    assert not talk.visits()


def test_somebody_who_gave_up_can_begin_again(talk: Talk) -> None:
    talk.say("约洗牙")
    talk.say("算了")

    talk.say("还是帮我约一下洗牙吧，周五下午两点")
    talk.say("对")

    assert talk.local(talk.visit().slot.start_at) == "2026-11-27 14:00"


def test_giving_up_a_move_keeps_the_visit(talk: Talk) -> None:
    old = talk.has_visit("scaling", "2026-11-26 15:00")
    talk.say("我想改一下时间")

    answer = talk.say("算了不改了")

    assert "还在" in answer or "不改" in answer
    assert talk.visit().id == old.id


def test_a_no_to_the_cancellation_keeps_the_visit(talk: Talk) -> None:
    old = talk.has_visit("scaling", "2026-11-26 15:00")
    talk.say("取消洗牙")

    assert "留着" in talk.say("不用了，我还是去吧")
    assert talk.visit().id == old.id


@pytest.mark.parametrize("words", ["还是留着", "先别取消", "还是留着吧"])
def test_the_visit_is_kept_in_other_words(talk: Talk, words: str) -> None:
    old = talk.has_visit("scaling", "2026-11-26 15:00")
    talk.say("取消洗牙")

    assert "留着" in talk.say(words)
    assert talk.visit().id == old.id


def test_the_visit_is_kept_by_button(talk: Talk) -> None:
    old = talk.has_visit("scaling", "2026-11-26 15:00")
    talk.say("取消洗牙")

    talk.tap("还是留着")

    assert talk.visit().id == old.id


def test_stopping_when_nothing_is_under_way_is_answered(talk: Talk) -> None:
    assert talk.say("算了不弄了")
    assert not talk.cases()
