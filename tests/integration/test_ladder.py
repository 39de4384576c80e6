"""The ladder in life: who hears when time runs out, who takes over, what the member is told, and each of it once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.case import Case, CaseLevel, CaseState, PauseReason
from care.model.deadline import DeadlineKind
from care.model.errors import Conflict, InvalidInput
from care.model.ids import MemberId, StaffId
from care.model.staff import Role
from care.model.tasks import TaskKind
from care.services import cases, deadlines
from care.testing import a_colleague
from scheduler import ticks
from tests.conftest import new_database
from tests.days import a_care_house, a_patient, cases_of, clock_of, ours, says, staff_on_duty, take_over, wall

WAIT_S = 20.0
PEOPLE = (
    (Role.DOCTOR, "林恺", "值班医生"),
    (Role.HEAD_NURSE, "钱芳", "护士长"),
    (Role.DIRECTOR, "周正", "院长"),
    (Role.STORE_MANAGER, "吴桐", "店长"),
    (Role.REGIONAL_MANAGER, "郑和", "区域经理"),
    (Role.MEDICAL_DIRECTOR, "周明", "医疗总监"),
    (Role.EXECUTIVE, "沈岩", "集团值班"),
)


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url) as made:
        yield made


def everybody(house: House) -> dict[Role, StaffId]:
    """Store the whole chain of command beside the nurse, the carer and the lead."""
    found = staff_on_duty(house)
    with house.unit_of_work() as uow:
        for role, name, title in PEOPLE:
            found[role] = a_colleague(uow, now=house.clock.now(), name=name, role=role, job_title=title).id
        uow.commit()
    return found


def a_case(house: House, member_id: MemberId, level: CaseLevel, reason: str = "request_human") -> Case:
    with house.unit_of_work() as uow:
        opened = cases.open_case(member_id, level, reason, uow=uow, now=house.clock.now(), zone=house.zone)
        uow.commit()
    return opened.case


def stored(house: House, case: Case) -> Case:
    with house.unit_of_work() as uow:
        return uow.cases.get(case.id)


def at(house: House, moment: str) -> int:
    clock_of(house).set(f"2026-{moment}+08:00")
    return ticks.tell_breaches(house)


def taken(house: House, case: Case, staff_id: StaffId) -> None:
    with house.unit_of_work() as uow:
        cases.take(case.id, staff_id, uow=uow, clock=house.clock)
        uow.commit()


def rest_for(house: House, *people: StaffId) -> None:
    """Let colleagues leave the clinic for good."""
    with house.unit_of_work() as uow:
        for one in people:
            uow.staff.save(replace(uow.staff.get(one), active=False))
        uow.commit()


# Climbing


def test_an_emergency_climbs_from_the_duty_doctor_to_the_director_at_five_and_the_medical_director_at_ten(
    house: House,
) -> None:
    people = everybody(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L0)
    holders = [case.assigned]

    for moment in ("03-04T10:04:59", "03-04T10:05:00", "03-04T10:09:59", "03-04T10:10:00"):
        at(house, moment)
        holders.append(stored(house, case).assigned)

    doctor, director, above = people[Role.DOCTOR], people[Role.DIRECTOR], people[Role.MEDICAL_DIRECTOR]
    assert holders == [doctor, doctor, director, director, above]
    assert [("周正" in text, "周明" in text) for text in ours(house, member.id)] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("level", "first", "moments"),
    [
        (CaseLevel.L1, Role.NURSE, [("10:10", Role.DOCTOR), ("10:20", Role.DIRECTOR)]),
        (
            CaseLevel.L2,
            Role.NURSE,
            [("10:30", Role.HEAD_NURSE), ("10:45", Role.HEAD_NURSE), ("11:00", Role.DIRECTOR)],
        ),
        (CaseLevel.L3, Role.NURSE, [("14:00", Role.HEAD_NURSE)]),
        (CaseLevel.P3, Role.CARER, [("10:02", Role.LEAD), ("10:04", Role.DIRECTOR)]),
        (CaseLevel.P2, Role.CARER, [("10:30", Role.LEAD), ("11:00", Role.DIRECTOR)]),
        (CaseLevel.W2, Role.CARER, [("11:00", Role.LEAD), ("12:00", Role.LEAD)]),
        (CaseLevel.W1, Role.CARER, [("12:00", Role.LEAD), ("14:00", Role.LEAD)]),
        (CaseLevel.K2, Role.STORE_MANAGER, [("14:00", Role.REGIONAL_MANAGER)]),
        (CaseLevel.K3, Role.STORE_MANAGER, [("10:30", Role.EXECUTIVE)]),
    ],
)
def test_every_level_climbs_to_the_colleague_the_clinic_names_at_the_minute_it_names(
    house: House, level: CaseLevel, first: Role, moments: list[tuple[str, Role]]
) -> None:
    people = everybody(house)
    case = a_case(house, a_patient(house).id, level)

    assert case.assigned == people[first]
    for moment, role in moments:
        at(house, f"03-04T{moment}")
        assert stored(house, case).assigned == people[role], moment


def test_an_ordinary_complaint_climbs_to_the_store_manager_after_a_day(house: House) -> None:
    people = everybody(house)
    case = a_case(house, a_patient(house).id, CaseLevel.K1, "complain")

    at(house, "03-05T10:00")

    assert stored(house, case).assigned == people[Role.STORE_MANAGER]


def test_a_rung_with_nobody_on_it_is_skipped_upwards_and_there_is_always_somebody(house: House) -> None:
    people = everybody(house)
    case = a_case(house, a_patient(house).id, CaseLevel.L0)
    rest_for(house, people[Role.DIRECTOR], people[Role.REGIONAL_MANAGER])

    at(house, "03-04T10:05")
    assert stored(house, case).assigned == people[Role.MEDICAL_DIRECTOR]

    rest_for(house, *(one for role, one in people.items() if role not in {Role.NURSE, Role.MEDICAL_DIRECTOR}))
    at(house, "03-04T10:10")
    assert stored(house, case).assigned == people[Role.NURSE]


def test_in_a_clinic_without_anybody_the_member_is_still_given_a_name_and_a_number(house: House) -> None:
    member = a_patient(house)
    a_case(house, member.id, CaseLevel.L1)

    at(house, "03-04T10:10")

    (told,) = ours(house, member.id)
    assert house.pack.duty_name in told
    assert house.pack.duty_phone in told


def test_the_member_hears_the_name_the_minutes_and_the_number_of_whoever_has_it_now(house: House) -> None:
    everybody(house)
    member = a_patient(house)
    a_case(house, member.id, CaseLevel.L2)

    at(house, "03-04T10:30")

    (told,) = ours(house, member.id)
    assert all(part in told for part in ("10:30", "没做到", "钱芳", "15 分钟内", house.pack.duty_phone))


# Before the moment, and at it, once


def test_the_owner_is_warned_before_the_promise_breaks_and_once(house: House) -> None:
    everybody(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L2)

    at(house, "03-04T10:22:29")
    assert stored(house, case).warned_at is None
    at(house, "03-04T10:22:30")
    at(house, "03-04T10:25")

    assert wall(stored(house, case).warned_at or case.opened_at) == "03-04 10:22"
    assert ours(house, member.id) == []


@pytest.mark.parametrize("schedulers", [2, 8])
def test_however_many_schedulers_run_every_moment_happens_once(house: House, schedulers: int) -> None:
    everybody(house)
    members = [a_patient(house, phone=f"1390000{number:04d}") for number in range(6)]
    opened = [a_case(house, member.id, CaseLevel.L0) for member in members]
    together = threading.Barrier(schedulers)

    def tick(_number: int) -> int:
        together.wait(WAIT_S)
        return ticks.tell_breaches(house)

    broken = []
    for moment in ("03-04T10:05", "03-04T10:10"):
        clock_of(house).set(f"2026-{moment}+08:00")
        with ThreadPoolExecutor(schedulers) as pool:
            broken.append(sum(pool.map(tick, range(schedulers))))

    assert broken == [6, 0]
    assert [stored(house, case).step for case in opened] == [2] * 6
    assert all(len(ours(house, member.id)) == 2 for member in members)


def test_a_moment_a_dead_scheduler_had_leased_comes_again_and_still_happens_once(house: House) -> None:
    everybody(house)
    member = a_patient(house)
    a_case(house, member.id, CaseLevel.L1)
    clock_of(house).set("2026-03-04T10:10+08:00")
    with house.unit_of_work() as uow:
        now = house.clock.now()
        leased = uow.deadlines.claim_due(now, now + ticks.MOMENT_LEASE, 10)
        uow.commit()

    assert ticks.tell_breaches(house) == 0
    clock_of(house).move(seconds=15)
    assert ticks.tell_breaches(house) == 1
    for deadline in leased:
        with house.unit_of_work() as uow:
            again = deadlines.fire(deadline, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone)
            uow.commit()
        assert again is None
    assert len(ours(house, member.id)) == 1


def test_one_moment_that_fails_does_not_hold_up_the_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody(house)
    broken, other = a_patient(house), a_patient(house, phone="13800005678")
    poison = a_case(house, broken.id, CaseLevel.L1)
    a_case(house, other.id, CaseLevel.L1)
    fire = deadlines.fire

    def sometimes(deadline: object, **rest: object) -> object:
        if deadline.case_id == poison.id:
            raise KeyError("a sentence the pack no longer has")
        return fire(deadline, **rest)

    monkeypatch.setattr(deadlines, "fire", sometimes)

    assert at(house, "03-04T10:10") == 1
    assert len(ours(house, other.id)) == 1


def test_an_open_case_from_before_the_ladder_gets_its_moments_when_the_scheduler_starts(house: House) -> None:
    everybody(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L1)
    with house.unit_of_work() as uow:
        uow.deadlines.let_go(case.id, frozenset(DeadlineKind), "replaced", house.clock.now())
        uow.commit()

    assert ticks.plan_moments(house) == 1
    assert at(house, "03-04T10:10") == 1


# Keeping the promise, raising the level


def test_once_somebody_has_taken_it_nothing_more_happens(house: House) -> None:
    people = everybody(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L0)
    at(house, "03-04T10:05")
    taken(house, case, people[Role.DIRECTOR])

    at(house, "03-04T10:30")

    assert stored(house, case).step == 1
    assert len(ours(house, member.id)) == 1


def test_a_taken_complaint_that_nobody_answers_breaks_its_promise_all_the_same(house: House) -> None:
    people = everybody(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.K2, "said:words")
    taken(house, case, people[Role.STORE_MANAGER])

    assert at(house, "03-04T14:00") == 1

    assert stored(house, case).assigned == people[Role.REGIONAL_MANAGER]
    assert "给您答复" in ours(house, member.id)[-1]


def test_a_member_a_colleague_is_talking_with_about_it_is_not_told_by_the_machine(house: House) -> None:
    people = everybody(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.K2, "said:words")
    taken(house, case, people[Role.STORE_MANAGER])
    take_over(house, member.id, people[Role.STORE_MANAGER])
    before = len(ours(house, member.id))

    assert at(house, "03-04T14:00") == 1

    assert len(ours(house, member.id)) == before


def test_a_case_that_becomes_more_urgent_gets_the_moments_of_its_new_level_alone(house: House) -> None:
    people = everybody(house)
    member = a_patient(house)
    a_case(house, member.id, CaseLevel.L3)
    clock_of(house).move(minutes=20)
    case = a_case(house, member.id, CaseLevel.L0)

    assert case.assigned == people[Role.NURSE] or case.assigned == people[Role.DOCTOR]
    at(house, "03-04T10:25")
    assert stored(house, case).assigned == people[Role.DIRECTOR]
    at(house, "03-04T14:30")
    assert len(ours(house, member.id)) == 2


# The law


def test_every_complaint_has_the_laws_deadline_whatever_else_happens_to_it(house: House) -> None:
    people = everybody(house)
    case = a_case(house, a_patient(house).id, CaseLevel.K1, "complain")
    taken(house, case, people[Role.LEAD])

    at(house, "03-11T19:59")
    assert stored(house, case).legal_late_at is None
    at(house, "03-11T20:00")

    late = stored(house, case)
    assert wall(late.legal_late_at or case.opened_at) == "03-11 20:00"
    assert late.assigned == people[Role.EXECUTIVE]
    with house.unit_of_work() as uow:
        assert [task.kind for task in uow.tasks.open()] == [TaskKind.COMPLAINT_LEGAL] * 2


# Holding a clock


def test_a_clock_held_for_the_members_word_goes_on_with_what_was_left_when_they_write(house: House) -> None:
    people = everybody(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L3, "ask_medication")
    clock_of(house).move(hours=1)
    with house.unit_of_work() as uow:
        until = house.clock.now() + timedelta(days=2)
        cases.pause(case.id, PauseReason.WAITING_MEMBER, until, uow=uow, clock=house.clock)
        uow.commit()

    assert at(house, "03-04T18:00") == 0
    says(house, member, "照片发给您了")

    assert wall(stored(house, case).due_at) == "03-04 21:00"
    assert at(house, "03-04T21:00") == 1
    assert people


def test_a_held_clock_goes_on_by_itself_at_the_moment_that_was_stated(house: House) -> None:
    everybody(house)
    case = a_case(house, a_patient(house).id, CaseLevel.W1)
    with house.unit_of_work() as uow:
        until = house.clock.now() + timedelta(hours=24)
        cases.pause(case.id, PauseReason.MEMBER_LATER, until, uow=uow, clock=house.clock)
        uow.commit()

    at(house, "03-05T10:00")

    assert stored(house, case).paused_at is None
    assert wall(stored(house, case).due_at) == "03-05 12:00"


@pytest.mark.parametrize(
    "level", [CaseLevel.L0, CaseLevel.L1, CaseLevel.L2, CaseLevel.P2, CaseLevel.P3, CaseLevel.K3]
)
def test_no_clock_of_danger_is_ever_held(house: House, level: CaseLevel) -> None:
    case = a_case(house, a_patient(house).id, level)

    with house.unit_of_work() as uow, pytest.raises(Conflict):
        until = house.clock.now() + timedelta(hours=1)
        cases.pause(case.id, PauseReason.WAITING_MEMBER, until, uow=uow, clock=house.clock)


def test_a_clock_is_not_held_without_end(house: House) -> None:
    case = a_case(house, a_patient(house).id, CaseLevel.W1)

    with house.unit_of_work() as uow, pytest.raises(InvalidInput):
        until = house.clock.now() + timedelta(days=8)
        cases.pause(case.id, PauseReason.MEMBER_LATER, until, uow=uow, clock=house.clock)


# Workload


def test_cases_are_shared_out_by_what_each_colleague_already_carries(house: House) -> None:
    with house.unit_of_work() as uow:
        people = [
            a_colleague(uow, now=house.clock.now(), name=name, role=Role.CARER).id for name in ("甲", "乙", "丙")
        ]
        uow.commit()

    given = [a_case(house, a_patient(house, phone=f"1390000{n:04d}").id, CaseLevel.W1).assigned for n in range(9)]

    assert {one: given.count(one) for one in people} == dict.fromkeys(people, 3)


def test_somebody_who_is_away_gets_no_new_case_unless_nobody_else_is_there(house: House) -> None:
    with house.unit_of_work() as uow:
        now = house.clock.now()
        away = a_colleague(uow, now=now, name="甲", role=Role.NURSE, away_until=now + timedelta(hours=1)).id
        there = a_colleague(uow, now=now, name="乙", role=Role.DOCTOR).id
        uow.commit()

    first = a_case(house, a_patient(house).id, CaseLevel.L1)
    rest_for(house, there)
    second = a_case(house, a_patient(house, phone="13800005678").id, CaseLevel.L1)

    assert (first.assigned, second.assigned) == (there, away)


def test_nobody_gets_five_severe_cases_in_a_row_when_others_are_there(house: House) -> None:
    with house.unit_of_work() as uow:
        quick, laden = (
            a_colleague(uow, now=house.clock.now(), name=name, role=Role.NURSE).id for name in ("甲", "乙")
        )
        uow.commit()
    for number in range(4):  # 乙 is laden with small things, so that every next case would go to 甲
        small = a_case(house, a_patient(house, phone=f"1370000{number:04d}").id, CaseLevel.L3)
        taken(house, small, laden)

    given = []
    for number in range(6):
        clock_of(house).move(minutes=1)
        case = a_case(house, a_patient(house, phone=f"1390000{number:04d}").id, CaseLevel.L1)
        given.append(case.assigned)
        with house.unit_of_work() as uow:
            cases.resolve(case.id, case.assigned, "好了", uow=uow, clock=house.clock)
            uow.commit()

    assert given == [quick, quick, quick, quick, laden, quick]


def test_the_member_is_told_the_name_of_the_colleague_who_has_it(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)

    says(house, member, "血止不住")

    (case,) = cases_of(house, member.id)
    with house.unit_of_work() as uow:
        name = uow.staff.get(case.assigned).name
    assert name in ours(house, member.id)[-1]
    assert case.state is CaseState.OPEN
