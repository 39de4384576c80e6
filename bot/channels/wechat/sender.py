"""Delivering to WeChat by customer-service messages, and by a notice where no right is left.

WeChat recognises no repeats of a customer-service message, so a send without an answer is `unknown`. It gives such a
message no number either; only notices have one, under which their receipt comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from bot.channels.tencent.api import Api
from bot.channels.tencent.errors import Refusal
from bot.channels.tencent.line import TencentLine
from bot.channels.wechat.parse import CHANNEL, MENU, PERSON
from care.model.errors import RightSpent, SendRefused, SendUnknown
from care.model.ids import OutboxId
from care.model.member import Identity
from care.model.message import Message
from care.model.pieces import PieceLimit
from care.ports import Clock
from care.services.conversations import button_token

logger = logging.getLogger(__name__)

SEND_WITHIN_S = 45.0  # seconds for everything one message may need: below the lease under which it is sent
WINDOW_RETRY_S = 2.0  # WeChat may say "out of time" in the seconds after a member wrote
WINDOW_CLOSED = 45015
NO_MENUS = 40200  # the account may not send quick replies: a test account, or not verified
NO_CREDIT = 43101  # of a notice: the member's subscription is used up or taken back
#: What is said about notices alone: their ids and fields, their own daily count, the right to use them at all.
NOTICES_ONLY = frozenset({40037, 47003, 45009, 48001})
TOO_LONG = frozenset({45002, 45008})


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with one field for our words, and maybe one for the time.

    A template (类目模板) may be sent at any time; a subscribed one needs the member's consent to each.
    """

    words: str
    field: str
    zone: ZoneInfo
    time_field: str = ""
    subscribed: bool = False

    def data(self, now: datetime) -> dict[str, dict[str, str]]:
        """Return the fields; `now` is aware and shown as the clinic's wall time."""
        fields = {self.field: {"value": self.words}}
        if self.time_field:
            fields[self.time_field] = {"value": f"{now.astimezone(self.zone):%Y-%m-%d %H:%M}"}
        return fields


Notices = Mapping[str, Notice]


class WeChatSender:
    """Sends through the line.

    Args:
        line: started before the first message.
        api: of the account.
        clock: decides when a day's counters start anew.
        notices: how each notice is filled in, by the vendor's name for it.
        menus: whether quick replies go out as a menu; else as links in the text.
    """

    channel = CHANNEL
    idempotent = False
    limit: PieceLimit | None = PieceLimit("bytes", 2_000, 5)  # the vendor's is 2,048

    def __init__(
        self, line: TencentLine, api: Api, clock: Clock, *, notices: Notices | None = None, menus: bool = True
    ) -> None:
        self._line = line
        self._api = api
        self._clock = clock
        self._notices = notices or {}
        self._menus = menus

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Send one message and return a name for it; see the port."""
        if not PERSON.fullmatch(to.external_id):
            raise SendRefused("bad_account")
        if not message.text.strip():
            raise SendRefused("empty")
        self._run(self._message(to.external_id, message))
        return outbox_id

    def nudge(self, to: Identity, template: str, outbox_id: OutboxId) -> str:
        """Send the notice that something is waiting and return its number; see the port."""
        notice = self._notices.get(template)
        if notice is None or not PERSON.fullmatch(to.external_id):
            raise SendRefused("bad_template" if notice is None else "bad_account")
        body = {"touser": to.external_id, "template_id": template, "data": notice.data(self._clock.now())}
        try:
            if notice.subscribed:
                said = self._line.call(self._api.post("message/subscribe/bizsend", body), SEND_WITHIN_S)
            else:  # the same number within ten minutes is one notice
                whole = body | {"client_msg_id": outbox_id}
                said = self._line.call(self._api.post("message/template/send", whole), SEND_WITHIN_S)
        except TimeoutError:
            raise SendUnknown from None
        except Refusal as refusal:
            if refusal.code == NO_CREDIT:
                raise RightSpent("no_credit") from None
            if refusal.code in NOTICES_ONLY:  # words may go out all the same: the channel must not rest for it
                logger.error("notice refused", extra={"channel": CHANNEL, "code": refusal.code})
                raise SendRefused(refusal.meaning.reason) from None
            refusal.translate(self._clock.now())
        number = said.get("msgid")
        return str(number) if number else outbox_id

    def typing(self, person: str) -> None:
        """Show that an answer is being written; does not wait, and no failure of it matters."""
        self._line.keep_running(self._typing(person))

    def _run(self, coroutine: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        try:
            return self._line.call(coroutine, SEND_WITHIN_S)
        except TimeoutError:
            raise SendUnknown from None
        except Refusal as refusal:
            if refusal.code in TOO_LONG:
                logger.error("message not cut to size", extra={"channel": CHANNEL, "code": refusal.code})
            refusal.translate(self._clock.now())

    async def _message(self, person: str, message: Message) -> dict[str, Any]:
        if self._menus and message.buttons:
            try:
                return await self._custom(person, as_menu(message))
            except Refusal as refusal:
                if refusal.code != NO_MENUS:
                    raise
            logger.warning("account without quick replies", extra={"channel": CHANNEL, "code": NO_MENUS})
            self._menus = False
        return await self._custom(person, as_text(message))

    async def _custom(self, person: str, body: dict[str, Any]) -> dict[str, Any]:
        whole = {"touser": person, **body}
        try:
            return await self._api.post("message/custom/send", whole)
        except Refusal as refusal:
            if refusal.code != WINDOW_CLOSED:
                raise
        await asyncio.sleep(WINDOW_RETRY_S)
        return await self._api.post("message/custom/send", whole)

    async def _typing(self, person: str) -> None:
        try:
            await self._api.post("message/custom/typing", {"touser": person, "command": "Typing"})
        except Exception as nothing:  # 45072, 45080, 45081 and all the rest: the answer comes all the same
            logger.debug("no typing sign", extra={"channel": CHANNEL, "code": type(nothing).__name__})


def as_menu(message: Message) -> dict[str, Any]:
    """Return a message with quick replies under it."""
    entries = [
        {"id": f"{MENU}{button_token(message, number)}", "content": button.title}
        for number, button in enumerate(message.buttons)
    ]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": message.text, "list": entries}}


def as_text(message: Message) -> dict[str, Any]:
    """Return a message as text; quick replies become links that say their title when tapped."""
    links = [
        f'<a href="weixin://bizmsgmenu?msgmenucontent={escape(button.title)}'
        f'&msgmenuid={MENU}{button_token(message, number)}">{escape(button.title, quote=False)}</a>'
        for number, button in enumerate(message.buttons)
    ]
    return {"msgtype": "text", "text": {"content": "\n".join([message.text, *links])}}
