"""The Telegram channel against a Telegram on loopback: nothing lost, nothing doubled, nothing told."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.telegram import polling
from bot.channels.telegram.app import SECRET_HEADER, Telegram
from bot.channels.telegram.line import TelegramLine
from bot.channels.telegram.parse import Received
from bot.channels.telegram.polling import poll
from bot.channels.telegram.sender import TelegramSender
from bot.delivery import deliver_all
from care.bootstrap import House
from care.logs import Line
from care.model.conversation import Conversation
from care.model.message import Author, Button, OutboxState
from care.services.conversations import Recorded, button_token
from tests.contract.telegram import fake as f
from tests.contract.telegram.fake import FakeTelegram
from tests.member_edge import a_small_house, a_writer, clock_of, delivery_of, everything_said, say

pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")

SECRET = "a-webhook-secret"
PERSON = {"id": 77, "is_bot": False, "first_name": "兰"}
PRIVATE = {"id": 77, "type": "private"}


def an_update(number: int, text: str) -> dict[str, Any]:
    message = {"message_id": number, "date": 1, "chat": PRIVATE, "from": PERSON, "text": text}
    return {"update_id": number, "message": message}


def a_tap(number: int, data: str) -> dict[str, Any]:
    where = {"message_id": 9, "date": 1, "chat": PRIVATE}
    query = {"id": f"q{number}", "from": PERSON, "chat_instance": "x", "message": where, "data": data}
    return {"update_id": number, "callback_query": query}


@pytest.fixture
def server() -> Iterator[FakeTelegram]:
    with FakeTelegram() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, server: FakeTelegram) -> Iterator[House]:
    with a_small_house(
        tmp_path,
        telegram_mode="webhook",
        telegram_token=f.TOKEN,
        telegram_secret=SECRET,
        telegram_base_url=server.base_url,
    ) as made:
        yield made


@pytest.fixture
def stored() -> list[Recorded]:
    return []


@pytest.fixture
def channel(house: House, stored: list[Recorded], monkeypatch: pytest.MonkeyPatch) -> Iterator[Telegram]:
    telegram = Telegram(house, stored=stored.append)
    telegram.start()
    yield telegram
    telegram.stop()


@pytest.fixture
async def telegrams_hook(channel: Telegram) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(channel.routes())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://hook.test", headers={SECRET_HEADER: SECRET}
    ) as client:
        yield client


@pytest.fixture
def patient(house: House) -> Conversation:
    return a_writer(house, "77", channel="telegram")


def deliver(house: House, channel: Telegram) -> None:
    deliver_all(house, {"telegram": channel.sender})


def polled(channel: Telegram) -> None:
    channel.line.keep_running(poll(channel.line, channel.take, timeout_s=1))


def said_by_member(house: House, patient: Conversation) -> list[str]:
    return [message.text for message in everything_said(house, patient.member_id) if message.author is Author.MEMBER]


# Coming in by webhook


@pytest.mark.parametrize("secret", ["wrong", "", "错"])
async def test_a_wrong_secret_is_refused_and_nothing_is_stored(
    house: House, telegrams_hook: httpx.AsyncClient, secret: str
) -> None:
    headers = {SECRET_HEADER: secret.encode()}

    answer = await telegrams_hook.post("/telegram/webhook", json=an_update(1, "你好"), headers=headers)

    assert answer.status_code == 403
    with house.unit_of_work() as uow:
        assert uow.inbox.waiting() == 0


async def test_an_update_is_stored_before_it_is_acknowledged(
    house: House, telegrams_hook: httpx.AsyncClient, stored: list[Recorded]
) -> None:
    answer = await telegrams_hook.post("/telegram/webhook", json=an_update(1, "你好"))

    assert answer.status_code == 200
    assert len(stored) == 1
    with house.unit_of_work() as uow:
        assert uow.inbox.waiting() == 1


async def test_the_same_update_twice_is_one_message_and_a_lower_number_is_a_new_one(
    house: House, telegrams_hook: httpx.AsyncClient, patient: Conversation
) -> None:
    for update in (an_update(900, "第一句"), an_update(900, "第一句"), an_update(12, "隔了一周")):
        assert (await telegrams_hook.post("/telegram/webhook", json=update)).status_code == 200

    assert said_by_member(house, patient) == ["你好", "第一句", "隔了一周"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"update_id": 3, "message": {"chat": 1}}',
        json.dumps({"update_id": 4, "edited_message": an_update(4, "改")["message"]}).encode(),
        b'{"update_id": 5, "something_new": {}}',
        b"x" * 1_100_000,
    ],
)
async def test_what_is_no_message_is_acknowledged_and_ignored(
    house: House, telegrams_hook: httpx.AsyncClient, body: bytes
) -> None:
    answer = await telegrams_hook.post("/telegram/webhook", content=body)

    assert answer.status_code == 200
    with house.unit_of_work() as uow:
        assert uow.inbox.waiting() == 0


async def test_a_double_tap_is_one_answer_and_both_taps_are_answered(
    house: House, server: FakeTelegram, telegrams_hook: httpx.AsyncClient, patient: Conversation
) -> None:
    message = say(house, patient, "确认吗？", buttons=(Button("确认", "/affirm"),))
    token = button_token(message, 0)

    for number in (1, 2):
        await telegrams_hook.post("/telegram/webhook", json=a_tap(number, token))

    taps = [said for said in everything_said(house, patient.member_id) if said.payload]
    assert [(tap.text, tap.payload) for tap in taps] == [("确认", "/affirm")]
    answered = server.wait_for("answerCallbackQuery", 2)
    assert sorted(call["callback_query_id"] for call in answered) == ["q1", "q2"]


async def test_a_tap_telegram_finds_too_old_does_no_harm(
    house: House, server: FakeTelegram, telegrams_hook: httpx.AsyncClient, patient: Conversation
) -> None:
    server.troubles["answerCallbackQuery"].append(f.TOO_OLD)
    message = say(house, patient, "确认吗？", buttons=(Button("确认", "/affirm"),))

    answer = await telegrams_hook.post("/telegram/webhook", json=a_tap(1, button_token(message, 0)))

    server.wait_for("answerCallbackQuery", 1)
    assert answer.status_code == 200
    assert said_by_member(house, patient)[-1] == "确认"


async def test_forged_button_data_orders_nothing(
    house: House, telegrams_hook: httpx.AsyncClient, patient: Conversation
) -> None:
    strangers = say(house, a_writer(house, "88", channel="telegram"), "确认吗？", buttons=(Button("好", "/affirm"),))

    for number, data in enumerate(("/restart", "answer|t|pain|0", button_token(strangers, 0))):
        await telegrams_hook.post("/telegram/webhook", json=a_tap(number, data))

    assert all(message.payload is None for message in everything_said(house, patient.member_id))


# Coming in by polling


def test_polled_updates_are_confirmed_only_after_they_are_stored(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    may_store, confirmed_early = threading.Event(), []

    def take(received: Received) -> None:
        may_store.wait(10)
        confirmed_early.append(any("offset" in given for given in server.called("getUpdates")))
        channel.take(received)

    server.bring(an_update(5, "一"), an_update(6, "二"))
    channel.line.keep_running(poll(channel.line, take, timeout_s=1))
    server.wait_for("getUpdates", 1)
    may_store.set()
    server.wait_until_confirmed()

    assert confirmed_early == [False, False]
    assert said_by_member(house, patient) == ["你好", "一", "二"]


def test_updates_that_could_not_be_stored_come_again_and_count_once(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "PAUSE_S", (0.0,))
    troubles = [OSError("database is locked")]

    def take(received: Received) -> None:
        channel.take(received)
        if received.update_id == 6 and troubles:
            raise troubles.pop()  # after its commit: the worst moment

    server.bring(an_update(5, "一"), an_update(6, "二"))
    channel.line.keep_running(poll(channel.line, take, timeout_s=1))
    server.wait_until_confirmed()

    assert troubles == []
    assert said_by_member(house, patient) == ["你好", "一", "二"]


def test_numbers_that_start_anew_after_a_quiet_week_are_not_lost(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    server.bring(an_update(900, "一"))
    polled(channel)
    server.wait_until_confirmed()
    server.wait_for("getUpdates", len(server.called("getUpdates")) + 3)

    server.bring(an_update(7, "二"))
    count = len(server.called("getUpdates"))
    server.wait_for("getUpdates", count + 3)

    assert said_by_member(house, patient) == ["你好", "一", "二"]


def test_a_second_poller_and_a_broken_gateway_are_survived(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "TAKEN_PAUSE_S", 0.0)
    monkeypatch.setattr(polling, "PAUSE_S", (0.0,))
    server.troubles["getUpdates"].extend([f.SOMEBODY_ELSE, f.GATEWAY, f.SOMEBODY_ELSE])

    server.bring(an_update(5, "还在吗"))
    polled(channel)
    server.wait_until_confirmed()

    assert said_by_member(house, patient) == ["你好", "还在吗"]


# Going out


def test_buttons_go_out_as_tokens_and_the_payload_stays_at_home(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    message = say(house, patient, "哪个时间？", buttons=(Button("周六 09:00", '/inform{"slot_choice":"1"}'),))

    deliver(house, channel)

    sent = server.called("sendMessage")[0]
    assert (sent["chat_id"], sent["text"]) == (77, "哪个时间？")
    button = sent["reply_markup"]["inline_keyboard"][0][0]
    assert button == {"text": "周六 09:00", "callback_data": button_token(message, 0)}
    assert len(button["callback_data"].encode()) <= 64
    assert "inform" not in json.dumps(sent)


def test_too_many_requests_wait_as_long_as_telegram_says_and_other_chats_go_on(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    slow = say(house, patient, "给兰")
    quick = say(house, a_writer(house, "88", channel="telegram"), "给别人")
    server.troubles["sendMessage"].append(f.TOO_MANY)

    deliver(house, channel)
    waiting = delivery_of(house, slow)
    clock_of(house).move(seconds=1)
    deliver(house, channel)
    too_early = len(server.called("sendMessage"))
    clock_of(house).move(seconds=4)
    deliver(house, channel)

    assert waiting.state is OutboxState.FAILED
    assert delivery_of(house, quick).state is OutboxState.SENT
    assert too_early == 2
    assert [given["text"] for given in server.called("sendMessage")] == ["给兰", "给别人", "给兰"]
    assert delivery_of(house, slow).state is OutboxState.SENT


@pytest.mark.parametrize(("trouble", "reason"), [(f.BLOCKED, "blocked"), (f.DEACTIVATED, "deactivated")])
async def test_who_blocked_the_bot_is_left_alone_until_they_press_start(
    house: House,
    server: FakeTelegram,
    channel: Telegram,
    telegrams_hook: httpx.AsyncClient,
    patient: Conversation,
    trouble: f.Trouble,
    reason: str,
) -> None:
    first = say(house, patient, "一")
    server.troubles["sendMessage"].append(trouble)
    deliver(house, channel)
    second = say(house, patient, "二")
    deliver(house, channel)

    await telegrams_hook.post("/telegram/webhook", json=an_update(5, "/start"))
    third = say(house, patient, "三")
    deliver(house, channel)

    assert delivery_of(house, first).reason == reason
    assert delivery_of(house, second).reason == "unreachable"
    assert delivery_of(house, third).state is OutboxState.SENT
    assert [given["text"] for given in server.called("sendMessage")] == ["一", "三"]


def test_a_bad_request_is_not_repeated(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    message = say(house, patient, "一")
    server.troubles["sendMessage"].append(f.BAD_REQUEST)

    deliver(house, channel)
    clock_of(house).move(hours=2)
    deliver(house, channel)

    assert (delivery_of(house, message).state, delivery_of(house, message).reason) == (
        OutboxState.DEAD,
        "bad_request",
    )
    assert len(server.called("sendMessage")) == 1


def test_a_call_without_an_answer_is_not_repeated(house: House, server: FakeTelegram, patient: Conversation) -> None:
    message = say(house, patient, "一")
    server.troubles["sendMessage"].append(f.HANG)
    line = TelegramLine(f.TOKEN, server.base_url, call_timeout_s=0.2)
    line.start()

    deliver_all(house, {"telegram": TelegramSender(line)})
    clock_of(house).move(hours=2)
    deliver_all(house, {"telegram": TelegramSender(line)})
    line.stop()

    assert delivery_of(house, message).state is OutboxState.UNKNOWN
    assert len(server.called("sendMessage")) == 1


def test_a_broken_gateway_is_tried_again(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    message = say(house, patient, "一")
    server.troubles["sendMessage"].append(f.GATEWAY)

    deliver(house, channel)
    clock_of(house).move(seconds=10)
    deliver(house, channel)

    assert delivery_of(house, message).state is OutboxState.SENT


def test_telegram_out_of_reach_loses_nothing(house: House, channel: Telegram, patient: Conversation) -> None:
    message = say(house, patient, "一")
    line = TelegramLine(f.TOKEN, "http://127.0.0.1:9/bot")
    line.start()

    deliver_all(house, {"telegram": TelegramSender(line)})
    line.stop()
    before = delivery_of(house, message)
    clock_of(house).move(seconds=10)
    deliver(house, channel)

    assert (before.state, before.reason) == (OutboxState.FAILED, "unreachable")
    assert delivery_of(house, message).state is OutboxState.SENT


def test_a_very_long_answer_arrives_in_order_with_its_buttons_at_the_end(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    text = "".join(f"第{number:04}句话在这里。" for number in range(900))
    say(house, patient, text, buttons=(Button("好", "/affirm"),))

    deliver(house, channel)

    sent = server.called("sendMessage")
    assert len(sent) == 3
    assert all(len(given["text"]) <= 4_000 for given in sent)
    assert "".join(given["text"] for given in sent) == text
    assert ["reply_markup" in given for given in sent] == [False, False, True]


def test_a_long_answer_refused_half_way_goes_on_where_it_stopped(
    house: House, server: FakeTelegram, channel: Telegram, patient: Conversation
) -> None:
    message = say(house, patient, "疼" * 4_000 + "痛" * 1_000)
    original = server._result

    def second_part_fails(method: str, given: dict[str, Any]) -> Any:
        if method == "sendMessage" and len(server.called("sendMessage")) == 1:
            server.troubles["sendMessage"].append(f.GATEWAY)
        return original(method, given)

    server._result = second_part_fails  # type: ignore[method-assign]

    deliver(house, channel)
    stopped = delivery_of(house, message)
    clock_of(house).move(hours=2)
    deliver(house, channel)

    assert (stopped.state, stopped.part) == (OutboxState.FAILED, 2)
    assert delivery_of(house, message).state is OutboxState.SENT
    assert [given["text"][0] for given in server.called("sendMessage")] == ["疼", "痛", "痛"]


# Telling nobody


async def test_neither_the_token_nor_a_members_words_reach_a_log_line(
    house: House,
    server: FakeTelegram,
    channel: Telegram,
    telegrams_hook: httpx.AsyncClient,
    patient: Conversation,
) -> None:
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(Line())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        server.troubles["sendMessage"].extend([f.GATEWAY, f.BAD_REQUEST])
        say(house, patient, "伤口出血的回答")
        deliver(house, channel)
        clock_of(house).move(seconds=10)
        deliver(house, channel)
        await telegrams_hook.post("/telegram/webhook", json=an_update(5, "伤口出血"))
        await telegrams_hook.post("/telegram/webhook", content=b"{")
        server.troubles["getUpdates"].append(f.SOMEBODY_ELSE)
        polled(channel)
        server.wait_for("getUpdates", 1)
        wrong = TelegramLine("99:AAanother-secret", server.base_url)
        wrong.start()
        say(house, patient, "伤口还好吗")
        deliver_all(house, {"telegram": TelegramSender(wrong)})
        wrong.stop()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    log = kept.getvalue()
    assert "send refused" in log
    for secret in ("secret", "AAanother", SECRET, "伤口", '"77"'):
        assert secret not in log
