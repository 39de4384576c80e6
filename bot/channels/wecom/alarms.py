"""Ringing colleagues through the application's own messages: level, case, time and link, nothing about anybody.

One look every few seconds gathers all that is due for the same people into one message; so nobody is sent more than
the vendor shows (30 a minute, the rest is dropped without a word). The same words within half an hour are shown once,
which makes repeating after a crash harmless.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.channels.wecom.kf import Kf
from care.bootstrap import House
from care.model.alarm import Alarm
from care.model.case import CaseLevel
from care.model.errors import CareError
from care.model.staff import Role, Staff
from care.services import alarms
from care.services.alarms import Ring

logger = logging.getLogger(__name__)

LOOK_S = 5.0  # seconds between two looks: at most 12 messages a minute to anybody
LINES = 20  # cases one message names; 2,048 bytes are shown
AGAIN = timedelta(seconds=15)  # after a call that failed
CASE_SHOWN = 8  # characters of a case's id, enough to find it
NAMES = {CaseLevel.L0: "急症", CaseLevel.P3: "危机", CaseLevel.L1: "紧急"}


class Bells:
    """Rings colleagues.

    Args:
        house: open.
        kf: the vendor's interface.
    """

    def __init__(self, house: House, kf: Kf) -> None:
        self._house = house
        self._kf = kf
        self._alerts: list[str] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start looking."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="wecom-bells", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask the thread to end after the call that is being made."""
        self._stopping.set()

    def stop(self) -> None:
        """End and wait for it, at most ten seconds."""
        self.end()
        if self._thread is not None:
            self._thread.join(10.0)

    def alert(self, conversation_id: str) -> None:
        """Colleagues should look at a conversation: what was meant for it cannot leave. Does not wait."""
        with self._lock:
            if conversation_id not in self._alerts:
                self._alerts.append(conversation_id)

    def look(self) -> int:
        """Ring for everything that is due; return how many cases rang."""
        with self._house.unit_of_work() as uow:
            rings = alarms.due(uow=uow, now=self._house.clock.now())
            uow.commit()
        rung = sum(self._ring(ring) for ring in rings)
        self._pass_alerts_on()
        return rung

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self.look()
            except Exception as broken:  # a locked database must not end the thread
                logger.exception("bells not looked at", extra={"code": type(broken).__name__})

    def _ring(self, ring: Ring) -> int:
        text = words(ring.alarms, self._house)
        reached = self._say(ring.people, text) if ring.people else False
        if not ring.people:
            logger.error("nobody can be rung", extra={"count": len(ring.alarms), "code": "no_wecom_id"})
        with self._house.unit_of_work() as uow:
            now = self._house.clock.now()
            for alarm in ring.alarms:
                if reached:
                    alarms.rang(alarm, uow=uow, now=now)
                elif ring.people:
                    alarms.not_rung(alarm, uow=uow, now=now, after=AGAIN)
                else:
                    alarms.not_rung(alarm, uow=uow, now=now)
            uow.commit()
        for alarm in ring.alarms if reached else ():
            logger.info("rung", extra={"case_id": alarm.case_id, "level": alarm.level, "attempt": alarm.rounds})
        return len(ring.alarms) if reached else 0

    def _say(self, people: Sequence[Staff], text: str) -> bool:
        """Say it to all of them, and to everybody else who can be reached if none of them exists over there."""
        unknown = self._send(people, text)
        if unknown is None:
            return False
        for one in people:
            if one.wecom_id in unknown:
                logger.error("colleague not known to WeCom", extra={"staff_id": one.id, "code": "invaliduser"})
        if len(unknown) < len(people):
            return True
        with self._house.unit_of_work() as uow:
            reachable = alarms.on_phone(uow=uow, now=self._house.clock.now())
        known = {one.id for one in people}
        others = [one for one in reachable if one.id not in known]
        unknown = self._send(others, text) if others else None
        return unknown is not None and len(unknown) < len(others)

    def _send(self, people: Sequence[Staff], text: str) -> set[str] | None:
        """Return which of them the vendor does not know, or None if nothing was sent."""
        try:
            return self._kf.notify([one.wecom_id for one in people if one.wecom_id], text)
        except CareError as failure:
            logger.error("colleagues not rung", extra={"count": len(people), "code": failure.code})
            return None

    def _pass_alerts_on(self) -> None:
        with self._lock:
            waiting, self._alerts = self._alerts, []
        if not waiting:
            return
        with self._house.unit_of_work() as uow:
            people = [
                one
                for one in alarms.on_phone(uow=uow, now=self._house.clock.now())
                if one.role in {Role.CARER, Role.LEAD}
            ]
        shown = "、".join(one[:CASE_SHOWN] for one in waiting[:LINES])
        text = f"【安心】有会话要人到控制台看一下：{shown}{link(self._house)}"
        if people and self._send(people, text) is None:
            for one in waiting:
                self.alert(one)


def words(ringing: Sequence[Alarm], house: House) -> str:
    """Return what colleagues are shown: never who it is or what was said."""
    lines = [_line(alarm, house) for alarm in ringing[:LINES]]
    if len(ringing) > LINES:
        lines.append(f"另有 {len(ringing) - LINES} 件")
    rounds = max(alarm.rounds for alarm in ringing)
    head = "【安心】有人在等" if rounds == 0 else f"【安心】还没有人应答（第 {rounds + 1} 次提醒）"
    return "\n".join([head, *lines]) + link(house)


def link(house: House) -> str:
    """Return a line with the console's address, if it is known."""
    base = house.settings.public_url.rstrip("/")
    return f"\n{base}/console" if base else ""


def _line(alarm: Alarm, house: House) -> str:
    return f"{NAMES[alarm.level]} {alarm.level} 个案 {alarm.case_id[:CASE_SHOWN]}，{_until(alarm, house)}"


def _until(alarm: Alarm, house: House) -> str:
    due: datetime = alarm.due_at.astimezone(house.zone)
    late = alarm.due_at <= house.clock.now()
    return f"{due:%H:%M} 已过" if late else f"{due:%H:%M} 前要联系上"
