"""Sending to customers of 微信客服: once each, within what the vendor allows, and honest about what became of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from anxin.dev.fake_wecom import (
    ACCOUNT,
    GATEWAY,
    HTML,
    LOST_ANSWER,
    TOO_LATE,
    TOO_MANY,
    FakeWecom,
    Trouble,
)
from bot.channels.wecom.sender import body, cut, size
from care.model.errors import RightSpent, SendLater, SendRefused
from care.model.ids import OutboxId, new_id
from care.model.message import Button, Message, OutboxState
from care.services.conversations import button_token
from tests.contract.wecom.conftest import CUSTOMER, Channel
from tests.member_edge import clock_of, delivery_of, say


@pytest.fixture
def talk(server: FakeWecom, channel: Channel) -> Channel:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    channel.pull()
    return channel


def send(channel: Channel, message: Message, outbox_id: str = "") -> str:
    return channel.wecom.sender.send(channel.identity(), message, OutboxId(outbox_id or new_id()))


def test_a_message_goes_out_under_our_own_id(server: FakeWecom, talk: Channel) -> None:
    said = say(talk.house, talk.conversation(), "我是小安")

    talk.deliver()

    item = delivery_of(talk.house, said)
    assert item.state is OutboxState.SENT
    assert item.provider_id == item.id == server.called("kf/send_msg")[0]["msgid"]
    assert server.received(CUSTOMER) == ["我是小安"]


def test_buttons_are_a_menu_whose_entries_name_our_message(server: FakeWecom, talk: Channel) -> None:
    said = say(talk.house, talk.conversation(), "还疼吗？", buttons=(Button("疼", "/a"), Button("不疼", "/b")))

    talk.deliver()

    menu = server.called("kf/send_msg")[0]["msgmenu"]
    assert menu["head_content"] == "还疼吗？"
    assert [one["click"] for one in menu["list"]] == [
        {"id": f"anxin:{button_token(said, 0)}", "content": "疼"},
        {"id": f"anxin:{button_token(said, 1)}", "content": "不疼"},
    ]


def test_buttons_under_long_words_are_named_in_them(talk: Channel) -> None:
    said = say(talk.house, talk.conversation(), "字" * 400, buttons=(Button("好的", "/a"),))

    sent = body(said)

    assert sent["msgtype"] == "text"
    assert sent["text"]["content"].endswith("· 好的")


@pytest.mark.parametrize("text", ["字" * 2000, "😀" * 600, "a" * 5000])
def test_no_text_is_longer_than_the_vendor_takes_or_ends_in_half_a_character(text: str) -> None:
    shown = cut(text, 2_048)

    assert size(shown) <= 2_048
    assert text.startswith(shown)
    assert size(shown) > 2_040


def test_case_48_two_workers_with_the_same_message_deliver_it_once(server: FakeWecom, talk: Channel) -> None:
    said = say(talk.house, talk.conversation(), "我是小安")
    outbox_id = new_id()

    with ThreadPoolExecutor(2) as pool:
        given = list(pool.map(lambda _: send(talk, said, outbox_id), range(2)))

    assert given == [outbox_id, outbox_id]
    assert server.received(CUSTOMER) == ["我是小安"]


def test_case_48_an_answer_that_was_lost_is_asked_for_again_and_shown_once(
    server: FakeWecom, talk: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = say(talk.house, talk.conversation(), "我是小安")
    talk.wecom.line.http.timeout = 0.3
    server.troubles["kf/send_msg"].append(LOST_ANSWER)

    talk.deliver()
    assert delivery_of(talk.house, said).state is OutboxState.FAILED
    clock_of(talk.house).move(seconds=30)
    talk.deliver()

    assert delivery_of(talk.house, said).state is OutboxState.SENT
    assert server.received(CUSTOMER) == ["我是小安"]


class TestTheVendorsCodeForARepeatIsNotKnown:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"wecom_duplicate_codes": ()}

    def test_case_48_then_a_repeat_is_kept_as_unknown_and_never_sent_again(
        self, server: FakeWecom, talk: Channel
    ) -> None:
        said = say(talk.house, talk.conversation(), "我是小安")
        talk.wecom.line.http.timeout = 0.3
        server.troubles["kf/send_msg"].append(LOST_ANSWER)

        for _ in range(6):
            talk.deliver()
            clock_of(talk.house).move(minutes=15)

        assert server.received(CUSTOMER) == ["我是小安"]
        assert delivery_of(talk.house, said).state is not OutboxState.SENT


@pytest.mark.parametrize(("code", "reason"), [(TOO_MANY, "count_spent"), (TOO_LATE, "window_closed")])
def test_a_spent_right_is_named(server: FakeWecom, talk: Channel, code: int, reason: str) -> None:
    server.troubles["kf/send_msg"].append(Trouble(code))

    with pytest.raises(RightSpent) as spent:
        send(talk, say(talk.house, talk.conversation(), "你好"))

    assert spent.value.reason == reason


@pytest.mark.parametrize("trouble", [GATEWAY, HTML, Trouble(-1)])
def test_case_36_a_gateway_a_page_of_html_or_a_busy_vendor_is_never_counted_as_sent(
    server: FakeWecom, talk: Channel, trouble: Trouble
) -> None:
    said = say(talk.house, talk.conversation(), "我是小安")
    server.troubles["kf/send_msg"].append(trouble)

    talk.deliver()
    assert delivery_of(talk.house, said).state is OutboxState.FAILED
    clock_of(talk.house).move(minutes=2)
    talk.deliver()

    assert delivery_of(talk.house, said).state is OutboxState.SENT
    assert server.received(CUSTOMER) == ["我是小安"]


def test_an_ended_session_waits_for_the_customers_next_word(server: FakeWecom, talk: Channel) -> None:
    server.sessions[ACCOUNT, CUSTOMER].state = 4

    with pytest.raises(RightSpent) as spent:
        send(talk, say(talk.house, talk.conversation(), "你好"))

    assert spent.value.reason == "session_ended"


@pytest.mark.parametrize(("text", "reason"), [("   ", "empty")])
def test_what_cannot_be_sent_is_refused_before_the_vendor_is_asked(
    server: FakeWecom, talk: Channel, text: str, reason: str
) -> None:
    with pytest.raises(SendRefused) as refused:
        send(talk, say(talk.house, talk.conversation(), text))

    assert refused.value.reason == reason
    assert server.called("kf/send_msg") == []


def test_a_closed_line_says_later(talk: Channel) -> None:
    said = say(talk.house, talk.conversation(), "你好")
    talk.wecom.line.stop()

    with pytest.raises(SendLater):
        send(talk, said)


@pytest.mark.parametrize(("fail_type", "reason"), [(5, "session_ended"), (13, "security"), (99, "unknown")])
def test_case_47_a_message_that_was_taken_and_then_failed_is_marked_refused(
    server: FakeWecom, talk: Channel, fail_type: int, reason: str
) -> None:
    said = say(talk.house, talk.conversation(), "我是小安")
    talk.deliver()
    item = delivery_of(talk.house, said)

    server.happens("msg_send_fail", CUSTOMER, fail_msgid=item.provider_id, fail_type=fail_type)
    talk.pull()

    after = delivery_of(talk.house, said)
    assert (after.state, after.reason) == (OutboxState.REFUSED, reason)


def test_case_47_a_customer_who_refuses_us_is_not_written_to_again(server: FakeWecom, talk: Channel) -> None:
    said = say(talk.house, talk.conversation(), "我是小安")
    talk.deliver()

    server.happens("msg_send_fail", CUSTOMER, fail_msgid=delivery_of(talk.house, said).provider_id, fail_type=10)
    talk.pull()
    assert not talk.identity().reachable
    say(talk.house, talk.conversation(), "记得复查")
    talk.deliver()

    assert server.received(CUSTOMER) == ["我是小安"]


def test_logs_carry_no_customer_no_account_and_no_words(
    server: FakeWecom, talk: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    from care.logs import Line

    caplog.set_level("DEBUG")
    server.troubles["kf/send_msg"].extend([Trouble(TOO_MANY), Trouble(40096), GATEWAY, Trouble(60020)])
    for number in range(5):
        say(talk.house, talk.conversation(), f"很私密的话{number}")
        talk.deliver()
        clock_of(talk.house).move(minutes=3)
    server.servicer_says(CUSTOMER, "同事的话", "lijing")
    server.expire_tokens()
    talk.pull()

    lines = "\n".join(Line().format(record) for record in caplog.records)
    for secret in (CUSTOMER, ACCOUNT, "私密", "同事的话", "你好", "corp-secret", "access-", "bell-token", "lijing"):
        assert secret not in lines
