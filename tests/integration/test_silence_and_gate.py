"""What silence leads to, and what never leaves the house."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.staff import Role
from care.model.touchpoint import TouchpointState
from care.services import cases
from scheduler import ticks
from tests.conftest import new_database
from tests.days import (
    a_care_house,
    a_patient,
    a_second_account,
    at,
    cases_of,
    clock_of,
    contacts,
    hand_back,
    last,
    on_the_first_morning,
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
