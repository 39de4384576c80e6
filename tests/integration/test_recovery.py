"""A recovery as it is planned, cancelled, summed up, and lived through from the first evening to the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from care.bootstrap import House
from care.model.case import CaseLevel, CaseState
from care.model.consent import Purpose
from care.model.errors import Conflict, HandBackTooSoon, InvalidInput, NotFound
from care.model.ids import MemberId, StaffId
from care.model.message import Author
from care.model.staff import Role
from care.model.touchpoint import WAITING, Touchpoint, TouchpointState
from care.model.treatment import Episode
from care.services import cases, recovery
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
    everything_said,
    hand_back,
    last,
    ours,
    says,
    staff_on_duty,
    take_over,
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
    house: House, chance: random.Random, member_id: MemberId, carer: StaffId, episodes: Mapping[MemberId, Episode]
) -> None:
    what = chance.random()
    conversation = conversation_of(house, member_id)
    if what < 0.15 and conversation.owned_by_bot:
        take_over(house, member_id, carer)
    elif what < 0.4 and conversation.owner == carer:
        with suppress(HandBackTooSoon):
            hand_back(house, member_id, carer)
    elif what < 0.45:
        withdraw(house, member_id, Purpose.CHECK_INS)
    elif what < 0.5:
        with house.unit_of_work() as uow:
            recovery.cancel_episode(episodes[member_id].id, reason="test", uow=uow, clock=house.clock)
            uow.commit()
    elif what < 0.55:
        with house.unit_of_work() as uow:
            cases.open_case(member_id, CaseLevel.L1, "test", uow=uow, now=house.clock.now(), zone=house.zone)
            uow.commit()


def _is_settled_once(house: House, touchpoint: Touchpoint) -> bool:
    """Handed over: one message under its key. Waiting: it lies ahead. All else: a reason, and no message."""
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

    take_over(house, member.id, people[Role.LEAD])
    hand_back(house, member.id, people[Role.LEAD], "血止住了，家人在旁边")
    assert "孙岚随时能叫回来" in ours(house, member.id)[-1]
    with house.unit_of_work() as uow:
        resolved = cases.resolve(case.id, nurse, "血已止住", uow=uow, clock=house.clock)
        uow.commit()
    assert resolved.state is CaseState.RESOLVED
    assert cases_of(house, member.id) == []

    assert at(house, "03-05T09:00") == 1
    assert "昨晚睡着了吗" in last(house, member.id).text
    says(house, member, "两分")
    assert [(one.question, one.value) for one in answers_of(house, episode)] == [("pain", "2")]
