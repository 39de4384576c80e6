"""Out of the house: the only code that calls a channel's sender.

Claimed in batches, marked `sending` one message at a time in a transaction of its own, sent outside any
transaction, settled in another. One lane a channel: a vendor that hangs holds up nobody else. Two messages to one
chat keep the distance the channel asks for.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from care.bootstrap import House
from care.model.errors import (
    CareError,
    ChannelDown,
    Conflict,
    NotFound,
    RightSpent,
    SendLater,
    SendRefused,
    SendUnknown,
)
from care.model.member import Identity
from care.model.message import Message, OutboxItem
from care.ports import ChannelSender, Nudger, UnitOfWork
from care.services import outbox, sending

logger = logging.getLogger(__name__)

BATCH = 50
IDLE_S = 0.3  # seconds between two looks into an outbox nobody rang for
STOP_WITHIN_S = 10.0
SETTLE_TRIES = 3
CHANNEL_OFF_S = 60.0  # seconds until a message for a channel that is switched off is looked at again

NOTICE_ONLY = frozenset({"bad_template", "not_authorised"})  # refused to a notice, these say nothing of messages

Settle = Callable[[UnitOfWork], None]


@dataclass(frozen=True, slots=True)
class Way:
    """How one channel is served: by what, by how many threads, with how much distance a chat."""

    sender: ChannelSender
    threads: int = 1
    pace_s: float = 0.0  # seconds between two messages to one chat


def deliver_once(house: House, senders: Mapping[str, ChannelSender]) -> int:
    """Claim one batch and send it, without threads and without pacing; return how many were claimed."""
    items = _claim(house)
    for item in items:
        send_one(house, item, senders.get(item.channel))
    return len(items)


def deliver_all(house: House, senders: Mapping[str, ChannelSender]) -> int:
    """Deliver batches until nothing is due; return how many were claimed."""
    total = 0
    while count := deliver_once(house, senders):
        total += count
    return total


def _claim(house: House) -> list[OutboxItem]:
    now = house.clock.now()
    with house.unit_of_work() as uow:
        items = uow.outbox.claim(now, now + house.settings.outbox_lease, BATCH)
        if items:
            uow.commit()
    return items


def send_one(house: House, item: OutboxItem, sender: ChannelSender | None) -> None:
    """Bring one claimed message to its end, whatever the channel says."""
    try:
        found = _begin(house, item, sender)
        if found is None or sender is None:
            return
        settle = _call(house, item, sender, *found)
        _settle(house, item, settle)
    except (Conflict, NotFound) as lost:
        logger.info("delivery taken over", extra={"outbox_id": item.id, "code": lost.code})


def _begin(house: House, item: OutboxItem, sender: ChannelSender | None) -> tuple[Identity, Message] | None:
    with house.unit_of_work() as uow:
        idempotent = sender.idempotent if sender else True
        if not sending.start_sending(item, idempotent=idempotent, uow=uow, now=house.clock.now()):
            uow.commit()
            logger.info("not sent", extra={"outbox_id": item.id, "state": item.state, "reason": item.reason})
            return None
        if sender is None:
            sending.settle_later(item, "channel_off", CHANNEL_OFF_S, uow=uow, clock=house.clock)
            uow.commit()
            return None
        message = outbox.as_sent(item, uow.conversations.message(item.message_id), uow.terms)
        found = uow.members.identity_by_id(item.identity_id), message
        uow.commit()
    return found


def _call(house: House, item: OutboxItem, sender: ChannelSender, to: Identity, message: Message) -> Settle:
    """Call the channel outside any transaction and return how what it said is to be kept."""
    clock = house.clock
    extra = {"outbox_id": item.id, "channel": item.channel, "attempt": item.attempts}
    try:
        if item.template is None:
            provider_id = sender.send(to, message, item.id)
        else:
            provider_id = cast("Nudger", sender).nudge(to, item.template, item.id)
    except RightSpent as spent:
        reason = spent.reason
        logger.warning("right spent", extra=extra | {"reason": reason})
        return lambda uow: sending.settle_spent(item, reason, uow=uow, clock=clock)
    except ChannelDown as down:
        if item.template is not None and down.reason in NOTICE_ONLY:
            reason = down.reason
            logger.error("notice refused", extra=extra | {"reason": reason})
            return lambda uow: sending.settle_refused(item, reason, uow=uow, clock=clock)
        return _down(house, item, down)
    except SendRefused as refused:
        reason = refused.reason
        logger.warning("send refused", extra=extra | {"reason": reason})
        return lambda uow: sending.settle_refused(item, reason, uow=uow, clock=clock)
    except SendLater as later:
        reason, after_s = later.reason, later.after_s
        logger.warning("send later", extra=extra | {"reason": reason})
        return lambda uow: sending.settle_later(item, reason, after_s, uow=uow, clock=clock)
    except SendUnknown as unknown:
        logger.warning("send unknown", extra=extra | {"code": unknown.code})
        return lambda uow: sending.settle_unknown(item, uow=uow, clock=clock)
    except Exception as broken:  # ours or the library's fault; it may have left all the same
        logger.exception("sender broken", extra=extra | {"code": type(broken).__name__})
        return lambda uow: sending.settle_unknown(item, uow=uow, clock=clock)
    logger.info("sent", extra=extra)
    return lambda uow: sending.settle_sent(item, provider_id, uow=uow, clock=clock)


def _down(house: House, item: OutboxItem, down: ChannelDown) -> Settle:
    """Pause the channel; only the first message that is told so raises the alarm."""

    def settle(uow: UnitOfWork) -> None:
        first = sending.settle_down(item, down.reason, down.after_s, uow=uow, clock=house.clock)
        level = logging.ERROR if first else logging.INFO
        logger.log(level, "channel down", extra={"channel": item.channel, "reason": down.reason})

    return settle


def _settle(house: House, item: OutboxItem, settle: Settle) -> None:
    """Keep what became of it; a database that is busy for a moment must not turn `sent` into `unknown`."""
    for attempt in range(1, SETTLE_TRIES + 1):
        try:
            with house.unit_of_work() as uow:
                settle(uow)
                uow.commit()
        except CareError:
            raise
        except Exception as busy:
            logger.warning("not settled", extra={"outbox_id": item.id, "code": type(busy).__name__})
            if attempt == SETTLE_TRIES:
                raise
        else:
            return


class Lane:
    """The queue of one channel, served by its own threads."""

    def __init__(
        self,
        house: House,
        way: Way | None,
        *,
        settled: Callable[[OutboxItem], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house = house
        self._way = way
        self._settled = settled
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, OutboxItem] = OrderedDict()
        self._free_at: dict[str, float] = {}  # chat → when it may hear from us again
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def start(self, name: str) -> None:
        """Start the lane's threads."""
        for number in range(self._way.threads if self._way else 1):
            thread = threading.Thread(target=self._run, name=f"outbox-{name}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def put(self, item: OutboxItem) -> None:
        """Queue a claimed message; one claimed anew replaces its older claim in place."""
        with self._changed:
            self._waiting[item.id] = item
            self._changed.notify()

    def end(self) -> None:
        """Ask the threads to end; what still waits is claimed again after its lease."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify_all()

    def join(self, deadline: float) -> None:
        """Wait for the threads until `deadline`, in seconds of the monotonic clock."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def next_due(self) -> tuple[OutboxItem | None, float | None]:
        """Return the first message whose chat may hear it now, else how many seconds until one may."""
        now = self._monotonic()
        soonest: float | None = None
        for key, item in self._waiting.items():
            wait = self._free_at.get(item.identity_id, 0.0) - now
            if wait <= 0:
                del self._waiting[key]
                if self._way and self._way.pace_s:
                    self._free_at[item.identity_id] = now + self._way.pace_s
                return item, None
            soonest = wait if soonest is None else min(soonest, wait)
        return None, soonest

    def _run(self) -> None:
        while True:
            with self._changed:
                item, wait = self.next_due()
                while item is None and not self._stopping:
                    self._changed.wait(IDLE_S if wait is None else min(wait, IDLE_S))
                    item, wait = self.next_due()
                if item is None:
                    return
            try:
                send_one(self._house, item, self._way.sender if self._way else None)
            except Exception as broken:
                logger.exception("delivery broken", extra={"outbox_id": item.id, "code": type(broken).__name__})
            self._after(item)
            self._settled(item)

    def _after(self, item: OutboxItem) -> None:
        """Count the distance from the end of a call, and forget chats that have had theirs."""
        if not self._way or not self._way.pace_s:
            return
        with self._changed:
            now = self._monotonic()
            self._free_at = {chat: at for chat, at in self._free_at.items() if at > now}
            self._free_at[item.identity_id] = now + self._way.pace_s


class Delivery:
    """Threads that empty the outbox.

    Args:
        house: open.
        ways: how each channel is served; a message for another channel waits and is dead after some tries.
        settled: called with every message that came to an end or was put off.

    Raises:
        ValueError: the settings cut messages longer than a channel takes.
    """

    def __init__(
        self, house: House, ways: Mapping[str, Way], *, settled: Callable[[OutboxItem], None] = lambda _: None
    ) -> None:
        for name, way in ways.items():
            ours, takes = house.terms.of(name).limit, way.sender.limit
            if takes is not None and (ours is None or ours.unit != takes.unit or ours.size > takes.size):
                raise ValueError(f"piece_limits: {name} takes at most {takes.size} {takes.unit} a message")
        self._house = house
        self._tell = settled
        self._lanes = {name: Lane(house, way, settled=self._settled) for name, way in ways.items()}
        self._off = Lane(house, None, settled=self._settled)
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start claiming and sending."""
        for name, lane in [*self._lanes.items(), ("off", self._off)]:
            lane.start(name)
        self._thread = threading.Thread(target=self._run, name="outbox-claim", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let running calls end, at most ten seconds."""
        self._stopping.set()
        self._bell.set()
        deadline = time.monotonic() + STOP_WITHIN_S
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        for lane in [*self._lanes.values(), self._off]:
            lane.end()
        for lane in [*self._lanes.values(), self._off]:
            lane.join(deadline)

    def wake(self) -> None:
        """Look into the outbox at once."""
        self._bell.set()

    def _settled(self, item: OutboxItem) -> None:
        self._tell(item)
        self.wake()  # the next one of this conversation has become claimable

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()
            try:
                items = _claim(self._house)
            except Exception as broken:  # a locked database must not end the thread
                logger.exception("outbox not readable", extra={"code": type(broken).__name__})
                items = []
            for item in items:
                self._lanes.get(item.channel, self._off).put(item)
            if len(items) < BATCH:
                self._bell.wait(IDLE_S)
