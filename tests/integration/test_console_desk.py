"""The carers' desk over a real database: what a carer sees, and what their hands do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from httpx import Client

from care.bootstrap import House
from care.model.case import CaseLevel, CaseState
from care.model.message import Author, Reply
from care.services import sending
from console import words
from console.showing import alert
from scheduler import ticks
from tests.staff_edge import (
    Desk,
    a_clinic,
    a_desk,
    clock_of,
    delivered,
    dialogue_of,
    owes,
    received,
    reread,
    said,
    says,
    somebody,
    work_through,
    writes,
)


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
    shown = page["messages"][0]["alert"]
    assert (shown["tone"], shown["title"], shown["flags"]) == ("alarm", "急症", ["呼吸困难"])
    assert shown["why"] == [{"words": "喘不上气", "by": "规则 test"}]
    assert page["messages"][1]["label"] == "安全提示"


def test_the_second_opinion_says_how_sure_it_was() -> None:
    assessment = {
        "level": "crisis",
        "flags": ["self_harm"],
        "why": [{"track": "distress", "words": "化作云飘走", "rule": "model.P3 0.93", "start": 0, "end": 5}],
    }

    shown = alert(assessment)

    assert shown is not None
    assert shown["why"] == [{"words": "化作云飘走", "by": "第二意见：像 P3（把握 0.93）"}]


def test_a_message_that_never_arrived_says_why(house: House, carer: Client) -> None:
    conversation = somebody(house)
    message = says(house, conversation, "您好")
    with house.unit_of_work() as uow:
        item = uow.outbox.for_messages([message.id])[message.id]
        sending.settle_refused(item, "blocked", uow=uow, clock=house.clock)
        uow.commit()

    page = carer.get(f"/console/conversations/{conversation.id}/thread").json()

    assert page["messages"][0]["delivery"] == {"state": "dead", "words": "失败", "reason": "会员屏蔽了账号"}


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
    back = f"/console/conversations/{conversation.id}/hand-back"

    without = carer.post(back, json={"outcome": "  ", "next_step": "明早再问"})
    nothing_next = carer.post(back, json={"outcome": "血止住了"})
    answer = carer.post(back, json={"outcome": "血止住了", "next_step": "明早再问", "may_mention": False})

    assert (without.status_code, without.json()["title"]) == (422, "请用一句话写明结果和下一步")
    assert (nothing_next.status_code, nothing_next.json()["title"]) == (
        422,
        "请用一句话写明下一步：谁、什么时候、做什么",
    )
    assert answer.status_code == 200
    after = reread(house, conversation)
    assert (after.owned_by_bot, after.bot_may_mention) == (True, False)
    assert "血止住了\n下一步：明早再问" in [message.text for message in said(house, conversation) if message.note]
    assert "血止住了" not in "".join(delivered(house))
    writes(house, conversation, "谢谢")
    assert said(house, conversation)[-1].author is Author.BOT


def test_a_crisis_goes_back_to_the_bot_only_after_a_day_and_after_the_lead_has_signed(
    house: House, desk: Desk, carer: Client, lead: Client
) -> None:
    conversation = somebody(house)
    writes(house, conversation, "我不想活了")
    carer.post(f"/console/conversations/{conversation.id}/take-over", json={})
    back, free = (f"/console/conversations/{conversation.id}/{verb}" for verb in ("hand-back", "release"))
    words = {"outcome": "聊过了", "next_step": "明天上午再打"}

    early = carer.post(back, json=words)
    not_the_lead = carer.post(free, json={"outcome": "聊过了"})
    unsigned = lead.post(free, json={"outcome": " "})
    signed = lead.post(free, json={"outcome": "家人陪在身边"})
    same_day = carer.post(back, json=words)
    clock_of(house).move(hours=24)
    with closing(desk.at_work("lijing")) as the_day_after:
        late = the_day_after.post(back, json=words)

    assert (early.status_code, early.json()["title"]) == (409, "危机状态未解除，需要组长先解除")
    assert (not_the_lead.status_code, not_the_lead.json()["title"]) == (403, "只有组长可以解除危机状态")
    assert (unsigned.status_code, signed.status_code) == (422, 200)
    assert (same_day.status_code, same_day.json()["code"]) == (409, "hand_back_too_soon")
    assert "不满 24 小时" in same_day.json()["title"]
    assert late.status_code == 200
    assert "解除危机：家人陪在身边（孙岚 签字）" in [message.text for message in said(house, conversation)]


def test_within_a_day_of_something_urgent_only_the_lead_hands_back_and_says_why(
    house: House, carer: Client, lead: Client
) -> None:
    conversation = somebody(house)
    owes(house, conversation, CaseLevel.L1)
    back, take = (f"/console/conversations/{conversation.id}/{verb}" for verb in ("hand-back", "take-over"))
    words = {"outcome": "血止住了", "next_step": "明早复查"}

    carer.post(take, json={})
    refused = carer.post(back, json=words | {"because": "我觉得可以"})
    lead.post(take, json={})
    without_reason = lead.post(back, json=words)
    with_reason = lead.post(back, json=words | {"because": "血止住两小时了，家人在旁边"})

    assert (refused.status_code, without_reason.status_code, with_reason.status_code) == (409, 409, 200)
    assert "组长写明理由可以提前交还" in refused.json()["title"]
    assert any("提前交还：血止住两小时了" in message.text for message in said(house, conversation) if message.note)


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


# The phone list


def test_the_phone_list_shows_who_is_to_be_called_and_takes_how_it_ended(house: House, carer: Client) -> None:
    conversation = somebody(house, phone="13800001234")
    empty = carer.get("/console/phone-list").text
    case = owes(house, conversation, CaseLevel.W2, "low_mood")

    page = carer.get("/console/phone-list").text
    address = f"/console/phone-list/case:{case.id}/outcome"
    without_note = carer.post(address, json={"outcome": "reached"})
    reached = carer.post(address, json={"outcome": "reached", "note": "聊了八分钟，心情 3"})

    assert "现在没有要打的电话" in empty
    assert all(part in page for part in ("王秀兰", "138****1234", "情绪低落", "原话", "最难的是哪一会儿", "加油"))
    assert "13800001234" not in page
    assert (without_note.status_code, reached.status_code) == (422, 200)
    assert "现在没有要打的电话" in carer.get("/console/phone-list").text


def test_a_stranger_is_led_from_the_phone_list_to_the_login(desk: Desk) -> None:
    with closing(desk.stranger()) as stranger:
        answer = stranger.get("/console/phone-list")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


def test_a_broken_promise_shows_how_far_it_has_climbed_and_to_whom(house: House) -> None:
    owes(house, somebody(house), CaseLevel.W1)
    clock_of(house).move(hours=2)
    ticks.tell_breaches(house)
    with house.unit_of_work() as uow:
        (case,) = uow.cases.unresolved()
        everyone = uow.staff.all()

    name = next(one.name for one in everyone if one.id == case.assigned)
    assert "已升到第 1 级，现在由孙岚负责" in words.task(case, name)
