"""The pulse: what is due is taken once, whoever ticks; a broken promise is told in time; nothing blocks the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.case import Case, CaseLevel
from care.model.errors import Conflict
from care.model.ids import MemberId
from care.model.member import Member
from care.model.message import Author
from care.model.staff import Role
from care.model.touchpoint import Touchpoint, TouchpointState
from care.services import booking, cases, touchpoints
from care.services.booking import Wish
from scheduler import main, ticks
from tests.conftest import new_database
from tests.days import (
    a_care_house,
    a_patient,
    at,
    cases_of,
    clock_of,
    contacts,
    dialogue_of,
    last,
    ours,
    staff_on_duty,
    take_over,
    treat,
    wall,
)

WAIT_S = 20.0


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url, scheduler_pulse_s=0.05) as made:
        yield made


def patients(house: House, count: int) -> list[Member]:
    people = [a_patient(house, phone=f"1390000{number:04d}") for number in range(count)]
    for one in people:
        treat(house, one.id)
    return people


def claim(house: House) -> list[Touchpoint]:
    with house.unit_of_work() as uow:
        found = uow.treatments.claim_due(house.clock.now(), house.clock.now() + ticks.LEASE, ticks.BATCH)
        uow.commit()
    return found


def a_case(house: House, member_id: MemberId, level: CaseLevel, reason: str = "request_human") -> Case:
    with house.unit_of_work() as uow:
        opened = cases.open_case(member_id, level, reason, uow=uow, now=house.clock.now(), zone=house.zone)
        uow.commit()
    return opened.case


# Claiming


@pytest.mark.parametrize("schedulers", [2, 8])
def test_however_many_schedulers_tick_each_contact_is_made_once(house: House, schedulers: int) -> None:
    people = patients(house, 12)
    clock_of(house).set("2026-03-04T18:00+08:00")
    together = threading.Barrier(schedulers)

    def tick(_number: int) -> int:
        together.wait(WAIT_S)
        return ticks.send_due(house)

    with ThreadPoolExecutor(schedulers) as pool:
        handed_over = sum(pool.map(tick, range(schedulers)))

    assert handed_over == 12
    assert all(len(ours(house, one.id)) == 1 for one in people)


def test_no_two_schedulers_ever_hold_one_contact(house: House) -> None:
    patients(house, 12)
    clock_of(house).set("2026-03-04T18:00+08:00")
    together = threading.Barrier(6)

    def take(_number: int) -> list[str]:
        together.wait(WAIT_S)
        with house.unit_of_work() as uow:
            found = uow.treatments.claim_due(house.clock.now(), house.clock.now() + ticks.LEASE, 4)
            uow.commit()
        return [one.id for one in found]

    with ThreadPoolExecutor(6) as pool:
        held = [one for batch in pool.map(take, range(6)) for one in batch]

    assert len(held) == len(set(held)) > 0


def test_a_scheduler_that_comes_back_late_finds_its_contact_made_by_another(house: House) -> None:
    (member,) = patients(house, 1)
    clock_of(house).set("2026-03-04T18:00+08:00")
    (mine,) = claim(house)
    clock_of(house).move(seconds=61)

    assert ticks.send_due(house) == 1

    with house.unit_of_work() as uow, pytest.raises(Conflict):
        touchpoints.hand_over(mine, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone)
    assert len(ours(house, member.id)) == 1


def test_what_a_dead_scheduler_had_claimed_is_made_after_its_lease_and_not_before(house: House) -> None:
    patients(house, 1)
    clock_of(house).set("2026-03-04T18:00+08:00")
    claim(house)

    clock_of(house).move(seconds=59)
    assert ticks.send_due(house) == 0
    clock_of(house).move(seconds=1)
    assert ticks.send_due(house) == 1


def test_a_contact_is_taken_when_its_second_has_come(house: House) -> None:
    patients(house, 1)

    assert at(house, "03-04T17:59:59") == 0
    assert at(house, "03-04T18:00:00") == 1
    assert at(house, "03-04T18:00:01") == 0


def test_a_backlog_larger_than_a_batch_is_worked_off_in_one_tick(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients(house, 7)
    monkeypatch.setattr(ticks, "BATCH", 3)

    assert at(house, "03-04T18:00") == 7


# What cannot be made up


def test_one_contact_that_cannot_be_made_up_does_not_block_those_behind_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *others = patients(house, 4)
    compose = touchpoints.compose

    def sometimes(touchpoint: Touchpoint, **rest: object) -> object:
        if touchpoint.member_id == broken.id:
            raise KeyError("a question the pack no longer has")
        return compose(touchpoint, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(touchpoints, "compose", sometimes)
    assert at(house, "03-04T18:00") == 3
    for _ in range(touchpoints.ATTEMPTS - 1):
        clock_of(house).move(seconds=61)
        assert ticks.send_due(house) == 0

    first = contacts(house, broken.id)["A0"]
    assert (first.state, first.reason) == (TouchpointState.SUPPRESSED, "failed")
    assert [(case.level, case.reason) for case in cases_of(house, broken.id)] == [(CaseLevel.W1, "not_reached:A0")]
    assert all(contacts(house, one.id)["A0"].state is TouchpointState.HANDED_OVER for one in others)


def test_waiting_for_a_human_is_no_failed_attempt(house: House) -> None:
    people = staff_on_duty(house)
    (member,) = patients(house, 1)
    take_over(house, member.id, people[Role.CARER])

    for minute in (0, 30, 60, 90):
        at(house, f"03-04T{18 + minute // 60}:{minute % 60:02d}")

    assert contacts(house, member.id)["A0"].attempts == 0


def test_a_silence_that_cannot_be_chased_does_not_block_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = patients(house, 2)
    at(house, "03-04T18:00")
    clock_of(house).set("2026-03-05T06:00+08:00")
    chase = touchpoints.chase

    def sometimes(touchpoint: Touchpoint, **rest: object) -> object:
        if touchpoint.member_id == broken.id:
            raise KeyError("a question the pack no longer has")
        return chase(touchpoint, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(touchpoints, "chase", sometimes)

    assert ticks.chase_silence(house) == 1
    assert [case.reason for case in cases_of(house, other.id)] == ["silence:A0"]


def test_the_dialogue_hears_of_questions_and_not_of_reminders(house: House) -> None:
    member = a_patient(house)
    with house.unit_of_work() as uow:
        wish = Wish(next(iter(house.pack.services)))
        found = booking.offer(wish, uow=uow, slots=house.slots, clock=house.clock, count=200)
        visit = next(slot for slot in found.slots if slot.start_at > house.clock.now() + timedelta(days=2))
        booking.book(member.id, wish, visit.start_at, key=None, uow=uow, slots=house.slots, clock=house.clock)
        uow.commit()
    evening = contacts(house, member.id)["visit_tomorrow"].due_at

    clock_of(house).set(evening)

    assert ticks.send_due(house) == 1
    assert last(house, member.id).author is Author.REMINDER
    assert dialogue_of(house).triggered == []


# Promises


def test_a_broken_promise_is_told_at_its_moment_and_once(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L2)

    clock_of(house).set(case.due_at - timedelta(seconds=1))
    assert ticks.tell_breaches(house) == 0
    clock_of(house).set(case.due_at)
    assert ticks.tell_breaches(house) == 1
    assert ticks.tell_breaches(house) == 0

    (told,) = ours(house, member.id)
    assert "10:30" in told
    assert "孙岚" in told
    assert house.pack.duty_phone in told
    assert wall(cases_of(house, member.id)[0].breached_at or case.opened_at) == "03-04 10:30"


def test_however_many_schedulers_tick_a_breach_is_told_once(house: House) -> None:
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L1)
    clock_of(house).set(case.due_at)
    together = threading.Barrier(4)

    def tick(_number: int) -> int:
        together.wait(WAIT_S)
        return ticks.tell_breaches(house)

    with ThreadPoolExecutor(4) as pool:
        told = sum(pool.map(tick, range(4)))

    assert told == 1
    assert len(ours(house, member.id)) == 1


def test_a_case_somebody_took_is_no_broken_promise(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.L1)
    with house.unit_of_work() as uow:
        cases.take(case.id, people[Role.NURSE], uow=uow, clock=house.clock)
        uow.commit()

    clock_of(house).set(case.due_at + timedelta(hours=1))

    assert ticks.tell_breaches(house) == 0
    assert ours(house, member.id) == []


@pytest.mark.parametrize("reason", ["silence:A0", "not_reached:A1", "late_surgery:A0"])
def test_a_promise_nobody_made_is_recorded_as_broken_and_not_told(house: House, reason: str) -> None:
    member = a_patient(house)
    case = a_case(house, member.id, CaseLevel.W1, reason)
    clock_of(house).set(case.due_at)

    assert ticks.tell_breaches(house) == 1

    assert cases_of(house, member.id)[0].breached_at is not None
    assert ours(house, member.id) == []


def test_a_case_the_member_has_heard_of_since_is_told_after_all(house: House) -> None:
    member = a_patient(house)
    a_case(house, member.id, CaseLevel.W1, "silence:A0")
    case = a_case(house, member.id, CaseLevel.W1, "request_human")
    clock_of(house).set(case.due_at)

    ticks.tell_breaches(house)

    assert len(ours(house, member.id)) == 1


def test_danger_reported_again_after_the_nurse_took_the_case_rings_again(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    first = a_case(house, member.id, CaseLevel.L1)
    with house.unit_of_work() as uow:
        cases.take(first.id, people[Role.NURSE], uow=uow, clock=house.clock)
        uow.commit()
    clock_of(house).move(hours=2)

    again = a_case(house, member.id, CaseLevel.L1)

    assert again.id == first.id
    assert wall(again.due_at) == "03-04 12:10"
    clock_of(house).set(again.due_at)
    assert ticks.tell_breaches(house) == 1


def test_what_a_member_tells_the_carer_who_is_with_them_does_not_ring_again(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    first = a_case(house, member.id, CaseLevel.L1)
    take_over(house, member.id, people[Role.NURSE])
    with house.unit_of_work() as uow:
        cases.take(first.id, people[Role.NURSE], uow=uow, clock=house.clock)
        uow.commit()

    again = a_case(house, member.id, CaseLevel.L1)

    assert again.state.value == "taken"


# Holds


def test_a_hold_nobody_confirmed_lapses_at_its_minute(house: House) -> None:
    member = a_patient(house)
    with house.unit_of_work() as uow:
        wish = Wish(next(iter(house.pack.services)))
        slot = booking.offer(wish, uow=uow, slots=house.slots, clock=house.clock).slots[0]
        held = booking.hold(member.id, slot, wish=wish, uow=uow, clock=house.clock, lasts=house.settings.hold_for)
        uow.commit()

    clock_of(house).set(held.expires_at - timedelta(seconds=1))
    assert ticks.release_holds(house) == 0
    clock_of(house).set(held.expires_at)
    assert ticks.release_holds(house) == 1
    assert ticks.release_holds(house) == 0


# The pulse itself


def test_the_pulse_goes_on_after_a_tick_that_failed_and_stops_when_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, ticked_again = threading.Event(), threading.Event()
    times: list[int] = []

    def fails_once(_house: House) -> int:
        times.append(1)
        if len(times) == 1:
            raise RuntimeError("the database was locked")
        ticked_again.set()
        return 0

    monkeypatch.setattr(ticks, "send_due", fails_once)
    pulse = threading.Thread(target=main.run, args=(house, stop))
    pulse.start()

    assert ticked_again.wait(WAIT_S)
    stop.set()
    pulse.join(WAIT_S)
    assert not pulse.is_alive()
