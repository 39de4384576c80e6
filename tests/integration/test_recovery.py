"""A recovery from the treatment to the last question, with everything that can come in between."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from care.bootstrap import House
from care.model.case import CaseLevel, CaseState
from care.model.consent import Purpose
from care.model.errors import Conflict, InvalidInput, NotFound
from care.model.ids import MemberId
from care.model.member import Member
from care.model.message import Author, OutboxState
from care.model.staff import Role
from care.model.touchpoint import WAITING, Touchpoint, TouchpointState
from care.model.treatment import Episode
from care.services import cases, recovery
from scheduler import ticks
from tests.conftest import new_database
from tests.days import (
    a_care_house,
    a_patient,
    a_second_account,
    answers_of,
    cases_of,
    clock_of,
    contacts,
    conversation_of,
    dialogue_of,
    everything_said,
    hand_back,
    last,
    ours,
    says,
    staff_on_duty,
    take_over,
    taps,
    treat,
    wall,
    withdraw,
)

SUTURES = date(2026, 3, 11)


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url) as made:
        yield made


def at(house: House, moment: str) -> int:
    """Move the clock to a wall time in Shanghai and let one tick find what is due."""
    clock_of(house).set(f"2026-{moment}+08:00")
    return ticks.send_due(house)


def on_the_first_morning(house: House, member: Member) -> Episode:
    """Record an implant of the day before, and let the first morning's question go out."""
    clock_of(house).set("2026-03-05T08:00+08:00")
    _, episode = treat(house, member.id, ended="2026-03-04T10:00+08:00")
    assert at(house, "03-05T09:00") == 1
    return episode


# What is planned


def test_a_recorded_implant_plans_every_contact_of_the_protocol_in_local_windows(house: House) -> None:
    member = a_patient(house)

    treat(house, member.id, sutures=SUTURES)

    planned = contacts(house, member.id)
    assert {plan: wall(one.due_at) for plan, one in planned.items()} == {
        "A0": "03-04 18:00",
        "A1": "03-05 09:00",
        "A2": "03-06 18:30",
        "A3": "03-07 18:30",
        "A5": "03-09 18:30",
        "A7": "03-10 12:00",
        "A10": "03-12 12:00",
        "A30": "04-03 12:00",
        "A90": "06-02 12:00",
    }
    assert {one.state for one in planned.values()} == {TouchpointState.PLANNED}


def test_windows_are_those_of_where_the_member_lives(house: House) -> None:
    member = a_patient(house, zone="Europe/London")
    london = ZoneInfo("Europe/London")

    clock_of(house).set("2026-03-27T14:00+00:00")
    treat(house, member.id)

    planned = contacts(house, member.id)
    assert wall(planned["A1"].due_at, london) == "03-28 09:00"
    assert wall(planned["A2"].due_at, london) == "03-29 18:30"  # the clocks went forward that night
    assert planned["A2"].due_at.utctimetuple().tm_hour == 17


def test_without_a_day_for_the_sutures_nothing_is_planned_around_them(house: House) -> None:
    member = a_patient(house)

    treat(house, member.id, sutures=None)

    assert not {"A7", "A10"} & contacts(house, member.id).keys()


def test_the_same_treatment_recorded_twice_opens_one_recovery(house: House) -> None:
    member = a_patient(house)

    first = treat(house, member.id, ref="op-1")
    again = treat(house, member.id, ref="op-1")

    assert [one.id for one in first] == [one.id for one in again]
    assert len(contacts(house, member.id)) == 7


def test_a_reference_of_one_member_never_answers_for_another(house: House) -> None:
    one, other = a_patient(house), a_patient(house, phone="13800005678")
    treat(house, one.id, ref="op-1")

    with pytest.raises(Conflict):
        treat(house, other.id, ref="op-1")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ended": "2026-03-04T10:06+08:00"}, "ended_at"),
        ({"ended": "2025-03-03T10:00+08:00"}, "ended_at"),
        ({"kind": "哪有这种"}, "kind"),
        ({"sutures": date(2026, 3, 3)}, "sutures_out_on"),
        ({"facts": frozenset({"bonegraft"})}, "facts"),
    ],
)
def test_nonsense_about_a_treatment_is_refused_by_field(house: House, fields: dict[str, object], field: str) -> None:
    member = a_patient(house)

    with pytest.raises(InvalidInput) as refused:
        treat(house, member.id, **fields)  # type: ignore[arg-type]

    assert refused.value.field == field
    assert contacts(house, member.id) == {}


