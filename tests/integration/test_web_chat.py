"""The web chat over a real database: what a browser may do, sees and never sees."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.web import app as web
from bot.channels.web import visitor
from bot.channels.web.events import OpenPages, Stream
from bot.channels.web.sender import WebSender
from bot.delivery import deliver_all
from bot.inbound import Workers, accept
from bot.pulse import Pulse
from care.bootstrap import House
from care.model.consent import Purpose
from care.model.message import Author, Button
from care.services import conversations
from care.testing import a_colleague
from tests.member_edge import a_small_house, a_writer, answers, clock_of, delivery_of, everything_said, say

SENDERS = {"web": WebSender()}
ORIGIN = "http://chat.test"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_small_house(tmp_path) as made:
        yield made


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(web.routes(house, Pulse(), stored=lambda: None))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"Origin": ORIGIN}
    ) as client:
        await client.get("/chat")
        yield client


def account(browser: httpx.AsyncClient) -> str:
    return visitor.account(browser.cookies["anxin_chat"])


async def post(
    browser: httpx.AsyncClient, text: str = "我想约洗牙", *, name: str = "a-first-id", **more: Any
) -> httpx.Response:
    return await browser.post("/chat/messages", json={"id": name, "text": text} | more)


async def history(browser: httpx.AsyncClient, **query: int) -> dict[str, Any]:
    answer = await browser.get("/chat/messages", params=query)
    assert answer.status_code == 200
    page: dict[str, Any] = answer.json()
    return page


def texts(page: dict[str, Any]) -> list[str]:
    return [message["text"] for message in page["messages"]]


async def test_the_front_door_leads_to_the_chat(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")

    assert answer.status_code == 307
    assert answer.headers["location"] == "/chat"


async def test_the_page_says_it_is_an_ai_and_allows_nothing_foreign(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/chat")

    assert "AI 助手" in page.text
    assert "0571-0000" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    assert "onclick" not in page.text
    assert "<style" not in page.text


async def test_every_file_of_the_page_exists_and_may_be_kept(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/chat")
    files = [part.split('"')[0] for part in page.text.split('"/chat/static/')[1:]]

    assert len(files) >= 4
    for name in files:
        answer = await browser.get(f"/chat/static/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert (await browser.get("/chat/static/chat.html")).status_code == 404


async def test_looking_at_the_page_makes_no_member(house: House, browser: httpx.AsyncClient) -> None:
    assert (await history(browser))["messages"] == []

    with house.unit_of_work() as uow:
        assert uow.members.identity("web", account(browser)) is None


async def test_coming_back_the_browser_keeps_its_token(browser: httpx.AsyncClient) -> None:
    before = browser.cookies["anxin_chat"]

    await browser.get("/chat")

    assert browser.cookies["anxin_chat"] == before


async def test_what_a_member_writes_is_stored_before_it_is_acknowledged(
    house: House, browser: httpx.AsyncClient
) -> None:
    answer = await post(browser)

    assert answer.status_code == 202
    page = await history(browser)
    assert texts(page) == ["我想约洗牙"]
    assert page["messages"][0]["id"] == answer.json()["message_id"]
    with house.unit_of_work() as uow:
        assert uow.inbox.waiting() == 1


async def test_the_same_message_sent_twice_is_one_message(house: House, browser: httpx.AsyncClient) -> None:
    await post(browser, name="same-id-1")
    again = await post(browser, name="same-id-1")

    assert again.status_code == 202
    assert again.json()["message_id"] is None
    assert texts(await history(browser)) == ["我想约洗牙"]


async def test_one_browsers_ids_do_not_block_anothers(house: House, browser: httpx.AsyncClient) -> None:
    await post(browser, name="same-id-1")
    browser.cookies.clear()
    await browser.get("/chat")

    answer = await post(browser, "另一位", name="same-id-1")

    assert answer.json()["message_id"] is not None


async def test_an_answer_shows_once_it_is_delivered_and_not_before(house: House, browser: httpx.AsyncClient) -> None:
    await post(browser)
    Workers(house, Pulse(), spoken=lambda: None, process=answers(house, "有三个时间")).work_once()
    before = texts(await history(browser))

    deliver_all(house, SENDERS)

    assert before == ["我想约洗牙"]
    assert texts(await history(browser)) == ["我想约洗牙", "有三个时间"]


async def test_the_cursor_never_steps_over_an_answer_that_is_still_on_its_way(
    house: House, browser: httpx.AsyncClient
) -> None:
    conversation = a_writer(house, account(browser))
    seen = (await history(browser))["cursor"]
    say(house, conversation, "还在路上")
    await post(browser, "我再补充一句")

    page = await history(browser, after=seen)
    deliver_all(house, SENDERS)
    later = await history(browser, after=page["cursor"])

    assert texts(page) == ["我再补充一句"]
    assert "还在路上" in texts(later)


async def test_a_tapped_button_says_its_title_and_means_its_payload(house: House, browser: httpx.AsyncClient) -> None:
    conversation = a_writer(house, account(browser))
    say(house, conversation, "哪个方便？", buttons=(Button("周六 09:00", '/inform{"slot_choice":"1"}'),))
    deliver_all(house, SENDERS)
    shown = (await history(browser))["messages"][-1]["buttons"]

    await post(browser, "周六 09:00", button=shown[0]["token"])

    assert "inform" not in json.dumps(await history(browser))
    last = everything_said(house, conversation.member_id)[-1]
    assert (last.text, last.payload) == ("周六 09:00", '/inform{"slot_choice":"1"}')


async def test_a_forged_button_is_only_its_text(house: House, browser: httpx.AsyncClient) -> None:
    stranger = a_writer(house, "somebody-else")
    message = say(house, stranger, "确认吗？", buttons=(Button("确认", "/affirm"),))
    conversation = a_writer(house, account(browser))

    await post(browser, "确认", button=conversations.button_token(message, 0))
    await post(browser, "确认", name="second-id", button="/affirm")

    assert [said.payload for said in everything_said(house, conversation.member_id)] == [None, None, None]


async def test_notes_of_the_team_never_reach_the_page(house: House, browser: httpx.AsyncClient) -> None:
    conversation = a_writer(house, account(browser))
    with house.unit_of_work() as uow:
        carer = a_colleague(uow, now=house.clock.now())
        conversations.write_note(conversation, "内部备注", staff_id=carer.id, uow=uow, now=house.clock.now())
        uow.commit()

    assert "内部备注" not in texts(await history(browser))


async def test_a_carers_words_carry_the_carers_name_and_the_page_knows_who_speaks(
    house: House, browser: httpx.AsyncClient
) -> None:
    conversation = a_writer(house, account(browser))
    with house.unit_of_work() as uow:
        carer = a_colleague(uow, now=house.clock.now(), name="李静")
        uow.commit()
    with house.unit_of_work() as uow:
        conversations.write_as_carer(conversation.id, carer.id, "我在", key="k", uow=uow, clock=house.clock)
        uow.commit()
    deliver_all(house, SENDERS)

    page = await history(browser)

    assert (page["messages"][-1]["author"], page["messages"][-1]["name"]) == ("carer", "李静")
    assert page["owner"]["name"] == "李静"


async def test_older_messages_come_in_pages_without_gap_or_overlap(house: House, browser: httpx.AsyncClient) -> None:
    conversation = a_writer(house, account(browser), text="第 0 句")
    for number in range(1, 121):
        say(house, conversation, f"第 {number} 句", author=Author.SAFETY)
    deliver_all(house, SENDERS)

    page = await history(browser)
    found = texts(page)
    while page["more"]:
        page = await history(browser, before=page["first"])
        found = texts(page) + found

    assert found == [f"第 {number} 句" for number in range(121)]


async def test_every_look_at_the_history_is_in_the_access_log(house: House, browser: httpx.AsyncClient) -> None:
    conversation = a_writer(house, account(browser))

    await history(browser)

    with house.unit_of_work() as uow:
        lines = uow.access.of_member(conversation.member_id, 10)
    assert [(line["reader"], line["purpose"]) for line in lines] == [
        (f"member:{conversation.member_id}", Purpose.SERVICE_CORE)
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"[" * 50_000, 400, "malformed"),
        (b"[]", 422, "invalid_input"),
        (b'{"text": "x"}', 422, "invalid_input"),
        (b'{"id": "long-enough", "text": 5}', 422, "invalid_input"),
        (b'{"id": "long-enough", "text": "x", "button": {}}', 422, "invalid_input"),
        (b'{"id": "../../../etc", "text": "x"}', 422, "invalid_input"),
        (b'{"id": "long-enough", "text": "  "}', 422, "empty"),
        (b'{"id": "long-enough", "text": "' + b"x" * 9_000 + b'"}', 413, "too_large"),
        (b"x" * 70_000, 413, "too_large"),
    ],
)
async def test_bad_input_gets_a_clear_problem(
    browser: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await browser.post("/chat/messages", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text", ["𠮷野家\x00疼", "\ud800半个字", "🦷🦷🦷", "\u202e倒着写", "\u200b", "/restart", "疼" * 5_000]
)
async def test_strange_text_is_stored_and_read_back(house: House, browser: httpx.AsyncClient, text: str) -> None:
    body = json.dumps({"id": "strange-text", "text": text}).encode()

    answer = await browser.post("/chat/messages", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 202
    kept = text.replace("\x00", "").replace("\ud800", "")
    assert texts(await history(browser)) == [kept]


async def test_a_form_on_another_site_cannot_write(browser: httpx.AsyncClient) -> None:
    foreign = await browser.post(
        "/chat/messages", json={"id": "long-enough", "text": "x"}, headers={"Origin": "https://evil.example"}
    )
    form = await browser.post("/chat/messages", data={"id": "long-enough", "text": "x"})

    assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign_origin")
    assert form.status_code == 415


async def test_without_a_visit_nothing_is_shown_or_taken(browser: httpx.AsyncClient) -> None:
    browser.cookies.clear()

    for answer in (await post(browser), await browser.get("/chat/messages"), await browser.get("/chat/events")):
        assert (answer.status_code, answer.json()["code"]) == (401, "no_visit")


async def test_one_browser_never_sees_anothers_words(house: House, browser: httpx.AsyncClient) -> None:
    await post(browser, "我的秘密")
    browser.cookies.clear()
    await browser.get("/chat")

    assert texts(await history(browser)) == []


async def test_a_flood_is_slowed_down_and_told_for_how_long(browser: httpx.AsyncClient) -> None:
    for number in range(30):
        await post(browser, f"第 {number} 句", name=f"flood-{number:04}")

    answer = await post(browser, "太多了", name="flood-last")

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_messages")
    assert 0 < int(answer.headers["retry-after"]) <= 60


@pytest.mark.parametrize("query", ["after=-1", "after=x", "before=99999999999999999999", "after=1&before=2"])
async def test_a_question_that_makes_no_sense_is_refused(browser: httpx.AsyncClient, query: str) -> None:
    answer = await browser.get(f"/chat/messages?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


class Reading:
    """An open stream, read event by event."""

    def __init__(self, house: House, pulse: Pulse, who: str, after: int = 0) -> None:
        self._events = Stream(house, pulse, who, after).events()

    async def next(self) -> tuple[str, dict[str, Any], int | None]:
        """Return the next event's name, data and id; comments and settings are passed over."""
        while True:
            raw = await anext(self._events)
            fields = dict(line.split(": ", 1) for line in raw.strip().splitlines() if not line.startswith(":"))
            if "event" in fields:
                number = int(fields["id"]) if "id" in fields else None
                return fields["event"], json.loads(fields["data"]), number

    async def close(self) -> None:
        await self._events.aclose()


