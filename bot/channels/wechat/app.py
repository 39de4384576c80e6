"""WeChat in and out: the callback on one side, the sender on the other.

A callback is stored before it is acknowledged, and nothing is worked out while WeChat waits: it waits five seconds,
then brings the same again, three times in all. What is not signed, not sealed though it should be, or too old is
refused; what is WeChat's and none of ours is acknowledged and forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams

from bot.channels.tencent.api import Api
from bot.channels.tencent.crypto import Locks, NotGenuine, TooLarge, read_body, sealed_part
from bot.channels.tencent.errors import WECHAT
from bot.channels.tencent.line import TencentLine
from bot.channels.tencent.token import wechat_tokens
from bot.channels.wechat.media import WeChatMedia
from bot.channels.wechat.parse import CHANNEL, Heard, Malformed, Said, heard
from bot.channels.wechat.sender import WeChatSender
from bot.inbound import accept
from care.bootstrap import House
from care.model.message import InboxItem
from care.services.conversations import Recorded

logger = logging.getLogger(__name__)

CALLBACK = "/wechat/callback"
PLAIN = {"X-Content-Type-Options": "nosniff"}
DONE = "success"


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
    """

    def __init__(self, house: House, *, stored: Callable[[Recorded], None]) -> None:
        settings = house.settings
        self._house = house
        self._stored = stored
        keys = [key.get_secret_value() for key in (settings.wechat_aes_key, settings.wechat_aes_key_previous)]
        self._sealed_only = bool(keys[0]) or settings.environment == "production"
        self._locks = Locks(
            settings.wechat_token.get_secret_value(), settings.wechat_app_id, [key for key in keys if key]
        )
        self.line = TencentLine(f"{settings.wechat_base_url.rstrip('/')}/cgi-bin/", name="wechat")
        secret = settings.wechat_secret.get_secret_value()
        api = Api(self.line, wechat_tokens(self.line, settings.wechat_app_id, secret), WECHAT)
        self.sender = WeChatSender(self.line, api, house.clock, menus=settings.wechat_menus)
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
                plain = self._opened(request.query_params, await read_body(request))
                told = heard(plain)
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
                await run_in_threadpool(self.take, told)
            except Exception as broken:  # not stored, so not acknowledged: WeChat brings it again
                logger.exception("callback not stored", extra={"channel": CHANNEL, "code": type(broken).__name__})
                return Response(status_code=503)
            return _done()

        return router

    def take(self, told: list[Heard]) -> None:
        """Store what a callback said. Returns only when it is committed."""
        for one in told:
            if isinstance(one, Said):
                recorded = accept(self._house, one.inbound)
                if recorded.message_id is not None:
                    self._stored(recorded)

    def _opened(self, query: QueryParams, body: bytes) -> str:
        """Return the words of a callback as XML.

        Raises:
            _Refused: it is not WeChat's, not sealed though it should be, or too old.
        """
        timestamp, nonce = query.get("timestamp"), query.get("nonce")
        if not self._locks.signed(query.get("signature"), timestamp, nonce):
            raise _Refused("wrong_signature")
        if not self._fresh(timestamp or ""):
            raise _Refused("too_old")
        try:
            sealed = sealed_part(body) if self._sealed_only or query.get("encrypt_type") == "aes" else ""
            if sealed:
                return self._locks.open(sealed, query.get("msg_signature"), timestamp, nonce).plain
        except NotGenuine:
            raise _Refused("not_genuine") from None
        if self._sealed_only:
            raise _Refused("not_sealed")
        try:
            return body.decode()
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
