"""What goes out: once, with one good token, and every refusal understood."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from anxin.dev import fake_wechat as f
from anxin.dev.fake_wechat import FakeWeChat, Trouble
from bot.channels.tencent import token as tokens
from bot.channels.tencent.line import TencentLine
from bot.channels.wechat import sender as sending
from bot.channels.wechat.app import WeChat
from care.bootstrap import House
from care.model.errors import ChannelDown, SendLater, SendRefused
from care.model.ids import OutboxId
from care.model.member import Identity
from care.model.message import Author, Button, OutboxState
from care.services.conversations import button_token
from tests.contract.wechat.account import BAO, LAN, Hook, a_patient, deliver
from tests.member_edge import clock_of, delivery_of, say


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WINDOW_RETRY_S", 0.0)


@pytest.fixture
def impatient(channel: WeChat) -> Iterator[WeChat]:
    """The same channel, with little patience for a silent server."""
    channel.stop()
    line = TencentLine(channel.line._base_url, read_s=0.3, connect_s=0.3)
    channel.line.__dict__.update(line.__dict__)
    channel.start()
    yield channel
    channel.stop()


def account_of(house: House, person: str) -> Identity:
    with house.unit_of_work() as uow:
        identity = uow.members.identity("wechat", person)
    assert identity is not None
    return identity


def later(house: House, seconds: float = 3_000) -> None:
    clock_of(house).move(seconds=seconds)


# Words and buttons


def test_case_27_words_leave_as_they_are_and_not_as_escapes(
    house: House, server: FakeWeChat, channel: WeChat
) -> None:
    server.did(LAN)
    words = "]]> & <b>您好</b> 😀👨‍👩‍👧"
    message = say(house, a_patient(house), words + "\x0b\x00")

    deliver(house, channel)

    assert server.read(LAN) == [words]
    raw = next(call.raw for call in server.calls if call.path == f.SEND)
    assert "您好".encode() in raw
    assert delivery_of(house, message).state is OutboxState.SENT


def test_buttons_are_a_menu_of_our_own_names_and_the_payload_stays_at_home(
    house: House, server: FakeWeChat, channel: WeChat
) -> None:
    server.did(LAN)
    message = say(house, a_patient(house), "哪天？", buttons=(Button("周六", '/inform{"slot":"1"}'),))

    deliver(house, channel)

    sent = server.called(f.SEND)[0]
    assert sent["msgmenu"]["head_content"] == "哪天？"
    assert sent["msgmenu"]["list"] == [{"id": f"anxin:{button_token(message, 0)}", "content": "周六"}]
    assert "inform" not in json.dumps(sent)


def test_an_account_without_menus_gets_links_that_say_the_same(
    house: House, server: FakeWeChat, channel: WeChat
) -> None:
    server.did(LAN)
    server.menus = False
    patient = a_patient(house)
    first = say(house, patient, "哪天？", buttons=(Button("周六", "/a"), Button('"日"', "/b")))
    deliver(house, channel)
    say(house, patient, "几点？", buttons=(Button("九点", "/c"),))
    deliver(house, channel)

    text = server.read(LAN)[0].split("\n")
    assert text[0] == "哪天？"
    assert text[1] == (
        f'<a href="weixin://bizmsgmenu?msgmenucontent=周六&msgmenuid=anxin:{button_token(first, 0)}">周六</a>'
    )
    assert "msgmenucontent=&quot;日&quot;&" in text[2]
    assert [sent["msgtype"] for sent in server.called(f.SEND)] == ["msgmenu", "text", "text"]


# Tokens


@pytest.mark.parametrize("code", [pytest.param(code, id=f"case_29_{code}") for code in (40001, 40014, 42001)])
def test_a_refused_token_is_renewed_once_and_the_message_sent_once(
    house: House, server: FakeWeChat, channel: WeChat, code: int
) -> None:
    server.did(LAN)
    patient = a_patient(house)
    say(house, patient, "一")
    deliver(house, channel)
    server.expire_tokens()
    server.troubles[f.SEND].append(Trouble(code))

    message = say(house, patient, "二")
    deliver(house, channel)

    assert delivery_of(house, message).state is OutboxState.SENT
    assert len(server.called(f.STABLE)) == 2
    assert len(server.called(f.SEND)) == 3
    assert server.read(LAN) == ["一", "二"]


def test_case_30_a_token_that_is_refused_for_ever_is_renewed_once_a_try_and_nobody_loops(
    house: House, server: FakeWeChat, channel: WeChat, caplog: pytest.LogCaptureFixture
) -> None:
    server.did(LAN)
    patient = a_patient(house)
    server.always[f.SEND] = Trouble(40001)
    message = say(house, patient, "一")

    deliver(house, channel)
    after_one = (len(server.called(f.STABLE)), len(server.called(f.SEND)))
    say(house, patient, "二")
    deliver(house, channel)

    assert after_one == (2, 2)  # the first token, and one renewal
    assert len(server.called(f.SEND)) == 2, "the channel is paused"
    assert delivery_of(house, message).state is OutboxState.QUEUED
    assert [record.levelname for record in caplog.records if record.message == "channel down"] == ["ERROR"]


def test_case_30_a_token_refused_after_its_renewal_is_next_time_insisted_on(
    house: House, server: FakeWeChat, channel: WeChat
) -> None:
    server.did(LAN)
    a_patient(house)
    to = account_of(house, LAN)
    patient_message = say(house, a_patient(house), "一")
    server.troubles[f.SEND].extend([Trouble(40001)] * 2)

    with pytest.raises(ChannelDown):
        channel.sender.send(to, patient_message, OutboxId("o1"))
    channel.sender.send(to, patient_message, OutboxId("o1"))

    assert [given["force_refresh"] for given in server.called(f.STABLE)] == [False, False, True]


def test_case_31_fifty_sends_with_an_expired_token_cause_one_renewal(
    house: House, server: FakeWeChat, channel: WeChat
) -> None:
    server.did(LAN)
    server.people[LAN].gifts["message"].left = 1_000
    message = say(house, a_patient(house), "一")
    to = account_of(house, LAN)
    channel.sender.send(to, message, OutboxId("first"))
    server.expire_tokens()

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda number: channel.sender.send(to, message, OutboxId(f"o{number}")), range(50)))

    assert len(server.called(f.STABLE)) == 2
    assert len(server.read(LAN)) == 51


def test_case_31_two_processes_are_given_the_same_token_and_neither_ends_the_others(
    house: House, server: FakeWeChat, channel: WeChat
) -> None:
    server.did(LAN)
    server.people[LAN].gifts["message"].left = 1_000
    message = say(house, a_patient(house), "一")
    to = account_of(house, LAN)
    other = WeChat(house, stored=lambda _: None)  # its own line, its own token: as another process has it
    other.start()
    try:
        for one in (channel, other):
            one.sender.send(to, message, OutboxId("first"))
        server.expire_tokens()
        with ThreadPoolExecutor(50) as pool:
            both = [channel, other] * 25
            list(pool.map(lambda one: one.sender.send(to, message, OutboxId("o")), both))
    finally:
        other.stop()

    assert len(server.called(f.STABLE)) == 4  # two each, the second of the later one brings the same token
    assert len({call.token for call in server.calls if call.path == f.SEND}) == 2


def test_case_32_a_token_endpoint_that_hangs_is_given_up_and_the_message_waits(
    house: House, server: FakeWeChat, channel: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "FETCH_S", 0.3)
    server.did(LAN)
    server.troubles[f.STABLE].append(f.HANG)
    message = say(house, a_patient(house), "一")

    began = time.monotonic()
    deliver(house, channel)
    waited = delivery_of(house, message)
    later(house)
    deliver(house, channel)

    assert time.monotonic() - began < 5
    assert (waited.state, waited.reason) == (OutboxState.FAILED, "token_unreachable")
    assert server.read(LAN) == ["一"]


def test_case_32_the_patience_for_a_token_is_under_ten_seconds() -> None:
    assert tokens.FETCH_S < 10


async def test_case_32_callbacks_are_acknowledged_while_the_token_endpoint_hangs(
    house: House, server: FakeWeChat, channel: WeChat, hook: Hook
) -> None:
    server.did(LAN)
    server.always[f.STABLE] = f.HANG
    say(house, a_patient(house), "一")
    sending_thread = threading.Thread(target=deliver, args=(house, channel))
    sending_thread.start()
    await asyncio.to_thread(server.wait_for, f.STABLE, 1)

    began = time.monotonic()
    answer = await hook.says(LAN, "还在吗")

    assert answer.text == "success"
    assert time.monotonic() - began < 1.0
    channel.stop()
    await asyncio.to_thread(sending_thread.join, 10)


# Refusals


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(43004, "unfollowed", id="case_34_43004"),
        pytest.param(46004, "unfollowed", id="case_34_46004"),
        pytest.param(48002, "refuses", id="case_34_48002"),
        pytest.param(43101, "refuses", id="case_34_43101"),
        pytest.param(43019, "blacklisted", id="case_34_43019"),
        pytest.param(40003, "bad_account", id="case_34_40003"),
    ],
)
def test_who_cannot_be_written_to_is_left_alone_and_nothing_is_tried_again(
    house: House, server: FakeWeChat, channel: WeChat, code: int, reason: str
) -> None:
    server.did(LAN)
    patient = a_patient(house)
    message = say(house, patient, "一")
    server.troubles[f.SEND].append(Trouble(code))
    deliver(house, channel)

    second = say(house, patient, "二")
    deliver(house, channel)
    later(house)
    deliver(house, channel)

    assert (delivery_of(house, message).state, delivery_of(house, message).reason) == (OutboxState.DEAD, reason)
    assert delivery_of(house, second).state is OutboxState.WITHDRAWN
    assert not account_of(house, LAN).reachable
    assert len(server.called(f.SEND)) == 1


def test_case_35_a_used_up_day_stops_the_queue_until_midnight_with_one_alarm(
    house: House, server: FakeWeChat, channel: WeChat, caplog: pytest.LogCaptureFixture
) -> None:
    for person in (LAN, BAO):
        server.did(person)
    first, second = say(house, a_patient(house, LAN), "一"), say(house, a_patient(house, BAO), "二")
    server.troubles[f.SEND].append(Trouble(45009))

    deliver(house, channel)
    clock_of(house).set("2026-03-04T23:59+08:00")
    deliver(house, channel)
    before_midnight = len(server.called(f.SEND))
    clock_of(house).set("2026-03-05T00:02+08:00")
    deliver(house, channel)

    assert before_midnight <= 2
    assert {delivery_of(house, one).state for one in (first, second)} == {OutboxState.SENT}
    assert [record.levelname for record in caplog.records if record.message == "channel down"] == ["ERROR"]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        pytest.param(Trouble(-1), "busy", id="case_36_busy"),
        pytest.param(f.GATEWAY, "http_502", id="case_36_gateway"),
        pytest.param(f.HTML, "not_json", id="case_36_page_in_its_place"),
        pytest.param(Trouble(body='{"status": "ok"}'), "not_json", id="case_36_somebody_elses_json"),
        pytest.param(Trouble(status=200, body="[]"), "not_json", id="case_36_no_object"),
        pytest.param(Trouble(99_999), "errcode_99999", id="case_36_unknown_code"),
    ],
)
def test_what_can_pass_is_tried_again_later_a_few_times_and_is_never_taken_for_sent(
    house: House, server: FakeWeChat, channel: WeChat, trouble: Trouble, reason: str
) -> None:
    server.did(LAN)
    message = say(house, a_patient(house), "一")
    server.always[f.SEND] = trouble

    deliver(house, channel)
    first = delivery_of(house, message)
    for _ in range(10):
        later(house, 1_000)
        deliver(house, channel)

    assert (first.state, first.reason) == (OutboxState.FAILED, reason)
    assert delivery_of(house, message).state is OutboxState.DEAD
    assert len(server.called(f.SEND)) == 6


def test_case_37_an_answer_that_was_lost_is_not_sent_again(
    house: House, server: FakeWeChat, impatient: WeChat
) -> None:
    server.did(LAN)
    message = say(house, a_patient(house), "一")
    server.troubles[f.SEND].append(f.LOST_ANSWER)

    deliver(house, impatient)
    later(house)
    deliver(house, impatient)

    assert delivery_of(house, message).state is OutboxState.UNKNOWN
    assert server.read(LAN) == ["一"]


def test_a_server_that_cannot_be_reached_has_got_nothing(house: House, server: FakeWeChat, channel: WeChat) -> None:
    server.did(LAN)
    message = say(house, a_patient(house), "一")
    server.__exit__()

    deliver(house, channel)

    assert (delivery_of(house, message).state, delivery_of(house, message).reason) == (
        OutboxState.FAILED,
        "token_unreachable",
    )


# The typing sign


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(45080), id="case_41_long_silent"),
        pytest.param(Trouble(45081), id="case_41_typing_already"),
        pytest.param(f.GATEWAY, id="case_41_gateway"),
        pytest.param(f.HANG, id="case_41_silence"),
    ],
)
def test_a_failed_typing_sign_matters_to_nobody(
    house: House, server: FakeWeChat, channel: WeChat, trouble: Trouble
) -> None:
    server.did(LAN)
    server.troubles[f.TYPING].append(trouble)
    message = say(house, a_patient(house), "一", author=Author.BOT)

    channel.sender.typing(LAN)
    server.wait_for(f.TYPING, 1)
    deliver(house, channel)

    assert delivery_of(house, message).state is OutboxState.SENT
    assert server.called(f.TYPING) == [{"touser": LAN, "command": "Typing"}]


# Pictures and voices


def test_a_picture_is_fetched_by_the_name_wechat_gave_it(server: FakeWeChat, channel: WeChat) -> None:
    server.files["m1"] = ("image/jpeg", b"\xff\xd8" + b"x" * 1_000)

    found = channel.media.fetch("m1")

    assert (found.mime, len(found.content)) == ("image/jpeg", 1_002)


@pytest.mark.parametrize(
    ("name", "prepared", "expected"),
    [
        pytest.param("gone", None, "media_gone", id="error_in_place_of_the_file"),
        pytest.param("big", ("audio/amr", b"x" * 5_000), "too_large", id="too_large"),
    ],
)
def test_a_file_that_is_gone_or_too_large_is_not_asked_for_again(
    server: FakeWeChat, channel: WeChat, name: str, prepared: Any, expected: str
) -> None:
    if prepared:
        server.files[name] = prepared

    with pytest.raises(SendRefused) as refused:
        channel.media.fetch(name, limit=4_000)

    assert refused.value.reason == expected


def test_a_page_in_place_of_a_file_is_no_file(server: FakeWeChat, channel: WeChat) -> None:
    server.troubles[f.MEDIA].append(f.HTML)

    with pytest.raises(SendLater):
        channel.media.fetch("m1")
