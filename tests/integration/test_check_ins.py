"""A check-in goes out, is answered by taps and words, and the rules say what it means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.message import Author, OutboxState, Reply
from care.model.staff import Reader, Role
from care.model.touchpoint import TouchpointState
from care.services import members
from scheduler import ticks
from tests.conftest import new_database
from tests.days import (
    a_care_house,
    a_patient,
    answers_of,
    at,
    cases_of,
    clock_of,
    contacts,
    conversation_of,
    dialogue_of,
    last,
    on_the_first_morning,
    ours,
    says,
    staff_on_duty,
    take_over,
    taps,
    treat,
    wall,
    work_through,
)

SUTURES = date(2026, 3, 11)


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url) as made:
        yield made


# A check-in goes out and is answered


def test_a_due_check_in_opens_kindly_and_asks_its_first_question_with_one_tap(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)

    assert at(house, "03-04T17:59:59") == 0
    assert at(house, "03-04T18:00") == 1

    said = last(house, member.id)
    assert said.author is Author.CHECK_IN
    assert said.text.startswith("我是小安（AI 助手）")
    assert "王女士，麻药这会儿该慢慢退了" in said.text
    assert said.text.count("？") == 1
    assert [button.title for button in said.buttons][:2] == ["0", "1"]
    assert conversation_of(house, member.id).asked == "checkin.pain"
    assert dialogue_of(house).triggered == [("EXTERNAL_check_in", contacts(house, member.id)["A0"].id)]
    key = f"touchpoint:{contacts(house, member.id)['A0'].id}"
    with house.unit_of_work() as uow:
        item = uow.outbox.by_key(key)
    assert item is not None
    assert item.state is OutboxState.QUEUED


def test_a_check_in_is_answered_by_taps_and_by_words_and_tells_the_next_time(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    taps(house, member, "3")
    after_pain = last(house, member.id).text
    says(house, member, "口水里带点粉色")
    taps(house, member, "都做了")

    assert "还有血吗" in after_pain
    kept = [(one.question, one.value, one.verdict, one.day) for one in answers_of(house, episode)]
    assert kept == [("pain", "3", "ok", 0), ("bleed", "pink", "ok", 0), ("med", "done", "ok", 0)]
    assert contacts(house, member.id)["A0"].closed_at is not None
    assert "明天上午9点我再来看您" in last(house, member.id).text
    assert conversation_of(house, member.id).asked is None


def test_words_that_are_no_answer_go_to_the_dialogue_and_the_question_comes_back(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    says(house, member, "你们停车方便吗")

    assert answers_of(house, episode) == []
    assert [text for _, text, _ in dialogue_of(house).heard] == ["你们停车方便吗"]
    assert "收到：你们停车方便吗" in ours(house, member.id)
    assert last(house, member.id).text.startswith("对了，刚才那一题还等着您")
    says(house, member, "三分吧")
    assert [one.value for one in answers_of(house, episode)] == ["3"]


def test_a_question_can_be_skipped_and_nothing_is_made_of_it(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    taps(house, member, "跳过")
    says(house, member, "不想说")

    assert [(one.question, one.value, one.rule) for one in answers_of(house, episode)] == [
        ("pain", "skip", "skipped"),
        ("bleed", "skip", "skipped"),
    ]
    assert cases_of(house, member.id) == []


# An answer that carries a wish of its own


def test_a_question_beside_an_answer_is_answered_between_the_thanks_and_the_next_question(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")
    before = len(ours(house, member.id))

    says(house, member, "疼2分，另外我能喝咖啡吗")

    said = ours(house, member.id)[before:]
    assert said[0] == "好的，我记下了。"
    assert said[1] == "收到：疼2分，另外我能喝咖啡吗"
    assert said[2].startswith("还有血吗")
    assert [one.value for one in answers_of(house, episode)] == ["2"]
    assert conversation_of(house, member.id).asked == "checkin.bleed"
    _, _, told = dialogue_of(house).heard[-1]
    assert (told["answered"], told["asks_next"], told["asked"]) == ("pain", "checkin.bleed", "")


def test_a_bare_answer_is_not_taken_to_the_dialogue(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")

    says(house, member, "大概三四分吧")

    assert dialogue_of(house).heard == []
    assert last(house, member.id).text == "好的，我记下了。\n还有血吗？"


def test_an_answer_and_a_wish_that_finds_the_dialogue_down_go_to_a_human_and_the_check_in_goes_on(
    house: House,
) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")
    dialogue_of(house).down = "timeout"

    says(house, member, "疼2分，另外我能喝咖啡吗")

    assert [one.value for one in answers_of(house, episode)] == ["2"]
    assert [case.reason for case in cases_of(house, member.id)] == ["dialogue_down"]
    assert last(house, member.id).text.startswith("还有血吗")
    says(house, member, "没有")
    assert [one.value for one in answers_of(house, episode)] == ["2", "none"]


def test_a_second_attempt_at_an_answer_with_a_wish_takes_the_answer_once(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    def breaks() -> None:
        dialogue_of(house).while_thinking = None
        raise RuntimeError

    dialogue_of(house).while_thinking = breaks
    with pytest.raises(RuntimeError):
        says(house, member, "疼2分，另外我能喝咖啡吗")
    clock_of(house).move(minutes=10)
    work_through(house)

    assert [(one.question, one.value) for one in answers_of(house, episode)] == [("pain", "2")]
    assert ours(house, member.id).count("好的，我记下了。") == 1
    assert last(house, member.id).text.startswith("还有血吗")


def test_what_was_kept_while_a_check_in_ran_is_taken_up_when_it_ends(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    dialogue_of(house).kept = (Reply("刚才您还说要改时间，我们接着来。改到哪天？", asked="booking.time"),)

    for title in ("3", "没有", "都做了"):
        taps(house, member, title)

    assert last(house, member.id).text.startswith("刚才您还说")
    assert conversation_of(house, member.id).asked == "booking.time"


def test_a_check_in_that_ends_while_the_dialogue_is_down_ends_all_the_same(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    dialogue_of(house).down = "timeout"

    for title in ("3", "没有", "都做了"):
        taps(house, member, title)

    assert "您歇着" in last(house, member.id).text
    assert cases_of(house, member.id) == []


def test_while_a_time_is_being_chosen_the_check_in_waits_and_comes_back_afterwards(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    dialogue_of(house).answers = {
        "帮我约洗牙": (Reply("您看哪个合适？", asked="booking.time"),),
        "第一个": (Reply("约好了。"),),
    }

    says(house, member, "帮我约洗牙")
    assert last(house, member.id).text == "您看哪个合适？"
    says(house, member, "第一个")

    assert last(house, member.id).text.startswith("对了，刚才那一题还等着您")
    assert conversation_of(house, member.id).asked == "checkin.pain"


def test_words_the_dialogue_has_no_answer_to_are_asked_again_in_other_words(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    dialogue_of(house).answers = {"随便": ()}

    says(house, member, "随便")

    assert last(house, member.id).text.startswith("没听准您的意思")
    assert conversation_of(house, member.id).asked == "checkin.pain"


def test_who_does_not_want_to_be_asked_any_more_is_not_asked_once_more(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    with house.unit_of_work() as uow:
        members.choose(
            member.id,
            Purpose.CHECK_INS,
            given=False,
            at=house.clock.now(),
            by=Reader("member", member.id),
            evidence="said so",
            uow=uow,
        )
        uow.commit()

    says(house, member, "别问了")

    assert last(house, member.id).text == "收到：别问了"


# What the rules decide


def test_a_pain_to_watch_is_looked_at_again_at_the_time_the_member_is_told(house: House) -> None:
    member = a_patient(house)
    on_the_first_morning(house, member)

    taps(house, member, "6")

    again = contacts(house, member.id)["recheck_pain"]
    assert wall(again.due_at) == "03-05 13:00"
    assert "今天下午1点我再来问问您" in last(house, member.id).text
    assert cases_of(house, member.id) == []
    assert at(house, "03-05T13:00") == 1
    assert last(house, member.id).text.startswith("王女士，说好的，我再来看看您")


def test_a_second_look_that_would_fall_into_the_night_is_promised_for_the_morning(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")

    taps(house, member, "6")

    assert "明天上午8点半我再来问问您" in last(house, member.id).text
    assert wall(contacts(house, member.id)["recheck_pain"].due_at) == "03-05 08:30"
    assert at(house, "03-04T22:00") == 0
    assert at(house, "03-05T08:30") == 1


def test_bleeding_is_looked_at_again_after_thirty_five_minutes_even_late_in_the_evening(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id, kind="extraction")
    at(house, "03-04T20:29")

    clock_of(house).set("2026-03-04T20:40+08:00")
    taps(house, member, "吐出来是红的")

    assert "今天晚上9点15分我再来问您" in last(house, member.id).text
    assert at(house, "03-04T21:15") == 1
    assert "还有血吗" in last(house, member.id).text


def test_a_second_look_missed_at_night_is_not_made_up_at_two_in_the_morning(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id, kind="extraction")
    at(house, "03-04T20:29")
    clock_of(house).set("2026-03-04T20:40+08:00")
    taps(house, member, "吐出来是红的")

    assert at(house, "03-05T02:00") == 0

    again = contacts(house, member.id)["recheck_bleed"]
    assert (again.state, again.reason, wall(again.due_at)) == (
        TouchpointState.POSTPONED,
        "quiet_hours",
        "03-05 08:30",
    )


def test_a_pain_that_needs_a_nurse_becomes_a_case_with_a_level_and_a_moment(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    episode = on_the_first_morning(house, member)

    taps(house, member, "8")

    (case,) = cases_of(house, member.id)
    assert (case.level, case.reason, wall(case.due_at)) == (CaseLevel.L2, "rule:pain.seven", "03-05 09:30")
    assert "疼痛：8" in case.summary
    said = last(house, member.id)
    assert said.author is Author.SAFETY
    assert "值班护士赵敏" in said.text
    assert "30 分钟内" in said.text
    assert "1234" in said.text
    assert [one.level for one in answers_of(house, episode)] == ["L2"]
    assert contacts(house, member.id)["A1"].closed_at is not None


def test_a_low_mood_goes_to_a_carer_and_the_questions_go_on(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-06T18:30")

    taps(house, member, "有点低落")

    (case,) = cases_of(house, member.id)
    assert (case.level, case.reason) == (CaseLevel.W1, "rule:mood.two")
    assert "脸或牙龈肿吗" in last(house, member.id).text


def test_of_a_good_number_and_bad_words_the_worse_counts(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    says(house, member, "疼2分，就是血止不住")

    assert [(one.question, one.value, one.verdict) for one in answers_of(house, episode)] == [("pain", "2", "ok")]
    (case,) = cases_of(house, member.id)
    assert (case.level, wall(case.due_at)) == (CaseLevel.L1, "03-04 18:10")
    assert last(house, member.id).author is Author.SAFETY


def test_of_harmless_words_and_a_bad_tap_the_worse_counts(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    taps(house, member, "3")

    taps(house, member, "咬了 30 分钟纱布还在流")

    (case,) = cases_of(house, member.id)
    assert (case.level, case.reason) == (CaseLevel.L1, "rule:bleed.flowing")


def test_a_symptom_told_beside_an_answer_gets_its_own_question(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    says(house, member, "3分，有点低烧")
    taps(house, member, "没有")
    taps(house, member, "都做了")

    assert "今天量体温了吗" in last(house, member.id).text
    says(house, member, "37.8")
    assert [one.question for one in answers_of(house, episode)] == ["pain", "bleed", "med", "temp"]
    assert "recheck_temp" in contacts(house, member.id)


# A second thought


def test_a_double_tap_is_taken_once_and_the_next_question_still_hears_words(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    taps(house, member, "3")
    taps(house, member, "3")
    assert last(house, member.id).text == "这一题您刚才答过了，我记着呢。"
    says(house, member, "没血了")

    assert [(one.question, one.value) for one in answers_of(house, episode)] == [("pain", "3"), ("bleed", "none")]


def test_a_worse_second_answer_to_the_same_question_counts(house: House) -> None:
    member = a_patient(house)
    episode = on_the_first_morning(house, member)
    taps(house, member, "2")

    taps(house, member, "9")

    assert [one.value for one in answers_of(house, episode)] == ["2", "9"]
    assert [case.level for case in cases_of(house, member.id)] == [CaseLevel.L1]


def test_a_tap_the_next_day_on_a_question_that_was_let_go_is_still_taken(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-06T18:30")
    clock_of(house).set("2026-03-07T18:31+08:00")
    ticks.chase_silence(house)
    assert contacts(house, member.id)["A2"].closed_at is not None

    taps(house, member, "很低落")

    assert [(one.question, one.value) for one in answers_of(house, episode)] == [("mood", "1")]
    assert [case.level for case in cases_of(house, member.id)] == [CaseLevel.W2]


def test_a_tap_while_a_carer_has_the_conversation_is_judged_and_the_bot_stays_silent(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    episode = on_the_first_morning(house, member)
    take_over(house, member.id, people[Role.CARER])
    before = len(ours(house, member.id))

    taps(house, member, "8")

    assert [one.value for one in answers_of(house, episode)] == ["8"]
    assert [case.level for case in cases_of(house, member.id)] == [CaseLevel.L2]
    assert len(ours(house, member.id)) == before


def test_nobody_answers_for_somebody_else(house: House) -> None:
    member, stranger = a_patient(house), a_patient(house, phone="13800005678")
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")
    button = last(house, member.id).buttons[9]

    says(house, stranger, "9", button=f"{last(house, member.id).id}:9")

    assert button.title == "9"
    assert answers_of(house, episode) == []
    assert cases_of(house, member.id) == []


# When things are down


def test_an_answer_about_bleeding_counts_while_the_dialogue_is_down(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    _, episode = treat(house, member.id)
    dialogue_of(house).down = "unreachable"
    assert at(house, "03-04T18:00") == 1
    taps(house, member, "3")

    says(house, member, "一直流，停不下来")

    assert [one.value for one in answers_of(house, episode)] == ["3", "flowing"]
    (case,) = cases_of(house, member.id)
    assert case.level is CaseLevel.L1
    assert last(house, member.id).author is Author.SAFETY
