"""Values come early, late, several at once, for others, in other words, and sometimes make no sense."""

from __future__ import annotations

from datetime import timedelta

import pytest

from care.services import booking
from care.services.booking import Wish
from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def test_a_time_given_before_the_service_is_remembered(talk: Talk) -> None:
    talk.say("我想约周五下午两点")

    answer = talk.say("洗牙")

    assert "11月27日周五下午2点" in answer
    talk.say("对")
    assert talk.local(talk.visit().slot.start_at) == "2026-11-27 14:00"


def test_a_doctor_given_first_is_the_doctor_booked(talk: Talk) -> None:
    talk.say("我要挂李雅婷医生的号")

    talk.say("口腔检查")
    talk.say("第一个")
    talk.say("对的")

    assert talk.visit().slot.practitioner == "li_yating"


def test_a_visit_for_the_mother_carries_her_name(talk: Talk) -> None:
    answer = talk.say("给我妈约个洗牙，周五下午两点")

    assert "妈" in answer
    talk.say("对")
    assert talk.visit().for_whom == "妈"


def test_a_doctor_who_does_not_do_it_is_said_so(talk: Talk) -> None:
    answer = talk.say("约李雅婷医生拔智齿")

    assert "不做" in answer
    assert "1." in answer


def test_a_full_time_offers_the_nearest_ones(talk: Talk) -> None:
    answer = talk.say("约这周四凌晨三点洗牙")

    assert "1." in answer
    assert not talk.held()


def test_a_time_that_is_over_is_said_so(talk: Talk) -> None:
    answer = talk.say("约今天早上八点洗牙")

    assert "1." in answer
    assert not talk.held()


def test_a_date_that_does_not_exist_is_said_so(talk: Talk) -> None:
    answer = talk.say("约2月30号洗牙")

    assert "没有" in answer
    assert "1." in answer


def test_a_time_is_chosen_by_its_hour(talk: Talk) -> None:
    offered = talk.say("约洗牙 周五下午")
    assert "1." in offered

    answer = talk.say("两点半那个")

    assert "2点半" in answer


def test_a_time_is_chosen_by_button(talk: Talk) -> None:
    talk.say("约洗牙")
    button = talk.buttons()[1]

    answer = talk.tap(button)

    assert "读给您听" in answer
    talk.tap("对，约定")
    assert len(talk.visits()) == 1


def test_somebody_who_does_not_know_what_they_need_gets_a_check_up(talk: Talk) -> None:
    talk.say("帮我约个号")

    talk.say("我也不知道该做什么")

    talk.say("第一个")
    talk.say("好的")
    assert talk.visit().slot.service == "checkup"


def test_a_slot_taken_by_another_member_meanwhile_is_replaced_by_others(talk: Talk) -> None:
    talk.say("约口腔检查，周五下午三点")
    held = talk.house
    with held.unit_of_work() as uow:
        uow.appointments.release(talk.member_id)
        uow.commit()
    wish = Wish("checkup")
    start = talk.clock.now().replace(hour=7, minute=0) + timedelta(days=4)
    with held.unit_of_work() as uow:
        offered = booking.offer(wish, uow=uow, slots=held.slots, clock=talk.clock, count=1)
        assert offered.slots
        taken = [
            slot
            for slot in booking.offer(wish, uow=uow, slots=held.slots, clock=talk.clock, count=400).slots
            if slot.start_at == start
        ]
        assert taken
    for _ in range(9):  # everybody who could do it at three is booked by somebody else
        try:
            with held.unit_of_work() as uow:
                booking.book(talk.member_id, wish, start, key=None, uow=uow, slots=held.slots, clock=talk.clock)
                uow.commit()
        except Exception:
            break
    before = len(talk.visits())

    answer = talk.say("对，约定")

    assert "1." in answer
    assert len(talk.visits()) == before


def test_a_typo_in_the_service_is_understood(talk: Talk) -> None:
    answer = talk.say("我想约洗压，周五下午两点")

    assert "洗牙" in answer


def test_the_number_is_kept_after_a_strangers_first_booking(stranger: Talk) -> None:
    stranger.say("约口腔检查，周五下午三点")
    answer = stranger.say("对")
    assert "手机号" in answer

    assert "尾号 5678" in stranger.say("13812345678")
    assert stranger.member().phone == "13812345678"


def test_a_number_with_a_digit_missing_is_asked_again(stranger: Talk) -> None:
    stranger.say("约口腔检查，周五下午三点")
    stranger.say("对")

    assert "11 位" in stranger.say("1381234567")
    assert stranger.member().phone is None


def test_two_visits_are_listed_and_the_right_one_is_moved(talk: Talk) -> None:
    talk.has_visit("scaling", "2026-11-26 15:00")
    other = talk.has_visit("checkup", "2026-11-27 10:00")
    assert "2 个预约" in talk.say("我约了哪些")

    talk.say("把洗牙改到下周一上午十点")
    talk.say("对")

    visits = talk.visits()
    assert {visit.slot.service for visit in visits} == {"scaling", "checkup"}
    assert other.id in {visit.id for visit in visits}
    assert any(talk.local(visit.slot.start_at) == "2026-11-30 10:00" for visit in visits)


def test_the_same_yes_twice_books_once(talk: Talk) -> None:
    talk.say("约这周四下午三点洗牙")
    talk.say("对")

    talk.say("对")

    assert len(talk.visits()) == 1
