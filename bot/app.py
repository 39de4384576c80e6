"""The member edge: the channels that are switched on, the workers behind them and the delivery out of the house."""

from __future__ import annotations

import threading

from fastapi import APIRouter

from bot.channels.telegram.app import Telegram
from bot.channels.telegram.sender import PACE_S
from bot.channels.web import app as web
from bot.channels.web.sender import WebSender
from bot.channels.wechat.app import WeChat
from bot.channels.wecom import sender as wecom_sending
from bot.channels.wecom.app import Wecom
from bot.delivery import Delivery, Way
from bot.inbound import Workers
from bot.pulse import Pulse
from care.bootstrap import House
from care.model.message import InboxItem, OutboxItem
from care.services.conversations import Recorded

TELEGRAM_THREADS = 4
WECHAT_THREADS = 8


class BotEdge:
    """Everything between members and the core. Make it once, `start` it, mount `routes`, `stop` it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.pulse = Pulse()
        self.telegram = Telegram(house, stored=self._stored) if house.settings.telegram_mode != "off" else None
        self.wechat = (
            WeChat(house, stored=self._stored, changed=self.pulse.publish)
            if house.settings.wechat_mode != "off"
            else None
        )
        self.wecom = (
            Wecom(house, stored=self._stored, changed=self._changed) if house.settings.wecom_mode != "off" else None
        )
        ways = {WebSender.channel: Way(WebSender())}
        if self.telegram is not None:
            ways[self.telegram.sender.channel] = Way(self.telegram.sender, TELEGRAM_THREADS, PACE_S)
        if self.wechat is not None:
            ways[self.wechat.sender.channel] = Way(self.wechat.sender, WECHAT_THREADS)
        if self.wecom is not None:
            way = Way(self.wecom.sender, wecom_sending.THREADS, wecom_sending.PACE_S)
            ways[self.wecom.sender.channel] = way
        self.delivery = Delivery(house, ways, settled=self._settled)
        self.workers = Workers(house, self.pulse, spoken=self.delivery.wake, taken=self._taken)

    def routes(self) -> APIRouter:
        """Return the pages and hooks of every channel."""
        router = APIRouter()
        router.include_router(web.routes(self._house, self.pulse, stored=self.workers.wake))
        if self.telegram is not None and self._house.settings.telegram_mode == "webhook":
            router.include_router(self.telegram.routes())
        if self.wechat is not None:
            router.include_router(self.wechat.routes())
        if self.wecom is not None:
            router.include_router(self.wecom.routes())
        return router

    def start(self) -> None:
        """Start the threads."""
        if self.wechat is not None:
            self.wechat.start()
        if self.wecom is not None:
            self.wecom.start()
        self.delivery.start()
        self.workers.start()
        if self.telegram is not None:
            self.telegram.start()

    def stop(self) -> None:
        """Take nothing in any more, let running work end, at most ten seconds, then close the open pages."""
        closing = [threading.Thread(target=part.stop) for part in (self.workers, self.delivery)]
        self.pulse.close()
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
        if self.telegram is not None:
            self.telegram.stop()
        if self.wechat is not None:
            self.wechat.stop()
        if self.wecom is not None:
            self.wecom.stop()

    def _changed(self, member_id: str) -> None:
        self.delivery.wake()
        self.pulse.publish(member_id)

    def _stored(self, recorded: Recorded) -> None:
        self.workers.wake()
        self.pulse.publish(recorded.member_id)

    def _taken(self, item: InboxItem) -> None:
        if self.wechat is not None and item.channel == self.wechat.sender.channel:
            self.wechat.taken(item)

    def _settled(self, item: OutboxItem) -> None:
        self.pulse.publish(item.member_id)
