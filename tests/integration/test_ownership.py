"""One owner at a time: after a takeover the bot is silent, whatever it still had in its mouth."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from care.model.conversation import Conversation
from care.model.errors import Conflict, InvalidInput, OwnershipLost
from care.model.ids import StaffId
from care.model.message import BOT_VOICES, Author, OutboxState
from care.services import conversations, outbox, sending
from care.testing import Book, PlainWords, a_colleague, a_member

WORDS = PlainWords()


def test_after_takeover_the_bot_can_no_longer_queue_anything(book: Book) -> None:
    conversation, carer = _conversation(book)
    _take_over(book, conversation, carer)

    with book.unit_of_work() as uow, pytest.raises(OwnershipLost):
        fresh = uow.conversations.get(conversation.id, lock=True)
        outbox.enqueue(fresh, "我来回答", author=Author.BOT, key="k", uow=uow, now=book.clock.now(), epoch=0)


def test_what_the_bot_had_queued_is_withdrawn_by_the_takeover(book: Book) -> None:
    conversation, carer = _conversation(book)
    with book.unit_of_work() as uow:
        fresh = uow.conversations.get(conversation.id, lock=True)
        outbox.enqueue(fresh, "排队中的话", author=Author.BOT, key="k", uow=uow, now=book.clock.now())
        uow.conversations.save(fresh)
        uow.commit()

    _take_over(book, conversation, carer)

    with book.unit_of_work() as uow:
        item = uow.outbox.by_key("k")
    assert item is not None
    assert (item.state, item.reason) == (OutboxState.WITHDRAWN, "human_owner")


def test_a_bot_message_claimed_before_the_takeover_is_not_sent_after_it(book: Book) -> None:
    conversation, carer = _conversation(book)
    with book.unit_of_work() as uow:
        fresh = uow.conversations.get(conversation.id, lock=True)
        outbox.enqueue(fresh, "已被领走的话", author=Author.CHECK_IN, key="k", uow=uow, now=book.clock.now())
        uow.conversations.save(fresh)
        uow.commit()
    with book.unit_of_work() as uow:
        now = book.clock.now()
        claimed = uow.outbox.claim(now, now + timedelta(seconds=60), 10)
        uow.commit()
    _take_over(book, conversation, carer)

    with book.unit_of_work() as uow, pytest.raises(Conflict):
        sending.start_sending(claimed[0], idempotent=False, uow=uow, now=book.clock.now())


def test_a_thousand_races_leave_no_bot_message_after_a_takeover(book: Book) -> None:
    rounds = 1000 if book.engine.dialect.name == "sqlite" else 100
    chance = random.Random(7)
    for number in range(rounds):
        if number % 50 == 0:
            conversation, carer = _conversation(book)
        _race(book, conversation, carer, f"race-{number}", takeover_first=chance.random() < 0.5)
    with book.unit_of_work() as uow:
        now = book.clock.now()
        left = uow.outbox.claim(now, now + timedelta(seconds=60), 10_000)
        stale = [
            item
            for item in left
            if item.author in BOT_VOICES and uow.conversations.get(item.conversation_id).epoch != item.epoch
        ]
    assert stale == []


def test_a_real_race_between_threads_has_one_order(book: Book) -> None:
    for number in range(20):
        conversation, carer = _conversation(book)
        with ThreadPoolExecutor(2) as both:
            bot = both.submit(_bot_answers, book, conversation, f"thread-{number}")
            human = both.submit(_take_over, book, conversation, carer)
            said = bot.result()
            human.result()
        with book.unit_of_work() as uow:
            item = uow.outbox.by_key(f"thread-{number}")
            epoch = uow.conversations.get(conversation.id).epoch
        assert epoch == 1
        if said:
            assert item is not None
            assert item.state is OutboxState.WITHDRAWN
        else:
            assert item is None


def test_a_carers_first_word_takes_the_conversation_over(book: Book) -> None:
    conversation, carer = _conversation(book)

    with book.unit_of_work() as uow:
        conversations.write_as_carer(conversation.id, carer, "我是李静，在呢。", key="1", uow=uow, clock=book.clock)
        uow.commit()

    with book.unit_of_work() as uow:
        assert uow.conversations.get(conversation.id).owner == carer


def test_sending_the_same_carer_message_twice_sends_once(book: Book) -> None:
    conversation, carer = _conversation(book)
    for _ in range(2):
        with book.unit_of_work() as uow:
            conversations.write_as_carer(conversation.id, carer, "在呢。", key="same", uow=uow, clock=book.clock)
            uow.commit()

    with book.unit_of_work() as uow:
        said = uow.conversations.history(conversation.id)
    assert [message.text for message in said] == ["在呢。"]


def test_a_colleague_does_not_write_into_anothers_conversation(book: Book) -> None:
    conversation, carer = _conversation(book)
    _take_over(book, conversation, carer)
    with book.unit_of_work() as uow:
        other = a_colleague(uow, now=book.clock.now(), name="赵敏")

        with pytest.raises(Conflict):
            conversations.write_as_carer(conversation.id, other.id, "我也来", key="1", uow=uow, clock=book.clock)


def test_handing_back_needs_an_outcome_and_gives_the_bot_a_new_epoch(book: Book) -> None:
    conversation, carer = _conversation(book)
    _take_over(book, conversation, carer)

    with book.unit_of_work() as uow, pytest.raises(InvalidInput):
        conversations.hand_back(
            conversation.id,
            carer,
            outcome=" ",
            next_step="复诊",
            may_mention=True,
            uow=uow,
            clock=book.clock,
            pack=WORDS,
        )
    with book.unit_of_work() as uow:
        back = conversations.hand_back(
            conversation.id,
            carer,
            outcome="已电话安抚",
            next_step="明早复诊",
            may_mention=True,
            uow=uow,
            clock=book.clock,
            pack=WORDS,
        )
        uow.commit()

    assert back.owned_by_bot
    assert back.epoch == 2
    with book.unit_of_work() as uow:
        notes = [message for message in uow.conversations.history(conversation.id) if message.note]
    assert [note.text for note in notes] == ["已电话安抚\n下一步：明早复诊"]


def _conversation(book: Book) -> tuple[Conversation, StaffId]:
    with book.unit_of_work() as uow:
        member = a_member(uow, now=book.clock.now())
        carer = a_colleague(uow, now=book.clock.now())
        conversation = uow.conversations.of_member(member.id)
        uow.commit()
    assert conversation is not None
    return conversation, carer.id


def _take_over(book: Book, conversation: Conversation, carer: StaffId) -> None:
    with book.unit_of_work() as uow:
        conversations.take_over(conversation.id, carer, uow=uow, clock=book.clock, pack=WORDS)
        uow.commit()


def _bot_answers(book: Book, conversation: Conversation, key: str) -> bool:
    """Answer as a turn does: composed under the epoch seen at first, queued under the lock."""
    try:
        with book.unit_of_work() as uow:
            fresh = uow.conversations.get(conversation.id, lock=True)
            outbox.enqueue(fresh, "答", author=Author.BOT, key=key, uow=uow, now=book.clock.now(), epoch=0)
            uow.conversations.save(fresh)
            uow.commit()
    except OwnershipLost:
        return False
    return True


def _race(book: Book, conversation: Conversation, carer: StaffId, key: str, *, takeover_first: bool) -> None:
    """Interleave one bot turn with one takeover and hand-back, at every order two transactions can have."""
    with book.unit_of_work() as uow:
        seen = uow.conversations.get(conversation.id).epoch
    if takeover_first:
        _take_over(book, conversation, carer)
    with book.unit_of_work() as uow:
        fresh = uow.conversations.get(conversation.id, lock=True)
        try:
            outbox.enqueue(fresh, "答", author=Author.BOT, key=key, uow=uow, now=book.clock.now(), epoch=seen)
            uow.conversations.save(fresh)
            uow.commit()
        except OwnershipLost:
            assert takeover_first
    if not takeover_first:
        _take_over(book, conversation, carer)
    with book.unit_of_work() as uow:
        conversations.hand_back(
            conversation.id,
            carer,
            outcome="好",
            next_step="好",
            may_mention=True,
            uow=uow,
            clock=book.clock,
            pack=WORDS,
        )
        uow.commit()