def test_a_treatment_of_nobody_is_refused(house: House) -> None:
    with pytest.raises(NotFound):
        treat(house, MemberId("f" * 32))


# Late operations and late enrolment


def test_an_operation_after_half_past_five_moves_the_first_evening_two_hours(house: House) -> None:
    member = a_patient(house)
    clock_of(house).set("2026-03-04T18:40+08:00")

    treat(house, member.id)

    planned = contacts(house, member.id)
    assert wall(planned["A0"].due_at) == "03-04 20:40"
    assert wall(planned["A1"].due_at) == "03-05 09:00"


def test_the_first_evening_after_a_late_operation_may_come_at_half_past_nine_and_not_later(house: House) -> None:
    on_time, too_late = a_patient(house), a_patient(house, phone="13800005678")
    clock_of(house).set("2026-03-04T19:30+08:00")
    treat(house, on_time.id)
    treat(house, too_late.id)

    assert wall(contacts(house, on_time.id)["A0"].due_at) == "03-04 21:30"
    assert at(house, "03-04T21:30:02") == 2

    third = a_patient(house, phone="13800009999")
    treat(house, third.id, ended="2026-03-04T19:30+08:00")
    assert at(house, "03-04T21:31:00") == 0
    assert contacts(house, third.id)["A0"].state is TouchpointState.EXPIRED


def test_after_an_operation_that_ends_too_late_the_nurse_phones_and_the_morning_begins_earlier(house: House) -> None:
    member = a_patient(house)
    clock_of(house).set("2026-03-04T19:45+08:00")

    treat(house, member.id)

    planned = contacts(house, member.id)
    assert (planned["A0"].state, planned["A0"].reason) == (TouchpointState.SUPPRESSED, "late_surgery")
    assert wall(planned["A1"].due_at) == "03-05 08:30"
    (task,) = cases_of(house, member.id)
    assert (task.level, task.reason, wall(task.due_at)) == (CaseLevel.L2, "late_surgery:A0", "03-04 20:15")


def test_a_late_root_canal_is_no_operation_and_keeps_to_its_evening(house: House) -> None:
    member = a_patient(house)
    clock_of(house).set("2026-03-04T18:45+08:00")

    treat(house, member.id, kind="root_canal")

    first = contacts(house, member.id)["C0"]
    assert (wall(first.due_at), wall(first.expires_at)) == ("03-04 19:45", "03-04 20:30")


def test_a_treatment_recorded_days_later_begins_where_the_recovery_is(house: House) -> None:
    member = a_patient(house)

    treat(house, member.id, ended="2026-03-01T11:00+08:00")
    sent = at(house, "03-04T18:35")

    planned = contacts(house, member.id)
    over = {plan for plan, one in planned.items() if one.reason == "late_enrolment"}
    assert over == {"A0", "A1", "A2"}
    assert sent == 1
    assert planned["A3"].state is TouchpointState.HANDED_OVER
    assert cases_of(house, member.id) == []


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
    assert (case.level, case.reason) == (CaseLevel.L1, "rule:bleed.flowing_faint")


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


# Silence


def test_silence_leads_to_a_second_channel_then_to_a_carer_and_then_to_an_end(house: House) -> None:
    member = a_patient(house)
    a_second_account(house, member.id)
    on_the_first_morning(house, member)

    clock_of(house).set("2026-03-05T11:59+08:00")
    assert ticks.chase_silence(house) == 0
    clock_of(house).set("2026-03-05T12:00+08:00")
    assert ticks.chase_silence(house) == 1
    asked_again = last(house, member.id)
    clock_of(house).set("2026-03-05T21:00+08:00")
    assert ticks.chase_silence(house) == 1
    (case,) = cases_of(house, member.id)
    clock_of(house).set("2026-03-06T09:00+08:00")
    assert ticks.chase_silence(house) == 1

    assert asked_again.channel == "telegram"
    assert asked_again.text.startswith("早些时候问过您一句")
    assert (case.level, case.reason, wall(case.due_at)) == (CaseLevel.W1, "silence:A1", "03-06 09:30")
    assert contacts(house, member.id)["A1"].closed_at is not None
    assert ticks.chase_silence(house) == 0


