"""A recovery from its first contact to its end: who is asked what, what led to a decision, and how it closes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.ids import CaseId, EpisodeId, MemberId, StaffId
from care.model.member import Member
from care.model.touchpoint import Answer, TouchpointState
from care.model.treatment import Episode, EpisodeStatus
from care.services import cases, recovery
from scheduler import recoveries
from tests.days import (
    a_care_house,
    a_patient,
    answers_of,
    at,
    cases_of,
    clock_of,
    contacts,
    last,
    says,
    staff_on_duty,
    taps,
    treat,
    wall,
)

SUTURES = date(2026, 3, 11)
GOOD = {"pain": "1", "med": "都做了", "temp": "36.6", "open": "正常", "mood": "挺好"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_care_house(tmp_path) as made:
        yield made


# Who is asked what


@pytest.mark.parametrize(
    ("kind", "facts", "planned"),
    [
        ("extraction", set(), {"B0", "B1", "B2", "B3", "B5", "B7"}),
        ("extraction", {"simple"}, {"B0", "B1", "B3", "B7"}),
        ("extraction", {"smoker"}, {"B0", "B1", "B2S", "B3", "B5", "B7"}),
        ("scaling", set(), {"F1"}),
        ("scaling", {"srp"}, {"F1", "F3", "F7"}),
        ("deep_scaling", set(), {"F1", "F3", "F7"}),
        ("root_canal", {"later_visit"}, {"C0", "C1"}),
        ("ortho_adjust", set(), {"OL0", "OL1"}),
    ],
)
def test_each_kind_of_treatment_is_asked_what_is_for_it(
    house: House, kind: str, facts: set[str], planned: set[str]
) -> None:
    member = a_patient(house)

    treat(house, member.id, kind=kind, facts=frozenset(facts))

    assert set(contacts(house, member.id)) == planned


@pytest.mark.parametrize(
    ("ended", "due"),
    [
        ("2026-03-04T10:00+08:00", "03-04 13:00"),
        ("2026-03-04T15:10+08:00", "03-04 18:10"),
        ("2026-03-04T17:20+08:00", "03-04 20:00"),
        ("2026-03-04T17:40+08:00", "03-04 19:40"),
    ],
)
def test_after_an_extraction_the_first_question_comes_three_hours_later_and_never_at_night(
    house: House, ended: str, due: str
) -> None:
    member = a_patient(house)
    clock_of(house).set(ended)

    treat(house, member.id, kind="extraction", ended=ended)

    first = contacts(house, member.id)["B0"]
    assert wall(first.due_at) == due


def test_a_crown_brings_the_question_about_the_first_meal(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id, ended="2026-01-04T10:00+08:00")
    assert "AC1" not in contacts(house, member.id)

    with house.unit_of_work() as uow:
        recovery.record_treatment(
            member.id,
            kind="implant_crown",
            practitioner=next(iter(house.pack.practitioners)),
            clinic=next(iter(house.pack.clinics)),
            ended_at=house.clock.now(),
            uow=uow,
            clock=house.clock,
            pack=house.pack,
        )
        uow.commit()

    assert wall(contacts(house, member.id)["AC1"].due_at) == "03-05 18:30"
    assert at(house, "03-05T18:30") == 1
    assert "新牙第一顿饭吃的什么" in last(house, member.id).text


# What the first words say


def test_the_doctors_own_words_are_repeated_and_without_them_nothing_is_made_up(house: House) -> None:
    told, untold = a_patient(house), a_patient(house, phone="13800005678")
    with house.unit_of_work() as uow:
        recovery.record_treatment(
            told.id,
            kind="root_canal",
            practitioner=next(iter(house.pack.practitioners)),
            clinic=next(iter(house.pack.clinics)),
            ended_at=house.clock.now(),
            instructions="今晚别用左边咬东西",
            uow=uow,
            clock=house.clock,
            pack=house.pack,
        )
        uow.commit()
    treat(house, untold.id, kind="root_canal")

    assert at(house, "03-04T18:30") == 2
    assert "走前交代的是：今晚别用左边咬东西" in last(house, told.id).text
    assert "走前交代的，照着做就好" in last(house, untold.id).text


def test_the_first_contact_says_who_writes_and_who_stands_behind_it(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    treat(house, member.id)

    at(house, "03-04T18:00")

    assert last(house, member.id).text.startswith("我是小安（AI 助手），背后有护士赵敏和关怀师李静。\n王女士，麻药")


def test_a_member_at_risk_is_phoned_on_the_first_morning_and_asked_all_the_same(house: House) -> None:
    staff_on_duty(house)
    frail, well = a_patient(house, risk_facts=frozenset({"over_70"})), a_patient(house, phone="13800005678")
    for member in (frail, well):
        treat(house, member.id, ended="2026-03-03T10:00+08:00")
        clock_of(house).set("2026-03-04T08:50+08:00")

    assert at(house, "03-04T09:00") == 2

    (call,) = cases_of(house, frail.id)
    assert (call.level, call.reason.split(":")[:2]) == (CaseLevel.W2, ["phone", "A1"])
    assert cases_of(house, well.id) == []


# What led to a decision


def test_a_decision_names_its_rule_and_the_answers_it_rests_on(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    clock_of(house).set("2026-03-05T08:00+08:00")
    _, episode = treat(house, member.id, kind="extraction", ended="2026-03-04T10:00+08:00")
    at(house, "03-05T09:00")
    for title in ("4", "没有", "没有"):
        taps(house, member, title)
    says(house, member, "36.7")

    at(house, "03-07T18:30")
    says(house, member, "疼4分，还往耳朵那边窜")

    said = answers_of(house, episode)
    by = {(one.question, one.day): one for one in said}
    socket = by["pain", 3]
    assert (socket.rule, socket.level) == ("pain.socket", "L2")
    assert {_named(one, said) for one in socket.because} == {("sign", "ear_pain", 3), ("pain", "4", 1)}
    (case,) = cases_of(house, member.id)
    assert (case.level, case.reason) == (CaseLevel.L2, "rule:pain.socket")


def test_it_does_not_matter_which_of_two_answers_came_first(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    clock_of(house).set("2026-03-07T08:00+08:00")
    _, episode = treat(house, member.id, kind="extraction", ended="2026-03-06T10:00+08:00")
    at(house, "03-07T09:00")
    for title in ("3", "没有", "没有"):
        taps(house, member, title)
    says(house, member, "38.1度")
    (nurse,) = cases_of(house, member.id)
    assert nurse.level is CaseLevel.L2

    says(house, member, "还一直打寒战")

    answers = answers_of(house, episode)
    chills = answers[-1]
    assert (chills.question, chills.rule, chills.level) == ("sign", "temp.with_more", "L1")
    assert {_named(one, answers) for one in chills.because} == {("temp", "38.1", 1)}
    assert [case.level for case in cases_of(house, member.id)] == [CaseLevel.L1]


def test_a_tap_and_the_same_in_words_lead_to_the_same(house: House) -> None:
    levels = []
    for number, said in enumerate(("tap", "words")):
        member = a_patient(house, phone=f"1380000{number:04d}")
        clock_of(house).set("2026-03-05T08:00+08:00")
        treat(house, member.id, ended="2026-03-04T10:00+08:00", kind="perio_surgery")
        at(house, "03-05T09:00")
        taps(house, member, "3")
        if said == "tap":
            taps(house, member, "吐出成坨的血块")
        else:
            says(house, member, "吐出来一坨一坨的血块")
        levels.append([case.level for case in cases_of(house, member.id)])

    assert levels == [[CaseLevel.L1], [CaseLevel.L1]]


def test_a_missed_dose_is_met_with_the_doctors_words_and_no_advice(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    taps(house, member, "3")
    taps(house, member, "没有")

    taps(house, member, "漏了")

    assert "照医生交代的来" in last(house, member.id).text
    assert "补服" not in last(house, member.id).text
    assert cases_of(house, member.id) == []


# How it ends


def test_an_extraction_that_went_well_closes_by_itself_with_its_reason(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id, kind="extraction", sutures=SUTURES)
    _well_until(house, member, "03-11T12:00")
    assert recoveries.end(house) == 0  # the sutures come out today

    clock_of(house).set("2026-03-12T09:00+08:00")
    assert recoveries.end(house) == 1

    closed = _episode(house, episode.id)
    assert (closed.status, closed.closed_reason) == (EpisodeStatus.CLOSED, "stop")
    assert recoveries.end(house) == 0
    with house.unit_of_work() as uow:
        assert recovery.current(member.id, uow=uow) is None
        assert recovery.current(member.id, uow=uow, now=house.clock.now()) is not None


def test_a_recovery_is_not_ended_before_its_last_safety_question_was_asked_and_answered(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id, kind="extraction", sutures=date(2026, 3, 10))
    _well_until(house, member, "03-09T18:30")

    clock_of(house).set("2026-03-11T11:00+08:00")
    assert recoveries.end(house) == 0
    assert at(house, "03-11T12:00") == 1
    assert recoveries.end(house) == 0  # asked, not answered

    for words in ("1", "没有", "没有"):
        says(house, member, words)
    assert recoveries.end(house) == 1
    assert _episode(house, episode.id).closed_reason == "stop"


def test_an_implant_keeps_only_the_greetings_of_the_long_wait(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id, sutures=date(2026, 3, 8))
    _well_until(house, member, "03-09T18:30")

    clock_of(house).set("2026-03-10T09:00+08:00")
    recoveries.end(house)

    assert _episode(house, episode.id).status is EpisodeStatus.OPEN
    waiting = {code for code, one in contacts(house, member.id).items() if one.state is TouchpointState.PLANNED}
    assert waiting == {"A30", "A90"}


def test_an_open_case_or_pain_keeps_a_recovery_open(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    clock_of(house).set("2026-03-05T08:00+08:00")
    _, episode = treat(house, member.id, kind="extraction", ended="2026-03-04T10:00+08:00", sutures=SUTURES)
    at(house, "03-05T09:00")
    taps(house, member, "8")

    clock_of(house).set("2026-03-12T09:00+08:00")
    assert recoveries.end(house) == 0
    assert _episode(house, episode.id).status is EpisodeStatus.OPEN


def test_a_recovery_that_ends_in_pain_goes_to_a_nurse_once_and_closes_when_she_has_looked(house: House) -> None:
    nurse = next(iter(staff_on_duty(house).values()))
    member = a_patient(house)
    clock_of(house).set("2026-03-05T08:00+08:00")
    _, episode = treat(house, member.id, kind="extraction", ended="2026-03-04T10:00+08:00")
    _well_until(house, member, "03-09T18:30")
    at(house, "03-11T12:00")
    taps(house, member, "3")
    clock_of(house).set("2026-03-15T09:00+08:00")
    _quiet(house, member.id)

    assert recoveries.end(house) == 1
    assert recoveries.end(house) == 0
    (case,) = cases_of(house, member.id)
    assert (case.level, case.reason) == (CaseLevel.L3, f"not_well:{episode.id}")

    _resolve(house, case.id, nurse)
    assert recoveries.end(house) == 1
    closed = _episode(house, episode.id)
    assert (closed.status, closed.closed_reason) == (EpisodeStatus.CLOSED, "over")


def _well_until(house: House, member: Member, moment: str) -> None:
    """Let every question up to a moment come and be answered well."""
    until = datetime.fromisoformat(f"2026-{moment}+08:00")
    for day in range(4, 32):
        for hour in ("09:00", "12:00", "13:00", "18:00", "18:30"):
            wanted = f"03-{day:02d}T{hour}"
            then = datetime.fromisoformat(f"2026-{wanted}+08:00")
            if then > until:
                return
            if then <= clock_of(house).now():
                continue
            at(house, wanted)
            while (asked := _asked(house, member.id)) is not None:
                says(house, member, GOOD.get(asked, "没有"))


def _asked(house: House, member_id: MemberId) -> str | None:
    with house.unit_of_work() as uow:
        found = uow.treatments.open_check_in(member_id)
    return found.open_question if found else None


def _quiet(house: House, member_id: MemberId) -> None:
    """Let every question that is still open be forgotten."""
    with house.unit_of_work() as uow:
        for one in uow.treatments.touchpoints_of(member_id):
            if one.open_question is not None:
                one.closed_at = house.clock.now()
                uow.treatments.save_touchpoint(one)
            elif one.state is TouchpointState.PLANNED:
                one.state, one.reason = TouchpointState.CANCELLED, "test"
                uow.treatments.save_touchpoint(one)
        uow.commit()


def _episode(house: House, episode_id: EpisodeId) -> Episode:
    with house.unit_of_work() as uow:
        return uow.treatments.episode(episode_id)


def _resolve(house: House, case_id: CaseId, staff_id: StaffId) -> None:
    with house.unit_of_work() as uow:
        cases.resolve(case_id, staff_id, "看过了，恢复得慢一点", uow=uow, clock=house.clock)
        uow.commit()


def _named(answer_id: str, answers: list[Answer]) -> tuple[str, str, int | None]:
    one = next(answer for answer in answers if answer.id == answer_id)
    return one.question, one.value, one.day
