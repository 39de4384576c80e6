"""The carers' desk over a real database: what a carer sees, and what their hands do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from httpx import Client

from care.adapters.sql.desk import SqlDeskIndex
from care.bootstrap import House
from care.model.case import CaseLevel, CaseState
from care.model.message import Author, Reply
from care.services import conversations
from console.stream import Watch, events
from tests.staff_edge import (
    Desk,
    a_clinic,
    a_desk,
    clock_of,
    delivered,
    dialogue_of,
    looked,
    owes,
    received,
    reread,
    said,
    says,
    somebody,
    work_through,
    writes,
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
def stranger(desk: Desk) -> Iterator[Client]:
    with closing(desk.stranger()) as client:
        yield client


@pytest.fixture
def carer(desk: Desk) -> Iterator[Client]:
    with closing(desk.at_work("lijing")) as client:
        yield client


@pytest.fixture
def lead(desk: Desk) -> Iterator[Client]:
    with closing(desk.at_work("sunlan")) as client:
        yield client


def listed(client: Client) -> dict[str, Any]:
    answer = client.get("/console/list")
    assert answer.status_code == 200
    page: dict[str, Any] = answer.json()
    return page


# What the list says


def test_the_most_urgent_come_first_and_the_tabs_count_them(house: House, carer: Client) -> None:
    calm, asks, gasps = somebody(house, "何静怡"), somebody(house, "郑秋月"), somebody(house, "王秀兰")
    writes(house, calm, "你们几点关门")
    owes(house, asks, CaseLevel.W1)
    writes(house, gasps, "我有点喘不上气")

    page = listed(carer)

    assert [entry["name"] for entry in page["entries"]] == ["王秀兰", "郑秋月", "何静怡"]
    assert page["counts"] == {"needs": 2, "mine": 0, "all": 3}
    first = page["entries"][0]["cases"][0]
    assert (first["title"], first["tone"], first["reason"]) == ("L0 急症", "alarm", "会员说到呼吸困难")
    assert [alarm["name"] for alarm in page["alarms"]] == ["王秀兰"]


def test_who_waits_for_their_carers_next_word_says_since_when(house: House, carer: Client) -> None:
    conversation = somebody(house)
    carer.post(f"/console/conversations/{conversation.id}/messages", json={"key": "first-word", "text": "您好"})
    clock_of(house).move(minutes=3)
    asked = house.clock.now()
    writes(house, conversation, "在吗")
    clock_of(house).move(minutes=3)
    writes(house, conversation, "还在吗")

    waiting = listed(carer)["entries"][0]["waiting_since"]
    carer.post(f"/console/conversations/{conversation.id}/messages", json={"key": "next-word", "text": "在的"})

    assert waiting == asked.isoformat()
    assert listed(carer)["entries"][0]["waiting_since"] is None


def test_fixed_safety_words_leave_a_member_waiting(house: House, carer: Client) -> None:
    conversation = somebody(house)
    writes(house, conversation, "我有点喘不上气")
    carer.post(f"/console/conversations/{conversation.id}/take-over", json={})

    assert listed(carer)["entries"][0]["waiting_since"] is not None


def test_somebody_without_a_name_is_a_visitor(house: House, carer: Client) -> None:
    somebody(house, name=None)

    entry = listed(carer)["entries"][0]

    assert (entry["name"], entry["known"]) == ("访客", False)


def test_an_alarm_is_silent_once_somebody_has_seen_it(house: House, carer: Client) -> None:
    conversation = somebody(house)
    writes(house, conversation, "我有点喘不上气")
    alarm = listed(carer)["alarms"][0]

    carer.post(f"/console/cases/{alarm['id']}/acknowledge", json={})

    page = listed(carer)
    assert page["alarms"] == []
    assert page["counts"]["needs"] == 1


# The conversation


def test_the_words_that_raised_the_alarm_are_marked(house: House, carer: Client) -> None:
    conversation = somebody(house)
    writes(house, conversation, "🦷我有点喘不上气了")

    page = carer.get(f"/console/conversations/{conversation.id}/thread").json()

    assert page["messages"][0]["parts"] == [["🦷我有点", False], ["喘不上气", True], ["了", False]]
    assert page["messages"][0]["alert"] == {"tone": "alarm", "title": "急症", "flags": ["呼吸困难"]}
    assert page["messages"][1]["label"] == "安全提示"


def test_older_messages_come_a_page_at_a_time(house: House, carer: Client) -> None:
    conversation = somebody(house)
    for number in range(60):
        received(house, conversation, f"第 {number} 句")

    newest = carer.get(f"/console/conversations/{conversation.id}/thread").json()
    before = newest["messages"][0]["seq"]
    older = carer.get(f"/console/conversations/{conversation.id}/thread?before={before}").json()

    assert (len(newest["messages"]), newest["older"]) == (50, True)
    assert (len(older["messages"]), older["older"]) == (10, False)


def test_a_takeover_silences_the_bot_from_that_commit(house: House, carer: Client) -> None:
    conversation = somebody(house)
    says(house, conversation, "还在路上的话")
    dialogue_of(house).answers["伤口疼"] = (Reply("机器人的话"),)
    dialogue_of(house).while_thinking = lambda: taken.append(
        carer.post(f"/console/conversations/{conversation.id}/take-over", json={}).status_code
    )
    taken: list[int] = []
    received(house, conversation, "伤口疼")

    work_through(house)
    arrived = delivered(house)
    says_nothing_more = [message.text for message in said(house, conversation) if message.author is Author.BOT]

    assert taken == [200]
    assert "机器人的话" not in [*arrived, *says_nothing_more]
    assert "还在路上的话" not in arrived
    assert any("李静来了" in text for text in arrived)


def test_taking_over_also_takes_the_cases_nobody_has(house: House, carer: Client) -> None:
    conversation = somebody(house)
    owes(house, conversation, CaseLevel.W1)

    carer.post(f"/console/conversations/{conversation.id}/take-over", json={})

    page = listed(carer)
    assert page["counts"] == {"needs": 0, "mine": 1, "all": 1}
    assert page["entries"][0]["cases"][0]["owner"] == {"kind": "me", "name": "李静"}


def test_a_reply_is_sent_once_however_often_the_button_is_pressed(house: House, carer: Client) -> None:
    conversation = somebody(house)
    words = {"key": "one-and-the-same", "text": " 您好，我是李静 "}

    first = carer.post(f"/console/conversations/{conversation.id}/messages", json=words)
    again = carer.post(f"/console/conversations/{conversation.id}/messages", json=words)

    assert first.json()["message"] is not None
    assert again.json()["message"] is None
    assert delivered(house) == ["您好，我是李静"]
    assert not reread(house, conversation).owned_by_bot


def test_a_colleague_does_not_write_into_anothers_conversation(house: House, carer: Client, lead: Client) -> None:
    conversation = somebody(house)
    lead.post(f"/console/conversations/{conversation.id}/take-over", json={})

    answer = carer.post(
        f"/console/conversations/{conversation.id}/messages", json={"key": "my-own-key", "text": "您好"}
    )

    assert (answer.status_code, answer.json()["title"]) == (409, "这段对话正由另一位同事处理")


def test_a_note_stays_in_the_house_and_is_kept_once(house: House, carer: Client) -> None:
    conversation = somebody(house)
    note = {"key": "one-and-the-same", "text": "家属来过电话"}

    for _ in range(2):
        carer.post(f"/console/conversations/{conversation.id}/notes", json=note)

    page = carer.get(f"/console/conversations/{conversation.id}/thread").json()
    assert [(one["kind"], one["label"]) for one in page["messages"]] == [("note", "内部备注 · 我")]
    assert delivered(house) == []
    assert reread(house, conversation).owned_by_bot


@pytest.mark.parametrize("text", ["", "   ", "长" * 2_001])
def test_nothing_and_too_much_are_not_sent(house: House, carer: Client, text: str) -> None:
    conversation = somebody(house)

    for kind in ("messages", "notes"):
        answer = carer.post(
            f"/console/conversations/{conversation.id}/{kind}", json={"key": "a-key-of-mine", "text": text}
        )
        assert (answer.status_code, answer.json()["title"]) == (422, "消息需要 1 到 2000 个字")
    assert said(house, conversation) == []


def test_handing_back_keeps_the_outcome_and_lets_the_bot_speak_again(house: House, carer: Client) -> None:
    conversation = somebody(house)
    carer.post(f"/console/conversations/{conversation.id}/take-over", json={})

    without = carer.post(f"/console/conversations/{conversation.id}/hand-back", json={"outcome": "  "})
    answer = carer.post(
        f"/console/conversations/{conversation.id}/hand-back", json={"outcome": "血止住了", "may_mention": False}
    )

    assert (without.status_code, without.json()["title"]) == (422, "请用一句话写明结果和下一步")
    assert answer.status_code == 200
    after = reread(house, conversation)
    assert (after.owned_by_bot, after.bot_may_mention) == (True, False)
    assert "血止住了" in [message.text for message in said(house, conversation) if message.note]
    assert "血止住了" not in "".join(delivered(house))
    writes(house, conversation, "谢谢")
    assert said(house, conversation)[-1].author is Author.BOT


def test_a_crisis_goes_back_to_the_bot_only_after_the_lead_has_signed(
    house: House, carer: Client, lead: Client
) -> None:
    conversation = somebody(house)
    writes(house, conversation, "我不想活了")
    carer.post(f"/console/conversations/{conversation.id}/take-over", json={})
    back, free = (f"/console/conversations/{conversation.id}/{verb}" for verb in ("hand-back", "release"))

    early = carer.post(back, json={"outcome": "聊过了"})
    not_the_lead = carer.post(free, json={"outcome": "聊过了"})
    signed = lead.post(free, json={"outcome": "家人陪在身边"})
    late = carer.post(back, json={"outcome": "聊过了"})

    assert (early.status_code, early.json()["title"]) == (409, "危机状态未解除，需要组长先解除")
    assert (not_the_lead.status_code, signed.status_code, late.status_code) == (403, 200, 200)
    assert "解除危机：家人陪在身边" in [message.text for message in said(house, conversation)]


def test_resolving_a_case_needs_a_line_on_what_was_done(house: House, carer: Client) -> None:
    conversation = somebody(house)
    case = owes(house, conversation, CaseLevel.L2)

    without = carer.post(f"/console/cases/{case.id}/resolve", json={"outcome": ""})
    carer.post(f"/console/cases/{case.id}/resolve", json={"outcome": "约了明天复诊"})

    assert without.status_code == 422
    with house.unit_of_work() as uow:
        stored = uow.cases.get(case.id)
    assert (stored.state, stored.outcome) == (CaseState.RESOLVED, "约了明天复诊")
    assert listed(carer)["counts"]["needs"] == 0


def test_an_unknown_id_is_not_found_and_says_so(carer: Client) -> None:
    for address in ("/console/conversations/nobody/thread", "/console/members/nobody/context"):
        assert carer.get(address).status_code == 404


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
