"""Pulling what was said: in order, each row once, nothing lost to a crash, nothing old answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from anxin.dev import wecom_callbacks as c
from anxin.dev.fake_wecom import GATEWAY, HTML, FakeWecom, Trouble
from bot.channels.wecom import rows
from bot.channels.wecom.parse import Row
from bot.channels.wecom.sync import Busy, Puller
from bot.inbound import Workers
from bot.pulse import Pulse
from care.adapters.sql.unit_of_work import SqlUnitOfWork
from care.bootstrap import House
from care.model.errors import CareError, SendLater
from care.model.message import Author, Button, InboxItem
from care.services.conversations import button_token
from tests.contract.wecom.conftest import CUSTOMER, LI, Channel, on_both
from tests.member_edge import answers, clock_of, say


@pytest.fixture
def running(channel: Channel) -> Iterator[Puller]:
    channel.wecom.puller.start()
    yield channel.wecom.puller
    channel.wecom.puller.stop()


@on_both
def test_what_a_customer_wrote_is_stored_and_told_once(server: FakeWecom, channel: Channel) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "牙还在疼")

    channel.pull()
    channel.pull()

    assert channel.by_member() == ["牙还在疼"]
    assert len(channel.stored) == 1
    assert channel.waiting() == 1


async def test_case_42_three_bells_at_once_read_the_log_once_in_order(
    server: FakeWecom, channel: Channel, hook: httpx.AsyncClient, running: Puller
) -> None:
    server.wait_until(lambda: bool(server.called("kf/sync_msg")) or not server.logs)
    for number in range(30):
        server.customer_says(CUSTOMER, f"第{number}句")
    query, body = c.bell(server.now())

    for _ in range(3):
        assert (await hook.post("/wecom/callback", params=query, content=body)).status_code == 200
    server.wait_until(lambda: bool(server.called("kf/sync_msg")))
    running.stop()
    channel.wecom.puller._stopping = False
    channel.pull()

    assert channel.by_member() == [f"第{number}句" for number in range(30)]
    assert len(channel.stored) == 30
    assert server.called("kf/sync_msg")[0]["token"] == "bell-token"


@on_both
def test_case_42_a_log_is_read_by_one_reader_at_a_time(
    server: FakeWecom, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.customer_says(CUSTOMER, "你好")
    inside, go_on = threading.Event(), threading.Event()
    sync = channel.wecom.kf.sync_msg

    def waiting(*args: object) -> object:
        inside.set()
        go_on.wait(10)
        return sync(*args)

    monkeypatch.setattr(channel.wecom.kf, "sync_msg", waiting)
    first = threading.Thread(target=channel.pull)
    first.start()
    inside.wait(10)

    with pytest.raises(Busy):
        channel.pull()
    go_on.set()
    first.join(10)

    assert channel.by_member() == ["你好"]


def test_case_42_a_bell_that_finds_a_reader_at_work_is_not_forgotten(
    server: FakeWecom, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = channel.house
    with house.unit_of_work() as uow:
        now = house.clock.now()
        uow.cursors.claim(f"wecom_kf:{c.ACCOUNT}", now, now.replace(year=now.year + 1))  # another process
        uow.commit()
    server.customer_says(CUSTOMER, "你好")
    puller = channel.wecom.puller
    puller.ring(c.ACCOUNT, "t")

    puller._one(*_next(puller))
    with house.unit_of_work() as uow:
        cursor = uow.cursors.get(f"wecom_kf:{c.ACCOUNT}")
        assert cursor is not None
        cursor.lease_until = None
        uow.cursors.save(cursor)
        uow.commit()
    puller._monotonic = lambda: 10.0**9
    again = _next(puller)
    puller._one(*again)

    assert again == (c.ACCOUNT, "t")
    assert channel.by_member() == ["你好"]


def _next(puller: Puller) -> tuple[str, str]:
    found = puller._next()
    assert found is not None
    return found


@pytest.mark.parametrize("after_rows", [0, 1, 3])
@on_both
def test_case_42_a_crash_between_pull_and_commit_loses_nothing_and_doubles_nothing(
    server: FakeWecom, channel: Channel, monkeypatch: pytest.MonkeyPatch, after_rows: int
) -> None:
    channel.caught_up()
    for number in range(3):
        server.customer_says(CUSTOMER, f"第{number}句")
    monkeypatch.setattr(rows, "take", dying_after(after_rows))
    with pytest.raises(KeyboardInterrupt):
        channel.pull()
    monkeypatch.undo()
    clock_of(channel.house).move(seconds=61)  # the lease of the dead lapses

    channel.pull()

    assert channel.by_member() == ["第0句", "第1句", "第2句"]
    assert len(channel.stored) == 3


def dying_after(count: int) -> Callable[..., rows.Taken]:
    taken: list[rows.Taken] = []
    whole: Callable[..., rows.Taken] = rows.take

    def take(*args: object, **kwargs: object) -> rows.Taken:
        if len(taken) == count:
            raise KeyboardInterrupt  # nothing catches it: as a kill would
        taken.append(whole(*args, **kwargs))
        if len(taken) == count:
            raise KeyboardInterrupt
        return taken[-1]

    return take


def test_case_42_a_crash_after_the_commit_repeats_nothing(
    server: FakeWecom, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(channel.wecom.puller, "_tell", die)
    with pytest.raises(KeyboardInterrupt):
        channel.pull()
    monkeypatch.undo()
    clock_of(channel.house).move(seconds=61)

    channel.pull()

    assert channel.by_member() == ["你好"]
    assert channel.waiting() == 1  # the inbox has it though nobody was told


@on_both
def test_case_42_a_lost_cursor_replays_three_days_and_answers_nobody_twice(
    server: FakeWecom, channel: Channel
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    server.servicer_says(CUSTOMER, "我是李静", LI)
    channel.pull()
    with channel.house.unit_of_work() as uow:
        cursor = uow.cursors.get(f"wecom_kf:{c.ACCOUNT}")
        assert cursor is not None
        cursor.position = ""
        uow.cursors.save(cursor)
        uow.commit()

    channel.pull()

    assert [message.text for message in channel.said()] == ["你好", "我是李静"]


def test_case_43_at_the_first_start_old_words_are_kept_and_not_answered(
    server: FakeWecom, channel: Channel, house: House
) -> None:
    server.customer_says(CUSTOMER, "昨天的话", ago_s=86400)
    server.customer_says(CUSTOMER, "一刻钟前的话", ago_s=900)
    server.servicer_says(CUSTOMER, "昨天的回答", LI)
    server.logs[c.ACCOUNT][-1]["send_time"] -= 80000
    server.customer_says(CUSTOMER, "刚才的话", ago_s=60)

    channel.pull()

    assert [message.text for message in channel.said()] == ["昨天的话", "一刻钟前的话", "昨天的回答", "刚才的话"]
    heard: list[str] = []
    work_through(house, heard)
    assert heard == ["刚才的话"]
    assert channel.conversation().owned_by_bot


def test_case_43_after_an_outage_of_hours_nothing_counts_as_old(
    server: FakeWecom, channel: Channel, house: House
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "三小时前的话")
    clock_of(house).move(hours=3)

    channel.pull()

    heard: list[str] = []
    work_through(house, heard)
    assert heard == ["三小时前的话"]


def test_case_43_a_first_reading_that_broke_off_stays_a_first_reading(
    server: FakeWecom, channel: Channel, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.wecom.sync.PAGE", 1)
    for number in range(3):
        server.customer_says(CUSTOMER, f"旧话{number}", ago_s=5000)
    pages = channel.wecom.kf.sync_msg
    count = iter(range(10))

    def broken(*args: object) -> object:
        if next(count) == 1:
            raise SendLater("http_502")
        return pages(*args)

    monkeypatch.setattr(channel.wecom.kf, "sync_msg", broken)
    with pytest.raises(SendLater):
        channel.pull()

    channel.pull()

    assert channel.waiting() == 0
    assert channel.by_member() == ["旧话0", "旧话1", "旧话2"]


def work_through(house: House, heard: list[str]) -> None:
    done = answers(house, "收到")

    def process(item: InboxItem) -> None:
        with house.unit_of_work() as uow:
            heard.append(uow.conversations.message(item.message_id).text)
        done(item)

    workers = Workers(house, Pulse(), spoken=lambda: None, process=process)
    while workers.work_once():
        pass


def test_case_44_a_page_without_rows_that_promises_more_is_gone_on_from(server: FakeWecom, channel: Channel) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    server.empty_pages = 3

    count = channel.pull()

    assert count == 1
    assert channel.by_member() == ["你好"]


def test_case_44_a_vendor_that_promises_more_for_ever_is_left_after_a_while(
    server: FakeWecom, channel: Channel
) -> None:
    server.customer_says(CUSTOMER, "你好")
    server.empty_pages = 10_000

    assert channel.pull() == 0

    assert len(server.called("kf/sync_msg")) < 100


def test_case_45_words_of_colleagues_and_the_system_are_never_answered(
    server: FakeWecom, channel: Channel, house: House
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    channel.pull()
    work_through(house, [])
    server.servicer_says(CUSTOMER, "您好，我是李静，您慢慢说", LI)
    server.happens("something_new", CUSTOMER)
    server.happens("servicer_status_change", "", servicer_userid=LI, status=1)

    channel.pull()

    assert channel.waiting() == 0
    assert [(message.author, message.text) for message in channel.said()][-1] == (
        Author.CARER,
        "您好，我是李静，您慢慢说",
    )


@on_both
def test_case_45_a_colleagues_first_word_over_there_takes_the_conversation_over(
    server: FakeWecom, channel: Channel, house: House
) -> None:
    from care.testing import a_colleague

    channel.caught_up()
    with house.unit_of_work() as uow:
        li = a_colleague(uow, now=house.clock.now(), wecom_id=LI)
        uow.commit()
    server.customer_says(CUSTOMER, "你好")
    channel.pull()
    say(house, channel.conversation(), "我是小安")

    server.servicer_says(CUSTOMER, "我来", LI)
    channel.pull()
    channel.deliver()

    assert channel.conversation().owner == li.id
    assert channel.said()[-1].carer_id == li.id
    assert server.received(CUSTOMER) == []  # what the bot had in its mouth is void


def test_a_tap_on_a_menu_means_what_its_button_means_and_a_foreign_one_is_its_text(
    server: FakeWecom, channel: Channel, house: House
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    channel.pull()
    message = say(house, channel.conversation(), "还疼吗？", buttons=(Button("不疼了", "/deny"),))
    token = button_token(message, 0)

    server.customer_says(CUSTOMER, "不疼了", menu_id=f"anxin:{token}")
    server.customer_says(CUSTOMER, "旧按钮", menu_id="anxin:gone:0")
    server.customer_says(CUSTOMER, "别家的", menu_id="101")
    channel.pull()

    taps = [(said.text, said.payload) for said in channel.said() if said.author is Author.MEMBER]
    assert taps[1:] == [("不疼了", "/deny"), ("旧按钮", None), ("别家的", None)]


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("image", {"media_id": "m1"}, "[图片]"),
        ("voice", {"media_id": "m2"}, "[语音]"),
        ("video", {"media_id": "m3"}, "[视频]"),
        ("location", {"name": "澄禾口腔", "address": "体育场路"}, "澄禾口腔 体育场路 [位置]"),
        ("from_the_future", {}, "[暂不支持的消息]"),
    ],
)
def test_what_is_not_text_is_kept_as_a_word_for_it(
    server: FakeWecom, channel: Channel, kind: str, body: dict[str, str], shown: str
) -> None:
    channel.caught_up()
    server.customer_sends(CUSTOMER, kind, body)

    channel.pull()

    assert channel.by_member() == [shown]


@pytest.mark.parametrize("text", ["", "   ", "🦷", "a" * 5000, "\x00坏\u200b字\u202e", "😀\u200d😀"])
def test_any_text_is_kept(server: FakeWecom, channel: Channel, text: str) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, text)

    channel.pull()

    assert channel.by_member() == [text.replace("\x00", "")]


def test_rows_that_are_none_do_not_hold_up_the_others(server: FakeWecom, channel: Channel) -> None:
    channel.caught_up()
    server.logs[c.ACCOUNT].extend(
        [
            {},
            {"msgid": "x", "origin": 3, "msgtype": "text", "send_time": "soon"},
            {"msgid": "y", "origin": "3", "msgtype": "text", "send_time": 1},
            {"msgid": "z", "origin": 3, "msgtype": "text", "send_time": 1, "text": "not an object"},
        ]
    )
    server.customer_says(CUSTOMER, "你好")

    channel.pull()

    assert channel.by_member() == ["你好"]


@on_both
def test_a_row_that_cannot_be_kept_is_left_behind_after_three_tries(
    server: FakeWecom, channel: Channel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    channel.caught_up()
    for text in ("前", "毒", "后"):
        server.customer_says(CUSTOMER, text)
    whole: Callable[..., rows.Taken] = rows.take

    def take(one: Row, *args: object, **kwargs: object) -> rows.Taken:
        if one.body.get("content") == "毒":
            raise ValueError("毒")
        return whole(one, *args, **kwargs)

    monkeypatch.setattr(rows, "take", take)
    for _ in range(2):
        with pytest.raises(ValueError, match="毒"):
            channel.pull()
    channel.pull()

    assert channel.by_member() == ["前", "后"]
    assert len(channel.stored) == 2
    assert "row left behind" in [record.message for record in caplog.records]
    with channel.house.unit_of_work() as uow:
        assert [case.reason for case in uow.cases.unresolved()] == ["not_stored"]  # somebody looks into WeCom


def test_a_database_in_trouble_is_not_blamed_on_a_row(
    server: FakeWecom, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    whole, troubled = SqlUnitOfWork.commit, threading.Event()

    def commit(unit: SqlUnitOfWork) -> None:
        if troubled.is_set():
            raise OSError("database is locked")
        whole(unit)

    sync = channel.wecom.kf.sync_msg

    def then_trouble(*args: object) -> object:
        troubled.set()
        return sync(*args)

    monkeypatch.setattr(SqlUnitOfWork, "commit", commit)
    monkeypatch.setattr(channel.wecom.kf, "sync_msg", then_trouble)
    for _ in range(6):
        with pytest.raises(OSError, match="locked"):
            channel.pull()
        troubled.clear()
        clock_of(channel.house).move(seconds=61)
    monkeypatch.undo()

    channel.pull()

    assert channel.by_member() == ["你好"]


@pytest.mark.parametrize("trouble", [GATEWAY, HTML, Trouble(-1), Trouble(45009), Trouble(60020)])
def test_a_vendor_in_trouble_costs_nothing_but_time(server: FakeWecom, channel: Channel, trouble: Trouble) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    server.troubles["kf/sync_msg"].append(trouble)

    with pytest.raises(CareError):
        channel.pull()
    channel.pull()

    assert channel.by_member() == ["你好"]


def test_case_29_an_expired_token_is_renewed_once_and_the_call_made_again(
    server: FakeWecom, channel: Channel
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    server.expire_tokens()

    channel.pull()

    assert channel.by_member() == ["你好"]
    assert len(server.called("gettoken")) == 2


def test_a_log_nobody_rang_for_is_read_when_the_house_opens(
    server: FakeWecom, channel: Channel, house: House
) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "没人摇铃")

    channel.wecom.puller.start()
    server.wait_until(lambda: len(server.called("kf/sync_msg")) > 1)
    channel.wecom.puller.stop()

    assert channel.by_member() == ["没人摇铃"]
    assert "token" not in server.called("kf/sync_msg")[-1]


def test_a_log_nobody_rings_for_is_read_every_minute(
    server: FakeWecom, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    puller, now = channel.wecom.puller, [1000.0]
    monkeypatch.setattr(puller, "_monotonic", lambda: now[0])
    puller.ring(c.ACCOUNT, "t")
    puller._one(*_next(puller))
    server.customer_says(CUSTOMER, "铃丢了")

    threading.Timer(0.2, puller.end).start()
    assert puller._next() is None  # not before its minute is over
    puller._stopping = False
    now[0] += 60
    turn = _next(puller)
    puller._one(*turn)

    assert turn == (c.ACCOUNT, "")
    assert channel.by_member() == ["铃丢了"]


def test_events_leave_a_line_for_carers_once(server: FakeWecom, channel: Channel) -> None:
    channel.caught_up()
    server.customer_says(CUSTOMER, "你好")
    for event in ("user_recall_msg", "servicer_recall_msg"):
        server.happens(event, CUSTOMER, recall_msgid="row-1")
    server.happens("reject_customer_msg_switch_change", CUSTOMER, reject_switch=1)
    channel.pull()
    with channel.house.unit_of_work() as uow:
        cursor = uow.cursors.get(f"wecom_kf:{c.ACCOUNT}")
        assert cursor is not None
        cursor.position = ""
        uow.cursors.save(cursor)
        uow.commit()
    channel.pull()

    notes = [message.text for message in channel.said(notes=True)]
    assert len(notes) == 3
    assert "撤回" in notes[0]
