"""A small house on the line to a WeChat on loopback, and the callback that WeChat posts to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from anxin.dev import fake_wechat as f
from anxin.dev import wechat_callbacks as cb
from anxin.dev.fake_wechat import FakeWeChat
from bot.channels.wechat.app import WeChat
from care.bootstrap import House
from care.services.conversations import Recorded
from tests.contract.wechat.account import OLD_KEY, Hook
from tests.member_edge import a_small_house, clock_of


@pytest.fixture
def server() -> Iterator[FakeWeChat]:
    with FakeWeChat() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, server: FakeWeChat) -> Iterator[House]:
    with a_small_house(
        tmp_path,
        wechat_mode="on",
        wechat_app_id=cb.APP_ID,
        wechat_secret=f.SECRET,
        wechat_token=cb.TOKEN,
        wechat_aes_key=cb.KEY,
        wechat_aes_key_previous=OLD_KEY,
        wechat_base_url=server.base_url,
        wechat_template_notice="template-1",
        wechat_subscribe_notice="notice-1",
    ) as made:
        server.now = lambda: clock_of(made).now().timestamp()
        yield made


@pytest.fixture
def stored() -> list[Recorded]:
    return []


@pytest.fixture
def channel(house: House, stored: list[Recorded]) -> Iterator[WeChat]:
    wechat = WeChat(house, stored=stored.append)
    wechat.start()
    yield wechat
    wechat.stop()


@pytest.fixture
async def hook(house: House, channel: WeChat) -> AsyncIterator[Hook]:
    app = FastAPI()
    app.include_router(channel.routes())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hook.test") as client:
        yield Hook(client, clock_of(house))