async def test_an_open_page_hears_of_a_message_without_asking(house: House) -> None:
    pulse = Pulse()
    conversation = a_writer(house)
    stream = Reading(house, pulse, "a")
    first = await stream.next()
    await stream.next()  # who speaks

    say(house, conversation, "您好")
    deliver_all(house, SENDERS)
    pulse.publish(conversation.member_id)
    name, line, _ = await stream.next()

    assert first[1]["text"] == "你好"
    assert (name, line["text"]) == ("message", "您好")
    await stream.close()
    assert pulse.listening(conversation.member_id) == 0


async def test_a_page_opened_before_the_first_word_hears_the_answer(house: House) -> None:
    pulse = Pulse()
    stream = Reading(house, pulse, "new")
    events = stream._events
    await anext(events)  # the retry hint; from here on the stream listens

    conversation = a_writer(house, "new", text="第一句")
    pulse.publish("new")
    name, line, _ = await stream.next()

    assert (name, line["text"]) == ("message", "第一句")
    await stream.next()
    assert pulse.listening(conversation.member_id) == 1
    await stream.close()


async def test_after_a_break_the_page_resumes_where_it_was_without_loss_or_repeat(house: House) -> None:
    pulse = Pulse()
    conversation = a_writer(house)
    stream = Reading(house, pulse, "a")
    _, _, number = await stream.next()
    await stream.close()
    say(house, conversation, "断线时说的")
    deliver_all(house, SENDERS)

    resumed = Reading(house, pulse, "a", after=number or 0)
    name, line, _ = await resumed.next()

    assert (name, line["text"]) == ("message", "断线时说的")
    assert (await resumed.next())[0] == "owner"
    await resumed.close()


