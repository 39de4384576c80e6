"""A crisis: nobody is left alone with the machine, and the machine keeps out until a named lead signs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.errors import Conflict, HandBackTooSoon, InvalidInput, NotTheirs
from care.model.ids import MemberId
from care.model.message import Author
from care.model.staff import Role
from care.model.tasks import TaskKind
from care.services import cases, crisis
from scheduler import ticks
from tests.conftest import new_database
from tests.days import (
    a_care_house,
    a_patient,
    at,
    clock_of,
    contacts,
    conversation_of,
    dialogue_of,
    everything_said,
    hand_back,
    ours,
    says,
    staff_on_duty,
    take_over,
    treat,
    wall,
)


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url) as made:
        yield made


def in_words(house: House, member_id: MemberId, level: CaseLevel) -> None:
    with house.unit_of_work() as uow:
        cases.open_case(member_id, level, "said:words", uow=uow, now=house.clock.now(), zone=house.zone)
        uow.commit()


def lines(house: House, member_id: MemberId) -> list[str]:
    """Return the lines of presence, with the second they were said."""
    words = {house.pack.say(key) for key in crisis.LINES}
    said = [one for one in everything_said(house, member_id) if one.text in words]
    assert all(one.author is Author.SAFETY for one in said)
    return [f"{one.at.astimezone(house.zone):%H:%M:%S}" for one in said]


def pulses(house: House, minutes: float) -> None:
    """Let the scheduler beat every ten seconds."""
    for _ in range(int(minutes * 6)):
        clock_of(house).move(seconds=10)
        ticks.tell_breaches(house)


def tasks_of(house: House, member_id: MemberId) -> list[tuple[TaskKind, Role, str]]:
    with house.unit_of_work() as uow:
        return [(task.kind, task.role, wall(task.due_at)) for task in uow.tasks.open() if task.member_id == member_id]


def released(house: House, member_id: MemberId, by: str, words: str) -> None:
    with house.unit_of_work() as uow:
        found = uow.conversations.of_member(member_id)
        assert found is not None
        crisis.release(found.id, by, words, uow=uow, clock=house.clock)
        uow.commit()


def test_until_a_human_is_in_somebody_says_every_two_minutes_that_they_are_here(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    says(house, member, "不想活了")

    pulses(house, 1.9)
    assert lines(house, member.id) == []
    pulses(house, 4.2)
    # at 10:02 the broken promise was told, which was a sign of presence too
    assert lines(house, member.id) == ["10:04:00", "10:06:00"]
    take_over(house, member.id, people[Role.CARER])
    pulses(house, 10)

    assert lines(house, member.id) == ["10:04:00", "10:06:00"]


def test_two_schedulers_say_each_line_once(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    says(house, member, "不想活了")

    for _ in range(30):
        clock_of(house).move(seconds=20)
        ticks.tell_breaches(house)
        ticks.tell_breaches(house)

    assert lines(house, member.id) == ["10:04:00", "10:06:00", "10:08:00", "10:10:00"]


def test_no_automation_of_any_kind_until_a_lead_signs(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    treat(house, member.id)
    says(house, member, "不想活了")
    heard = len(dialogue_of(house).heard)

    says(house, member, "我想约个洗牙")
    at(house, "03-04T18:00")

    assert len(dialogue_of(house).heard) == heard
    assert contacts(house, member.id)["A0"].reason == "crisis"
    for who, words, refusal in (
        (people[Role.CARER], "没事了", NotTheirs),
        (people[Role.NURSE], "没事了", NotTheirs),
        (people[Role.LEAD], "  ", InvalidInput),
    ):
        with pytest.raises(refusal):
            released(house, member.id, who, words)
    assert conversation_of(house, member.id).crisis

    released(house, member.id, people[Role.LEAD], "和本人、丈夫都通过话，今晚有人陪")

    assert not conversation_of(house, member.id).crisis
    notes = [one.text for one in everything_said(house, member.id) if one.note]
    assert notes == ["解除危机：和本人、丈夫都通过话，今晚有人陪（孙岚 签字）"]
    with pytest.raises(Conflict):
        released(house, member.id, people[Role.LEAD], "再签一次")


def test_a_crisis_leaves_a_check_for_the_next_day_and_a_review_within_one(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)

    says(house, member, "不想活了")
    says(house, member, "不想活了")

    assert sorted(tasks_of(house, member.id)) == [
        (TaskKind.NEXT_DAY, Role.CARER, "03-05 10:00"),
        (TaskKind.REVIEW, Role.LEAD, "03-05 10:00"),
    ]


def test_the_lead_hears_of_severe_distress_and_the_member_is_left_in_peace_for_two_weeks(house: House) -> None:
    staff_on_duty(house)
    member, other = a_patient(house), a_patient(house, phone="13800005678")
    in_words(house, member.id, CaseLevel.P2)
    in_words(house, other.id, CaseLevel.W2)

    with house.unit_of_work() as uow:
        quiet, not_quiet = (crisis.quiet_until(one.id, uow=uow) for one in (member, other))

    assert tasks_of(house, member.id) == [(TaskKind.LEAD_TOLD, Role.LEAD, "03-04 10:30")]
    assert quiet == house.clock.now() + timedelta(days=14)
    assert not_quiet is None


def test_severe_distress_heard_of_again_makes_the_peace_longer(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    in_words(house, member.id, CaseLevel.P2)
    with house.unit_of_work() as uow:
        (case,) = uow.cases.open_of(member.id)
        cases.take(case.id, people[Role.CARER], uow=uow, clock=house.clock)
        uow.commit()
    clock_of(house).move(days=10)
    in_words(house, member.id, CaseLevel.P2)

    with house.unit_of_work() as uow:
        assert crisis.quiet_until(member.id, uow=uow) == house.clock.now() + timedelta(days=14)


# Handing back


@pytest.mark.parametrize("level", ["L0", "L1", "P2", "K2", "K3"])
def test_within_a_day_of_something_grave_only_a_lead_hands_back_and_says_why(house: House, level: str) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    in_words(house, member.id, CaseLevel(level))
    take_over(house, member.id, people[Role.CARER])
    clock_of(house).move(hours=23, minutes=59)

    with pytest.raises(HandBackTooSoon):
        hand_back(house, member.id, people[Role.CARER], "我觉得可以")
    take_over(house, member.id, people[Role.LEAD])
    with pytest.raises(HandBackTooSoon):
        hand_back(house, member.id, people[Role.LEAD])
    hand_back(house, member.id, people[Role.LEAD], "医生看过了，家人在旁边")

    assert conversation_of(house, member.id).owned_by_bot


@pytest.mark.parametrize("level", ["L0", "L1", "P2", "K2", "K3"])
def test_a_day_later_the_carer_hands_back(house: House, level: str) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    in_words(house, member.id, CaseLevel(level))
    take_over(house, member.id, people[Role.CARER])
    clock_of(house).move(hours=24)

    hand_back(house, member.id, people[Role.CARER])

    assert "后面我接着照看您，李静随时能叫回来。" in ours(house, member.id)


def test_not_even_a_lead_leaves_somebody_with_the_bot_on_the_day_of_a_crisis(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    says(house, member, "不想活了")
    take_over(house, member.id, people[Role.LEAD])
    released(house, member.id, people[Role.LEAD], "家人在")

    with pytest.raises(HandBackTooSoon) as refused:
        hand_back(house, member.id, people[Role.LEAD], "家人在")

    assert refused.value.until == house.clock.now() + timedelta(hours=24)


@pytest.mark.parametrize("level", ["L2", "L3", "W1", "W2", "K1"])
def test_after_lesser_things_the_carer_hands_back_at_once(house: House, level: str) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    in_words(house, member.id, CaseLevel(level))
    take_over(house, member.id, people[Role.CARER])

    hand_back(house, member.id, people[Role.CARER])

    assert conversation_of(house, member.id).owned_by_bot
