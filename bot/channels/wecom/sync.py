"""Pulling what was said to a service account: one reader at a time, nothing lost, nothing taken twice.

A callback only rings a bell. A thread pulls, page by page: the rows of a page and the mark where the next one begins
are kept in one transaction, so that a crash anywhere repeats at most a page whose rows are recognised. Somebody who
was never told of (a lost callback, a restart) is found by pulling every minute without a bell.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.channels.wecom import rows
from bot.channels.wecom.kf import Kf, Page
from bot.channels.wecom.parse import CHANNEL, Malformed, Origin, Row, row
from bot.channels.wecom.rows import Welcome
from care.bootstrap import House
from care.model.errors import CareError, ChannelDown, Conflict, SendLater
from care.model.vendor import Cursor
from care.services import servicers
from care.services.conversations import Recorded
from care.services.servicers import Account

logger = logging.getLogger(__name__)

PAGE = 100  # rows of one transaction; the vendor's most is 1,000, but nobody else writes meanwhile
LEASE = timedelta(seconds=30)  # longer than any call; so long a log waits after its reader was killed
TRIES = 3  # of one row that cannot be kept; then it is left, told, and does not hold up the others
STANDING = 50  # pages in a row that bring nothing and move nothing
BUSY_S = 0.5  # seconds until a log somebody else reads is looked at again
PAUSES_S = (1.0, 5.0, 15.0, 60.0)  # after the first, second, … failed pull in a row


class Busy(Exception):
    """Another reader holds this log."""


@dataclass(slots=True)
class _Ear:
    """What is known about one service account's log in this process."""

    token: str | None = None  # of a bell nobody answered yet
    rung: bool = False
    next_at: float = 0.0  # of the monotonic clock: not before
    failures: int = 0


