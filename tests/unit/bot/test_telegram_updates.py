"""What of Telegram's updates becomes a member's message, and how long answers are cut."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channels.telegram.parse import START, Malformed, from_bytes, from_json
from bot.channels.telegram.sender import translate
from care.model.errors import SendLater, SendRefused, SendUnknown

PERSON = {"id": 77, "is_bot": False, "first_name": "兰"}
PRIVATE = {"id": 77, "type": "private"}
CHANNEL = {"id": -5, "type": "channel", "title": "门诊"}


def an_update(number: int = 5, **message: Any) -> dict[str, Any]:
    return {"update_id": number, "message": {"message_id": 1, "date": 0, "chat": PRIVATE, "from": PERSON} | message}


def a_tap(number: int = 6, data: str = "m1:0", **fields: Any) -> dict[str, Any]:
    where = {"message_id": 9, "date": 1, "chat": PRIVATE}
    query = {"id": "q1", "from": PERSON, "chat_instance": "x", "message": where, "data": data}
    return {"update_id": number, "callback_query": query | fields}


def test_a_text_in_a_private_chat_is_the_members_message() -> None:
    inbound = from_json(an_update(text="伤口又疼起来了")).inbound

    assert inbound is not None
    assert (inbound.channel, inbound.external_id, inbound.vendor_id) == ("telegram", "77", "update:5")
    assert inbound.text == "伤口又疼起来了"


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1, "edited_message": an_update(text="改了")["message"]},
        {
            "update_id": 1,
            "channel_post": {"message_id": 1, "date": 0, "chat": {"id": -5, "type": "channel"}, "text": "x"},
        },
        {"update_id": 1, "my_chat_member_of_tomorrow": {"a": 1}},
        {"update_id": 1},
        an_update(text="群里的话", chat={"id": -9, "type": "group", "title": "邻居"}),
        an_update(text="我是机器人", **{"from": PERSON | {"is_bot": True}}),
        an_update(new_chat_title="新名字"),
    ],
)
def test_what_nobody_wrote_to_us_is_left_alone(update: dict[str, Any]) -> None:
    received = from_json(update)

    assert received.inbound is None
    assert received.tap is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"update_id": "x"}', b'{"update_id": 1, "message": {}}', b"[" * 100_000]
)
def test_a_body_that_is_no_update_is_called_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        from_bytes(body)


def test_pressing_start_is_a_greeting_even_with_a_referral() -> None:
    for text in ("/start", "/start clinic42"):
        inbound = from_json(an_update(text=text)).inbound
        assert inbound is not None
        assert inbound.text == START


def test_a_picture_keeps_its_caption_so_that_safety_can_read_it() -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]

    inbound = from_json(an_update(photo=photo, caption="血止不住")).inbound

    assert inbound is not None
    assert inbound.text == "血止不住 [图片]"


def test_a_voice_message_is_stored_as_a_placeholder_not_dropped() -> None:
    voice = {"file_id": "f", "file_unique_id": "u", "duration": 3}

    inbound = from_json(an_update(voice=voice)).inbound

    assert inbound is not None
    assert inbound.text == "[语音]"


def test_two_taps_on_one_button_are_one_message() -> None:
    one, two = from_json(a_tap(6)), from_json(a_tap(7, id="q2"))

    assert one.inbound is not None
    assert two.inbound is not None
    assert one.inbound.vendor_id == two.inbound.vendor_id
    assert one.tap is not None
    assert two.tap is not None
    assert (one.tap.query_id, two.tap.query_id) == ("q1", "q2")


def test_a_tap_on_another_button_is_another_message() -> None:
    one, other = from_json(a_tap(data="m1:0")).inbound, from_json(a_tap(data="m1:1")).inbound

    assert one is not None
    assert other is not None
    assert one.vendor_id != other.vendor_id


def test_a_tap_whose_message_telegram_no_longer_shows_still_counts() -> None:
    received = from_json(a_tap(message={"message_id": 9, "date": 0, "chat": PRIVATE}))

    assert received.inbound is not None
    assert received.inbound.button == "m1:0"


def test_a_tap_in_a_group_or_without_data_is_only_answered() -> None:
    in_group = a_tap(message={"message_id": 9, "date": 1, "chat": {"id": -9, "type": "group", "title": "x"}})

    for update in (in_group, a_tap(data="x" * 65)):
        received = from_json(update)
        assert received.inbound is None
        assert received.tap is not None


def caused(error: TelegramError, cause: Exception) -> TelegramError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Forbidden("Forbidden: bot was blocked by the user"), "blocked"),
        (Forbidden("Forbidden: user is deactivated"), "deactivated"),
        (Forbidden("Forbidden: bot can't initiate conversation with a user"), "forbidden"),
        (BadRequest("Chat not found"), "bad_request"),
        (ChatMigrated(5), "bad_request"),
    ],
)
def test_a_final_refusal_is_not_tried_again(error: TelegramError, reason: str) -> None:
    with pytest.raises(SendRefused) as refused:
        translate(error)

    assert refused.value.reason == reason


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
def test_telegrams_own_wish_for_patience_is_kept() -> None:
    with pytest.raises(SendLater) as later:
        translate(RetryAfter(timedelta(seconds=7)))

    assert later.value.after_s == 7


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("Bad Gateway"),
        caused(NetworkError("x"), httpx.ConnectError("refused")),
        caused(TimedOut(), httpx.ConnectTimeout("late")),
        caused(TimedOut(), httpx.PoolTimeout("full")),
        InvalidToken(),
    ],
)
def test_what_never_left_the_house_is_tried_again(error: TelegramError) -> None:
    with pytest.raises(SendLater):
        translate(error)


@pytest.mark.parametrize(
    "error",
    [
        TimedOut(),
        caused(TimedOut(), httpx.ReadTimeout("late")),
        caused(NetworkError("x"), httpx.ReadError("reset")),
        caused(NetworkError("x"), httpx.RemoteProtocolError("gone")),
    ],
)
def test_what_may_have_arrived_is_not_repeated(error: TelegramError) -> None:
    with pytest.raises(SendUnknown):
        translate(error)
