"""Straight through: what most members want, said in one go or bit by bit."""

from __future__ import annotations

import pytest

from care.model.case import CaseLevel
from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def test_a_visit_is_booked_step_by_step(talk: Talk) -> None:
    assert "做什么" in talk.say("你好，帮我约个时间")
    offered = talk.say("洗牙")
    assert "1." in offered

    assert "读给您听" in talk.say("第二个")
    assert talk.held()
    assert "约好了" in talk.say("对")

    assert talk.visit().slot.service == "scaling"


def test_everything_said_at_once_is_only_read_back(talk: Talk) -> None:
    answer = talk.say("帮我约这周四下午三点洗牙")

    assert "读给您听" in answer
    assert "11月26日周四下午3点" in answer
    assert "约好了" in talk.tap("对，约定")
    assert talk.local(talk.visit().slot.start_at) == "2026-11-26 15:00"


def test_a_visit_is_moved_and_the_old_time_kept_until_then(talk: Talk) -> None:
    old = talk.has_visit("scaling", "2026-11-26 15:00")

    answer = talk.say("我周四的洗牙改到周五下午两点可以吗")
    assert "改到" in answer
    assert [visit.id for visit in talk.visits()] == [old.id]
    assert "改好了" in talk.say("可以")

    assert talk.local(talk.visit().slot.start_at) == "2026-11-27 14:00"


def test_a_visit_is_cancelled_only_after_a_yes(talk: Talk) -> None:
    talk.has_visit("scaling", "2026-11-26 15:00")

    assert "确定取消吗" in talk.say("那个洗牙我去不了了，取消掉吧")
    assert talk.visits()
    assert "取消好了" in talk.say("确定")

    assert not talk.visits()


def test_asking_for_a_human_names_who_comes_and_when(talk: Talk) -> None:
    answer = talk.say("转人工")

    assert "李静" in answer
    assert "0571-8600-2233" in answer
    assert talk.levels() == {CaseLevel.W1}


def test_a_price_is_told_as_a_range(talk: Talk) -> None:
    assert "168–398" in talk.say("洗牙多少钱")


def test_the_signed_sheet_answers_for_the_right_day(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=1)

    assert "头三天不喝烫的" in talk.say("现在能喝咖啡吗")
    assert not talk.cases()


def test_bleeding_that_does_not_stop_brings_the_nurse(talk: Talk) -> None:
    talk.was_treated("implant", days_ago=0, hour=8)

    answer = talk.say("纱布咬了大半个钟头了血还是止不住")

    assert "赵敏" in answer
    assert "10 分钟内" in answer
    assert CaseLevel.L1 in talk.levels()
