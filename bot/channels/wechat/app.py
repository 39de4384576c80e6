"""WeChat in and out: the callback on one side, the sender on the other.

A callback is stored before it is acknowledged, and nothing is worked out while WeChat waits: it waits five seconds,
then brings the same again, three times in all. What is not signed, not sealed though it should be, or too old is
refused; what is WeChat's and none of ours is acknowledged and forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams

from bot.channels.tencent.api import Api
from bot.channels.tencent.crypto import Locks, NotGenuine, Opened, TooLarge, read_body, sealed_parts
from bot.channels.tencent.errors import WECHAT
from bot.channels.tencent.line import TencentLine
from bot.channels.tencent.token import wechat_tokens
from bot.channels.wechat.media import WeChatMedia
from bot.channels.wechat.parse import (
    CHANNEL,
    Clicked,
    Followed,
    Heard,
    Malformed,
    OptedIn,
    Receipt,
    Said,
    Unfollowed,
    heard,
)
from bot.channels.wechat.reply import rendered, sealed
from bot.channels.wechat.sender import Notice, Notices, WeChatSender
from bot.inbound import accept
from care.bootstrap import House
from care.model.message import InboxItem
from care.services import channel_events
from care.services.channel_events import EventRecorded
from care.services.conversations import Recorded

logger = logging.getLogger(__name__)

CALLBACK = "/wechat/callback"
PLAIN = {"X-Content-Type-Options": "nosniff"}
DONE = "success"
NOT_SEALED = -1
RECEIPT_S = 0.5  # seconds a receipt waits for what it is for


class _Refused(Exception):
    """A callback that is not to be taken, and why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class WeChat:
    """The channel of one 服务号.

    Args:
        house: open; its settings name the account.
        stored: called after every stored message.
        changed: called with a member's id when something else of theirs changed.
    """

    def __init__(
        self, house: House, *, stored: Callable[[Recorded], None], changed: Callable[[str], None] = lambda _: None
    ) -> None:
        settings = house.settings
        self._house = house
        self._stored = stored
        self._changed = changed
        keys = [key.get_secret_value() for key in (settings.wechat_aes_key, settings.wechat_aes_key_previous)]
        self._sealed_only = bool(keys[0]) or settings.environment == "production"
        self._locks = Locks(
            settings.wechat_token.get_secret_value(), settings.wechat_app_id, [key for key in keys if key]
        )
        self.line = TencentLine(f"{settings.wechat_base_url.rstrip('/')}/cgi-bin/", name="wechat")
        secret = settings.wechat_secret.get_secret_value()
        api = Api(self.line, wechat_tokens(self.line, settings.wechat_app_id, secret), WECHAT)
        self.sender = WeChatSender(self.line, api, house.clock, notices=_notices(house), menus=settings.wechat_menus)
        self.media = WeChatMedia(self.line, api, house.clock)

    def start(self) -> None:
        """Open the line."""
        self.line.start()

    def stop(self) -> None:
        """Close the line."""
        self.line.stop()

    def taken(self, item: InboxItem) -> None:
        """Show the typing sign to the member whose message a worker has taken; does not wait for WeChat."""
        with self._house.unit_of_work() as uow:
            conversation = uow.conversations.get(item.conversation_id)
            if conversation.reply_to is None or not conversation.owned_by_bot:
                return
            identity = uow.members.identity_by_id(conversation.reply_to)
        if identity.channel == CHANNEL:
            self.sender.typing(identity.external_id)

    def routes(self) -> APIRouter:
        """Return the callback."""
        router = APIRouter()

        @router.get(CALLBACK)
        async def handshake(request: Request) -> Response:
            """Give back what WeChat asks us to, if it is WeChat that asks."""
            query = request.query_params
            echo = query.get("echostr")
            signed = self._locks.signed(query.get("signature"), query.get("timestamp"), query.get("nonce"))
            if echo is None or not signed:
                return Response(status_code=403)
            return Response(echo, media_type="text/plain", headers=PLAIN)

        @router.post(CALLBACK)
        async def callback(request: Request) -> Response:
            """Store what came and acknowledge it."""
            try:
                opened = self._opened(request.query_params, await read_body(request))
                told = heard(opened.plain)
            except _Refused as refused:
                logger.warning("callback refused", extra={"channel": CHANNEL, "code": refused.code})
                return Response(status_code=403)
            except TooLarge:
                return Response(status_code=413)
            except Malformed:  # signed, and still nothing: refusing it would only bring it again
                logger.warning("callback not understood", extra={"channel": CHANNEL, "code": "malformed"})
                return _done()
            if not told:
                logger.info("callback is none of ours", extra={"channel": CHANNEL})
            try:
                unknown = await run_in_threadpool(self.take, told)
                if unknown:  # a receipt may overtake the keeping of what it is for
                    await asyncio.sleep(RECEIPT_S)
                    await run_in_threadpool(self.take, unknown)
            except Exception as broken:  # not stored, so not acknowledged: WeChat brings it again
                logger.exception("callback not stored", extra={"channel": CHANNEL, "code": type(broken).__name__})
                return Response(status_code=503)
            waits = next((one for one in told if isinstance(one, Clicked) and one.account), None)
            return _done() if waits is None else self._said_at_once(waits, opened)

        return router

    def take(self, told: Sequence[Heard]) -> list[Heard]:
        """Store what a callback said; returns only when it is committed.

        Returns:
            Receipts for messages nobody knows, or does not know yet.
        """
        unknown: list[Heard] = []
        for one in told:
            if isinstance(one, Said):
                recorded = accept(self._house, one.inbound)
                if recorded.message_id is not None:
                    self._stored(recorded)
                continue
            happened = self._recorded(one)
            if happened.new and happened.member_id is not None:
                self._changed(happened.member_id)
            if isinstance(one, Receipt) and happened.member_id is None:
                unknown.append(one)
        return unknown

    def _recorded(self, one: Followed | Unfollowed | Clicked | OptedIn | Receipt) -> EventRecorded:
        """Record an event; two first events of one new account at one instant clash, the loser is tried again."""
        try:
            return self._record(one)
        except Exception as clash:  # the database's own errors are not known out here
            logger.warning("event tried again", extra={"channel": CHANNEL, "code": type(clash).__name__})
        return self._record(one)

    def _record(self, one: Followed | Unfollowed | Clicked | OptedIn | Receipt) -> EventRecorded:
        clock, pack = self._house.clock, self._house.pack
        with self._house.unit_of_work() as uow:
            match one:
                case Followed(person, vendor_id, trigger, scene):
                    happened = channel_events.followed(
                        CHANNEL, person, vendor_id, trigger=trigger, scene=scene, uow=uow, clock=clock, pack=pack
                    )
                case Unfollowed(person, vendor_id):
                    happened = channel_events.unfollowed(CHANNEL, person, vendor_id, uow=uow, clock=clock)
                case Clicked(person, vendor_id):
                    happened = channel_events.clicked(CHANNEL, person, vendor_id, uow=uow, clock=clock)
                case OptedIn(person, vendor_id, template, accepted):
                    happened = channel_events.opted_in(
                        CHANNEL, person, vendor_id, template, accepted, uow=uow, clock=clock
                    )
                case Receipt(_, _, number, outcome, reason):
                    happened = channel_events.receipt(CHANNEL, number, outcome, reason, uow=uow, clock=clock)
            uow.commit()
        return happened

    def _said_at_once(self, waits: Clicked, opened: Opened) -> Response:
        """Answer inside the callback who sees nothing but a waiting sign."""
        now = self._house.clock.now()
        text = self._house.pack.say("channel.here")
        xml = rendered(text, person=waits.person, account=waits.account, at=now)
        if opened.key != NOT_SEALED:
            xml = sealed(xml, self._locks, key=opened.key, at=now)
        return Response(xml, media_type="application/xml", headers=PLAIN)

    def _opened(self, query: QueryParams, body: bytes) -> Opened:
        """Return the words of a callback as XML, and which key opened them; `NOT_SEALED` if none.

        Raises:
            _Refused: it is not WeChat's, not sealed though it should be, or too old.
        """
        timestamp, nonce = query.get("timestamp"), query.get("nonce")
        if not self._locks.signed(query.get("signature"), timestamp, nonce):
            raise _Refused("wrong_signature")
        if not self._fresh(timestamp or ""):
            raise _Refused("too_old")
        try:
            if self._sealed_only or query.get("encrypt_type") == "aes":
                signature = query.get("msg_signature")
                for envelope in sealed_parts(body):
                    if self._locks.signed(signature, timestamp, nonce, envelope):
                        return self._locks.open(envelope, signature, timestamp, nonce)
        except NotGenuine:
            raise _Refused("not_genuine") from None
        if self._sealed_only:
            raise _Refused("not_sealed")
        try:
            return Opened(body.decode(), NOT_SEALED)
        except UnicodeDecodeError:
            raise Malformed from None

    def _fresh(self, timestamp: str) -> bool:
        """Whether a callback is no replay of an old one; WeChat's own repeats come within seconds."""
        if not timestamp.isdecimal() or len(timestamp) > 11:
            return False
        age = abs(self._house.clock.now().timestamp() - int(timestamp))
        return timedelta(seconds=age) <= self._house.settings.wechat_freshness


def _done() -> Response:
    return Response(DONE, media_type="text/plain", headers=PLAIN)


def _notices(house: House) -> Notices:
    """Return the notices the clinic has configured, by the vendor's name for each."""
    settings, words = house.settings, house.pack.say("right.notice")
    template = Notice(
        words,
        settings.wechat_template_notice_field,
        house.zone,
        time_field=settings.wechat_template_notice_time_field,
    )
    subscribed = Notice(words, settings.wechat_subscribe_notice_field, house.zone, subscribed=True)
    return {settings.wechat_template_notice: template, settings.wechat_subscribe_notice: subscribed}
