"""A complaint ends with its member's yes; a symptom inside it is looked after first; thanks disturb nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.assessment import Assessment, Complaint, Flag, Medical
from care.model.case import Case, CaseLevel, CaseState, Track
from care.model.errors import Conflict, InvalidInput, NotTheirs
from care.model.ids import MemberId, StaffId
from care.model.staff import Role
from care.services import cases, complaints
from care.services.complaints import Heard
from scheduler import ticks
from tests.conftest import new_database
from tests.days import (
    DANGER,
    a_care_house,
    a_patient,
    at,
    cases_of,
    clock_of,
    conversation_of,
    dialogue_of,
    last,
    ours,
    says,
    staff_on_duty,
    take_over,
    taps,
    wall,
)


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url) as made:
        yield made


def complains(house: House, member_id: MemberId, words: str = "等了两个小时", reason: str = "complain") -> Case:
    with house.unit_of_work() as uow:
        opened = cases.open_case(
            member_id, CaseLevel.K1, reason, uow=uow, now=house.clock.now(), zone=house.zone, summary=words
        )
        uow.commit()
    return opened.case


def called_solved(house: House, case: Case, staff_id: StaffId) -> None:
    with house.unit_of_work() as uow:
        complaints.call_solved(case.id, staff_id, "退了挂号费", uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()


def asked_once(house: House, case: Case, staff_id: StaffId, heard: Heard, words: str = "") -> None:
    with house.unit_of_work() as uow:
        complaints.asked_by_carer(case.id, staff_id, heard, words, uow=uow, clock=house.clock, zone=house.zone)
        uow.commit()


def stored(house: House, case: Case) -> Case:
    with house.unit_of_work() as uow:
        return uow.cases.get(case.id)


# Closing


def test_a_complaint_called_solved_is_asked_about_and_closes_with_the_members_yes(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    case = complains(house, member.id)

    called_solved(house, case, people[Role.LEAD])
    asked = last(house, member.id)
    between = stored(house, case)
    taps(house, member, "办好了")

    assert "孙岚说这件事处理好了" in asked.text
    assert [button.title for button in asked.buttons] == ["办好了", "还差一点"]
    assert (between.state, between.resolved_at) == (CaseState.ASKED, None)
    closed = stored(house, case)
    assert (closed.state, closed.owner, closed.outcome) == (CaseState.RESOLVED, people[Role.LEAD], "退了挂号费")


def test_a_no_opens_it_again_with_the_same_colleague_and_a_new_clock(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    case = complains(house, member.id)
    called_solved(house, case, people[Role.CARER])
    clock_of(house).move(hours=5)

    says(house, member, "还没解决，钱没退")

    again = stored(house, case)
    assert (again.state, again.assigned, wall(again.due_at)) == (CaseState.OPEN, people[Role.CARER], "03-05 15:00")
    assert "李静接着办" in last(house, member.id).text
    assert at(house, "03-05T15:00") == 0
    assert ticks.tell_breaches(house) == 1


def test_nobody_else_closes_a_complaint(house: House) -> None:
    people = staff_on_duty(house)
    case = complains(house, a_patient(house).id)

    with house.unit_of_work() as uow, pytest.raises(Conflict):
        cases.resolve(case.id, people[Role.LEAD], "处理了", uow=uow, clock=house.clock)


@pytest.mark.parametrize("words", ["谢谢", "好的", "嗯嗯收到"])
def test_politeness_is_no_yes_and_is_asked_about_once(house: House, words: str) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    case = complains(house, member.id)
    called_solved(house, case, people[Role.LEAD])

    says(house, member, words)
    asked_again = last(house, member.id)
    says(house, member, words)

    assert stored(house, case).state is CaseState.ASKED
    assert [button.title for button in asked_again.buttons] == ["办好了", "还差一点"]
    assert last(house, member.id).text == f"收到：{words}"
    taps(house, member, "办好了")
    assert stored(house, case).state is CaseState.RESOLVED


def test_a_tap_counts_while_a_colleague_has_the_conversation(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    case = complains(house, member.id)
    take_over(house, member.id, people[Role.LEAD])
    called_solved(house, case, people[Role.LEAD])

    taps(house, member, "办好了")

    assert stored(house, case).state is CaseState.RESOLVED


def test_another_wish_after_the_question_closes_nothing(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    case = complains(house, member.id)
    called_solved(house, case, people[Role.LEAD])

    says(house, member, "我想约周五洗牙")

    assert stored(house, case).state is CaseState.ASKED
    assert dialogue_of(house).heard[-1][1] == "我想约周五洗牙"


def test_silence_becomes_a_carers_question_after_two_days_and_then_waits_to_be_closed(house: House) -> None:
    people = staff_on_duty(house)
    case = complains(house, a_patient(house).id)
    called_solved(house, case, people[Role.LEAD])

    for moment, asks in (("03-06T09:59", False), ("03-06T10:00", True)):
        clock_of(house).set(f"2026-{moment}+08:00")
        ticks.tell_breaches(house)
        assert stored(house, case).carer_asks is asks
    clock_of(house).move(hours=1)
    asked_once(house, case, people[Role.CARER], Heard.NOTHING)
    clock_of(house).move(hours=47)
    ticks.tell_breaches(house)
    assert stored(house, case).state is CaseState.ASKED
    clock_of(house).move(hours=1)
    ticks.tell_breaches(house)

    waits = stored(house, case)
    assert (waits.state, waits.resolved_at) == (CaseState.UNCONFIRMED, None)
    clock_of(house).move(days=30)
    ticks.tell_breaches(house)
    assert stored(house, case).state is CaseState.UNCONFIRMED


def test_a_yes_on_the_phone_needs_the_members_words(house: House) -> None:
    people = staff_on_duty(house)
    case = complains(house, a_patient(house).id)
    called_solved(house, case, people[Role.LEAD])

    with pytest.raises(InvalidInput):
        asked_once(house, case, people[Role.CARER], Heard.SOLVED)
    asked_once(house, case, people[Role.CARER], Heard.SOLVED, "她说：钱到账了，谢谢")

    closed = stored(house, case)
    assert closed.state is CaseState.RESOLVED
    assert "钱到账了" in (closed.outcome or "")


def test_a_yes_nobody_asked_for_is_not_recorded(house: House) -> None:
    people = staff_on_duty(house)
    case = complains(house, a_patient(house).id)

    with pytest.raises(Conflict):
        asked_once(house, case, people[Role.CARER], Heard.SOLVED, "她说好了")


def test_the_colleague_a_complaint_is_about_neither_gets_it_nor_closes_it(house: House) -> None:
    people = staff_on_duty(house)
    case = complains(house, a_patient(house).id, "孙岚态度太差了，没说完就挂电话")

    assert case.about == people[Role.LEAD]
    assert case.assigned == people[Role.CARER]
    with pytest.raises(NotTheirs):
        called_solved(house, case, people[Role.LEAD])
    called_solved(house, case, people[Role.CARER])
    with pytest.raises(NotTheirs):
        asked_once(house, case, people[Role.LEAD], Heard.SOLVED, "她说没事了")


def test_a_complaint_that_turns_out_to_be_about_its_owner_goes_to_somebody_else(house: House) -> None:
    people = staff_on_duty(house)
    case = complains(house, a_patient(house).id)
    with house.unit_of_work() as uow:
        cases.take(case.id, people[Role.LEAD], uow=uow, clock=house.clock)
        complaints.is_about(case.id, people[Role.LEAD], uow=uow, clock=house.clock)
        uow.commit()

    moved = stored(house, case)
    assert (moved.state, moved.owner, moved.assigned) == (CaseState.OPEN, None, people[Role.CARER])


def test_a_complaint_of_several_departments_has_ten_working_days(house: House) -> None:
    staff_on_duty(house)
    case = complains(house, a_patient(house).id)
    with house.unit_of_work() as uow:
        complaints.involve_departments(case.id, uow=uow, clock=house.clock, zone=house.zone)
        uow.commit()

    clock_of(house).set("2026-03-18T19:59+08:00")
    ticks.tell_breaches(house)
    assert stored(house, case).legal_late_at is None
    clock_of(house).set("2026-03-18T20:00+08:00")
    ticks.tell_breaches(house)
    assert stored(house, case).legal_late_at is not None


# The second one


@pytest.mark.parametrize(
    ("after", "level"),
    [
        (timedelta(minutes=59), CaseLevel.K1),
        (timedelta(minutes=60), CaseLevel.K2),
        (timedelta(days=30), CaseLevel.K2),
        (timedelta(days=30, seconds=1), CaseLevel.K1),
    ],
)
def test_a_second_complaint_within_thirty_days_is_a_major_one(
    house: House, after: timedelta, level: CaseLevel
) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    first = complains(house, member.id)
    called_solved(house, first, people[Role.LEAD])
    taps(house, member, "办好了")
    clock_of(house).set(first.opened_at + after)

    assert complains(house, member.id, "又是没人回").level is level


def test_complaining_again_of_what_is_still_open_makes_it_a_major_one(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    first = complains(house, member.id)
    clock_of(house).move(hours=3)

    again = complains(house, member.id, "到现在没人理我")

    assert (again.id, again.level) == (first.id, CaseLevel.K2)


def test_a_suggestion_is_no_complaint(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    idea = complains(house, member.id, "能不能放点音乐", reason="suggestion")
    with house.unit_of_work() as uow:
        cases.resolve(idea.id, people[Role.LEAD], "已转给门店", uow=uow, clock=house.clock)
        uow.commit()
    clock_of(house).move(days=2)

    assert complains(house, member.id).level is CaseLevel.K1


# A symptom inside a complaint


@pytest.mark.parametrize("level", [Complaint.K1, Complaint.K2, Complaint.K3])
def test_a_symptom_inside_a_complaint_opens_both_and_the_body_is_spoken_of_first(
    house: House, monkeypatch: pytest.MonkeyPatch, level: Complaint
) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    both = Assessment(medical=Medical.L1, flags=(Flag.BLEEDING,), complaint=level)
    monkeypatch.setitem(house.reading.safety.phrases, "没人管我，血一直流", both)

    says(house, member, "没人管我，血一直流")

    found = {case.track: case for case in cases_of(house, member.id)}
    assert set(found) == {Track.MEDICAL, Track.COMPLAINT}
    assert (found[Track.MEDICAL].level, found[Track.COMPLAINT].level.value) == (CaseLevel.L1, level.value)
    assert "10 分钟内" in last(house, member.id).text
    assert set(DANGER)


def test_each_track_has_a_clock_of_its_own(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    both = Assessment(medical=Medical.L1, flags=(Flag.BLEEDING,), complaint=Complaint.K2)
    monkeypatch.setitem(house.reading.safety.phrases, "没人管我，血一直流", both)
    says(house, member, "没人管我，血一直流")
    medical = next(case for case in cases_of(house, member.id) if case.track is Track.MEDICAL)
    with house.unit_of_work() as uow:
        cases.take(medical.id, people[Role.NURSE], uow=uow, clock=house.clock)
        uow.commit()

    clock_of(house).set("2026-03-04T14:00+08:00")

    assert ticks.tell_breaches(house) == 1


# Thanks


@pytest.mark.parametrize("words", ["谢谢", "好的", "辛苦了", "好的，谢谢您"])
@pytest.mark.parametrize("down", [None, "timeout"])
def test_thanks_after_a_resolved_case_neither_reopen_it_nor_start_a_clock(
    house: House, words: str, down: str | None
) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    with house.unit_of_work() as uow:
        opened = cases.open_case(
            member.id, CaseLevel.W1, "request_human", uow=uow, now=house.clock.now(), zone=house.zone
        )
        cases.take(opened.case.id, people[Role.CARER], uow=uow, clock=house.clock)
        cases.resolve(opened.case.id, people[Role.CARER], "聊过了", uow=uow, clock=house.clock)
        uow.commit()
    dialogue_of(house).down = down

    says(house, member, words)

    assert cases_of(house, member.id) == []
    assert stored(house, opened.case).state is CaseState.RESOLVED
    clock_of(house).move(days=2)
    assert ticks.tell_breaches(house) == 0


def test_thanks_while_a_colleague_has_the_case_do_not_restart_its_clock(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    with house.unit_of_work() as uow:
        opened = cases.open_case(
            member.id, CaseLevel.W1, "request_human", uow=uow, now=house.clock.now(), zone=house.zone
        )
        cases.take(opened.case.id, people[Role.CARER], uow=uow, clock=house.clock)
        uow.commit()
    dialogue_of(house).down = "timeout"

    says(house, member, "谢谢")

    assert stored(house, opened.case).state is CaseState.TAKEN
    assert ours(house, member.id) == [house.pack.say("ai.disclosure"), house.pack.say("input.courtesy")]
    assert conversation_of(house, member.id).owned_by_bot
