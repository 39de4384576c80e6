"""After a treatment: symptoms, check-ins, what is allowed, drugs, worries and low evenings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from care.model.case import CaseLevel
from care.services import touchpoints
from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def check_in(talk: Talk, code: str) -> str:
    """Let a planned check-in become due and leave; return what the member reads."""
    planned = next(one for one in talk.touchpoints() if one.plan == code)
    talk.clock.set(planned.due_at)
    with talk.house.unit_of_work() as uow:
        claimed = uow.treatments.claim_due(talk.clock.now(), talk.clock.now() + timedelta(minutes=1), 20)
        uow.commit()
    for one in claimed:
        with talk.house.unit_of_work() as uow:
            touchpoints.hand_over(one, uow=uow, clock=talk.clock, pack=talk.house.pack, zone=talk.house.zone)
            uow.commit()
    return talk.newest()


def test_the_evening_after_an_implant_is_looked_after_by_tap(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)

    assert "最疼的时候大概几分" in check_in(talk, "A0")
    assert "还有血吗" in talk.tap("3")
    assert "药" in talk.tap("没有")
    assert "歇着" in talk.tap("都做了")

    assert [answer.value for answer in talk.answers()] == ["3", "none", "done"]
    assert not talk.cases()


def test_the_evening_after_an_implant_is_looked_after_in_words(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")

    talk.say("大概三四分吧")
    talk.say("就口水有点血丝")
    talk.say("都吃了")

    assert [answer.value for answer in talk.answers()] == ["4", "pink", "done"]


def test_bleeding_on_the_first_evening_goes_to_the_nurse(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")
    talk.tap("3")

    answer = talk.tap("咬了 30 分钟纱布还在流")

    assert "赵敏" in answer
    assert talk.levels() == {CaseLevel.L1}


def test_a_question_between_two_answers_is_answered_and_the_check_in_goes_on(talk: Talk) -> None:
    talk.was_treated("implant", hour=9)
    check_in(talk, "A0")

    answer = talk.say("今天晚上能刷牙吗")

    assert "当天不刷牙" in answer
    assert "最疼的时候大概几分" in answer
    talk.say("3")
    assert talk.answers()[0].value == "3"


def test_a_drug_question_is_never_answered_by_the_assistant(talk: Talk) -> None:
    talk.was_treated("extraction", days_ago=1)

    answer = talk.say("疼的话能不能吃两片布洛芬")

    assert "赵敏" in answer
    assert "医生" in answer
    assert CaseLevel.L3 in talk.levels()


def test_what_the_sheet_does_not_say_goes_to_a_nurse(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=2)

    answer = talk.say("我能去参加同学会唱歌吗")

    assert "赵敏" in answer
    assert CaseLevel.L3 in talk.levels()


def test_a_worry_about_the_result_is_taken_to_somebody_who_may_judge(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=5)

    answer = talk.say("这颗种的牙会不会长不牢啊，我老琢磨")

    assert "检查" in answer
    assert CaseLevel.L3 in talk.levels()


def test_a_low_evening_is_heard_and_a_carer_knows(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=2)

    answer = talk.say("做完以后心里空落落的，一个人在家挺难受")

    assert "李静" in answer
    assert CaseLevel.W1 in talk.levels()


def test_better_news_is_welcome(talk: Talk) -> None:
    talk.was_treated("extraction", days_ago=4)

    assert "太好了" in talk.say("今天好多了，基本不疼了")
    assert not talk.cases()


def test_a_symptom_without_a_treatment_on_record_offers_the_nurse(talk: Talk) -> None:
    answer = talk.say("我右边大牙这两天有点酸疼")

    assert "护士" in answer
    talk.tap("请护士联系我")
    assert talk.cases()


def test_no_more_check_ins_is_honoured_and_a_human_knows_on_the_first_days(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=1)

    answer = talk.say("你们别再天天问我了，烦")

    assert "不主动问" in answer
    assert talk.cases()
    assert check_in(talk, "A2") == answer.splitlines()[-1]


def test_trouble_breathing_is_an_emergency_in_the_first_line(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=1)

    answer = talk.say("脖子肿起来了，喘不上气")

    assert "120" in answer
    assert CaseLevel.L0 in talk.levels()


def test_not_wanting_to_live_brings_a_human_and_silences_everything_else(talk: Talk) -> None:
    answer = talk.say("我真的不想活了")

    assert "12356" in answer
    assert CaseLevel.P3 in talk.levels()
    assert "约" not in talk.say("约个洗牙")