def test_an_answer_ends_the_chase(house: House) -> None:
    member = a_patient(house)
    a_second_account(house, member.id)
    treat(house, member.id)
    at(house, "03-04T18:00")
    for title in ("3", "没有", "都做了"):
        taps(house, member, title)

    clock_of(house).set("2026-03-05T08:00+08:00")

    assert ticks.chase_silence(house) == 0
    assert cases_of(house, member.id) == []


def test_nobody_is_phoned_for_silence_on_the_fifth_day_or_after_a_cleaning(house: House) -> None:
    member, cleaned = a_patient(house), a_patient(house, phone="13800005678")
    treat(house, member.id, ended="2026-02-27T09:00+08:00")
    treat(house, cleaned.id, kind="scaling", ended="2026-03-03T09:00+08:00")
    at(house, "03-04T12:00")
    at(house, "03-04T18:30")

    clock_of(house).set("2026-03-05T08:00+08:00")
    ticks.chase_silence(house)

    assert contacts(house, member.id)["A5"].state is TouchpointState.HANDED_OVER
    assert contacts(house, cleaned.id)["F1"].state is TouchpointState.HANDED_OVER
    assert cases_of(house, member.id) == cases_of(house, cleaned.id) == []


def test_no_second_channel_at_night_in_danger_or_against_the_members_word(house: House) -> None:
    people = staff_on_duty(house)
    night, danger, owned, unwilling = (
        a_patient(house, phone=f"1380000000{number}", name=name)
        for number, name in enumerate(("甲", "乙", "丙", "丁"))
    )
    for member in (night, danger, owned, unwilling):
        a_second_account(house, member.id)
        treat(house, member.id)
    at(house, "03-04T18:00")
    with house.unit_of_work() as uow:
        cases.open_case(danger.id, CaseLevel.L1, "test", uow=uow, now=house.clock.now(), zone=house.zone)
        uow.commit()
    take_over(house, owned.id, people[Role.CARER])
    withdraw(house, unwilling.id, Purpose.CHECK_INS)
    before = {one.id: len(ours(house, one.id)) for one in (night, danger, owned, unwilling)}

    clock_of(house).set("2026-03-04T21:01+08:00")
    ticks.chase_silence(house)

    assert {one.id: len(ours(house, one.id)) for one in (night, danger, owned, unwilling)} == before


