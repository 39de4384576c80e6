"""Talking to Rasa over its REST channel on loopback.

Rasa obeys any text that begins with a slash; a member's text must never do so. It also answers an empty list with
status 200 when its action server is down: silence is treated as the fault it is, unless an action says that it has
nothing to say (`quiet`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import httpx

from care.model.errors import DialogueUnavailable
from care.model.message import Button, Reply

#: What may stand before an order or make one, characters nobody sees among them.
AN_ORDER = re.compile(r"^[\s\x00-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff/／]+")
TEXT_LIMIT = 500  # characters the model reads; longer messages say the same at their start


class RasaDialogue:
    """The dialogue model behind its wire. Safe to share between threads."""

    def __init__(self, base_url: str, *, timeout_s: float, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, connect=2.0),
            transport=transport,
            trust_env=False,
        )

    def say(self, tracker_id: str, text: str, metadata: Mapping[str, str]) -> Sequence[Reply]:
        """Hand over a member's text (never an order) or, when `metadata` has `payload`, a button's meaning.

        Returns:
            What is to be said; nothing at all only where an action says so.
        """
        payload = metadata.get("payload")
        message = payload if payload else as_words(text)
        replies, quiet = self._post(tracker_id, message, metadata)
        if not replies and not quiet:
            raise DialogueUnavailable("silence")
        return replies

    def trigger(self, tracker_id: str, intent: str, metadata: Mapping[str, str]) -> None:
        """Tell Rasa about something outside; an empty answer is fine here."""
        self._post(tracker_id, f"/{intent}", metadata)

    def healthy(self) -> bool:
        """Whether Rasa answers and has a model loaded."""
        try:
            answer = self._http.get("/", timeout=2.0)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _post(self, tracker_id: str, message: str, metadata: Mapping[str, str]) -> tuple[list[Reply], bool]:
        try:
            answer = self._http.post(
                "/webhooks/rest/webhook",
                json={"sender": tracker_id, "message": message, "metadata": dict(metadata)},
            )
        except httpx.TimeoutException as late:
            raise DialogueUnavailable("timeout") from late
        except httpx.HTTPError as broken:
            raise DialogueUnavailable("unreachable") from broken
        if answer.status_code != httpx.codes.OK:
            raise DialogueUnavailable(f"status_{answer.status_code}")
        try:
            body = answer.json()
            return _replies(body), any((item.get("custom") or {}).get("quiet") for item in body)
        except (json.JSONDecodeError, TypeError, KeyError, AttributeError) as odd:
            raise DialogueUnavailable("not_understood") from odd


def as_words(text: str) -> str:
    """Return text that Rasa cannot take for an order, cut to what it reads."""
    return AN_ORDER.sub("", text).strip()[:TEXT_LIMIT] or "…"


def _replies(body: list[dict[str, object]]) -> list[Reply]:
    replies: list[Reply] = []
    for item in body:
        custom = item.get("custom")
        if isinstance(custom, dict):
            asked = custom.get("asked")
            if replies and isinstance(asked, str):
                last = replies[-1]
                replies[-1] = Reply(last.text, last.buttons, asked or None, custom)
            elif replies:
                replies[-1] = Reply(replies[-1].text, replies[-1].buttons, replies[-1].asked, custom)
            continue
        buttons = item.get("buttons")
        given = buttons if isinstance(buttons, list) else []
        replies.append(
            Reply(
                text=str(item.get("text", "")),
                buttons=tuple(Button(str(button["title"]), str(button["payload"])) for button in given),
            )
        )
    return [reply for reply in replies if reply.text]
