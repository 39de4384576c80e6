"""The carers' desk over a real database: the member beside the thread, and what moves by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Client

from care.adapters.sql.desk import SqlDeskIndex
from care.bootstrap import House
from care.model.case import CaseLevel
from care.services import conversations
from console.stream import Watch, events
from tests.staff_edge import (
    Desk,
    a_clinic,
    a_desk,
    dialogue_of,
    looked,
    owes,
    received,
    somebody,
)

TREATMENT: dict[str, object] = {"key": "a-key-of-mine", "kind": "implant", "ended_at": "2026-03-03T11:00"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_clinic(tmp_path) as made:
        yield made


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    with a_desk(house) as served:
        yield served


@pytest.fixture
def carer(desk: Desk) -> Iterator[Client]:
    with closing(desk.at_work("lijing")) as client:
        yield client


# The member


def test_the_phone_is_masked_until_it_is_asked_for_and_then_the_log_says_who_did(house: House, carer: Client) -> None:
    conversation = somebody(house, phone="13800001001")
    context = carer.get(f"/console/members/{conversation.member_id}/context")
    before = looked(house, conversation.member_id)

    shown = carer.post(f"/console/members/{conversation.member_id}/phone", json={}).json()["phone"]

    assert context.json()["member"]["phone"] == "138****1001"
    assert "13800001001" not in context.text
    assert not any(line.endswith(" phone") for line in before)
    assert shown == "13800001001"
    me = carer.get("/console/me").json()["me"]["id"]
    assert f"staff:{me} phone" in looked(house, conversation.member_id)


def test_who_reads_a_thread_is_in_the_members_log(house: House, carer: Client) -> None:
    conversation = somebody(house)

    carer.get(f"/console/conversations/{conversation.id}/thread")

    me = carer.get("/console/me").json()["me"]["id"]
    assert any(line.startswith(f"staff:{me} ") for line in looked(house, conversation.member_id))


def test_recording_a_treatment_opens_its_recovery_once(house: House, carer: Client) -> None:
    conversation = somebody(house)
    surgeon, clinic = next(iter(house.pack.practitioners)), next(iter(house.pack.clinics))
    treatment = {
        "key": "one-and-the-same",
        "kind": "implant",
        "practitioner": surgeon,
        "clinic": clinic,
        "ended_at": "2026-03-03T11:00",
        "sutures_out_on": "2026-03-10",
        "facts": ["bone_graft"],
    }

    for _ in range(2):
        answer = carer.post(f"/console/members/{conversation.member_id}/treatments", json=treatment)

    assert answer.json()["episode"] is not None
    page = carer.get(f"/console/members/{conversation.member_id}/context").json()
    assert page["treatment"]["title"] == "种植手术后第 1 天"
    assert page["treatment"]["ended_at"] == "2026-03-03T03:00:00+00:00"
    assert page["treatment"]["facts"] == ["植骨"]
    assert page["earlier"] == []
    assert "拆线前 1 天回访" in [one["name"] for one in page["coming"]]


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"ended_at": "2026-03-05T11:00"}, "结束时间要在过去一年之内，不能晚于现在"),
        ({"kind": "magic"}, "请选择治疗项目"),
        ({"facts": ["curse"]}, "手术情况请从列表里选"),
        ({"sutures_out_on": "2026-03-01"}, "拆线日期不能早于治疗当天"),
    ],
)
def test_a_treatment_that_cannot_be_is_refused_in_plain_words(
    house: House, carer: Client, change: dict[str, object], title: str
) -> None:
    conversation = somebody(house)
    treatment = TREATMENT | {
        "practitioner": next(iter(house.pack.practitioners)),
        "clinic": next(iter(house.pack.clinics)),
    }

    answer = carer.post(f"/console/members/{conversation.member_id}/treatments", json=treatment | change)

    assert (answer.status_code, answer.json()["title"]) == (422, title)


# Live


def watched(house: House) -> Watch:
    beats = iter(range(1_000))
    return Watch(SqlDeskIndex(house.engine), monotonic=lambda: float(next(beats)))


async def no_wait(_seconds: float) -> None:
    return None


async def test_an_open_page_hears_of_a_new_message(house: House) -> None:
    conversation = somebody(house)
    stream = events(watched(house), lambda: True, sleep=no_wait)
    await anext(stream)
    hello = await anext(stream)

    received(house, conversation, "有人吗")
    change = await anext(stream)

    assert hello.startswith("event: hello")
    assert change.startswith("event: change")
    assert json.loads(change.split("data: ")[1]) == {"list": True, "conversations": [conversation.id], "members": []}
    await stream.aclose()  # type: ignore[attr-defined]


async def test_an_open_page_hears_of_a_case_and_of_a_takeover(house: House) -> None:
    conversation = somebody(house)
    stream = events(watched(house), lambda: True, sleep=no_wait)
    await anext(stream)
    await anext(stream)

    owes(house, conversation, CaseLevel.L0)
    case = json.loads((await anext(stream)).split("data: ")[1])
    with house.unit_of_work() as uow:
        me = next(one for one in uow.staff.all() if one.login == "lijing")
        conversations.take_over(conversation.id, me.id, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()
    takeover = json.loads((await anext(stream)).split("data: ")[1])

    assert (case["list"], case["members"]) == (True, [conversation.member_id])
    assert (takeover["list"], takeover["conversations"]) == (True, [conversation.id])
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_page_whose_session_is_over_is_told_and_hears_no_more(house: House) -> None:
    now = iter(range(0, 1_000, 10))
    stream = events(watched(house), lambda: False, sleep=no_wait, monotonic=lambda: float(next(now)))
    await anext(stream)
    await anext(stream)

    assert (await anext(stream)).startswith("event: over")
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


def test_the_page_learns_whether_the_dialogue_answers(house: House, carer: Client) -> None:
    dialogue_of(house).down = "timeout"

    assert carer.get("/console/status").json()["dialogue"] is False


def test_the_page_learns_which_channel_sends_nothing_for_now_and_until_when(house: House, carer: Client) -> None:
    now = house.clock.now()
    with house.unit_of_work() as uow:
        uow.rights.pause("wechat", "daily_quota", now + timedelta(hours=1), now)
        uow.rights.pause("telegram", "bad_secret", now, now)  # over already
        uow.commit()

    (words,) = carer.get("/console/status").json()["paused"]

    assert words.startswith("微信暂停发送到 ")
    assert "今日额度用完" in words
