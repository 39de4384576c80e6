"""Two wishes in one message: both are seen to, one question stands at the end."""

from __future__ import annotations

import pytest

from care.model.case import CaseLevel
from care.model.consent import Purpose
from tests.conversations.talk import Talk
from tests.conversations.test_recovery import check_in

pytestmark = pytest.mark.rasa


def test_a_price_beside_a_booking_is_told_first_and_the_question_stands_last(talk: Talk) -> None:
    answer = talk.say("帮我约周五下午两点的洗牙，顺便问下洗牙多少钱")

    assert "168–398" in answer
    assert answer.index("168–398") < answer.index("读给您听")
    talk.say("对")
    assert talk.local(talk.visit().slot.start_at) == "2026-11-27 14:00"


def test_a_cancellation_and_a_new_visit_are_done_one_after_the_other(talk: Talk) -> None:
    talk.has_visit("scaling", "2026-11-26 15:00")

    first = talk.say("帮我取消周四的洗牙，另外再约下周一上午十点的补牙")
    assert "我记着" in first
    assert "确定取消吗" in first
    second = talk.say("确定取消")
    assert "取消好了" in second
    assert "刚才您还说" in second
    assert "读给您听" in second
    talk.say("对")

    visit = talk.visit()
    assert (visit.slot.service, talk.local(visit.slot.start_at)) == ("filling", "2026-11-30 10:00")


def test_everything_is_dropped_when_everything_is_dropped(talk: Talk) -> None:
    talk.has_visit("scaling", "2026-11-26 15:00")
    talk.say("帮我取消周四的洗牙，另外再约下周一上午十点的补牙")

    answer = talk.say("都算了")

    assert "刚才您还说" not in answer
    assert talk.visit().slot.service == "scaling"


def test_the_choice_and_a_question_in_one_message(talk: Talk) -> None:
    talk.say("约洗牙")

    answer = talk.say("就第二个吧，你们那边好停车吗")

    assert "停" in answer
    assert answer.index("停") < answer.index("读给您听")


def test_the_yes_and_another_wish_in_one_message(talk: Talk) -> None:
    talk.say("约这周四下午三点洗牙")

    answer = talk.say("对，另外别再给我发广告了")

    assert "约好了" in answer
    assert talk.visits()
    assert not talk.member().choices[Purpose.MARKETING].given


def test_by_the_way_is_no_yes(talk: Talk) -> None:
    talk.say("约这周四下午三点洗牙")

    answer = talk.say("对了，你们几点关门")

    assert "约定了吗" in answer
    assert not talk.visits()


def test_a_human_never_waits(talk: Talk) -> None:
    answer = talk.say("帮我转人工，我还想约个洗牙")

    assert "李静" in answer
    assert CaseLevel.W1 in talk.levels()


def test_pain_and_a_booking_without_a_treatment_are_one(talk: Talk) -> None:
    answer = talk.say("我大牙疼，想约周五下午两点看一下")

    assert "11月27日" in answer
    assert "护士联系您" not in answer


def test_pain_after_a_treatment_comes_first_and_the_booking_is_not_forgotten(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=2)

    first = talk.say("我种牙那里有点疼，另外帮我约个洗牙")
    assert "最疼的时候" in first
    answer = talk.say("2")

    assert "刚才您还说" in answer
    assert "洗牙最近能约到" in answer


def test_a_question_beside_the_answer_to_a_check_in_is_answered_and_the_check_in_goes_on(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")

    answer = talk.say("疼3分，另外我现在能喝咖啡吗")

    assert [one.value for one in talk.answers()] == ["3"]
    assert answer.index("记下了") < answer.index("不喝烫的") < answer.index("还有血吗")


def test_a_move_beside_the_last_answer_of_a_check_in_is_made(talk: Talk) -> None:
    talk.has_visit("checkup", "2026-11-27 15:00")
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")
    talk.tap("3")
    talk.tap("没有")

    answer = talk.say("都做了，帮我把周五的检查改到下周一")
    assert "改吗" in answer
    talk.say("对，改")

    assert talk.local(talk.visit().slot.start_at) == "2026-11-30 15:00"


def test_a_wish_in_the_middle_of_a_check_in_is_done_when_it_has_ended(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")
    talk.tap("3")

    assert "先问完这几句" in talk.say("没血了，帮我约个洗牙")
    answer = talk.tap("都做了")

    assert "歇着" in answer
    assert "刚才您还说“帮我约个洗牙”" in answer
    assert "洗牙最近能约到" in answer


def test_a_booking_in_the_middle_of_a_check_in_asks_one_question_at_a_time(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")

    assert "最疼的时候" not in talk.say("帮我约周五下午两点的洗牙")
    answer = talk.say("对")

    assert "约好了" in answer
    assert "最疼的时候" in answer


def test_who_does_not_want_to_be_asked_is_not_asked_again_in_the_same_breath(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")

    answer = talk.say("你们别再天天问我了，烦")

    assert "不主动问" in answer
    assert "最疼的时候" not in answer
