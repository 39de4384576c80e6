"""Greetings with a code that is good once, for twenty seconds."""

from __future__ import annotations

import httpx
import pytest

from anxin.dev import wecom_callbacks as c
from anxin.dev.fake_wecom import ALREADY_CHATTING, GATEWAY, SOMEBODY_SENDS, FakeWecom, Trouble
from bot.channels.wecom.parse import Greeting
from bot.channels.wecom.rows import Welcome
from care.model.message import Author, OutboxState
from tests.contract.wecom.conftest import CUSTOMER, Channel
from tests.member_edge import clock_of, delivery_of, say


def waiting(channel: Channel) -> list[Welcome | Greeting]:
    queue = channel.wecom.greeter._waiting
    return [queue.get_nowait() for _ in range(queue.qsize())]


def greeted(channel: Channel) -> list[bool]:
    return [channel.wecom.greeter.greet(one) for one in waiting(channel)]


def test_whoever_opens_the_session_is_greeted_once_and_it_stands_in_the_history(
    server: FakeWecom, channel: Channel
) -> None:
    channel.caught_up()
    server.enters(CUSTOMER)
    channel.pull()
    channel.pull()

    assert greeted(channel) == [True]

    assert len(server.received(CUSTOMER)) == 1
    assert "wecom.welcome" in server.received(CUSTOMER)[0]
    assert channel.waiting() == 0
    assert channel.conversation().introduced  # the first answer does not introduce us again


def test_the_greeting_of_somebody_known_stands_in_their_history(server: FakeWecom, channel: Channel) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    channel.pull()
    clock_of(channel.house).move(hours=60)
    server.enters(CUSTOMER)
    channel.pull()

    greeted(channel)

    assert channel.said()[-1].author is Author.SYSTEM


def test_entering_lets_out_the_greeting_and_nothing_that_waits_for_a_word(
    server: FakeWecom, channel: Channel
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    channel.pull()
    clock_of(channel.house).move(hours=60)
    waits = say(channel.house, channel.conversation(), "记得复查", author=Author.CARER)
    channel.deliver()
    server.enters(CUSTOMER)
    channel.pull()

    channel.deliver()
    greeted(channel)

    assert delivery_of(channel.house, waits).state is OutboxState.HELD
    assert server.called("kf/send_msg") == []
    assert len(server.received(CUSTOMER)) == 1


@pytest.mark.parametrize(("late_s", "sent"), [(19, 1), (20, 0), (3600, 0)])
def test_case_49_a_code_older_than_twenty_seconds_is_left_alone(
    server: FakeWecom, channel: Channel, late_s: int, sent: int
) -> None:
    channel.caught_up()
    server.enters(CUSTOMER, ago_s=late_s)
    channel.pull()

    greeted(channel)

    assert len(server.called("kf/send_msg_on_event")) == sent


async def post(hook: httpx.AsyncClient, server: FakeWecom, code: str, *, ago_s: float = 0) -> int:
    query, body = c.added(server.now(), code, ago_s=ago_s)
    return (await hook.post("/wecom/callback", params=query, content=body)).status_code


async def test_case_49_a_new_contact_is_greeted_once_however_often_the_vendor_calls(
    server: FakeWecom, channel: Channel, hook: httpx.AsyncClient
) -> None:
    code = server.contact_added()
    for _ in range(3):
        assert await post(hook, server, code) == 200

    assert greeted(channel) == [True, False, False]

    assert len(server.welcomes) == 1
    assert "wecom.contact" in server.welcomes[0]["text"]["content"]


@pytest.mark.parametrize("late_s", [20, 60])
async def test_case_49_a_callback_that_comes_too_late_greets_nobody(
    server: FakeWecom, channel: Channel, hook: httpx.AsyncClient, late_s: int
) -> None:
    await post(hook, server, server.contact_added(), ago_s=late_s)

    assert greeted(channel) == [False]
    assert server.called("externalcontact/send_welcome_msg") == []


async def test_case_49_somebody_who_chats_already_is_not_greeted(
    server: FakeWecom, channel: Channel, hook: httpx.AsyncClient
) -> None:
    server.troubles["externalcontact/send_welcome_msg"].extend([Trouble(ALREADY_CHATTING)] * 5)
    await post(hook, server, server.contact_added())

    assert greeted(channel) == [False]
    assert len(server.called("externalcontact/send_welcome_msg")) == 1


@pytest.mark.parametrize("trouble", [Trouble(SOMEBODY_SENDS), GATEWAY])
async def test_case_49_while_another_application_greets_it_is_tried_again(
    server: FakeWecom, channel: Channel, hook: httpx.AsyncClient, trouble: Trouble
) -> None:
    server.troubles["externalcontact/send_welcome_msg"].extend([trouble] * 2)
    await post(hook, server, server.contact_added())

    assert greeted(channel) == [True]
    assert channel.rested == [2.0, 2.0]


async def test_case_49_and_not_beyond_the_twenty_seconds(
    server: FakeWecom, channel: Channel, hook: httpx.AsyncClient
) -> None:
    server.troubles["externalcontact/send_welcome_msg"].extend([Trouble(SOMEBODY_SENDS)] * 50)
    await post(hook, server, server.contact_added())

    assert greeted(channel) == [False]
    assert len(server.called("externalcontact/send_welcome_msg")) == 10
