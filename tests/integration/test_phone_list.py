"""The day's phone list: the right people in the right order, with what a caller needs, and what came of each call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.case import CaseLevel, CaseState
from care.model.errors import InvalidInput
from care.model.ids import MemberId, StaffId
from care.model.staff import Reader, Role
from care.model.tasks import CallOutcome
from care.services import cases, complaints, phone_list
from care.services.complaints import Heard
from scheduler import ticks
from tests.days import a_care_house, a_patient, cases_of, clock_of, everything_said, says, staff_on_duty


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_care_house(tmp_path) as made:
        yield made


def owes(
    house: House, level: CaseLevel, *, name: str, reason: str = "said:words", phone: str = "13800001234"
) -> MemberId:
    member = a_patient(house, name=name, phone=phone)
    with house.unit_of_work() as uow:
        cases.open_case(
            member.id, level, reason, uow=uow, now=house.clock.now(), zone=house.zone, summary=f"{name}的原话"
        )
        uow.commit()
    return member.id


def listed(house: House) -> list[phone_list.Entry]:
    with house.unit_of_work() as uow:
        found = phone_list.entries(
            by=Reader("staff", "x"), uow=uow, now=house.clock.now(), pack=house.pack, zone=house.zone
        )
        uow.commit()
    return found


def ended(house: House, entry: phone_list.Entry, by: StaffId, outcome: CallOutcome, **more: object) -> None:
    with house.unit_of_work() as uow:
        phone_list.record(entry.about, by, outcome, uow=uow, clock=house.clock, zone=house.zone, **more)
        uow.commit()


def several(house: House) -> None:
    for number, (name, level, reason) in enumerate(
        (
            ("甲", CaseLevel.W2, "low_mood"),
            ("乙", CaseLevel.W1, "silence:A0"),
            ("丙", CaseLevel.L1, "said:bleeding"),
            ("丁", CaseLevel.W1, "request_human"),
            ("戊", CaseLevel.K2, "said:words"),
        )
    ):
        owes(house, level, name=name, reason=reason, phone=f"1390000{number:04d}")


def test_the_list_names_whom_to_call_the_most_urgent_first_and_nobody_who_wants_a_message(house: House) -> None:
    staff_on_duty(house)
    several(house)

    assert [entry.name for entry in listed(house)] == ["丙", "甲", "戊", "乙"]


def test_an_entry_holds_what_a_caller_needs_and_no_whole_number(house: House) -> None:
    staff_on_duty(house)
    owes(house, CaseLevel.W2, name="王秀兰", reason="low_mood")

    (entry,) = listed(house)

    assert (entry.phone, entry.said, entry.reason, entry.since) == (
        "138****1234",
        "王秀兰的原话",
        "low_mood",
        house.clock.now(),
    )
    assert entry.first.startswith("王女士，我是")
    assert "最难的是哪一会儿" in entry.first
    assert "加油" in entry.never
    assert entry.promised == "李静，今天上午11点前"


def test_looking_at_the_list_is_a_line_in_the_access_log(house: House) -> None:
    member_id = owes(house, CaseLevel.W2, name="王秀兰")

    listed(house)

    with house.unit_of_work() as uow:
        assert "staff:x" in {line["reader"] for line in uow.access.of_member(member_id, 20)}


def test_who_was_reached_leaves_the_list_and_the_clock_stops(house: House) -> None:
    people = staff_on_duty(house)
    member_id = owes(house, CaseLevel.W2, name="王秀兰", reason="low_mood")
    (entry,) = listed(house)

    ended(house, entry, people[Role.CARER], CallOutcome.REACHED, note="聊了八分钟，心情 3")

    assert listed(house) == []
    (case,) = cases_of(house, member_id)
    assert (case.state, case.owner) == (CaseState.TAKEN, people[Role.CARER])
    assert [one.text for one in everything_said(house, member_id) if one.note] == ["电话：聊了八分钟，心情 3"]
    clock_of(house).move(hours=5)
    assert ticks.tell_breaches(house) == 0


def test_who_was_not_reached_is_tried_again_after_the_others_and_the_clock_goes_on(house: House) -> None:
    people = staff_on_duty(house)
    several(house)
    first = listed(house)[0]

    ended(house, first, people[Role.NURSE], CallOutcome.NOT_REACHED)
    order = [(entry.name, entry.tried) for entry in listed(house)]
    clock_of(house).move(minutes=30)

    assert order == [("甲", 0), ("戊", 0), ("乙", 0), ("丙", 1)]
    assert listed(house)[0].name == "丙"
    assert ticks.tell_breaches(house) == 1


def test_who_wants_to_be_called_later_is_called_then(house: House) -> None:
    people = staff_on_duty(house)
    owes(house, CaseLevel.W2, name="甲")
    (entry,) = listed(house)
    tomorrow = house.clock.now() + timedelta(days=1)

    ended(house, entry, people[Role.CARER], CallOutcome.AGAIN, again_at=tomorrow)

    assert listed(house) == []
    clock_of(house).set(tomorrow)
    assert [(one.name, one.call_at) for one in listed(house)] == [("甲", tomorrow)]


@pytest.mark.parametrize(
    ("outcome", "more"),
    [
        (CallOutcome.REACHED, {"note": " "}),
        (CallOutcome.REACHED, {"note": "长" * 501}),
        (CallOutcome.AGAIN, {}),
        (CallOutcome.AGAIN, {"again_at": timedelta(minutes=-1)}),
        (CallOutcome.AGAIN, {"again_at": timedelta(days=8)}),
    ],
)
def test_a_call_without_what_it_needs_is_not_recorded(
    house: House, outcome: CallOutcome, more: dict[str, str | timedelta]
) -> None:
    people = staff_on_duty(house)
    owes(house, CaseLevel.W2, name="甲")
    (entry,) = listed(house)
    given = {key: house.clock.now() + one if isinstance(one, timedelta) else one for key, one in more.items()}

    with pytest.raises(InvalidInput):
        ended(house, entry, people[Role.CARER], outcome, **given)

    assert len(listed(house)) == 1


def test_the_check_on_the_day_after_a_crisis_is_on_the_list_of_that_day(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    says(house, member, "不想活了")
    with house.unit_of_work() as uow:
        (case,) = uow.cases.open_of(member.id)
        cases.take(case.id, people[Role.CARER], uow=uow, clock=house.clock)
        cases.resolve(case.id, people[Role.CARER], "家人在", uow=uow, clock=house.clock)
        uow.commit()

    assert listed(house) == []
    clock_of(house).set("2026-03-05T10:00+08:00")
    (entry,) = listed(house)
    assert entry.reason == "next_day"
    assert "不答应保密" in entry.never
    ended(house, entry, people[Role.CARER], CallOutcome.REACHED, note="睡了五个小时，心情 3")
    assert listed(house) == []


@pytest.mark.parametrize(
    ("heard", "state"),
    [(Heard.SOLVED, CaseState.RESOLVED), (Heard.UNSOLVED, CaseState.OPEN), (Heard.NOTHING, CaseState.ASKED)],
)
def test_a_complaint_nobody_answered_about_is_asked_about_once_on_the_phone(
    house: House, heard: Heard, state: CaseState
) -> None:
    people = staff_on_duty(house)
    owes(house, CaseLevel.K1, name="甲", reason="complain")
    with house.unit_of_work() as uow:
        (case,) = uow.cases.unresolved()
        complaints.call_solved(case.id, people[Role.LEAD], "退了", uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()
    assert listed(house) == []
    clock_of(house).move(hours=48)
    ticks.tell_breaches(house)

    (entry,) = listed(house)
    ended(house, entry, people[Role.CARER], CallOutcome.REACHED, note="她说了", heard=heard)

    assert entry.asks_whether_solved
    assert listed(house) == []
    with house.unit_of_work() as uow:
        assert uow.cases.get(case.id).state is state
