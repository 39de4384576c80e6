"""The reader killed with kill -9 at whatever it is doing: nothing is lost, nothing is kept twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from anxin.dev.fake_wecom import FakeWecom
from bot.channels.wecom.parse import CHANNEL
from care.bootstrap import SystemClock
from care.model.message import Author
from tests.contract.wecom.conftest import CUSTOMER, Channel, channel_settings, open_channel
from tests.member_edge import a_small_house

ROOT = Path(__file__).resolve().parents[3]
KILLS = 6
WORDS = 200


def test_case_42_a_reader_killed_again_and_again_loses_nothing_and_keeps_nothing_twice(
    tmp_path: Path, server: FakeWecom
) -> None:
    house_before(tmp_path, server)
    for number in range(WORDS):
        server.customer_says(CUSTOMER, f"第{number}句")
    server.latency_s = 0.02
    chance = random.Random(42)

    killed_at = [killed_while_reading(tmp_path, server, chance.uniform(0.05, 0.25)) for _ in range(KILLS)]
    server.latency_s = 0.0
    time.sleep(0.4)  # the last lease lapses

    with a_small_house(tmp_path, **channel_settings(server.base_url)) as house:
        house.clock = SystemClock()
        channel = open_channel(house)
        channel.pull()
        kept = said(channel)
        with house.unit_of_work() as uow:
            waiting = uow.inbox.waiting()
        channel.wecom.line.stop()
    assert kept == [f"第{number}句" for number in range(WORDS)]
    assert waiting == WORDS
    assert any(0 < rows < WORDS for rows in killed_at), "no kill happened in the middle"


def house_before(folder: Path, server: FakeWecom) -> None:
    """A log that was read to its end once, so that nothing counts as old."""
    with a_small_house(folder, **channel_settings(server.base_url)) as house:
        channel = open_channel(house)
        channel.caught_up()
        channel.wecom.line.stop()


def killed_while_reading(folder: Path, server: FakeWecom, after_s: float) -> int:
    """Let a process read, kill it, and return how far it had asked."""
    command = [sys.executable, "-m", "tests.contract.wecom.reader", str(folder), server.base_url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"reading\n"
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    asked = [str(given.get("cursor", "at-0")) for given in server.called("kf/sync_msg")]
    return max(int(cursor.removeprefix("at-")) for cursor in asked)


def said(channel: Channel) -> list[str]:
    conversation = channel.conversation()
    with channel.house.unit_of_work() as uow:
        messages = uow.conversations.history(conversation.id, limit=WORDS * 2)
    assert {message.channel for message in messages} == {CHANNEL}
    return [message.text for message in messages if message.author is Author.MEMBER]
