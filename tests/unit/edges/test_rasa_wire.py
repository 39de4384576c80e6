"""What goes over the wire to Rasa, and what comes back."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.adapters.rasa import RasaDialogue, as_words
from care.model.errors import DialogueUnavailable
from care.model.message import Button


@given(st.text(max_size=600))
def test_no_text_of_a_member_can_be_an_order_to_rasa(text: str) -> None:
    words = as_words(text)

    assert words
    assert not words.strip().startswith("/")
    assert len(words) <= 500


@pytest.mark.parametrize("text", ["/restart", "  /restart", "///session_start", "\x00/greet{}", "／restart"])
def test_slashes_of_members_are_words(text: str) -> None:
    assert not as_words(text).startswith(("/", "／"))


def test_a_tapped_button_may_be_an_order() -> None:
    wire = _Wire([{"text": "好的"}])

    wire.dialogue.say("tracker", "确认", {"payload": "/affirm", "turn_id": "t"})

    assert wire.sent[0]["message"] == "/affirm"
    assert wire.sent[0]["sender"] == "tracker"


def test_buttons_and_what_was_asked_come_back() -> None:
    wire = _Wire(
        [
            {"text": "哪个时间？", "buttons": [{"title": "周三", "payload": "/inform"}]},
            {"custom": {"asked": "booking.choice"}},
        ]
    )

    replies = wire.dialogue.say("t", "约洗牙", {})

    assert len(replies) == 1
    assert replies[0].buttons == (Button("周三", "/inform"),)
    assert replies[0].asked == "booking.choice"


def test_silence_an_action_asks_for_is_none() -> None:
    assert not _Wire([{"custom": {"quiet": True}}]).dialogue.say("t", "6分", {"answered": "pain"})


def test_silence_is_a_fault() -> None:
    with pytest.raises(DialogueUnavailable, match="silence"):
        _Wire([]).dialogue.say("t", "你好", {})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(500, text="traceback"), "status_500"),
        (httpx.Response(200, text="<html>"), "not_understood"),
        (httpx.ConnectError("refused"), "unreachable"),
        (httpx.ReadTimeout("slow"), "timeout"),
    ],
)
def test_every_way_of_failing_has_a_name(answer: httpx.Response | Exception, reason: str) -> None:
    with pytest.raises(DialogueUnavailable) as down:
        _Wire(answer).dialogue.say("t", "你好", {})

    assert down.value.reason == reason


class _Wire:
    def __init__(self, answer: object) -> None:
        self.sent: list[dict[str, object]] = []
        self._answer = answer
        self.dialogue = RasaDialogue("http://rasa", timeout_s=1, transport=httpx.MockTransport(self._reply))

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(json.loads(request.content))
        if isinstance(self._answer, Exception):
            raise self._answer
        if isinstance(self._answer, httpx.Response):
            return self._answer
        return httpx.Response(200, json=self._answer)
