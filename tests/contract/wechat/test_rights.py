"""What members do besides writing, and what may still be said to them."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET

import pytest

from anxin.dev import fake_wechat as f
from anxin.dev import wechat_callbacks as cb
from anxin.dev.fake_wechat import FakeWeChat, Trouble
from bot.channels.wechat import sender as sending
from bot.channels.wechat.app import WeChat
from bot.channels.wechat.reply import rendered
from care.bootstrap import House
from care.model.conversation import Conversation
from care.model.ids import MemberId
from care.model.message import Author, Button, Message, OutboxState
from care.services.conversations import button_token
from tests.contract.wechat.account import BAO, LAN, OLD_KEY, Hook, a_patient, deliver
from tests.member_edge import clock_of, delivery_of, say


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WINDOW_RETRY_S", 0.0)


async def writes(house: House, server: FakeWeChat, hook: Hook, words: str = "你好") -> Conversation:
    """Let Lan write, and WeChat know of it."""
    server.did(LAN)
    assert (await hook.says(LAN, words)).text == "success"
    return talk(house)


def talk(house: House) -> Conversation:
    with house.unit_of_work() as uow:
        identity = uow.members.identity("wechat", LAN)
        assert identity is not None
        conversation = uow.conversations.of_member(identity.member_id)
    assert conversation is not None
    return conversation


def state(house: House, message: Message) -> tuple[OutboxState, str | None]:
    item = delivery_of(house, message)
    return item.state, item.reason


async def delivered(house: House, channel: WeChat) -> None:
    await asyncio.to_thread(deliver, house, channel)


def cases_of(house: House, member_id: MemberId) -> list[str]:
    with house.unit_of_work() as uow:
        return [case.reason for case in uow.cases.open_of(member_id)]


# Replies inside the callback


@pytest.mark.parametrize(
    "key", [pytest.param(cb.KEY, id="case_13_current_key"), pytest.param(OLD_KEY, id="case_11_previous_key")]
)
async def test_a_reply_inside_the_callback_is_sealed_with_the_key_that_opened_it(
    house: House, hook: Hook, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    words = "在的，您说 😀 <a> & ]]>"
    monkeypatch.setattr(house.pack, "say", lambda *_, **__: words)
    callback = cb.sealed_callback(cb.event(LAN, "scancode_waitmsg", "scan", at=hook.at), at=hook.at, key=key)

    answer = await hook.posts(callback)

    fields = {child.tag: child.text or "" for child in ET.fromstring(answer.text)}
    signed = cb.sign(cb.TOKEN, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
    assert fields["MsgSignature"] == signed
    said = {child.tag: child.text for child in ET.fromstring(cb.unseal(fields["Encrypt"], key=key))}
    assert said["Content"] == words
    assert (said["ToUserName"], said["FromUserName"], said["MsgType"]) == (LAN, cb.ACCOUNT, "text")
    with pytest.raises(ValueError):  # noqa: PT011 - any: the other key does not open it
        cb.unseal(fields["Encrypt"], key=OLD_KEY if key == cb.KEY else cb.KEY)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("a]]>b", id="case_27_end_of_section"),
        pytest.param("]]>]]>", id="case_27_twice"),
        pytest.param("<script>&amp;", id="case_27_marks"),
        pytest.param("😀👨‍👩‍👧", id="case_27_emoji"),
        pytest.param("</xml><xml>", id="case_27_injected"),
    ],
)
def test_whatever_is_said_inside_a_callback_stays_words(house: House, words: str) -> None:
    xml = rendered(words + "\x0b\x00", person=LAN, account=cb.ACCOUNT, at=house.clock.now())

    assert ET.fromstring(xml).findtext("Content") == words


def test_case_27_a_long_reply_is_cut_between_characters(house: House) -> None:
    xml = rendered("牙" * 3_000, person=LAN, account=cb.ACCOUNT, at=house.clock.now())

    said = ET.fromstring(xml).findtext("Content") or ""
    assert set(said) == {"牙"}
    assert 1_990 < len(said.encode()) <= 2_047


# Events


async def test_case_16_the_same_event_counts_once_and_two_of_one_second_count_both(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    server.did(LAN, "follow")
    for _ in range(3):
        assert (await hook.brings(cb.event(LAN, "subscribe", at=hook.at))).text == "success"
    await hook.brings(cb.event(LAN, "CLICK", "我想预约", at=hook.at))
    for _ in range(2):
        await hook.brings(cb.event(LAN, "CLICK", "我想预约", at=hook.at))

    await delivered(house, channel)

    assert server.read(LAN) == ["ai.disclosure"], "welcomed once"
    with house.unit_of_work() as uow:
        assert uow.inbox.waiting() == 1


async def test_case_40_who_leaves_hears_no_more_and_is_welcomed_once_when_they_come_back(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    conversation = await writes(house, server, hook)
    waiting = say(house, conversation, "还在路上")
    server.left(LAN)
    await hook.brings(cb.event(LAN, "unsubscribe", at=hook.at))
    await delivered(house, channel)
    gone = state(house, waiting)
    sends_while_away = len(server.called(f.SEND))

    clock_of(house).move(minutes=5)
    server.did(LAN, "follow")
    for _ in range(2):
        await hook.brings(cb.event(LAN, "subscribe", "qrscene_front-desk", at=hook.at))
    await delivered(house, channel)

    assert gone == (OutboxState.WITHDRAWN, "unreachable")
    assert sends_while_away == 0
    assert len(server.read(LAN)) == 1


async def test_a_notice_that_did_not_arrive_is_known_from_its_receipt(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    server.templates = {"template-1"}
    conversation = await writes(house, server, hook)
    clock_of(house).move(hours=49)
    say(house, conversation, "该换纱布了", author=Author.CARER)
    await delivered(house, channel)
    with house.unit_of_work() as uow:
        item = uow.outbox.by_provider("wechat", "3000000001")
    assert item is not None
    assert item.state is OutboxState.SENT

    inside = "<MsgID>3000000001</MsgID><Status>failed:user block</Status>"
    answer = await hook.brings(cb.event(LAN, "TEMPLATESENDJOBFINISH", inside=inside, at=hook.at))

    assert answer.text == "success"
    with house.unit_of_work() as uow:
        assert (uow.outbox.get(item.id).state, uow.outbox.get(item.id).reason) == (OutboxState.REFUSED, "blocked")


async def test_a_receipt_for_a_notice_of_somebody_else_is_acknowledged(hook: Hook) -> None:
    inside = "<MsgID>77</MsgID><Status>success</Status>"

    answer = await hook.brings(cb.event(LAN, "TEMPLATESENDJOBFINISH", inside=inside, at=hook.at))

    assert answer.text == "success"


# What may still be said


@pytest.mark.parametrize("code", [pytest.param(code, id=f"case_33_{code}") for code in (45015, 45047)])
async def test_when_wechat_says_no_more_a_notice_goes_and_the_words_wait_for_the_member(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat, code: int
) -> None:
    server.templates = {"template-1"}
    conversation = await writes(house, server, hook)
    clock_of(house).move(minutes=30)
    message = say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)
    server.always[f.SEND] = Trouble(code)
    await delivered(house, channel)
    held = state(house, message)
    tries = len(server.called(f.SEND))
    for _ in range(3):
        clock_of(house).move(minutes=30)
        await delivered(house, channel)
    no_blind_retry = len(server.called(f.SEND)) == tries
    del server.always[f.SEND]

    await writes(house, server, hook, "1")
    await delivered(house, channel)

    assert held[0] is OutboxState.HELD
    assert tries == (2 if code == 45015 else 1)  # "out of time" is asked once more after a moment
    assert no_blind_retry
    assert len(server.called(f.TEMPLATE)) == 1
    assert state(house, message)[0] is OutboxState.SENT
    assert server.read(LAN) == ["right.notice", "伤口还疼吗"]


async def test_case_33_without_a_notice_a_human_is_asked(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    conversation = await writes(house, server, hook)
    clock_of(house).move(hours=49)
    server.troubles[f.TEMPLATE].append(Trouble(40037))
    message = say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)

    for _ in range(10):
        await delivered(house, channel)
        clock_of(house).move(hours=1)

    assert server.read(LAN) == []
    assert state(house, message)[0] is OutboxState.HELD
    assert cases_of(house, conversation.member_id)


async def test_case_33_what_waited_too_long_is_not_said_late(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    server.templates = {"template-1"}
    conversation = await writes(house, server, hook)
    clock_of(house).move(hours=49)
    message = say(house, conversation, "今天还疼吗", author=Author.CHECK_IN)
    await delivered(house, channel)
    clock_of(house).move(hours=30)

    await writes(house, server, hook, "1")
    await delivered(house, channel)

    assert state(house, message) == (OutboxState.WITHDRAWN, "stale")
    assert "今天还疼吗" not in server.read(LAN)


async def test_case_38_a_long_answer_is_a_few_pieces_in_order_and_a_second_keeps_to_what_is_left(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    conversation = await writes(house, server, hook)
    words = "".join(f"第{number}句，慢慢来。" for number in range(300))[:2_400] + "👨‍👩‍👧"
    first = say(house, conversation, words)
    await delivered(house, channel)
    pieces = server.read(LAN)
    second = say(house, conversation, "再" + words)
    await delivered(house, channel)

    assert state(house, first)[0] is OutboxState.SENT
    assert "".join(pieces) == words
    assert len(pieces) <= 5
    assert max(len(piece.encode()) for piece in pieces) <= 2_048
    assert server.refusals == [], "no call that was bound to fail"
    assert state(house, second)[0] is OutboxState.HELD
    assert len(server.read(LAN)) <= 5


async def test_case_39_a_minute_before_the_window_closes_it_is_said_and_a_minute_after_a_notice_goes(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    server.templates = {"template-1"}
    conversation = await writes(house, server, hook)
    clock_of(house).move(hours=47, minutes=59)
    before = say(house, conversation, "之前", author=Author.CHECK_IN)
    await delivered(house, channel)
    clock_of(house).move(minutes=2)
    after = say(house, conversation, "之后", author=Author.CHECK_IN)
    await delivered(house, channel)

    assert state(house, before)[0] is OutboxState.SENT
    assert state(house, after)[0] is OutboxState.HELD
    assert [given["text"]["content"] for given in server.called(f.SEND)] == ["之前"]
    assert len(server.called(f.TEMPLATE)) == 1
    assert server.refusals == []


async def test_case_28_a_tapped_quick_reply_lets_us_say_three_words_within_a_minute(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    conversation = await writes(house, server, hook)
    question = say(house, conversation, "确认吗？", buttons=(Button("确认", "/affirm"),))
    await delivered(house, channel)
    clock_of(house).move(hours=50)
    server.expire_tokens()
    server.did(LAN, "click")
    await hook.brings(cb.text(LAN, "确认", menu=f"anxin:{button_token(question, 0)}", at=hook.at))
    at_once = say(house, conversation, "好的")
    await delivered(house, channel)
    clock_of(house).move(seconds=61)
    too_late = say(house, conversation, "还有一件事")
    await delivered(house, channel)

    assert state(house, at_once)[0] is OutboxState.SENT
    assert state(house, too_late)[0] is OutboxState.HELD
    assert set(server.refusals) <= {40001, 42001}, "no call that was bound to fail, but for the old token"


async def test_a_subscription_is_spent_on_one_notice_and_no_more_are_tried(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    server.templates = {"notice-1"}  # the other one is not approved
    conversation = await writes(house, server, hook)
    entry = "<List><TemplateId>notice-1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
    happened = f"<SubscribeMsgPopupEvent>{entry}</SubscribeMsgPopupEvent>"
    server.people[LAN].credits["notice-1"] = 1
    for _ in range(2):  # brought twice, counts once
        await hook.brings(cb.event(LAN, "subscribe_msg_popup_event", inside=happened, at=hook.at))
    clock_of(house).move(hours=49)

    say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)
    await delivered(house, channel)
    await writes(house, server, hook, "1")
    await delivered(house, channel)
    clock_of(house).move(hours=49)
    say(house, conversation, "今天好些了吗", author=Author.CHECK_IN)
    await delivered(house, channel)

    assert len(server.called(f.SUBSCRIBE)) == 1
    assert server.read(LAN) == ["right.notice", "伤口还疼吗"]


async def test_a_subscription_taken_back_meanwhile_is_believed_and_a_human_is_asked(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    server.templates = {"notice-1"}
    conversation = await writes(house, server, hook)
    entry = "<List><TemplateId>notice-1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
    happened = f"<SubscribeMsgPopupEvent>{entry}</SubscribeMsgPopupEvent>"
    await hook.brings(cb.event(LAN, "subscribe_msg_popup_event", inside=happened, at=hook.at))
    clock_of(house).move(hours=49)

    message = say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)
    for _ in range(3):
        await delivered(house, channel)
        clock_of(house).move(hours=1)

    assert len(server.called(f.SUBSCRIBE)) == 1
    assert state(house, message)[0] is OutboxState.HELD
    assert cases_of(house, conversation.member_id)


@pytest.mark.parametrize("code", [40037, 47003, 45009, 48001])
async def test_a_notice_that_is_refused_does_not_keep_words_from_others(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat, code: int
) -> None:
    conversation = await writes(house, server, hook)
    clock_of(house).move(hours=49)
    server.always[f.TEMPLATE] = Trouble(code)
    say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)
    await delivered(house, channel)
    server.did(BAO)
    other = say(house, a_patient(house, BAO), "您好")
    await delivered(house, channel)

    assert state(house, other)[0] is OutboxState.SENT
    assert len(server.called(f.TEMPLATE)) == 1
    assert cases_of(house, conversation.member_id)
