"""Greeting, once and in time: whoever opens a 微信客服 session, and whoever is added as a contact.

Both come with a code that is good for one message within twenty seconds. It is tried only while it can work; a
greeting that did not go out is not made up for, the first answer introduces itself anyway.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event, Thread

from bot.channels.wecom.errors import SOMEBODY_SENDS, KfRefused
from bot.channels.wecom.kf import Kf
from bot.channels.wecom.parse import CHANNEL, Greeting
from bot.channels.wecom.rows import Welcome
from care.bootstrap import House
from care.model.errors import CareError, SendLater
from care.services import servicers
from care.services.servicers import Account

logger = logging.getLogger(__name__)

WITHIN = timedelta(seconds=20)
AGAIN_S = 2.0
LOOK_S = 0.5


class Greeter:
    """Greets. `welcome` and `greet` do not wait.

    Args:
        house: open.
        kf: the vendor's interface.
        changed: called with a member's id when a greeting was kept in their history.
        rest: waits so many seconds between two tries.
    """

    def __init__(
        self, house: House, kf: Kf, *, changed: Callable[[str], None], rest: Callable[[float], None] = time.sleep
    ) -> None:
        self._house = house
        self._kf = kf
        self._changed = changed
        self._rest = rest
        self._waiting: SimpleQueue[Welcome | Greeting] = SimpleQueue()
        self._seen: dict[str, datetime] = {}  # codes of contacts: the vendor may call three times
        self._stopping = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start greeting."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, name="wecom-greet", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask the thread to end after the call that is being made."""
        self._stopping.set()

    def stop(self) -> None:
        """End and wait for it, at most ten seconds."""
        self.end()
        if self._thread is not None:
            self._thread.join(10.0)

    def put(self, one: Welcome | Greeting) -> None:
        """Somebody is to be greeted."""
        self._waiting.put(one)

    def greet(self, one: Welcome | Greeting) -> bool:
        """Greet somebody if there is still time; return whether they were."""
        now = self._house.clock.now()
        if isinstance(one, Greeting):
            self._seen = {code: at for code, at in self._seen.items() if now - at < WITHIN * 3}
            if one.code in self._seen:
                return False
            self._seen[one.code] = now
            until, key = one.at + WITHIN, "wecom.contact"
        else:
            until, key = one.until, "wecom.welcome"
        text = self._house.pack.say(key, 机构=self._house.pack.brand, 电话=self._house.pack.duty_phone)
        while self._house.clock.now() < until and not self._stopping.is_set():
            try:
                if isinstance(one, Greeting):
                    self._kf.welcome(one.code, text)
                else:
                    self._kf.send_on_event(one.code, text)
            except KfRefused as refused:
                logger.info("not greeted", extra={"channel": CHANNEL, "code": refused.code})
                if refused.errcode != SOMEBODY_SENDS:  # they chat already, or the code is used up
                    return False
            except SendLater as later:
                logger.info("greeted later", extra={"channel": CHANNEL, "reason": later.reason})
            except CareError as failure:
                logger.warning("not greeted", extra={"channel": CHANNEL, "code": failure.code})
                return False
            else:
                self._keep(one, text)
                return True
            self._rest(AGAIN_S)
        return False

    def _keep(self, one: Welcome | Greeting, text: str) -> None:
        if isinstance(one, Greeting):
            return  # nobody we could write to; the words are the colleague's own greeting
        with self._house.unit_of_work() as uow:
            account = Account(CHANNEL, one.external_id)
            member_id = servicers.greeted(account, text, uow=uow, now=self._house.clock.now())
            uow.commit()
        if member_id is not None:
            self._changed(member_id)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                one = self._waiting.get(timeout=LOOK_S)
            except Empty:
                continue
            try:
                self.greet(one)
            except Exception as broken:
                logger.exception("not greeted", extra={"channel": CHANNEL, "code": type(broken).__name__})