class Puller:
    """Reads the logs of the service accounts.

    Args:
        house: open.
        kf: the vendor's interface.
        stored: called after every message that was stored.
        greet: called with every welcome that is still in time, after the commit that knows of it.
    """

    def __init__(
        self,
        house: House,
        kf: Kf,
        *,
        stored: Callable[[Recorded], None],
        greet: Callable[[Welcome], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house = house
        self._kf = kf
        self._stored = stored
        self._greet = greet
        self._monotonic = monotonic
        self._ears: dict[str, _Ear] = {}
        self._failed: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start reading: at once everything that was missed while nobody read."""
        with self._house.unit_of_work() as uow:
            known = [source.partition(":")[2] for source in uow.cursors.sources(f"{CHANNEL}:")]
        for open_kfid in {*known, *self._house.settings.wecom_kf_accounts}:
            self._ears.setdefault(open_kfid, _Ear())
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="wecom-pull", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask the thread to end after the page that is being read."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End and wait for it, at most ten seconds."""
        self.end()
        if self._thread is not None:
            self._thread.join(10.0)

    def ring(self, open_kfid: str, token: str) -> None:
        """There is something to pull. Does not wait."""
        with self._changed:
            ear = self._ears.setdefault(open_kfid, _Ear())
            ear.rung, ear.token = True, token or None
            self._changed.notify_all()

    def pull(self, open_kfid: str, token: str = "") -> int:
        """Read a log to its end and return how many rows it brought.

        Raises:
            Busy: somebody else reads it.
            CareError: the vendor refuses or does not answer; what was read so far is kept.
        """
        now = self._house.clock.now()
        with self._house.unit_of_work() as uow:
            cursor = uow.cursors.claim(_source(open_kfid), now, now + LEASE)
            uow.commit()
        if cursor is None:
            raise Busy
        try:
            return self._read(open_kfid, cursor, token)
        finally:
            self._let_go(cursor)

    def _read(self, open_kfid: str, cursor: Cursor, token: str) -> int:
        count = standing = 0
        while not self._stopping:
            page = self._kf.sync_msg(open_kfid, cursor.position, token, PAGE)
            moved = page.position != cursor.position
            self._keep(open_kfid, cursor, page)
            count += len(page.rows)
            if not page.more:
                break
            standing = 0 if moved or page.rows else standing + 1
            if standing >= STANDING:
                logger.error("log stands still", extra={"channel": CHANNEL, "code": "no_progress"})
                break
        return count

    def _keep(self, open_kfid: str, cursor: Cursor, page: Page) -> None:
        """Keep a page and where the next one begins, in one transaction."""
        read, cold = list(_readable(page.rows, open_kfid)), not cursor.caught_up
        try:
            taken = self._keep_together(cursor, page, read, cold)
        except Conflict:
            raise
        except Exception as broken:  # one bad row, or the database itself: only singly can it be told
            logger.warning("page kept singly", extra={"channel": CHANNEL, "code": type(broken).__name__})
            taken = self._keep_singly(cursor, page, read, cold)
        self._tell(taken)

    def _keep_together(self, cursor: Cursor, page: Page, read: list[Row], cold: bool) -> list[rows.Taken]:
        with self._house.unit_of_work() as uow:
            taken = [rows.take(one, self._house, uow=uow, cold=cold) for one in read]
            self._move(cursor, page)
            uow.cursors.save(cursor)
            uow.commit()
        return taken

    def _keep_singly(self, cursor: Cursor, page: Page, read: list[Row], cold: bool) -> list[rows.Taken]:
        """Keep each row by itself, then the mark. A row that fails for the third time is left behind, with a word.

        A database in trouble leaves nothing behind: the mark, which is kept last, does not move either.
        """
        taken: list[rows.Taken] = []
        for one in read:
            try:
                with self._house.unit_of_work() as uow:
                    taken.append(rows.take(one, self._house, uow=uow, cold=cold))
                    uow.commit()
            except Exception as broken:
                self._failed[one.msgid] += 1
                code = broken.code if isinstance(broken, CareError) else type(broken).__name__
                extra = {"channel": CHANNEL, "code": code, "attempt": self._failed[one.msgid]}
                if self._failed[one.msgid] < TRIES:
                    logger.warning("row not kept", extra=extra)
                    self._tell(taken)
                    raise
                del self._failed[one.msgid]
                logger.exception("row left behind", extra=extra)
                self._tell_carers(one)
        with self._house.unit_of_work() as uow:
            self._move(cursor, page)
            uow.cursors.save(cursor)
            uow.commit()
        return taken

    def _tell_carers(self, one: Row) -> None:
        """A customer's word is only in WeCom: somebody has to look there."""
        if one.origin != Origin.CUSTOMER:
            return
        try:
            with self._house.unit_of_work() as uow:
                servicers.not_stored(
                    Account(CHANNEL, one.external_id), uow=uow, now=self._house.clock.now(), zone=self._house.zone
                )
                uow.commit()
        except Exception as broken:
            logger.error("carers not told", extra={"channel": CHANNEL, "code": type(broken).__name__})

    def _move(self, cursor: Cursor, page: Page) -> None:
        now = self._house.clock.now()
        cursor.position, cursor.moved_at, cursor.lease_until = page.position, now, now + LEASE
        cursor.caught_up = cursor.caught_up or not page.more

    def _tell(self, taken: Iterable[rows.Taken]) -> None:
        for one in taken:
            if one.recorded is not None and one.recorded.message_id is not None:
                self._stored(one.recorded)
            if one.welcome is not None:
                self._greet(one.welcome)

    def _let_go(self, cursor: Cursor) -> None:
        try:
            with self._house.unit_of_work() as uow:
                fresh = uow.cursors.get(cursor.source)
                if fresh is not None and fresh.lease == cursor.lease:
                    uow.cursors.save(replace(fresh, lease_until=None))
                    uow.commit()
        except Exception as busy:  # it lapses by itself
            logger.warning("log not let go", extra={"channel": CHANNEL, "code": type(busy).__name__})

    # The thread

    def _run(self) -> None:
        while (turn := self._next()) is not None:
            open_kfid, token = turn
            self._one(open_kfid, token)

    def _next(self) -> tuple[str, str] | None:
        """Wait for the next log to be read; None at the end."""
        with self._changed:
            while not self._stopping:
                now = self._monotonic()
                for open_kfid, ear in self._ears.items():
                    held_back = ear.failures > 0 and ear.next_at > now
                    if (ear.rung and not held_back) or ear.next_at <= now:
                        token, ear.rung, ear.token = ear.token, False, None
                        return open_kfid, token or ""
                soonest = min((ear.next_at for ear in self._ears.values()), default=now + BUSY_S)
                self._changed.wait(max(0.01, min(soonest - now, 1.0)))
        return None

    def _one(self, open_kfid: str, token: str) -> None:
        ear = self._ears[open_kfid]
        every_s = self._house.settings.wecom_pull_every.total_seconds()
        try:
            count = self.pull(open_kfid, token)
        except Busy:
            self._put_off(ear, BUSY_S, token)
            return
        except Exception as broken:
            ear.failures += 1
            pause = PAUSES_S[min(ear.failures, len(PAUSES_S)) - 1]
            if isinstance(broken, SendLater | ChannelDown) and broken.after_s:
                pause = max(pause, broken.after_s)
            code = broken.code if isinstance(broken, CareError) else type(broken).__name__
            log = logger.error if isinstance(broken, ChannelDown) else logger.warning
            log("log not read", extra={"channel": CHANNEL, "code": code, "attempt": ear.failures})
            self._put_off(ear, pause, token)
            return
        ear.failures = 0
        ear.next_at = self._monotonic() + every_s
        if count:
            logger.info("log read", extra={"channel": CHANNEL, "count": count})

    def _put_off(self, ear: _Ear, seconds: float, token: str) -> None:
        with self._changed:
            ear.next_at = self._monotonic() + seconds
            if not ear.rung and token:
                ear.token = token  # its ten minutes may not be over


def _source(open_kfid: str) -> str:
    return f"{CHANNEL}:{open_kfid}"


def _readable(raw: Iterable[object], open_kfid: str) -> Iterable[Row]:
    for data in raw:
        try:
            one = row(data)
        except Malformed:
            logger.warning("row malformed", extra={"channel": CHANNEL, "code": "malformed"})
            continue
        yield one if one.open_kfid else replace(one, open_kfid=open_kfid)
