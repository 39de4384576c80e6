"""Delivering to customers of 微信客服.

Every message carries an id of ours, so that one sent twice is shown once: a call without an answer is simply made
again. WeCom takes words of ours only while nobody serves the customer at the vendor's own desk (states 0 and 1).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from bot.channels.wecom.errors import COUNT_SPENT, WINDOW_CLOSED, WRONG_STATE, KfRefused
from bot.channels.wecom.kf import Kf
from bot.channels.wecom.parse import CHANNEL, MENU, Malformed, parties
from care.model.errors import RightSpent, SendLater, SendRefused, SendUnknown
from care.model.ids import OutboxId
from care.model.member import Identity
from care.model.message import BOT_VOICES, Message
from care.model.pieces import PieceLimit
from care.model.vendor import WITH_HUMANS, ServiceState
from care.services.conversations import button_token

logger = logging.getLogger(__name__)

TEXT_BYTES = 2_048
LIMIT = PieceLimit("bytes", TEXT_BYTES, 5)
HEAD_BYTES = 1_024  # of the words above a menu
ENTRY_BYTES = 128
ENTRIES = 10
AGAIN_S = 2.0  # after a call without an answer
THREADS = 8
PACE_S = 0.3  # seconds between two messages to one customer, so that they arrive in order

#: Called with the account and where its session is, when the vendor's desk turns out to hold it; says whether it is
#: meant to, or only not told yet that we have it back.
Held = Callable[[Identity, ServiceState, str], bool]


class WecomSender:
    """Sends through 微信客服.

    Args:
        kf: the vendor's interface.
        duplicates: error codes that mean "this id was sent before".
        held: told when a colleague holds the session over there without our knowing.
        alert: told which conversation has words that cannot leave.
    """

    channel = CHANNEL
    idempotent = True
    limit: PieceLimit | None = LIMIT

    def __init__(self, kf: Kf, *, duplicates: frozenset[int], held: Held, alert: Callable[[str], None]) -> None:
        self._kf = kf
        self._duplicates = duplicates
        self._held = held
        self._alert = alert

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Send a message and return its id over there, which is ours; see the port."""
        try:
            account, customer = parties(to.external_id)
        except Malformed:
            raise SendRefused("bad_account") from None
        if not message.text.strip():
            raise SendRefused("empty")
        try:
            return self._kf.send(account, customer, outbox_id, body(message))
        except KfRefused as refused:
            return self._refused(refused.errcode, to, message, outbox_id)
        except SendUnknown:
            raise SendLater("no_answer", AGAIN_S) from None  # its id makes a repeat harmless

    def _refused(self, errcode: int, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Say in our words what a refusal means, or take it for the success of an earlier call.

        Raises:
            RightSpent: five were sent for this word, it is too long ago, or the session has ended.
            SendLater: a colleague turned out to serve the customer; the bot's words are withdrawn on the next look.
            SendRefused: a colleague serves the customer over there, and only they can write.
            SendUnknown: a code nobody here knows; it may even mean that the message was sent before.
        """
        if errcode in self._duplicates:
            logger.info("sent before", extra={"outbox_id": outbox_id, "channel": CHANNEL})
            return outbox_id
        if errcode == COUNT_SPENT:
            raise RightSpent("count_spent")
        if errcode == WINDOW_CLOSED:
            raise RightSpent("window_closed")
        if errcode != WRONG_STATE:
            raise SendUnknown
        state, servicer = self._kf.state(*parties(to.external_id))
        if state in WITH_HUMANS and not self._held(to, state, servicer):
            raise RightSpent("session_ending")  # like every ended one it opens with the customer's next word
        if state in WITH_HUMANS:
            if message.author in BOT_VOICES:
                raise SendLater("with_servicer")
            self._alert(message.conversation_id)
            raise SendRefused("with_servicer")
        if state is ServiceState.ENDED:
            raise RightSpent("session_ended")
        raise SendLater("wrong_state", AGAIN_S)


def body(message: Message) -> Mapping[str, Any]:
    """Return a message as 微信客服 takes it: a menu where there are buttons and the words above them fit."""
    buttons = message.buttons[:ENTRIES]
    if buttons and size(message.text) <= HEAD_BYTES:
        entries = [
            {
                "type": "click",
                "click": {"id": f"{MENU}{button_token(message, index)}", "content": cut(button.title, ENTRY_BYTES)},
            }
            for index, button in enumerate(buttons)
        ]
        return {"msgtype": "msgmenu", "msgmenu": {"head_content": message.text, "list": entries}}
    titles = "".join(f"\n· {button.title}" for button in buttons)
    text = message.text + titles if size(message.text + titles) <= TEXT_BYTES else message.text
    return {"msgtype": "text", "text": {"content": cut(text, TEXT_BYTES)}}


def size(text: str) -> int:
    """Return the length WeCom counts: bytes of UTF-8."""
    return len(text.encode())


def cut(text: str, limit: int) -> str:
    """Return as much of the beginning as fits into so many bytes, never half a character."""
    return text.encode()[:limit].decode("utf-8", "ignore")
