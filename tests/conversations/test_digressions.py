"""Something else comes up in the middle; it is answered, and the open question comes back."""

from __future__ import annotations

import pytest

from care.model.case import CaseLevel
from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def test_a_price_question_inside_a_booking(talk: Talk) -> None:
    talk.say("我想约洗牙")

    answer = talk.say("多少钱啊")

    assert "168–398" in answer
    assert "1." in answer
    talk.say("第一个")
    talk.say("好")
    assert talk.visit().slot.service == "scaling"


def test_a_parking_question_before_the_yes_keeps_the_time(talk: Talk) -> None:
    talk.say("约这周四下午三点洗牙")

    answer = talk.say("你们那边好停车吗")

    assert "停" in answer
    assert "约定了吗" in answer
    assert talk.held()
    talk.say("约定")
    assert talk.local(talk.visit().slot.start_at) == "2026-11-26 15:00"


def test_fear_inside_a_booking_is_heard_and_the_booking_goes_on(talk: Talk) -> None:
    talk.say("我要拔智齿")

    answer = talk.say("其实我特别害怕打针")

    assert "麻药" in answer
    assert "1." in answer


def test_a_human_is_brought_in_from_the_middle_of_a_booking(talk: Talk) -> None:
    talk.say("我要约补牙")

    answer = talk.say("太麻烦了给我转人工")

    assert "李静" in answer
    assert CaseLevel.W1 in talk.levels()


def test_a_doctor_is_asked_about_inside_a_booking(talk: Talk) -> None:
    talk.say("我想种牙，帮我约一下")

    answer = talk.say("王建国医生怎么样")

    assert "王建国" in answer
    assert "主任医师" in answer


def test_a_symptom_comes_before_a_booking(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=3)
    talk.say("我想约洗牙")

    answer = talk.say("哎对了我种牙那边今天又有点疼")

    assert "最疼的时候大概几分" in answer
    assert talk.answers() == []
    talk.say("2")
    assert talk.answers()[0].value == "2"


def test_a_question_inside_a_cancellation(talk: Talk) -> None:
    talk.has_visit("scaling", "2026-11-26 15:00")
    talk.say("取消我的预约")

    answer = talk.say("取消要收钱吗")
    talk.say("取消吧")

    assert answer
    assert not talk.visits()


def test_small_talk_inside_a_booking_does_not_end_it(talk: Talk) -> None:
    talk.say("约洗牙")
    talk.say("你叫什么名字呀")

    answer = talk.say("第一个")

    assert "读给您听" in answer
