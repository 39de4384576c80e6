"""The distance between two messages to one chat."""

from __future__ import annotations

from typing import cast

from bot.delivery import Lane, Way
from care.bootstrap import House
from care.model.ids import ConversationId, IdentityId, MemberId, MessageId, OutboxId
from care.model.message import Author, OutboxItem
from care.testing import FakeClock, FakeSender


def an_item(name: str, chat: str, lease: int = 1) -> OutboxItem:
    return OutboxItem(
        id=OutboxId(name),
        key=name,
        conversation_id=ConversationId(chat),
        member_id=MemberId(chat),
        message_id=MessageId(name),
        identity_id=IdentityId(chat),
        channel="telegram",
        author=Author.BOT,
        epoch=0,
        queued_at=FakeClock("2026-03-04T10:00+08:00").now(),
        lease=lease,
    )


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def a_lane(watch: Watch) -> Lane:
    way = Way(FakeSender("telegram"), pace_s=1.0)
    return Lane(cast("House", None), way, settled=lambda _: None, monotonic=watch)


def taken(lane: Lane) -> str | None:
    item, _ = lane.next_due()
    return item.id if item else None


def test_a_second_message_to_a_chat_waits_a_second_while_other_chats_go_on() -> None:
    watch = Watch()
    lane = a_lane(watch)
    for item in (an_item("one", "anna"), an_item("two", "anna"), an_item("three", "bo")):
        lane.put(item)

    assert taken(lane) == "one"
    assert taken(lane) == "three"
    item, wait = lane.next_due()
    assert item is None
    assert wait == 1.0
    watch.now += 1.0
    assert taken(lane) == "two"


def test_a_message_claimed_anew_takes_the_place_of_its_older_claim() -> None:
    lane = a_lane(Watch())
    lane.put(an_item("one", "anna", lease=1))
    lane.put(an_item("one", "anna", lease=2))

    item, _ = lane.next_due()

    assert item is not None
    assert item.lease == 2
    assert lane.next_due() == (None, None)
