"""From a channel into the house: store first, acknowledge, then work through the inbox.

Workers claim one stored message at a time with a lease; a conversation is never worked on by two. What a turn
raises is logged by its code. After three attempts the member is told honestly and a human gets a case.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.pulse import Pulse
from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.errors import CareError, Conflict, NotFound, OwnershipLost
from care.model.message import Author, InboxItem, InboxState
from care.services import conversations, outbox, promises, turns
from care.services.conversations import Inbound, Recorded

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # then a human sees it
RETRY_S = 2.0  # seconds before a failed turn is tried again, times the attempt
IDLE_S = 0.5  # seconds between two looks into an inbox nobody rang for
STOP_WITHIN_S = 10.0

Process = Callable[[InboxItem], None]


def clean(text: str) -> str:
    """Return text that every store can keep: no NUL, no half surrogates; otherwise as it was written."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


def accept(house: House, inbound: Inbound) -> Recorded:
    """Store an inbound message for good; only after this may a channel acknowledge it.

    Two first messages of one new account at the same instant clash in the database; the loser is tried once more
    and then finds the member the winner made.
    """
    cleaned = replace(inbound, text=clean(inbound.text))
    try:
        return _record(house, cleaned)
    except Exception as clash:  # the database's own errors are not known out here
        if isinstance(clash, CareError) and not isinstance(clash, Conflict):
            raise
        logger.warning("inbound tried again", extra={"channel": inbound.channel, "code": type(clash).__name__})
    return _record(house, cleaned)


def _record(house: House, inbound: Inbound) -> Recorded:
    with house.unit_of_work() as uow:
        recorded = conversations.record_inbound(inbound, uow=uow, clock=house.clock)
        uow.commit()
    return recorded


def turn_parts(house: House) -> turns.Parts:
    """Return what a turn works with."""
    return turns.Parts(
        units=house.unit_of_work,
        clock=house.clock,
        pack=house.pack,
        safety=house.safety,
        dialogue=house.dialogue,
        zone=house.zone,
        codes=house.settings.code_terms,
    )


class Workers:
    """Threads that work through the inbox.

    Args:
        house: open.
        pulse: shows the typing sign while a turn runs.
        spoken: called after every turn, so that delivery looks at once.
        taken: called with a message when its turn begins, for a channel's typing sign; its failures do not matter.
        process: what one turn does; the real one unless a test says otherwise.
    """

    def __init__(
        self,
        house: House,
        pulse: Pulse,
        *,
        spoken: Callable[[], None],
        taken: Callable[[InboxItem], None] = lambda _: None,
        process: Process | None = None,
    ) -> None:
        self._house = house
        self._pulse = pulse
        self._spoken = spoken
        self._taken = taken
        parts = turn_parts(house)
        self._process: Process = process or (lambda item: turns.process(item, parts))
        self._rung = threading.Condition()
        self._rings = 0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the configured number of threads."""
        self._stopping.clear()
        for number in range(self._house.settings.workers):
            thread = threading.Thread(target=self._run, args=(number == 0,), name=f"inbox-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let running turns end, at most ten seconds; what is left goes on by its lease."""
        self._stopping.set()
        with self._rung:
            self._rung.notify_all()
        deadline = time.monotonic() + STOP_WITHIN_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._threads.clear()

    def wake(self) -> None:
        """Tell one waiting thread that a message was stored."""
        with self._rung:
            self._rings = min(self._rings + 1, self._house.settings.workers)
            self._rung.notify()

    def work_once(self) -> bool:
        """Claim one message and work it through; False if none was waiting."""
        item = self._claim()
        if item is None:
            return False
        self.wake()  # another conversation may be waiting too
        try:
            with self._pulse.working(item.member_id):
                self._one_turn(item)
        finally:
            self._spoken()
        return True

    def _run(self, looks: bool) -> None:
        while not self._stopping.is_set():
            try:
                if self.work_once():
                    continue
            except Exception as broken:  # a locked database must not end the thread
                logger.exception("inbox not readable", extra={"code": type(broken).__name__})
                self._stopping.wait(IDLE_S)
            with self._rung:
                if self._rings == 0 and not self._stopping.is_set():
                    self._rung.wait(IDLE_S if looks else IDLE_S * 10)
                self._rings = max(0, self._rings - 1)

    def _claim(self) -> InboxItem | None:
        now = self._house.clock.now()
        with self._house.unit_of_work() as uow:
            item = uow.inbox.claim(now, now + self._house.settings.inbox_lease)
            if item is not None:
                uow.commit()
        return item

    def _one_turn(self, item: InboxItem) -> None:
        extra = {"inbox_id": item.id, "conversation_id": item.conversation_id, "attempt": item.attempts}
        if item.attempts > ATTEMPTS:  # the process died under it three times
            give_up(self._house, item, "crashed")
            return
        begun = time.monotonic()
        self._tell_taken(item)
        try:
            self._process(item)
        except Conflict:
            logger.info("turn taken over", extra=extra)
        except Exception as failure:
            code = failure.code if isinstance(failure, CareError) else type(failure).__name__
            logger.exception("turn failed", extra=extra | {"code": code})
            if item.attempts >= ATTEMPTS:
                give_up(self._house, item, code)
            else:
                self._try_again(item)
        else:
            spent = int((time.monotonic() - begun) * 1000)
            logger.info("turn done", extra=extra | {"duration_ms": spent})

    def _tell_taken(self, item: InboxItem) -> None:
        try:
            self._taken(item)
        except Exception as nothing:
            logger.info("no typing sign", extra={"inbox_id": item.id, "code": type(nothing).__name__})

    def _try_again(self, item: InboxItem) -> None:
        again = self._house.clock.now() + timedelta(seconds=RETRY_S * item.attempts)
        try:
            with self._house.unit_of_work() as uow:
                fresh = uow.inbox.get(item.id)
                if fresh.state is not InboxState.CLAIMED or fresh.lease != item.lease:
                    return
                fresh.lease_until = again
                uow.inbox.save(fresh)
                uow.commit()
        except (Conflict, NotFound):
            return


def give_up(house: House, item: InboxItem, code: str) -> None:
    """Keep a message apart that no turn can answer: tell the member, bring in a human. Safe to repeat."""
    with house.unit_of_work() as uow:
        fresh = uow.inbox.get(item.id)
        if fresh.state is not InboxState.CLAIMED or fresh.lease != item.lease:
            return
        now = house.clock.now()
        conversation = uow.conversations.get(item.conversation_id, lock=True)
        message = uow.conversations.message(item.message_id)
        promise = promises.give(
            item.member_id,
            CaseLevel.W1,
            "turn_failed",
            uow=uow,
            now=now,
            zone=house.zone,
            pack=house.pack,
            message_id=message.id,
            summary=message.text,
        )
        if not conversation.crisis:
            text = house.pack.say("dialogue.down", 姓名=promise.name, 时间=promise.when, 电话=house.pack.duty_phone)
            try:
                outbox.enqueue(conversation, text, author=Author.BOT, key=f"turn:{item.id}:failed", uow=uow, now=now)
            except OwnershipLost:
                logger.info("a carer holds it", extra={"inbox_id": item.id, "code": "human_owner"})
        fresh.state, fresh.reason = InboxState.FAILED, f"turn_{code}"[:80]
        uow.inbox.save(fresh)
        uow.conversations.save(conversation)
        uow.commit()
    logger.error("turn given up", extra={"inbox_id": item.id, "code": code})