def test_a_member_a_human_is_with_is_not_reported_as_silent(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    take_over(house, member.id, people[Role.CARER])

    clock_of(house).set("2026-03-05T08:00+08:00")
    ticks.chase_silence(house)

    assert cases_of(house, member.id) == []


# The gate, at the moment of leaving


def test_while_a_carer_has_the_conversation_a_check_in_waits_and_then_goes(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    treat(house, member.id)
    take_over(house, member.id, people[Role.CARER])

    assert at(house, "03-04T18:00") == 0
    waiting = contacts(house, member.id)["A0"]
    hand_back(house, member.id, people[Role.CARER])

    assert (waiting.state, waiting.reason) == (TouchpointState.POSTPONED, "human_owner")
    assert at(house, "03-04T18:30") == 1


@pytest.mark.parametrize("level", [CaseLevel.L0, CaseLevel.L1, CaseLevel.P2, CaseLevel.P3])
def test_nothing_is_asked_while_danger_is_being_looked_after(house: House, level: CaseLevel) -> None:
    member = a_patient(house)
    treat(house, member.id)
    with house.unit_of_work() as uow:
        cases.open_case(member.id, level, "test", uow=uow, now=house.clock.now(), zone=house.zone)
        uow.commit()

    assert at(house, "03-04T18:00") == 0

    first = contacts(house, member.id)["A0"]
    assert (first.state, first.reason) == (TouchpointState.SUPPRESSED, "open_case")


def test_after_a_withdrawal_nothing_is_asked_and_a_human_decides_about_the_first_days(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    withdraw(house, member.id, Purpose.CHECK_INS)

    assert at(house, "03-04T18:00") == 0

    first = contacts(house, member.id)["A0"]
    assert (first.state, first.reason) == (TouchpointState.SUPPRESSED, "consent_withdrawn")
    assert [(case.level, case.reason) for case in cases_of(house, member.id)] == [(CaseLevel.W1, "not_reached:A0")]


def test_a_crisis_ends_all_automation_until_a_human_releases_it(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    says(house, member, "不想活了")
    before = len(ours(house, member.id))

    assert at(house, "03-04T18:00") == 0

    assert contacts(house, member.id)["A0"].reason == "crisis"
    assert len(ours(house, member.id)) == before


def test_a_contact_whose_window_passed_while_we_were_down_is_a_carers_task_and_not_late_mail(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)

    assert at(house, "03-04T20:30") == 0

    first = contacts(house, member.id)["A0"]
    assert (first.state, first.reason) == (TouchpointState.EXPIRED, "late")
    assert [case.reason for case in cases_of(house, member.id)] == ["not_reached:A0"]


def test_one_supporting_contact_a_day_is_enough_and_safety_is_never_capped(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id, ended="2026-03-02T09:00+08:00")  # A2 this evening
    treat(house, member.id, kind="extraction", ended="2026-03-04T09:00+08:00")  # B0 this afternoon

    assert at(house, "03-04T15:00") == 1
    assert at(house, "03-04T18:30") == 0

    planned = contacts(house, member.id)
    assert planned["B0"].state is TouchpointState.HANDED_OVER
    assert (planned["A2"].state, planned["A2"].reason) == (TouchpointState.SUPPRESSED, "daily_cap")
    assert at(house, "03-05T09:00") == 1
    assert at(house, "03-05T18:30") == 1


def test_a_member_without_any_channel_is_a_carers_task(house: House) -> None:
    member = a_patient(house, channel=None)
    treat(house, member.id)

    assert at(house, "03-04T18:00") == 0

    assert contacts(house, member.id)["A0"].reason == "no_channel"
    assert [case.reason for case in cases_of(house, member.id)] == ["not_reached:A0"]


def test_a_check_in_goes_where_the_member_can_be_reached(house: House) -> None:
    member = a_patient(house)
    a_second_account(house, member.id)
    treat(house, member.id)
    with house.unit_of_work() as uow:
        for identity in uow.members.identities_of(member.id):
            identity.reachable = identity.channel == "telegram"
            uow.members.save_identity(identity)
        uow.commit()

    assert at(house, "03-04T18:00") == 1

    assert last(house, member.id).channel == "telegram"


# Cancelling


def test_a_cancelled_recovery_asks_nothing_more_and_sends_nobody(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id, sutures=SUTURES)
    at(house, "03-04T18:00")

    for _ in range(2):
        with house.unit_of_work() as uow:
            recovery.cancel_episode(episode.id, reason="recorded_by_mistake", uow=uow, clock=house.clock)
            uow.commit()

    states = Counter(one.state for one in contacts(house, member.id).values())
    assert states == {TouchpointState.HANDED_OVER: 1, TouchpointState.CANCELLED: 8}
    assert at(house, "03-05T09:00") == 0
    ticks.chase_silence(house)
    assert cases_of(house, member.id) == []


def test_a_recovery_cancelled_while_its_contact_is_claimed_is_not_asked(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    clock_of(house).set("2026-03-04T18:00+08:00")
    with house.unit_of_work() as uow:
        (claimed,) = uow.treatments.claim_due(house.clock.now(), house.clock.now() + ticks.LEASE, 10)
        uow.commit()
    with house.unit_of_work() as uow:
        recovery.cancel_episode(episode.id, reason="recorded_by_mistake", uow=uow, clock=house.clock)
        uow.commit()

    assert ticks._hand_over(house, claimed) is False

    assert contacts(house, member.id)["A0"].state is TouchpointState.CANCELLED
    assert ours(house, member.id) == []


# The sum


def test_every_planned_contact_ends_in_exactly_one_recorded_outcome(house: House) -> None:
    chance = random.Random(11)
    people = staff_on_duty(house)
    kinds = [kind for kind in house.pack.protocols if kind != "crown"]
    patients = [a_patient(house, phone=f"1390000{number:04d}") for number in range(14)]
    episodes = {one.id: treat(house, one.id, kind=kinds[n % len(kinds)])[1] for n, one in enumerate(patients)}
    with house.unit_of_work() as uow:
        at_first = sum(len(uow.treatments.touchpoints_of(one.id)) for one in patients)
    clock_of(house).set("2026-03-04T15:00+08:00")

    for _ in range(150):  # ten days in steps of an hour and a half or so
        clock_of(house).move(minutes=chance.choice((40, 90, 140)))
        ticks.send_due(house)
        ticks.chase_silence(house)
        one = chance.choice(patients)
        _something_happens(house, chance, one.id, people[Role.CARER], episodes)
    with house.unit_of_work() as uow:
        all_planned = [touchpoint for one in patients for touchpoint in uow.treatments.touchpoints_of(one.id)]

    counted = Counter(touchpoint.state for touchpoint in all_planned)
    assert sum(counted.values()) == len(all_planned) >= at_first
    assert counted[TouchpointState.HANDED_OVER] > 10
    assert counted[TouchpointState.SUPPRESSED] > 0
    assert counted[TouchpointState.CANCELLED] > 0
    assert counted[TouchpointState.CLAIMED] == 0
    assert all(_is_settled_once(house, touchpoint) for touchpoint in all_planned)


def _something_happens(
    house: House, chance: random.Random, member_id: MemberId, carer: str, episodes: dict[MemberId, object]
) -> None:
    what = chance.random()
    conversation = conversation_of(house, member_id)
    if what < 0.15 and conversation.owned_by_bot:
        take_over(house, member_id, carer)  # type: ignore[arg-type]
    elif what < 0.4 and conversation.owner == carer:
        hand_back(house, member_id, carer)  # type: ignore[arg-type]
    elif what < 0.45:
        withdraw(house, member_id, Purpose.CHECK_INS)
    elif what < 0.5:
        with house.unit_of_work() as uow:
            recovery.cancel_episode(episodes[member_id].id, reason="test", uow=uow, clock=house.clock)  # type: ignore[attr-defined]
            uow.commit()
    elif what < 0.55:
        with house.unit_of_work() as uow:
            cases.open_case(member_id, CaseLevel.L1, "test", uow=uow, now=house.clock.now(), zone=house.zone)
            uow.commit()


def _is_settled_once(house: House, touchpoint: Touchpoint) -> bool:
    """Handed over means one message under its key; waiting means it lies ahead; all else has a reason and no message."""
    with house.unit_of_work() as uow:
        queued = uow.outbox.by_key(f"touchpoint:{touchpoint.id}") is not None
    if touchpoint.state is TouchpointState.HANDED_OVER:
        return queued and touchpoint.handed_over_at is not None
    if touchpoint.state in WAITING:
        return not queued and touchpoint.due_at > house.clock.now() - timedelta(hours=2, minutes=30)
    return not queued and touchpoint.reason is not None and touchpoint.handed_over_at is None


# The whole way


def test_the_evening_of_an_implant_from_the_first_question_to_the_resolved_case(house: House) -> None:
    people = staff_on_duty(house)
    nurse = people[Role.NURSE]
    member = a_patient(house)
    _, episode = treat(house, member.id, ended="2026-03-04T09:40+08:00", sutures=SUTURES)

    assert at(house, "03-04T18:00") == 1
    clock_of(house).set("2026-03-04T18:20+08:00")
    says(house, member, "血止不住")

    (case,) = cases_of(house, member.id)
    assert (case.level, wall(case.due_at)) == (CaseLevel.L1, "03-04 18:30")
    fixed = last(house, member.id)
    assert fixed.author is Author.SAFETY
    assert "10 分钟内" in fixed.text
    assert "120" in fixed.text

    clock_of(house).move(minutes=3)
    take_over(house, member.id, nurse)
    with house.unit_of_work() as uow:
        cases.take(case.id, nurse, uow=uow, clock=house.clock)
        uow.commit()
    says(house, member, "我咬着纱布呢")
    assert everything_said(house, member.id)[-1].text == "我咬着纱布呢"
    assert dialogue_of(house).heard == []
    clock_of(house).move(minutes=20)
    assert ticks.tell_breaches(house) == 0

    hand_back(house, member.id, nurse)
    assert "赵敏随时能叫回来" in ours(house, member.id)[-1]
    with house.unit_of_work() as uow:
        resolved = cases.resolve(case.id, nurse, "血已止住", uow=uow, clock=house.clock)
        uow.commit()
    assert resolved.state is CaseState.RESOLVED
    assert cases_of(house, member.id) == []

    assert at(house, "03-05T09:00") == 1
    assert "昨晚睡着了吗" in last(house, member.id).text
    says(house, member, "两分")
    assert [(one.question, one.value) for one in answers_of(house, episode)] == [("pain", "2")]