async def test_an_event_id_stays_below_what_is_still_on_its_way(house: House) -> None:
    pulse = Pulse()
    conversation = a_writer(house)
    waiting = say(house, conversation, "还在路上")
    accept(house, conversations.Inbound("web", "a", "later", "后来的话"))
    stream = Reading(house, pulse, "a")

    seen = [await stream.next(), await stream.next()]

    assert [line["text"] for _, line, _ in seen] == ["你好", "后来的话"]
    assert all(number is not None and number < waiting.seq for _, _, number in seen)
    await stream.close()


async def test_the_typing_sign_comes_and_goes_with_the_turn(house: House) -> None:
    pulse = Pulse()
    conversation = a_writer(house)
    stream = Reading(house, pulse, "a")
    await stream.next()
    await stream.next()

    with pulse.working(conversation.member_id):
        on = await stream.next()
    off = await stream.next()

    assert [on[:2], off[:2]] == [("typing", {"on": True}), ("typing", {"on": False})]
    await stream.close()


async def test_the_page_learns_that_a_human_took_over(house: House) -> None:
    pulse = Pulse()
    conversation = a_writer(house)
    stream = Reading(house, pulse, "a")
    await stream.next()
    before = await stream.next()
    with house.unit_of_work() as uow:
        carer = a_colleague(uow, now=house.clock.now(), name="李静")
        conversations.take_over(conversation.id, carer.id, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()

    pulse.publish(conversation.member_id)
    after = await stream.next()

    assert before[:2] == ("owner", {"owner": None})
    assert after[0] == "owner"
    assert after[1]["owner"]["name"] == "李静"
    await stream.close()


async def test_a_silent_stream_gives_a_sign_of_life(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.web.events.LOOK_S", 0.001)
    now = iter(range(0, 1_000, 10))
    events = Stream(house, Pulse(), "nobody", 0, monotonic=lambda: float(next(now))).events()
    await anext(events)

    beat = await anext(events)

    assert beat.startswith(": ")
    assert "event: beat" in beat
    await events.aclose()


async def test_the_stream_ends_when_the_house_closes(house: House) -> None:
    pulse = Pulse()
    a_writer(house)
    stream = Reading(house, pulse, "a")
    await stream.next()
    await stream.next()

    pulse.close()

    with pytest.raises(StopAsyncIteration):
        await stream.next()


def test_one_browser_cannot_hold_every_line_open() -> None:
    pages = OpenPages(limit=2)

    assert [pages.enter("a"), pages.enter("a"), pages.enter("a"), pages.enter("b")] == [True, True, False, True]
    pages.leave("a")
    assert pages.enter("a")


def test_a_web_delivery_may_be_repeated_without_a_second_message(house: House) -> None:
    conversation = a_writer(house)
    message = say(house, conversation, "只说一次")
    with house.unit_of_work() as uow:
        item = uow.outbox.claim(house.clock.now(), house.clock.now() + timedelta(seconds=60), 10)[0]
        item.state = item.state.SENDING  # the process died here
        uow.outbox.save(item)
        uow.commit()

    clock_of(house).move(seconds=61)
    deliver_all(house, SENDERS)

    assert delivery_of(house, message).state == "sent"
