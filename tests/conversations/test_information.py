"""Questions about people, treatments, prices and the clinic."""

from __future__ import annotations

import pytest

from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def test_who_is_right_for_a_child(talk: Talk) -> None:
    answer = talk.say("哪个医生看小孩子比较好")

    assert "林小雨" in answer


def test_who_is_right_for_somebody_with_a_failed_implant(talk: Talk) -> None:
    answer = talk.say("我以前种过一次没成，想找个靠谱的医生，哪位合适")

    assert "王建国" in answer


def test_a_suggested_doctor_is_booked_by_tap(talk: Talk) -> None:
    talk.say("想种牙，哪个医生好")

    answer = talk.tap(talk.buttons()[0])

    assert "种植" in answer or "1." in answer


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("你们在哪个位置啊", "文三路"),
        ("周末几点关门", "18:00"),
        ("医保能用吗", "医保"),
        ("可以分期吗", "分次"),
        ("洗牙要多长时间", "45 分钟"),
        ("拔智齿疼不疼呀", "举左手"),
        ("种牙大概什么价位", "元"),
        ("做根管之前要准备什么", "之前"),
    ],
)
def test_a_plain_question_gets_the_clinics_own_answer(talk: Talk, question: str, expected: str) -> None:
    assert expected in talk.say(question)


def test_free_times_of_a_doctor_are_told(talk: Talk) -> None:
    answer = talk.say("王建国医生哪天有号")

    assert "王建国" in answer


def test_a_price_without_a_service_is_asked_back_and_then_answered(talk: Talk) -> None:
    assert "哪一项" in talk.say("多少钱")
    assert "300–800" in talk.say("补牙")


def test_what_it_can_do(talk: Talk) -> None:
    assert "约时间" in talk.say("你能做什么")


def test_it_says_that_it_is_an_ai(talk: Talk) -> None:
    assert "AI 助手" in talk.say("你是真人还是机器人")


def test_what_is_out_of_scope_is_declined_without_doing_anything(talk: Talk) -> None:
    assert talk.say("帮我看看明天哪只股票会涨")
    assert not talk.visits()
    assert not talk.cases()


def test_a_late_member_is_announced_at_the_front_desk(talk: Talk) -> None:
    talk.has_visit("scaling", "2026-11-23 14:00")

    answer = talk.say("路上堵车，要晚到二十分钟")

    assert "前台" in answer
    assert talk.cases()
