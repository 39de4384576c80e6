"""WeCom in and out: the callback, the reader of the logs, the sender, the vendor's desk, alarms, greetings."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from bot.channels.tencent.api import Api
from bot.channels.tencent.crypto import Locks, NotGenuine, TooLarge, read_body, sealed_part
from bot.channels.tencent.errors import WECOM
from bot.channels.tencent.line import TencentLine
from bot.channels.tencent.token import wecom_tokens
from bot.channels.wechat.media import WeChatMedia
from bot.channels.wecom.alarms import Bells
from bot.channels.wecom.desk import Desk
from bot.channels.wecom.kf import Kf
from bot.channels.wecom.parse import CHANNEL, Bell, Greeting, Malformed, callback
from bot.channels.wecom.sender import WecomSender
from bot.channels.wecom.sync import Puller
from bot.channels.wecom.welcome import Greeter
from care.bootstrap import House
from care.model.member import Identity
from care.model.vendor import ServiceState
from care.services import servicers
from care.services.conversations import Recorded
from care.services.servicers import Account

logger = logging.getLogger(__name__)

CALLBACK = "/wecom/callback"
PLAIN = {"X-Content-Type-Options": "nosniff"}


class Wecom:
    """The channel of one application of a 企业微信.

    Args:
        house: open; its settings name the application.
        stored: called after every stored message.
        changed: called with a member's id when something of theirs changed.
    """

    def __init__(
        self, house: House, *, stored: Callable[[Recorded], None], changed: Callable[[str], None] = lambda _: None
    ) -> None:
        settings = house.settings
        self._house = house
        corp, secret = settings.wecom_corp_id, settings.wecom_secret.get_secret_value()
        keys = (settings.wecom_aes_key, settings.wecom_aes_key_previous)
        self._locks = Locks(
            settings.wecom_token.get_secret_value(),
            corp,
            [key.get_secret_value() for key in keys if key.get_secret_value()],
        )
        self.line = TencentLine(f"{settings.wecom_base_url.rstrip('/')}/cgi-bin/", name="wecom")
        api = Api(self.line, wecom_tokens(self.line, corp, secret), WECOM)
        self.kf = Kf(self.line, api, settings.wecom_agent_id, house.clock)
        self.media = WeChatMedia(self.line, api, house.clock)  # asks both of Tencent's the same way
        self.bells = Bells(house, self.kf)
        self.greeter = Greeter(house, self.kf, changed=changed)
        self.puller = Puller(house, self.kf, stored=stored, greet=self.greeter.put)
        self.desk = Desk(house, self.kf, alert=self.bells.alert, changed=changed)
        self.sender = WecomSender(
            self.kf,
            duplicates=frozenset(int(code) for code in settings.wecom_duplicate_codes),
            held=self._held,
            alert=self.bells.alert,
        )

    def start(self) -> None:
        """Open the line and start the threads."""
        self.line.start()
        for part in (self.greeter, self.puller, self.desk, self.bells):
            part.start()

    def stop(self) -> None:
        """End the threads; closing the line lets go of those that wait for an answer, which can be asked again."""
        parts = (self.puller, self.desk, self.bells, self.greeter)
        for part in parts:
            part.end()
        self.line.stop()
        for part in parts:
            part.stop()

    def routes(self) -> APIRouter:
        """Return the callback."""
        router = APIRouter()

        @router.get(CALLBACK)
        async def verify(request: Request) -> Response:
            """Prove to WeCom that the address is ours: give back what is in the envelope, and nothing else."""
            query = request.query_params
            # A `+` that nobody escaped arrives as a space; base64 has no spaces.
            echo = query.get("echostr", "").replace(" ", "+")
            try:
                opened = self._locks.open(
                    echo, query.get("msg_signature"), query.get("timestamp"), query.get("nonce")
                )
            except NotGenuine:
                return Response(status_code=403)
            return Response(opened.plain, media_type="text/plain", headers=PLAIN)

        @router.post(CALLBACK)
        async def ring(request: Request) -> Response:
            """Take a bell or a greeting and acknowledge it at once; nothing is fetched while WeCom waits."""
            query = request.query_params
            try:
                sealed = sealed_part(await read_body(request))
                opened = self._locks.open(
                    sealed, query.get("msg_signature"), query.get("timestamp"), query.get("nonce")
                )
            except TooLarge:
                return Response(status_code=413)
            except NotGenuine:
                logger.warning("callback refused", extra={"channel": CHANNEL, "code": "not_genuine"})
                return Response(status_code=403)
            self.take(opened.plain)
            return Response(status_code=200)

        return router

    def take(self, plain: str) -> None:
        """Pass on what a callback says. Does not wait."""
        try:
            said = callback(plain)
        except Malformed:
            logger.warning("callback malformed", extra={"channel": CHANNEL, "code": "malformed"})
            return
        if isinstance(said, Bell) and said.open_kfid:
            self.puller.ring(said.open_kfid, said.token)
        elif isinstance(said, Greeting):
            self.greeter.put(said)

    def _held(self, identity: Identity, state: ServiceState, servicer: str) -> bool:
        """A colleague turned out to hold the session over there: the bot is silent, unless we just took it back."""
        with self._house.unit_of_work() as uow:
            account = Account(CHANNEL, identity.external_id)
            held = servicers.found_held(account, servicer, uow=uow, now=self._house.clock.now(), state=state)
            uow.commit()
        return held
