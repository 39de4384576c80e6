"""Acknowledged at once, answered once: with slow answers, two processes, and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from anxin.dev import fake_wechat as f
from anxin.dev import wechat_callbacks as cb
from anxin.dev.fake_wechat import FakeWeChat
from bot.channels.wechat.app import CALLBACK, WeChat
from bot.delivery import Delivery, Way
from bot.inbound import Workers
from bot.pulse import Pulse
from care.bootstrap import House
from care.model.message import InboxItem, OutboxState
from care.testing import FakeClock
from tests.conftest import free_port, new_database
from tests.contract.wechat.account import BAO, LAN, Hook, said_by
from tests.member_edge import MORNING, a_small_house, answers

ROOT = Path(__file__).parents[3]
MORNING_S = FakeClock(MORNING).now().timestamp()
START_S = 40.0


@contextmanager
def working(house: House, channel: WeChat, process: Callable[[InboxItem], None]) -> Iterator[Workers]:
    """The threads behind the callback."""
    delivery = Delivery(house, {"wechat": Way(channel.sender, 4)})
    workers = Workers(house, Pulse(), spoken=delivery.wake, taken=channel.taken, process=process)
    for part in (delivery, workers):
        part.start()
    try:
        yield workers
    finally:
        for part in (workers, delivery):
            part.stop()


async def test_case_14_a_slow_answer_is_acknowledged_at_once_shown_as_typing_and_sent_once(
    house: House, server: FakeWeChat, channel: WeChat, hook: Hook
) -> None:
    thinking, may_answer = threading.Event(), threading.Event()
    answer = answers(house, "想好了")

    def think(item: InboxItem) -> None:
        thinking.set()
        may_answer.wait(20)
        answer(item)

    server.did(LAN)
    with working(house, channel, think) as workers:
        began = time.monotonic()
        acknowledged = await hook.says(LAN, "种植牙能管几年")
        took = time.monotonic() - began
        workers.wake()
        await asyncio.to_thread(thinking.wait, 10)
        await asyncio.to_thread(server.wait_for, f.TYPING, 1)
        while_thinking = server.read(LAN)
        may_answer.set()
        await asyncio.to_thread(server.wait_for, f.SEND, 1)

    assert acknowledged.text == "success"
    assert took < 1.0
    assert while_thinking == []
    assert server.read(LAN) == ["想好了"]


async def test_case_19_two_messages_in_a_row_are_answered_one_after_the_other(
    house: House, server: FakeWeChat, channel: WeChat, hook: Hook
) -> None:
    told = threading.Lock()

    def think(item: InboxItem) -> None:
        assert told.acquire(blocking=False), "two turns of one member at once"
        try:
            with house.unit_of_work() as uow:
                words = uow.conversations.message(item.message_id).text
            time.sleep(0.3 if words == "一" else 0.0)
            answers(house, f"{words}上", f"{words}下")(item)
        finally:
            told.release()

    server.did(LAN)
    with working(house, channel, think) as workers:
        await hook.says(LAN, "一")
        workers.wake()
        await asyncio.sleep(0.2)
        await hook.says(LAN, "二")
        workers.wake()
        await asyncio.to_thread(server.wait_for, f.SEND, 4)

    assert server.read(LAN) == ["一上", "一下", "二上", "二下"]


# Processes


@dataclass(frozen=True, slots=True)
class Place:
    """Where the processes meet."""

    folder: Path
    url: str


class App:
    """A process of the application."""

    def __init__(self, place: Place, server: FakeWeChat, **options: float) -> None:
        self.port = free_port()
        self.later = options.get("later", 0.0)
        command = [
            sys.executable,
            "-m",
            "tests.contract.wechat.process",
            str(place.folder),
            server.base_url,
            str(self.port),
            "--url",
            place.url,
        ]
        command += [f"--{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})

    def ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}{CALLBACK}", trust_env=False)
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the process did not start")

    def brings(self, xml: str) -> httpx.Response:
        callback = cb.sealed_callback(xml, at=MORNING_S + self.later)
        return httpx.post(
            f"http://127.0.0.1:{self.port}{CALLBACK}",
            params=callback.query,
            content=callback.body,
            timeout=10,
            trust_env=False,
        )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A migrated database."""
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_small_house(tmp_path, url=url):
        return Place(tmp_path, url)


@contextmanager
def running(*apps: App) -> Iterator[None]:
    try:
        for app in apps:
            app.ready()
        yield
    finally:
        for app in apps:
            app.kill()


@pytest.fixture
def server() -> Iterator[FakeWeChat]:
    with FakeWeChat(lambda: MORNING_S) as fake:
        yield fake


def said(place: Place, person: str) -> list[str]:
    with a_small_house(place.folder, url=place.url) as house:
        return said_by(house, person)


def sent_states(place: Place) -> list[OutboxState]:
    with a_small_house(place.folder, url=place.url) as house, house.unit_of_work() as uow:
        identity = uow.members.identity("wechat", LAN)
        assert identity is not None
        conversation = uow.conversations.of_member(identity.member_id)
        assert conversation is not None
        messages = uow.conversations.history(conversation.id)
        return [item.state for item in uow.outbox.for_messages([one.id for one in messages]).values()]


def settled(server: FakeWeChat, count: int) -> None:
    """Wait until so many messages were sent, and a little longer for one too many."""
    server.wait_for(f.SEND, count, 20)
    time.sleep(1.5)


def test_case_15_the_same_message_brought_to_two_processes_at_once_is_answered_once(
    place: Place, server: FakeWeChat
) -> None:
    server.did(LAN)
    apps = App(place, server), App(place, server)
    with running(*apps):
        words = cb.text(LAN, "你好", number=42, at=MORNING_S)
        answers_: list[int] = []
        threads = [
            threading.Thread(target=lambda app=app: answers_.append(app.brings(words).status_code))
            for app in apps * 10
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        settled(server, 1)

    assert answers_ == [200] * 20
    assert server.read(LAN) == ["答"]
    assert said(place, LAN) == ["你好"]


def test_case_17_killed_between_acknowledging_and_answering_it_answers_once_after_a_restart(
    place: Place, server: FakeWeChat
) -> None:
    for person in (LAN, BAO):
        server.did(person)
    slow = App(place, server, think=60)
    with running(slow):
        acknowledged = [slow.brings(cb.text(person, "在吗", at=MORNING_S)).text for person in (LAN, BAO)]
        server.wait_for(f.TYPING, 2)  # both turns have begun
        slow.kill()

        again = App(place, server, later=300)
        with running(again):
            settled(server, 2)

    assert acknowledged == ["success", "success"]
    assert (server.read(LAN), server.read(BAO)) == (["答"], ["答"])


def test_case_17_killed_while_wechat_has_it_it_is_not_sent_again_but_kept_apart(
    place: Place, server: FakeWeChat
) -> None:
    server.did(LAN)
    server.troubles[f.SEND].append(f.LOST_ANSWER)
    app = App(place, server)
    with running(app):
        app.brings(cb.text(LAN, "在吗", at=MORNING_S))
        server.wait_for(f.SEND, 1, 20)
        time.sleep(0.3)
        app.kill()

        again = App(place, server, later=300)
        with running(again):
            again.brings(cb.text(LAN, "还在吗", at=MORNING_S + 300))
            settled(server, 2)

    assert server.read(LAN) == ["答", "答"], "one for each message"
    assert sorted(sent_states(place)) == [OutboxState.SENT, OutboxState.UNKNOWN]
