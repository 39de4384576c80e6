"""Where a vendor counts what may be said: rights are earned, spent on what matters most, and asked for in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.delivery import Delivery, Way, deliver_all
from bot.inbound import accept
from care.bootstrap import House
from care.model.conversation import Conversation
from care.model.errors import ChannelDown, RightSpent, SendLater, SendRefused, SendUnknown
from care.model.ids import OutboxId
from care.model.member import Identity
from care.model.message import Author, Message, OutboxItem, OutboxState
from care.model.pieces import PieceLimit
from care.model.rights import Grant, Trigger, Weight
from care.services import channel_events, conversations, outbox, rights, sending
from care.services.conversations import Inbound
from care.testing import FakeSender, a_colleague
from tests.conftest import new_database
from tests.member_edge import a_small_house, a_writer, clock_of, delivery_of, say

NOTICE, SUBSCRIPTION = "notice", "subscription"


class WeChatLike(FakeSender):
    """A channel that counts: keeps what it was given, and the notices it was asked for."""

    def __init__(self) -> None:
        super().__init__("wechat")
        self.notices: list[str] = []
        self.notice_failures: list[Exception] = []

    def nudge(self, to: Identity, template: str, outbox_id: OutboxId) -> str:
        """Keep the notice, or raise the next failure."""
        if self.notice_failures:
            raise self.notice_failures.pop(0)
        self.notices.append(template)
        return f"notice-{outbox_id[:8]}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""


@pytest.fixture
def house(url: str, tmp_path: Path) -> Iterator[House]:
    with a_small_house(tmp_path, url=url) as made:
        yield made


@pytest.fixture
def house_with_notices(url: str, tmp_path: Path) -> Iterator[House]:
    with a_small_house(
        tmp_path, url=url, wechat_template_notice=NOTICE, wechat_subscribe_notice=SUBSCRIPTION
    ) as made:
        yield made


@pytest.fixture
def wechat() -> WeChatLike:
    return WeChatLike()


def lan(house: House) -> Conversation:
    return a_writer(house, "lan", channel="wechat")


def writes(house: House, text: str = "在", trigger: Trigger = Trigger.MESSAGE, channel: str = "wechat") -> None:
    accept(house, Inbound(channel, "lan", f"{text}:{house.clock.now().timestamp()}", text, trigger=trigger))


def grants(house: House, conversation: Conversation) -> list[Grant]:
    with house.unit_of_work() as uow:
        identity = uow.members.identities_of(conversation.member_id)[0]
        return uow.rights.of(identity.id)


def state(house: House, message: Message) -> tuple[OutboxState, str | None]:
    item = delivery_of(house, message)
    return item.state, item.reason


def tasks(house: House, conversation: Conversation) -> list[str]:
    with house.unit_of_work() as uow:
        return [case.reason for case in uow.cases.open_of(conversation.member_id)]


def deliver(house: House, sender: WeChatLike) -> None:
    deliver_all(house, {"wechat": sender})


def rows(house: House, conversation: Conversation) -> list[OutboxItem]:
    with house.unit_of_work() as uow:
        said = uow.conversations.history(conversation.id)
        return [
            item
            for message in said
            for number in range(1, 9)
            if (item := uow.outbox.by_key(_key(message, number))) is not None
        ]


def _key(message: Message, number: int) -> str:
    base = f"said:{message.text}"[:110]
    return base if number == 1 else f"{base}:{number}"


# What is earned


def test_a_word_of_the_member_is_worth_five_messages_within_48_hours(house: House) -> None:
    conversation = lan(house)

    (grant,) = grants(house, conversation)

    assert (grant.trigger, grant.left) == (Trigger.MESSAGE, 5)
    assert grant.expires_at == house.clock.now() + timedelta(hours=48)


def test_a_fresh_word_begins_a_new_count(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    say(house, conversation, "一")
    deliver(house, wechat)
    clock_of(house).move(hours=1)

    writes(house)

    (grant,) = grants(house, conversation)
    assert grant.left == 5
    assert grant.granted_at == house.clock.now()


def test_a_tapped_quick_reply_is_worth_three_messages_for_a_minute_and_leaves_the_window_alone(house: House) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=1)

    writes(house, "确认", Trigger.CLICK)

    found = {grant.trigger: grant for grant in grants(house, conversation)}
    assert found[Trigger.CLICK].left == 3
    assert found[Trigger.CLICK].expires_at == house.clock.now() + timedelta(minutes=1)
    assert found[Trigger.MESSAGE].granted_at == house.clock.now() - timedelta(hours=1)


def test_a_repeated_message_gives_nothing_new(house: House) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=1)

    accept(house, Inbound("wechat", "lan", "first:lan", "你好"))

    (grant,) = grants(house, conversation)
    assert grant.granted_at == house.clock.now() - timedelta(hours=1)


@pytest.mark.parametrize("channel", ["web", "telegram"])
def test_a_channel_without_limits_keeps_no_ledger(house: House, channel: str) -> None:
    conversation = a_writer(house, "lan", channel=channel)
    clock_of(house).move(days=30)
    messages = [say(house, conversation, str(number), author=Author.REMINDER) for number in range(12)]
    sender = FakeSender(channel)

    deliver_all(house, {channel: sender})

    assert grants(house, conversation) == []
    assert {state(house, message)[0] for message in messages} == {OutboxState.SENT}


def test_limits_are_settings(url: str, tmp_path: Path, wechat: WeChatLike) -> None:
    given = {"wechat": {"message": {"count": 2, "lasts": 3600}}}
    with a_small_house(tmp_path, url=url, send_rights=given, rights_kept=0) as house:
        conversation = lan(house)
        for number in range(3):
            say(house, conversation, str(number))

        deliver(house, wechat)

        assert wechat.texts == ["0", "1\nright.more"]
        (grant,) = grants(house, conversation)
        assert grant.expires_at == house.clock.now() + timedelta(hours=1)


# What is spent


def test_no_call_is_made_that_the_ledger_knows_will_fail(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=48)
    message = say(house, conversation, "晚了一秒", author=Author.CHECK_IN)

    deliver(house, wechat)

    assert wechat.sent == []
    assert state(house, message) == (OutboxState.HELD, "no_right")


def test_the_last_right_is_for_safety_and_humans(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    answers = [say(house, conversation, f"答{number}") for number in range(5)]
    deliver(house, wechat)
    told = say(house, conversation, "请马上拨打 120", author=Author.SAFETY)
    deliver(house, wechat)

    assert [state(house, answer)[0] for answer in answers] == [OutboxState.SENT] * 4 + [OutboxState.HELD]
    assert state(house, told)[0] is OutboxState.SENT
    assert len(wechat.sent) == 5


def test_what_matters_more_takes_the_rights_of_what_was_queued_before_it(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    for number in range(3):
        say(house, conversation, f"答{number}")
    deliver(house, wechat)
    reminder = say(house, conversation, "明天复诊", author=Author.REMINDER)
    answer = say(house, conversation, "这是您问的")

    deliver(house, wechat)

    assert state(house, reminder)[0] is OutboxState.HELD
    assert state(house, answer)[0] is OutboxState.SENT


@pytest.mark.parametrize(
    ("failure", "left"),
    [
        pytest.param(SendLater("busy"), 5, id="it can be tried again"),
        pytest.param(SendRefused("bad_request"), 5, id="it was refused"),
        pytest.param(ChannelDown("daily_quota", 60), 5, id="the channel is down"),
        pytest.param(SendUnknown(), 4, id="it may have left"),
        pytest.param(RightSpent("count_used_up"), 0, id="the vendor counts otherwise"),
    ],
)
def test_what_did_not_leave_costs_nothing(house: House, wechat: WeChatLike, failure: Exception, left: int) -> None:
    conversation = lan(house)
    say(house, conversation, "您好")
    wechat.failures = [failure]

    deliver(house, wechat)

    assert grants(house, conversation)[0].left == left


def test_a_delivery_killed_after_its_mark_is_kept_apart_and_its_right_stays_spent(
    house: House, wechat: WeChatLike
) -> None:
    conversation = lan(house)
    message = say(house, conversation, "您好")
    with house.unit_of_work() as uow:
        now = house.clock.now()
        (item,) = uow.outbox.claim(now, now + timedelta(seconds=60), 10)
        assert sending.start_sending(item, idempotent=False, uow=uow, now=now)
        uow.commit()
    clock_of(house).move(seconds=61)

    deliver(house, wechat)

    assert wechat.sent == []
    assert state(house, message)[0] is OutboxState.UNKNOWN
    assert grants(house, conversation)[0].left == 4


# What waits


def test_the_members_next_word_lets_go_what_waited_in_its_order(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=49)
    first = say(house, conversation, "第一句", author=Author.CARER)
    second = say(house, conversation, "第二句", author=Author.CARER)
    deliver(house, wechat)

    writes(house)
    say(house, conversation, "答复")
    deliver(house, wechat)

    assert wechat.texts == ["第一句", "第二句", "答复"]
    assert state(house, first)[0] is state(house, second)[0] is OutboxState.SENT


def test_what_is_stale_is_not_said_late(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=49)
    message = say(house, conversation, "您现在方便吗", author=Author.CARER)
    deliver(house, wechat)
    clock_of(house).move(hours=24)

    writes(house)
    deliver(house, wechat)

    assert wechat.sent == []
    assert state(house, message) == (OutboxState.WITHDRAWN, "stale")


def test_what_went_stale_without_a_word_is_put_away_and_a_human_told(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=49)
    message = say(house, conversation, "您现在方便吗", author=Author.CARER)
    deliver(house, wechat)
    clock_of(house).move(hours=23)
    early = _expire(house)
    clock_of(house).move(hours=2)

    late = _expire(house)

    assert (early, late) == (0, 1)
    assert state(house, message) == (OutboxState.WITHDRAWN, "stale")
    assert tasks(house, conversation)


def _expire(house: House) -> int:
    with house.unit_of_work() as uow:
        count = sending.expire_held(uow=uow, clock=house.clock)
        uow.commit()
    return count


def test_what_waited_goes_to_the_channel_the_member_writes_from(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    with house.unit_of_work() as uow:
        conversations.add_identity(conversation.member_id, "telegram", "lan", uow=uow, now=house.clock.now())
        uow.commit()
    clock_of(house).move(hours=49)
    with house.unit_of_work() as uow:  # an answer goes where it was asked for, so it waits there
        fresh = uow.conversations.get(conversation.id, lock=True)
        message = outbox.enqueue(fresh, "答复", author=Author.BOT, key="k", uow=uow, now=house.clock.now())
        uow.commit()
    deliver(house, wechat)
    telegram = FakeSender("telegram")

    writes(house, channel="telegram")
    deliver_all(house, {"wechat": wechat, "telegram": telegram})

    assert message is not None
    assert wechat.sent == []
    assert telegram.texts == ["答复"]


def test_a_takeover_withdraws_what_the_bot_had_waiting(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=49)
    message = say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)
    deliver(house, wechat)
    with house.unit_of_work() as uow:
        carer = a_colleague(uow, now=house.clock.now())
        conversations.take_over(conversation.id, carer.id, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()

    writes(house)
    deliver(house, wechat)

    assert state(house, message) == (OutboxState.WITHDRAWN, "human_owner")
    assert not any("疼" in text for text in wechat.texts)


# Asking for a word


def test_outside_the_window_one_notice_goes_and_the_words_wait(house_with_notices: House, wechat: WeChatLike) -> None:
    house = house_with_notices
    conversation = lan(house)
    clock_of(house).move(hours=49)
    first = say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)
    deliver(house, wechat)
    second = say(house, conversation, "明天复诊", author=Author.REMINDER)
    deliver(house, wechat)

    assert wechat.notices == [NOTICE]
    assert wechat.sent == []
    assert {state(house, first)[0], state(house, second)[0]} == {OutboxState.HELD}
    assert tasks(house, conversation) == []


def test_after_the_members_next_silence_there_may_be_another_notice(
    house_with_notices: House, wechat: WeChatLike
) -> None:
    house = house_with_notices
    conversation = lan(house)
    for _ in range(2):
        clock_of(house).move(hours=49)
        say(house, conversation, f"伤口还疼吗 {house.clock.now():%d}", author=Author.CHECK_IN)
        deliver(house, wechat)
        writes(house)

    assert wechat.notices == [NOTICE, NOTICE]


def test_a_notice_that_is_refused_gives_way_to_a_subscription_and_that_to_a_human(
    house_with_notices: House, wechat: WeChatLike
) -> None:
    house = house_with_notices
    conversation = lan(house)
    _subscribes(house, accepted=True)
    clock_of(house).move(hours=49)
    wechat.notice_failures = [SendRefused("bad_request"), SendRefused("refuses")]
    message = say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)

    deliver(house, wechat)

    assert wechat.notice_failures == []
    assert state(house, message)[0] is OutboxState.HELD
    assert tasks(house, conversation) == ["no_channel:check_in"]
    with house.unit_of_work() as uow:
        assert uow.members.identities_of(conversation.member_id)[0].reachable, "only the notice was refused"


def test_a_subscription_is_good_for_one_notice(url: str, tmp_path: Path, wechat: WeChatLike) -> None:
    with a_small_house(tmp_path, url=url, wechat_subscribe_notice=SUBSCRIPTION) as house:
        conversation = lan(house)
        _subscribes(house, accepted=True)
        for _ in range(2):
            clock_of(house).move(hours=49)
            say(house, conversation, f"伤口还疼吗 {house.clock.now():%d}", author=Author.CHECK_IN)
            deliver(house, wechat)
            writes(house)
            deliver(house, wechat)

        assert wechat.notices == [SUBSCRIPTION]
        assert tasks(house, conversation) == ["no_channel:check_in"]


def test_a_subscription_taken_back_is_not_used(url: str, tmp_path: Path, wechat: WeChatLike) -> None:
    with a_small_house(tmp_path, url=url, wechat_subscribe_notice=SUBSCRIPTION) as house:
        conversation = lan(house)
        _subscribes(house, accepted=True)
        _subscribes(house, accepted=False)
        clock_of(house).move(hours=49)
        say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)

        deliver(house, wechat)

        assert wechat.notices == []
        assert tasks(house, conversation) == ["no_channel:check_in"]


def _subscribes(house: House, *, accepted: bool) -> None:
    with house.unit_of_work() as uow:
        channel_events.opted_in(
            "wechat", "lan", f"popup:{accepted}", SUBSCRIPTION, accepted, uow=uow, clock=house.clock
        )
        uow.commit()


def test_without_any_notice_a_human_is_told_once(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    clock_of(house).move(hours=49)
    say(house, conversation, "伤口还疼吗", author=Author.CHECK_IN)
    say(house, conversation, "还有一件事", author=Author.CHECK_IN)

    deliver(house, wechat)

    assert tasks(house, conversation) == ["no_channel:check_in"]


def test_who_is_writing_with_us_gets_neither_a_notice_nor_a_task_for_one_answer_too_many(
    house_with_notices: House, wechat: WeChatLike
) -> None:
    house = house_with_notices
    conversation = lan(house)
    for number in range(6):
        say(house, conversation, f"答{number}")

    deliver(house, wechat)

    assert wechat.texts[-1] == "答3\nright.more", "the last one that may leave says that there is more"
    assert wechat.notices == []
    assert tasks(house, conversation) == []


def test_when_the_vendor_says_no_more_it_is_believed_and_not_asked_again(
    house_with_notices: House, wechat: WeChatLike
) -> None:
    house = house_with_notices
    conversation = lan(house)
    first = say(house, conversation, "一")
    second = say(house, conversation, "二")
    wechat.failures = [RightSpent("window_closed")]

    deliver(house, wechat)
    clock_of(house).move(hours=2)
    deliver(house, wechat)

    assert wechat.failures == []
    assert wechat.sent == []
    assert state(house, first) == (OutboxState.HELD, "window_closed")
    assert state(house, second) == (OutboxState.HELD, "no_right")
    assert wechat.notices == [NOTICE]


# In pieces


def test_a_long_answer_becomes_a_few_messages_and_keeps_to_the_rights_there_are(
    house: House, wechat: WeChatLike
) -> None:
    conversation = lan(house)
    text = "".join(f"第{number:03}句，慢慢来。" for number in range(340))  # about 9,500 bytes
    message = say(house, conversation, text)

    deliver(house, wechat)
    before = list(wechat.texts)
    writes(house, "好")
    deliver(house, wechat)

    assert len(before) == 4
    assert before[-1].endswith("\nright.more")
    assert all(len(piece.encode()) <= 2_000 for piece in wechat.texts)
    assert "".join(wechat.texts).replace("\nright.more", "") == text
    assert state(house, message)[0] is OutboxState.SENT


def test_a_piece_that_is_lost_takes_those_behind_it_along(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    message = say(house, conversation, "牙" * 1_500)
    wechat.failures = [SendRefused("bad_request")]

    deliver(house, wechat)

    assert wechat.sent == []
    assert [item.state for item in rows(house, conversation)] == [
        OutboxState.DEAD,
        OutboxState.WITHDRAWN,
        OutboxState.WITHDRAWN,
    ]
    assert state(house, message) == (OutboxState.DEAD, "bad_request")
    assert tasks(house, conversation) == ["undelivered:bot"]


# Which way


def test_a_carers_words_take_another_channel_that_rings_when_wechat_allows_none(house: House) -> None:
    conversation = lan(house)
    with house.unit_of_work() as uow:
        conversations.add_identity(conversation.member_id, "telegram", "lan", uow=uow, now=house.clock.now())
        uow.commit()
    clock_of(house).move(hours=49)
    message = say(house, conversation, "我是护士李静", author=Author.CARER)

    assert delivery_of(house, message).channel == "telegram"


def test_a_page_nobody_may_be_looking_at_is_no_other_way(house: House) -> None:
    conversation = lan(house)
    with house.unit_of_work() as uow:
        conversations.add_identity(conversation.member_id, "web", "lan", uow=uow, now=house.clock.now())
        uow.commit()
    clock_of(house).move(hours=49)
    message = say(house, conversation, "我是护士李静", author=Author.CARER)

    assert delivery_of(house, message).channel == "wechat"


def test_an_answer_always_goes_where_it_was_asked_for(house: House) -> None:
    conversation = lan(house)
    with house.unit_of_work() as uow:
        conversations.add_identity(conversation.member_id, "telegram", "lan", uow=uow, now=house.clock.now())
        uow.commit()
    clock_of(house).move(hours=49)
    with house.unit_of_work() as uow:
        fresh = uow.conversations.get(conversation.id, lock=True)
        way = rights.way_to(fresh, Weight.ANSWER, uow=uow, now=house.clock.now())

    assert way is not None
    assert way.channel == "wechat"


# The whole channel


def test_a_channel_that_is_down_is_left_alone_and_one_alarm_raised(
    house: House, wechat: WeChatLike, caplog: pytest.LogCaptureFixture
) -> None:
    messages = [say(house, a_writer(house, name, channel="wechat"), f"给{name}") for name in ("a", "b", "c")]
    web = say(house, a_writer(house, "w"), "网页照常")
    wechat.failures = [ChannelDown("daily_quota", 3_600)]

    deliver_all(house, {"wechat": wechat, "web": FakeSender()})
    clock_of(house).move(minutes=59)
    deliver(house, wechat)
    during = list(wechat.texts)
    clock_of(house).move(minutes=2)
    deliver(house, wechat)

    assert during == []
    assert sorted(wechat.texts) == ["给a", "给b", "给c"]
    assert {state(house, message)[0] for message in [*messages, web]} == {OutboxState.SENT}
    assert [record.levelname for record in caplog.records if record.message == "channel down"] == ["ERROR"]
    assert delivery_of(house, messages[0]).attempts == 1, "the try that found the channel down does not count"


def test_a_pause_is_known_after_a_restart(url: str, tmp_path: Path, wechat: WeChatLike) -> None:
    with a_small_house(tmp_path, url=url) as house:
        say(house, lan(house), "您好")
        wechat.failures = [ChannelDown("daily_quota", 3_600)]
        deliver(house, wechat)
        now = house.clock.now()

        with house.unit_of_work() as uow:  # what any other process sees
            assert uow.rights.pauses(now) == [("wechat", "daily_quota", now + timedelta(hours=1))]
            assert uow.outbox.claim(now, now + timedelta(seconds=60), 10) == []


# Who left


def test_who_unfollows_hears_nothing_more_and_what_waited_is_withdrawn(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    message = say(house, conversation, "您好")
    with house.unit_of_work() as uow:
        assert channel_events.unfollowed("wechat", "lan", "u1", uow=uow, clock=house.clock)
        assert not channel_events.unfollowed("wechat", "lan", "u1", uow=uow, clock=house.clock)
        uow.commit()

    deliver(house, wechat)

    assert wechat.sent == []
    assert state(house, message) == (OutboxState.WITHDRAWN, "unreachable")


def test_who_follows_again_is_reachable_and_welcomed_once(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    with house.unit_of_work() as uow:
        channel_events.unfollowed("wechat", "lan", "u1", uow=uow, clock=house.clock)
        uow.commit()
    for _ in range(2):
        with house.unit_of_work() as uow:
            channel_events.followed("wechat", "lan", "f1", uow=uow, clock=house.clock, pack=house.pack)
            uow.commit()

    deliver(house, wechat)

    assert wechat.texts == ["ai.disclosure"]
    found = {grant.trigger: grant.left for grant in grants(house, conversation)}
    assert found[Trigger.FOLLOW] == 2


@pytest.mark.parametrize("reason", ["unfollowed", "blocked", "refuses", "blacklisted"])
def test_an_account_that_refuses_is_left_alone_on_that_channel(house: House, wechat: WeChatLike, reason: str) -> None:
    conversation = lan(house)
    first = say(house, conversation, "一")
    second = say(house, conversation, "二")
    wechat.failures = [SendRefused(reason)]

    deliver(house, wechat)

    assert state(house, first) == (OutboxState.DEAD, reason)
    assert state(house, second) == (OutboxState.WITHDRAWN, "unreachable")
    assert tasks(house, conversation) == [], "they left; chatter they did not get is no task"


def test_words_of_a_human_that_an_account_refused_become_a_task(house: House, wechat: WeChatLike) -> None:
    conversation = lan(house)
    say(house, conversation, "我是护士李静，您的拍片结果出来了", author=Author.CARER)
    wechat.failures = [SendRefused("unfollowed")]

    deliver(house, wechat)

    assert tasks(house, conversation) == ["undelivered:carer"]


# Receipts


@pytest.mark.parametrize(
    ("receipts", "expected"),
    [
        (["delivered"], OutboxState.DELIVERED),
        (["delivered", "read"], OutboxState.READ),
        (["read", "delivered"], OutboxState.READ),
        (["refused"], OutboxState.REFUSED),
        (["refused", "refused"], OutboxState.REFUSED),
        (["delivered", "refused"], OutboxState.REFUSED),
        (["read", "refused"], OutboxState.READ),
    ],
)
def test_a_receipt_moves_a_message_on_and_never_back(
    house: House, wechat: WeChatLike, receipts: list[sending.Outcome], expected: OutboxState
) -> None:
    message = say(house, lan(house), "您好")
    deliver(house, wechat)
    provider_id = delivery_of(house, message).provider_id or ""

    for outcome in receipts:
        with house.unit_of_work() as uow:
            channel_events.receipt("wechat", provider_id, outcome, "user_block", uow=uow, clock=house.clock)
            uow.commit()

    assert delivery_of(house, message).state is expected


def test_a_receipt_that_comes_before_the_answer_to_the_call_stands(house: House) -> None:
    message = say(house, lan(house), "您好")

    class Quick(WeChatLike):
        def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
            with house.unit_of_work() as uow:  # by our own id, which some vendors repeat
                channel_events.receipt("wechat", outbox_id, "refused", "refuses", uow=uow, clock=house.clock)
                uow.commit()
            return super().send(to, message, outbox_id)

    deliver(house, Quick())

    assert state(house, message) == (OutboxState.REFUSED, "refuses")


def test_a_receipt_for_nobodys_message_changes_nothing(house: House) -> None:
    with house.unit_of_work() as uow:
        recorded = channel_events.receipt("wechat", "77", "read", None, uow=uow, clock=house.clock)

    assert not recorded
    assert recorded.member_id is None


# Losses


def test_a_message_nothing_can_deliver_is_given_up_and_becomes_a_humans_task(
    house: House, wechat: WeChatLike
) -> None:
    conversation = lan(house)
    poison = say(house, conversation, "毒")
    behind = say(house, conversation, "后面的")
    elsewhere = say(house, a_writer(house, "b", channel="wechat"), "别人的")
    wechat.failures = [SendLater("broken")]

    deliver(house, wechat)
    others_went_on = state(house, elsewhere)[0]
    for _ in range(sending.ATTEMPTS):
        wechat.failures = [SendLater("broken")]
        clock_of(house).move(minutes=15)
        deliver(house, wechat)
    wechat.failures = []
    deliver(house, wechat)

    assert others_went_on is OutboxState.SENT
    assert state(house, poison) == (OutboxState.DEAD, "broken")
    assert tasks(house, conversation) == ["undelivered:bot"]
    assert state(house, behind)[0] is not OutboxState.QUEUED


def test_one_members_hundred_messages_do_not_starve_the_others(house: House) -> None:
    greedy = a_writer(house, "greedy")
    for number in range(100):
        say(house, greedy, f"第{number}条")
    others = [say(house, a_writer(house, f"m{number}"), f"给{number}") for number in range(20)]

    with house.unit_of_work() as uow:
        now = house.clock.now()
        claimed = uow.outbox.claim(now, now + timedelta(seconds=60), 50)

    assert {item.message_id for item in claimed} >= {message.id for message in others}
    assert len(claimed) == 21


def test_every_message_ends_in_exactly_one_place(house_with_notices: House, wechat: WeChatLike) -> None:
    house = house_with_notices
    conversation = lan(house)
    said: list[Message] = []
    failures: list[Exception] = [
        SendLater("busy"),
        SendUnknown(),
        SendRefused("bad_request"),
        RightSpent("count_used_up"),
        ChannelDown("daily_quota", 60),
    ]
    for number, author in enumerate([Author.BOT, Author.CARER, Author.SAFETY, Author.REMINDER, Author.SYSTEM] * 4):
        said.append(say(house, conversation, f"话{number}", author=author))
        wechat.failures = [failures[number % len(failures)]] if number % 2 else []
        deliver(house, wechat)
        clock_of(house).move(minutes=7)
        if number % 6 == 5:
            writes(house, f"嗯{number}")
    for _ in range(30):
        wechat.failures = []
        clock_of(house).move(hours=1)
        deliver(house, wechat)
        _expire(house)

    ends = [state(house, message)[0] for message in said]
    over = {OutboxState.SENT, OutboxState.UNKNOWN, OutboxState.DEAD, OutboxState.WITHDRAWN}
    assert set(ends) <= over, "nothing is left hanging"
    assert sum(ends.count(one) for one in over) == len(said)
    assert len(wechat.texts) == len(set(wechat.texts)), "nothing twice"
    sent = [message.text for message, end in zip(said, ends, strict=True) if end is OutboxState.SENT]
    assert sorted(text.removesuffix("\nright.more") for text in wechat.texts) == sorted(sent)


def test_a_stored_moment_of_a_grant_is_aware(house: House) -> None:
    (grant,) = grants(house, lan(house))

    assert isinstance(grant.expires_at, datetime)
    assert grant.expires_at.tzinfo is not None


def test_settings_that_cut_longer_than_a_channel_takes_are_refused(url: str, tmp_path: Path) -> None:
    takes_little = WeChatLike()
    takes_little.limit = PieceLimit("bytes", 1_000, 5)
    with a_small_house(tmp_path, url=url) as house, pytest.raises(ValueError, match="wechat takes at most 1000"):
        Delivery(house, {"wechat": Way(takes_little)})
