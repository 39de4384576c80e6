"""A small house for tests of the member edge: real database, no pack, no model, turns that answer at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from bot.inbound import accept
from care.bootstrap import House, Reading
from care.model.conversation import Conversation
from care.model.ids import MemberId
from care.model.message import Author, Button, InboxItem, InboxState, Message, OutboxItem
from care.model.pack import Pack
from care.ports import Slots
from care.services import outbox
from care.services.conversations import Inbound
from care.testing import Book, EveryHalfHour, FakeClock, FakeDialogue, PlainWords, test_settings

MORNING = "2026-03-04T10:00+08:00"


@contextmanager
def a_small_house(folder: Path, *, url: str = "", **settings: object) -> Iterator[House]:
    """Build a house around a fresh database, on SQLite unless a URL is given."""
    book = Book(
        url or f"sqlite:///{folder / 'care.db'}", f"sqlite:///{folder / 'keys' / 'k.db'}", folder, FakeClock(MORNING)
    )
    house = House(
        settings=test_settings(folder, **settings),
        clock=book.clock,
        pack=cast("Pack", PlainWords()),
        slots=cast("Slots", EveryHalfHour()),
        reading=cast("Reading", SimpleNamespace(safety=None)),
        dialogue=FakeDialogue(),
        engine=book.engine,
        keys=book.keys,
    )
    try:
        yield house
    finally:
        house.close()


def clock_of(house: House) -> FakeClock:
    """Return the house's clock, to be moved."""
    return cast("FakeClock", house.clock)


def a_writer(house: House, account: str = "a", channel: str = "web", text: str = "你好") -> Conversation:
    """Let somebody write for the first time and return their conversation."""
    recorded = accept(house, Inbound(channel, account, f"first:{account}", text))
    with house.unit_of_work() as uow:
        return uow.conversations.get(recorded.conversation_id)


def say(
    house: House,
    conversation: Conversation,
    text: str,
    *,
    author: Author = Author.BOT,
    buttons: tuple[Button, ...] = (),
    carer_id: str | None = None,
) -> Message:
    """Queue a message of ours."""
    with house.unit_of_work() as uow:
        fresh = uow.conversations.get(conversation.id, lock=True)
        now = house.clock.now()
        message = outbox.enqueue(
            fresh, text, author=author, key=f"said:{text}"[:110], uow=uow, now=now, buttons=buttons, carer_id=carer_id
        )
        uow.conversations.save(fresh)
        uow.commit()
    assert message is not None
    return message


def delivery_of(house: House, message: Message) -> OutboxItem:
    """Return what became of a message."""
    with house.unit_of_work() as uow:
        return uow.outbox.for_messages([message.id])[message.id]


def everything_said(house: House, member_id: MemberId) -> list[Message]:
    """Return all messages of a member."""
    with house.unit_of_work() as uow:
        conversation = uow.conversations.of_member(member_id)
        assert conversation is not None
        return uow.conversations.history(conversation.id)


def answers(house: House, *texts: str) -> Callable[[InboxItem], None]:
    """Return a turn that says these texts and is done."""

    def process(item: InboxItem) -> None:
        with house.unit_of_work() as uow:
            conversation = uow.conversations.get(item.conversation_id, lock=True)
            for number, text in enumerate(texts):
                outbox.enqueue(
                    conversation,
                    text,
                    author=Author.BOT,
                    key=f"turn:{item.id}:{number}",
                    uow=uow,
                    now=house.clock.now(),
                )
            item.state = InboxState.DONE
            uow.inbox.save(item)
            uow.conversations.save(conversation)
            uow.commit()

    return process
