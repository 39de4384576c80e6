"""Members change their minds in the middle: another day, another person, several things at once."""

from __future__ import annotations

import pytest

from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def test_a_wrong_day_is_corrected_before_the_yes(talk: Talk) -> None:
    assert "11月26日" in talk.say("约这周四下午三点洗牙")

    assert "11月25日" in talk.say("不对，改成周三") or "后天" in talk.say("对了是周三")
    talk.say("好的")

    assert talk.local(talk.visit().slot.start_at) == "2026-11-25 15:00"


def test_only_the_hour_is_corrected_and_the_day_stays(talk: Talk) -> None:
    talk.say("约这周四下午三点洗牙")

    talk.say("四点吧")
    talk.say("对")

    assert talk.local(talk.visit().slot.start_at) == "2026-11-26 16:00"


def test_day_and_service_change_at_once(talk: Talk) -> None:
    talk.say("约这周四下午三点洗牙")

    answer = talk.say("还是补牙吧，周五上午十点")
    assert "补牙" in answer
    talk.say("可以")

    visit = talk.visit()
    assert visit.slot.service == "filling"
    assert talk.local(visit.slot.start_at) == "2026-11-27 10:00"


def test_another_doctor_is_offered_when_the_member_wants_another(talk: Talk) -> None:
    talk.say("约口腔检查")
    first = talk.say("第一个")

    answer = talk.say("换个医生")

    assert answer != first
    assert "1." in answer or "读给您听" in answer


def test_a_later_time_is_later_than_what_was_offered(talk: Talk) -> None:
    offered = talk.say("约洗牙")
    assert "今天" in offered

    answer = talk.say("再晚一点的有吗")

    assert "1." in answer
    assert answer.splitlines()[1] != offered.splitlines()[1]


def test_none_of_the_times_suits(talk: Talk) -> None:
    first = talk.say("约洗牙").splitlines()[1:4]

    second = talk.say("都不合适").splitlines()

    assert not set(first) & set(second)


def test_a_branch_named_late_narrows_the_choice(talk: Talk) -> None:
    talk.say("我要约洗牙")

    answer = talk.say("要滨江店的")

    assert "西湖店" not in answer
    talk.say("第一个")
    talk.say("对")
    assert talk.visit().slot.clinic == "binjiang"


def test_not_thursday_but_friday_in_one_breath(talk: Talk) -> None:
    answer = talk.say("帮我约洗牙，不是周四是周五下午两点")

    assert "11月27日" in answer
    talk.say("嗯对")
    assert talk.local(talk.visit().slot.start_at) == "2026-11-27 14:00"


def test_a_move_is_corrected_before_it_is_made(talk: Talk) -> None:
    old = talk.has_visit("scaling", "2026-11-26 15:00")
    talk.say("洗牙改到周五下午两点")

    talk.say("还是下周一上午十点吧")
    talk.say("对，改")

    visit = talk.visit()
    assert visit.id != old.id
    assert talk.local(visit.slot.start_at) == "2026-11-30 10:00"
