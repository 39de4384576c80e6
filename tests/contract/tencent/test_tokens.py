"""One token for everybody: fetched once, renewed before it ends, insisted on rarely."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.tencent.errors import WECHAT, Action, Refusal, meaning_of, seconds_left_today
from bot.channels.tencent.token import EARLY_S, FORCE_EVERY_S, Fresh, Tokens
from care.model.errors import SendLater
from care.testing import FakeClock


class Vendor:
    """Gives the same token until it ends or is insisted on, as `stable_token` does."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.asked: list[bool] = []
        self.down = False
        self.number = 0
        self.ends_at = 0.0

    async def fetch(self, force: bool) -> Fresh:
        self.asked.append(force)
        await asyncio.sleep(0)
        if self.down:
            raise SendLater("token_unreachable")
        if force or self.ends_at - self.now <= EARLY_S:
            self.number += 1
            self.ends_at = self.now + 7_200
        return Fresh(f"t{self.number}", self.ends_at - self.now)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def tokens(vendor: Vendor) -> Tokens:
    return Tokens(vendor.fetch, monotonic=lambda: vendor.now)


async def test_many_who_ask_at_once_cause_one_fetch_and_share_its_failure_too(vendor: Vendor, tokens: Tokens) -> None:
    vendor.down = True
    failures = await asyncio.gather(*(tokens.get() for _ in range(50)), return_exceptions=True)
    vendor.down = False
    found = await asyncio.gather(*(tokens.get() for _ in range(50)))

    assert {type(one) for one in failures} == {SendLater}
    assert set(found) == {"t1"}
    assert vendor.asked == [False, False]


async def test_it_is_renewed_before_it_ends_and_the_old_one_serves_while_that_fails(
    vendor: Vendor, tokens: Tokens
) -> None:
    await tokens.get()
    vendor.now += 7_200 - EARLY_S + 1
    vendor.down = True
    while_down = await tokens.get()
    vendor.down = False
    renewed = await tokens.get()
    vendor.now += 7_200
    vendor.down = True

    assert (while_down, renewed) == ("t1", "t2")
    with pytest.raises(SendLater):
        await tokens.get()


async def test_whoever_is_refused_with_an_older_token_is_given_the_newer_one(vendor: Vendor, tokens: Tokens) -> None:
    old = await tokens.get()
    vendor.ends_at = 0.0
    new = await tokens.instead_of(old)

    assert [await tokens.instead_of(old) for _ in range(10)] == [new] * 10
    assert len(vendor.asked) == 2


async def test_a_new_one_is_insisted_on_at_most_every_seventy_five_minutes(vendor: Vendor, tokens: Tokens) -> None:
    await tokens.get()
    for _ in range(5):
        tokens.distrust(f"t{vendor.number}")
        await tokens.get()
        vendor.now += 60
    early = vendor.asked.count(True)
    vendor.now += FORCE_EVERY_S
    tokens.distrust(f"t{vendor.number}")
    await tokens.get()

    assert (early, vendor.asked.count(True)) == (1, 2)
    assert 24 * 3_600 / FORCE_EVERY_S < 20, "WeChat allows twenty a day"


async def test_who_stops_waiting_does_not_stop_the_others(vendor: Vendor, tokens: Tokens) -> None:
    impatient, patient = asyncio.create_task(tokens.get()), asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient == "t1"
    assert vendor.asked == [False]


def test_an_unknown_code_may_pass_and_keeps_its_number() -> None:
    meaning = meaning_of(12_345, WECHAT)

    assert (meaning.action, meaning.reason) == (Action.LATER, "errcode_12345")
    with pytest.raises(SendLater):
        Refusal(12_345, meaning).translate(FakeClock("2026-03-04T10:00+08:00").now())


@pytest.mark.parametrize(
    ("at", "seconds"), [("2026-03-04T23:59:00+08:00", 120), ("2026-03-04T16:00:00+00:00", 86_460)]
)
def test_the_vendors_day_ends_at_midnight_in_beijing(at: str, seconds: float) -> None:
    assert seconds_left_today(FakeClock(at).now()) == seconds
