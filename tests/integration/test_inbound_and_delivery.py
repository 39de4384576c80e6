"""The inbox is worked through once and in order; the outbox is emptied once, whatever the channel says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery import Delivery, Way, deliver_all, deliver_once, send_one
from bot.inbound import ATTEMPTS, Workers, accept
from bot.pulse import Pulse
from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.errors import Conflict, SendLater, SendRefused, SendUnknown
from care.model.ids import OutboxId
from care.model.member import Identity
from care.model.message import Author, InboxItem, InboxState, Message, OutboxState
from care.services import conversations
from care.services.conversations import Inbound
from care.testing import FakeSender, a_colleague
from tests.conftest import new_database
from tests.member_edge import a_small_house, a_writer, answers, clock_of, delivery_of, everything_said, say

WAIT_S = 10.0


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_small_house(tmp_path, url=url, workers=3) as made:
        yield made


def workers(house: House, process: Callable[[InboxItem], None], spoken: Callable[[], None] = lambda: None) -> Workers:
    return Workers(house, Pulse(), spoken=spoken, process=process)


def test_a_repeated_inbound_message_is_stored_once(house: House) -> None:
    first = accept(house, Inbound("web", "a", "v1", "你好"))
    again = accept(house, Inbound("web", "a", "v1", "你好"))

    assert first.message_id is not None
    assert again.message_id is None
    assert again.conversation_id == first.conversation_id


def test_two_first_messages_of_a_new_account_make_one_member(house: House) -> None:
    together = threading.Barrier(4)

    def write(number: int) -> str:
        together.wait(WAIT_S)
        return accept(house, Inbound("telegram", "new", f"v{number}", f"第 {number} 句")).member_id

    with ThreadPoolExecutor(4) as pool:
        members = set(pool.map(write, range(4)))

    assert len(members) == 1
    with house.unit_of_work() as uow:
        identity = uow.members.identity("telegram", "new")
        assert identity is not None
    assert len(everything_said(house, identity.member_id)) == 4


def test_a_conversation_is_worked_through_in_order_and_never_by_two(house: House) -> None:
    conversation = a_writer(house)
    for number in range(8):
        accept(house, Inbound("web", "a", f"v{number}", str(number)))
    busy = threading.Lock()
    overlaps, order, done = [], [], threading.Event()
    finish = answers(house)

    def process(item: InboxItem) -> None:
        if not busy.acquire(blocking=False):
            overlaps.append(item.id)
        with house.unit_of_work() as uow:
            order.append(uow.conversations.message(item.message_id).text)
        finish(item)
        busy.release()
        if len(order) == 9:
            done.set()

    crew = workers(house, process)
    crew.start()
    crew.wake()
    finished = done.wait(WAIT_S)
    crew.stop()

    assert finished
    assert overlaps == []
    assert order == ["你好", *map(str, range(8))]
    assert conversation.member_id


def test_several_members_are_served_at_the_same_time(house: House) -> None:
    for name in ("a", "b", "c"):
        a_writer(house, name)
    together = threading.Barrier(3)
    finish = answers(house)

    def process(item: InboxItem) -> None:
        together.wait(WAIT_S)  # breaks unless three turns run at once
        finish(item)

    crew = workers(house, process)
    crew.start()
    crew.wake()
    waiting = 3
    for _ in range(200):
        with house.unit_of_work() as uow:
            waiting = uow.inbox.waiting()
        if not waiting:
            break
        threading.Event().wait(0.02)
    crew.stop()

    assert waiting == 0
    assert not together.broken


def test_a_turn_that_fails_is_tried_again_and_then_answered(house: House) -> None:
    conversation = a_writer(house)
    failures = [RuntimeError("member text must not be logged")]
    finish = answers(house, "好的")

    def process(item: InboxItem) -> None:
        if failures:
            raise failures.pop()
        finish(item)

    crew = workers(house, process)
    assert crew.work_once()
    assert not crew.work_once()  # not before its pause is over
    clock_of(house).move(seconds=3)
    assert crew.work_once()

    assert [message.text for message in everything_said(house, conversation.member_id)] == ["你好", "好的"]


def test_a_turn_that_keeps_failing_ends_in_an_honest_word_and_a_case(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = a_writer(house, text="我的伤口")

    def process(item: InboxItem) -> None:
        raise ValueError("我的伤口")

    crew = workers(house, process)
    for _ in range(ATTEMPTS):
        assert crew.work_once()
        clock_of(house).move(seconds=30)
    assert not crew.work_once()

    said = everything_said(house, conversation.member_id)
    assert said[-1].author is Author.BOT
    assert said[-1].text.startswith("dialogue.down")
    assert "0571-0000" in said[-1].text
    with house.unit_of_work() as uow:
        case = uow.cases.open_of(conversation.member_id)[0]
    assert (case.level, case.reason) == (CaseLevel.W1, "turn_failed")
    assert not any("伤口" in record.getMessage() for record in caplog.records)


def test_a_message_under_which_the_process_died_three_times_is_not_tried_a_fourth(house: House) -> None:
    conversation = a_writer(house)
    for _ in range(ATTEMPTS):
        with house.unit_of_work() as uow:
            now = house.clock.now()
            assert uow.inbox.claim(now, now + timedelta(seconds=60)) is not None
            uow.commit()
        clock_of(house).move(seconds=61)
    tried: list[str] = []

    assert workers(house, lambda item: tried.append(item.id)).work_once()

    assert tried == []
    assert everything_said(house, conversation.member_id)[-1].text.startswith("dialogue.down")


def test_giving_up_does_not_talk_over_a_carer(house: House) -> None:
    conversation = a_writer(house)
    with house.unit_of_work() as uow:
        carer = a_colleague(uow, now=house.clock.now())
        conversations.take_over(conversation.id, carer.id, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()

    def process(item: InboxItem) -> None:
        raise ValueError

    crew = workers(house, process)
    for _ in range(ATTEMPTS):
        crew.work_once()
        clock_of(house).move(seconds=30)

    assert [message.author for message in everything_said(house, conversation.member_id)] == [
        Author.MEMBER,
        Author.SYSTEM,
    ]
    with house.unit_of_work() as uow:
        assert uow.cases.open_of(conversation.member_id)[0].reason == "turn_failed"


def test_a_worker_that_comes_back_late_changes_nothing(house: House) -> None:
    a_writer(house)
    seen: list[InboxItem] = []

    def process(item: InboxItem) -> None:
        seen.append(item)
        clock_of(house).move(seconds=61)
        with house.unit_of_work() as uow:  # another worker claims it meanwhile
            now = house.clock.now()
            uow.inbox.claim(now, now + timedelta(seconds=60))
            uow.commit()
        raise RuntimeError

    workers(house, process).work_once()

    with house.unit_of_work() as uow:
        item = uow.inbox.get(seen[0].id)
    assert (item.state, item.lease) == (InboxState.CLAIMED, seen[0].lease + 1)
    assert item.lease_until == house.clock.now() + timedelta(seconds=60)


def test_a_delivered_message_is_kept_with_the_vendors_number(house: House) -> None:
    message = say(house, a_writer(house), "您好")
    sender = FakeSender()

    assert deliver_all(house, {"web": sender}) == 1

    item = delivery_of(house, message)
    assert item.state is OutboxState.SENT
    assert item.provider_id == f"vendor-{item.id[:8]}"
    assert sender.texts == ["您好"]


def test_messages_of_one_conversation_leave_in_their_order(house: House) -> None:
    conversation = a_writer(house)
    for number in range(5):
        say(house, conversation, str(number))
    sender = FakeSender()
    sender.failures = [SendLater("unreachable")]

    deliver_all(house, {"web": sender})
    before = list(sender.texts)
    clock_of(house).move(seconds=10)
    deliver_all(house, {"web": sender})

    assert before == []
    assert sender.texts == ["0", "1", "2", "3", "4"]


def test_the_vendors_own_wish_for_patience_is_kept(house: House) -> None:
    message = say(house, a_writer(house), "您好")
    sender = FakeSender()
    sender.failures = [SendLater("too_many", 45.0)]

    deliver_once(house, {"web": sender})

    item = delivery_of(house, message)
    assert item.state is OutboxState.FAILED
    assert item.retry_at is not None
    assert item.retry_at >= house.clock.now() + timedelta(seconds=45)


def test_a_member_who_blocked_us_is_not_written_to_again_until_they_write(house: House) -> None:
    conversation = a_writer(house)
    say(house, conversation, "第一条")
    second = say(house, conversation, "第二条")
    sender = FakeSender()
    sender.failures = [SendRefused("blocked")]

    deliver_all(house, {"web": sender})
    accept(house, Inbound("web", "a", "back", "我回来了"))
    third = say(house, conversation, "第三条")
    deliver_all(house, {"web": sender})

    withdrawn = delivery_of(house, second)
    assert (withdrawn.state, withdrawn.reason) == (OutboxState.WITHDRAWN, "unreachable")
    assert delivery_of(house, third).state is OutboxState.SENT
    assert sender.texts == ["第三条"]


@pytest.mark.parametrize("failure", [SendUnknown(), RuntimeError("a bug in the sender")])
def test_what_may_have_arrived_is_kept_apart_and_not_repeated(house: House, failure: Exception) -> None:
    message = say(house, a_writer(house), "您好")
    sender = FakeSender()
    sender.failures = [failure]

    deliver_all(house, {"web": sender})
    clock_of(house).move(hours=1)
    deliver_all(house, {"web": sender})

    assert delivery_of(house, message).state is OutboxState.UNKNOWN
    assert sender.texts == []


def test_a_safety_message_is_repeated_rather_than_lost(house: House) -> None:
    say(house, a_writer(house), "请马上拨打 120", author=Author.SAFETY)
    sender = FakeSender()
    sender.failures = [SendUnknown()]

    deliver_all(house, {"web": sender})
    clock_of(house).move(seconds=10)
    deliver_all(house, {"web": sender})

    assert sender.texts == ["请马上拨打 120"]


def test_a_takeover_between_claim_and_send_silences_the_bot(house: House) -> None:
    conversation = a_writer(house)
    message = say(house, conversation, "机器人的话")
    with house.unit_of_work() as uow:
        now = house.clock.now()
        claimed = uow.outbox.claim(now, now + timedelta(seconds=60), 10)[0]
        uow.commit()
    with house.unit_of_work() as uow:
        carer = a_colleague(uow, now=house.clock.now())
        conversations.take_over(conversation.id, carer.id, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()
    sender = FakeSender()

    send_one(house, claimed, sender)

    assert sender.texts == []
    assert delivery_of(house, message).state is OutboxState.WITHDRAWN


def test_a_message_for_a_channel_that_is_off_waits_and_does_not_block_others(house: House) -> None:
    off = say(house, a_writer(house, "t", channel="telegram"), "等通道")
    on = say(house, a_writer(house, "w"), "马上到")

    deliver_all(house, {"web": FakeSender()})

    assert (delivery_of(house, off).state, delivery_of(house, off).reason) == (OutboxState.FAILED, "channel_off")
    assert delivery_of(house, on).state is OutboxState.SENT


class Hanging:
    """A channel whose vendor does not answer until it is let go."""

    channel = "telegram"
    idempotent = False
    limit = None

    def __init__(self) -> None:
        self.called, self.let_go = threading.Event(), threading.Event()

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        self.called.set()
        self.let_go.wait(WAIT_S)
        return "late"


def test_a_vendor_that_hangs_holds_up_no_other_channel(house: House) -> None:
    hanging, web, arrived = Hanging(), FakeSender(), threading.Event()
    slow = say(house, a_writer(house, "t", channel="telegram"), "慢的")
    delivery = Delivery(
        house,
        {"telegram": Way(hanging), "web": Way(web)},
        settled=lambda item: arrived.set() if item.channel == "web" else None,
    )
    delivery.start()
    hanging.called.wait(WAIT_S)

    say(house, a_writer(house, "w"), "快的")
    delivery.wake()
    came = arrived.wait(WAIT_S)
    hanging.let_go.set()
    delivery.stop()

    assert came
    assert web.texts == ["快的"]
    assert delivery_of(house, slow).state is OutboxState.SENT


def test_the_next_message_of_a_conversation_follows_at_once(house: House) -> None:
    conversation = a_writer(house)
    for number in range(6):
        say(house, conversation, str(number))
    web, last = FakeSender(), threading.Event()
    delivery = Delivery(house, {"web": Way(web)}, settled=lambda _: last.set() if len(web.sent) == 6 else None)

    delivery.start()
    came = last.wait(WAIT_S)
    delivery.stop()

    assert came
    assert web.texts == [str(number) for number in range(6)]


def test_a_delivery_whose_lease_ran_out_is_left_to_the_newer_claim(house: House) -> None:
    say(house, a_writer(house), "只说一次")
    claims = []
    for _ in range(2):
        with house.unit_of_work() as uow:
            now = house.clock.now()
            claims += uow.outbox.claim(now, now + timedelta(seconds=60), 10)
            uow.commit()
        clock_of(house).move(seconds=61)
    sender = FakeSender()

    for item in claims:
        send_one(house, item, sender)

    assert len(claims) == 2
    assert sender.texts == ["只说一次"]


def test_a_busy_database_after_the_send_does_not_make_it_unknown(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = say(house, a_writer(house), "您好")
    troubles = [OSError("busy"), OSError("busy")]
    real = House.unit_of_work
    sender = FakeSender()

    def sometimes(self: House) -> object:
        if sender.sent and troubles:
            raise troubles.pop()
        return real(self)

    monkeypatch.setattr(House, "unit_of_work", sometimes)
    deliver_once(house, {"web": sender})

    assert delivery_of(house, message).state is OutboxState.SENT


def test_a_turn_somebody_else_took_over_is_no_failure(house: House) -> None:
    conversation = a_writer(house)

    def process(item: InboxItem) -> None:
        raise Conflict("another worker")

    workers(house, process).work_once()

    with house.unit_of_work() as uow:
        assert uow.cases.open_of(conversation.member_id) == []


def test_stopping_waits_for_the_turn_that_is_running(house: House) -> None:
    conversation = a_writer(house)
    begun = threading.Event()
    finish = answers(house, "说完了")

    def process(item: InboxItem) -> None:
        begun.set()
        finish(item)

    crew = workers(house, process)
    crew.start()
    crew.wake()
    begun.wait(WAIT_S)
    crew.stop()

    assert everything_said(house, conversation.member_id)[-1].text == "说完了"
