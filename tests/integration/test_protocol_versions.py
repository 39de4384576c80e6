"""A protocol changes while recoveries are under way: what was sent stays, what was not is planned anew, nothing stale goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest

from care.bootstrap import House
from care.model.errors import Conflict
from care.model.ids import EpisodeId, MemberId
from care.model.pack import Pack
from care.model.protocol import TouchpointPlan
from care.model.touchpoint import Touchpoint, TouchpointState
from care.model.treatment import Episode
from care.services import touchpoints
from care.services.renewal import is_newer
from scheduler import recoveries, ticks
from tests.conftest import new_database
from tests.days import a_care_house, a_patient, at, clock_of, contacts, last, ours, says, taps, treat, wall

SUTURES = date(2026, 3, 11)
NEXT = "2026-12"


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url) as made:
        yield made


def test_what_was_sent_stays_and_what_was_not_is_planned_anew(house: House) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id, sutures=SUTURES)
    at(house, "03-04T18:00")

    house.pack = _changed(house.pack, A1={"window": (time(10), time(11))}, A3={"opening": "新的第三天？"}, A2=None)
    assert recoveries.renew(house) == 1

    kept = _of_version(house, member.id, "2026-11")
    fresh = _of_version(house, member.id, NEXT)
    assert (kept["A0"].state, kept["A0"].version) == (TouchpointState.HANDED_OVER, "2026-11")
    assert {kept[code].reason for code in ("A1", "A2", "A3", "A5")} == {f"version:{NEXT}"}
    assert {kept[code].state for code in ("A1", "A2", "A3", "A5")} == {TouchpointState.REPLACED}
    assert set(fresh) == {"A1", "A3", "A5", "A7", "A10", "A30", "A90"}
    assert wall(fresh["A1"].due_at) == "03-05 10:00"
    assert _episode(house, episode.id).version == NEXT

    assert at(house, "03-05T09:00") == 0
    assert at(house, "03-05T10:00") == 1
    assert recoveries.renew(house) == 0
    assert at(house, "03-07T18:30") == 1
    assert "新的第三天" in last(house, member.id).text


def test_a_row_claimed_while_the_version_changes_never_goes_out_and_its_successor_does(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    clock_of(house).set("2026-03-04T18:00+08:00")
    claimed = _claim(house)

    house.pack = _changed(house.pack, A0={"opening": "新的第一晚，{称呼}。还好吗？"})
    assert recoveries.renew(house) == 1

    assert [ticks._hand_over(house, one) for one in claimed] == [False]
    assert ours(house, member.id) == []
    assert ticks.send_due(house) == 1
    assert [("新的第一晚" in text) for text in ours(house, member.id)] == [True]


def test_a_stale_row_is_refused_at_the_last_moment_even_if_no_tick_has_renewed_it(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    clock_of(house).set("2026-03-04T18:00+08:00")
    house.pack = _changed(house.pack, A0={"opening": "新的第一晚，{称呼}。还好吗？"})

    assert ticks.send_due(house) == 0
    assert ours(house, member.id) == []
    assert _of_version(house, member.id, "2026-11")["A0"].state is TouchpointState.REPLACED
    assert ticks.send_due(house) == 1
    assert "新的第一晚" in last(house, member.id).text
    assert len(ours(house, member.id)) == 1


def test_a_process_with_the_older_pack_leaves_newer_contacts_to_the_others(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    older, house.pack = house.pack, _changed(house.pack)
    recoveries.renew(house)
    newer, house.pack = house.pack, older
    clock_of(house).set("2026-03-04T18:00+08:00")
    (claimed,) = _claim(house)

    with pytest.raises(Conflict), house.unit_of_work() as uow:
        touchpoints.hand_over(claimed, uow=uow, clock=house.clock, pack=older, zone=house.zone)
    assert recoveries.renew(house) == 0
    assert ours(house, member.id) == []

    house.pack = newer
    clock_of(house).move(seconds=ticks.LEASE.total_seconds())
    assert ticks.send_due(house) == 1


def test_two_who_renew_at_once_plan_everything_once(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id, sutures=SUTURES)
    house.pack = _changed(house.pack)

    assert recoveries.renew(house) == 1
    assert recoveries.renew(house) == 0

    codes = Counter(one.plan for one in _all(house, member.id) if one.version == NEXT)
    assert set(codes.values()) == {1}
    assert len(codes) == 9


def test_a_safety_contact_whose_new_window_has_passed_keeps_the_old_one(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    clock_of(house).set("2026-03-04T17:00+08:00")

    house.pack = _changed(house.pack, A0={"window": (time(14), time(16))})
    recoveries.renew(house)

    fresh = _of_version(house, member.id, NEXT)["A0"]
    assert (wall(fresh.due_at), wall(fresh.expires_at)) == ("03-04 18:00", "03-04 20:30")
    assert at(house, "03-04T18:00") == 1


def test_what_a_member_answered_already_is_judged_and_not_asked_again(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    taps(house, member, "3")

    house.pack = _changed(house.pack, A0={"ask": ("bleed",)})
    recoveries.renew(house)
    says(house, member, "没有血了")
    taps(house, member, "都做了")

    assert contacts(house, member.id)["A0"].closed_at is not None
    assert not _of_version(house, member.id, NEXT).keys() & {"A0"}


def test_a_second_look_that_was_promised_outlives_the_version(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id)
    at(house, "03-04T18:00")
    taps(house, member, "6")

    house.pack = _changed(house.pack)
    recoveries.renew(house)

    assert at(house, "03-05T08:30") == 1
    assert "说好的，我再来看看您" in last(house, member.id).text


def test_every_contact_of_two_versions_has_one_outcome(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id, sutures=SUTURES)
    at(house, "03-04T18:00")
    house.pack = _changed(house.pack, A2=None)
    recoveries.renew(house)
    for day in range(5, 16):
        for hour in ("09:00", "12:00", "18:30", "20:00"):
            at(house, f"03-{day:02d}T{hour}")
        says(house, member, "我知道了")  # whoever says nothing at all is spared what is not for safety

    sent = [one for one in _all(house, member.id) if one.state is TouchpointState.HANDED_OVER]
    assert Counter(one.plan for one in sent) == Counter({"A0": 1, "A1": 1, "A3": 1, "A5": 1, "A7": 1, "A10": 1})
    assert {one.state for one in _all(house, member.id)} <= {
        TouchpointState.HANDED_OVER,
        TouchpointState.REPLACED,
        TouchpointState.PLANNED,
    }


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [("2026-12", "2026-11", True), ("2026-11", "2026-11", False), ("2026-9", "2026-11", False), ("2026-11.2", "2026-11", True)],
)  # fmt: skip
def test_versions_are_compared_as_numbers(version: str, than: str, newer: bool) -> None:
    assert is_newer(version, than) is newer


def _changed(pack: Pack, **plans: dict[str, object] | None) -> Pack:
    """Return the pack with a later version of the implant protocol; a contact given as None is left out."""
    implant = pack.protocols["implant"]
    touchpoints_of: list[TouchpointPlan] = []
    for plan in implant.touchpoints:
        change = plans.get(plan.code, {})
        if change is not None:
            touchpoints_of.append(replace(plan, **change))  # type: ignore[arg-type]
    later = replace(implant, version=NEXT, touchpoints=tuple(touchpoints_of))
    return replace(pack, protocols={**pack.protocols, "implant": later})


def _claim(house: House) -> list[Touchpoint]:
    with house.unit_of_work() as uow:
        claimed = uow.treatments.claim_due(house.clock.now(), house.clock.now() + ticks.LEASE, 10)
        uow.commit()
    return claimed


def _all(house: House, member_id: MemberId) -> list[Touchpoint]:
    with house.unit_of_work() as uow:
        return uow.treatments.touchpoints_of(member_id)


def _of_version(house: House, member_id: MemberId, version: str) -> dict[str, Touchpoint]:
    return {one.plan: one for one in _all(house, member_id) if one.version == version}


def _episode(house: House, episode_id: EpisodeId) -> Episode:
    with house.unit_of_work() as uow:
        return uow.treatments.episode(episode_id)
