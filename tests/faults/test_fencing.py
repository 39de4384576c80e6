"""Takeovers, replies, members' words and deliveries all at once: after a takeover the member hears no machine.

A reply whose sending begins after its round's takeover was committed must not reach the phone; what the phone shows
between "a colleague is here" and "the machine looks after you again" holds no word of the bot's either; and no word
of the member's is lost.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.delivery import send_one
from bot.inbound import accept
from care.bootstrap import House
from care.model.conversation import Conversation
from care.model.errors import OwnershipLost
from care.model.ids import ConversationId, MessageId, OutboxId, StaffId
from care.model.member import Identity
from care.model.message import BOT_VOICES, Author, Message, OutboxState
from care.services import conversations, outbox
from care.services.conversations import Inbound
from care.testing import FakeSender, a_colleague
from tests.conftest import new_database
from tests.member_edge import a_small_house, a_writer

MEMBERS = 20
ROUNDS = {"sqlite": 50, "postgres": 10}  # for each member: 1,000 and 200 interleavings
DELIVERERS = 2
LATE_S = 0.03  # at most so long after the others a takeover comes
PATIENT = 5  # every so many rounds it waits for the reply to be out, at most a second


class Phones(FakeSender):
    """A channel that keeps what each member's phone showed, in its order, and when its sending began."""

    def __init__(self) -> None:
        super().__init__("web")
        self.shown: dict[str, list[Message]] = {}
        self.begun: dict[str, float] = {}
        self.now = threading.local()

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Show it."""
        with self._lock:
            self.shown.setdefault(to.external_id, []).append(message)
            self.begun[message.text] = self.now.begun
        return outbox_id

    def showed(self, words: str, within_s: float) -> None:
        """Wait until a phone has shown these words, or for so long."""
        end = time.monotonic() + within_s
        while words not in self.begun and time.monotonic() < end:
            threading.Event().wait(0.002)


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def house(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if kind == "postgres" else ""
    with a_small_house(tmp_path, url=url) as made:
        yield made


def replies(house: House, conversation_id: ConversationId, key: str) -> None:
    """Answer as a turn does: the epoch is seen first, the answer queued later under the lock."""
    with house.unit_of_work() as uow:
        epoch = uow.conversations.get(conversation_id).epoch
    try:
        with house.unit_of_work() as uow:
            fresh = uow.conversations.get(conversation_id, lock=True)
            outbox.enqueue(
                fresh, f"答 {key}", author=Author.BOT, key=key, uow=uow, now=house.clock.now(), epoch=epoch
            )
            uow.conversations.save(fresh)
            uow.commit()
    except OwnershipLost:
        return


def takes_over(house: House, conversation_id: ConversationId, carer: StaffId) -> float:
    """Take over and return when that was committed."""
    with house.unit_of_work() as uow:
        conversations.take_over(conversation_id, carer, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()
    return time.monotonic()


def sends_what_is_due(house: House, phones: Phones, dawdle: Callable[[], object]) -> int:
    """Claim and send as delivery does, with a pause between the two in which everything may change."""
    now = house.clock.now()
    with house.unit_of_work() as uow:
        items = uow.outbox.claim(now, now + timedelta(seconds=60), 50)
        uow.commit()
    for item in items:
        dawdle()
        phones.now.begun = time.monotonic()
        send_one(house, item, phones)
    return len(items)


def hands_back(house: House, conversation_id: ConversationId, carer: StaffId) -> None:
    with house.unit_of_work() as uow:
        conversations.hand_back(
            conversation_id,
            carer,
            outcome="好了",
            next_step="无",
            may_mention=True,
            uow=uow,
            clock=house.clock,
            pack=house.pack,
        )
        uow.commit()


def test_no_interleaving_lets_the_bot_speak_after_a_takeover_or_loses_a_members_word(house: House, kind: str) -> None:
    phones, over, taken = Phones(), threading.Event(), dict[str, float]()
    talks = [a_writer(house, f"m{number}") for number in range(MEMBERS)]
    with house.unit_of_work() as uow:
        carer = a_colleague(uow, now=house.clock.now()).id
        uow.commit()

    def takes(talk: ConversationId, words: str, wait_s: float) -> None:
        phones.showed(words, wait_s)
        taken[words] = takes_over(house, talk, carer)

    def lives(number: int) -> None:
        """One member's takeovers, replies and words, in an order chance decides."""
        chance = random.Random(number)
        talk = talks[number]
        with ThreadPoolExecutor(3) as three:
            for turn in range(ROUNDS[kind]):
                key = f"{number}:{turn}"
                wait_s = 1.0 if turn % PATIENT == 0 else chance.random() * LATE_S
                deeds: list[Callable[[], object]] = [
                    partial(replies, house, talk.id, key),
                    partial(takes, talk.id, f"答 {key}", wait_s),
                    partial(accept, house, Inbound("web", f"m{number}", key, str(turn))),
                ]
                chance.shuffle(deeds)
                for done in [three.submit(deed) for deed in deeds]:
                    done.result()
                hands_back(house, talk.id, carer)

    def delivers() -> None:
        chance = random.Random(7)
        while not over.is_set():
            if not sends_what_is_due(house, phones, lambda: over.wait(chance.random() * 0.01)):
                over.wait(0.002)

    deliverers = [threading.Thread(target=delivers) for _ in range(DELIVERERS)]
    for one in deliverers:
        one.start()
    try:
        with ThreadPoolExecutor(4) as crowd:
            list(crowd.map(lives, range(MEMBERS)))
    finally:
        over.set()
        for one in deliverers:
            one.join()
    while sends_what_is_due(house, phones, lambda: None):
        pass

    too_late = {words for words, begun in phones.begun.items() if words in taken and begun > taken[words]}
    heard = [_heard(phones.shown[f"m{number}"]) for number in range(MEMBERS)]
    assert too_late == set()
    assert [after for _, after in heard] == [[]] * MEMBERS
    assert sum(count for count, _ in heard) > 0, "some replies were quick enough, or nothing was proved"
    for number, talk in enumerate(talks):
        assert _words_of(house, talk) == {"你好", *map(str, range(ROUNDS[kind]))}, f"m{number}"
        _ended_once(house, talk, phones.shown[f"m{number}"])


def _heard(shown: list[Message]) -> tuple[int, list[MessageId]]:
    """Return how many words of the bot a phone showed, and those it showed while a colleague was there."""
    count, there = 0, False
    wrong: list[MessageId] = []
    for message in shown:
        if message.author is Author.SYSTEM:
            there = message.text.startswith("owner.taken_over")
        elif message.author in BOT_VOICES:
            count += 1
            if there:
                wrong.append(message.id)
    return count, wrong


def _words_of(house: House, talk: Conversation) -> set[str]:
    with house.unit_of_work() as uow:
        said = uow.conversations.history(talk.id, limit=10_000)
    return {message.text for message in said if message.author is Author.MEMBER}


def _ended_once(house: House, talk: Conversation, shown: list[Message]) -> None:
    """Every message of ours was shown once or withdrawn, and nothing is left on its way."""
    with house.unit_of_work() as uow:
        said = [one for one in uow.conversations.history(talk.id, limit=10_000) if one.author is not Author.MEMBER]
        ends = uow.outbox.for_messages([one.id for one in said if not one.note])
    sent = [one for one, item in ends.items() if item.state is OutboxState.SENT]
    withdrawn = [one for one, item in ends.items() if item.state is OutboxState.WITHDRAWN]
    assert sorted(sent) == sorted(message.id for message in shown)
    assert len(sent) + len(withdrawn) == len(ends)
