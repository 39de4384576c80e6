"""A house with the channel of 企业微信, and a WeCom on loopback whose clock is the house's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from anxin.dev import wecom_callbacks as c
from anxin.dev.fake_wecom import DUPLICATE, FakeWecom
from bot.channels.wecom.app import Wecom
from bot.channels.wecom.parse import CHANNEL, external_id
from bot.delivery import deliver_all
from care.bootstrap import House
from care.model.conversation import Conversation
from care.model.member import Identity
from care.model.message import Author, Message
from care.model.vendor import VendorSession
from care.services.conversations import Recorded
from tests.conftest import new_database
from tests.member_edge import a_small_house, clock_of, everything_said

CUSTOMER = "wmWangXiulan"
LI = "lijing"  # a colleague, as WeCom calls her


@pytest.fixture
def server() -> Iterator[FakeWecom]:
    with FakeWecom() as running:
        yield running


@pytest.fixture
def settings() -> dict[str, object]:
    """What a test changes before the house is built."""
    return {}


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Where the house keeps its data: SQLite unless a test asks for PostgreSQL by `on_both`."""
    kind = getattr(request, "param", "sqlite")
    return new_database(request.getfixturevalue("postgres")) if kind == "postgres" else ""


on_both = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def house(tmp_path: Path, server: FakeWecom, settings: dict[str, object], database: str) -> Iterator[House]:
    with a_small_house(tmp_path, url=database, **(wecom_settings(server) | settings)) as made:
        server.now = lambda: made.clock.now().timestamp()
        yield made


def wecom_settings(server: FakeWecom) -> dict[str, object]:
    return channel_settings(server.base_url)


def channel_settings(base_url: str) -> dict[str, object]:
    return {
        "wecom_mode": "on",
        "wecom_corp_id": c.CORP,
        "wecom_agent_id": c.AGENT,
        "wecom_secret": c.SECRET,
        "wecom_token": c.TOKEN,
        "wecom_aes_key": c.AES_KEY,
        "wecom_base_url": base_url,
        "wecom_duplicate_codes": (str(DUPLICATE),),
        "public_url": "https://care.example",
    }


@dataclass
class Channel:
    """The channel with its line open and its threads not running: a test says when something is looked at."""

    house: House
    wecom: Wecom
    stored: list[Recorded] = field(default_factory=list)
    rested: list[float] = field(default_factory=list)

    def pull(self, account: str = c.ACCOUNT, token: str = "bell-token") -> int:
        return self.wecom.puller.pull(account, token)

    def caught_up(self) -> None:
        """Read an empty log to its end, as on a day when the channel was switched on long ago."""
        self.pull()

    def deliver(self) -> int:
        return deliver_all(self.house, {CHANNEL: self.wecom.sender})

    def identity(self, customer: str = CUSTOMER) -> Identity:
        with self.house.unit_of_work() as uow:
            identity = uow.members.identity(CHANNEL, external_id(c.ACCOUNT, customer))
        assert identity is not None
        return identity

    def conversation(self, customer: str = CUSTOMER) -> Conversation:
        member_id = self.identity(customer).member_id
        with self.house.unit_of_work() as uow:
            found = uow.conversations.of_member(member_id)
        assert found is not None
        return found

    def session(self, customer: str = CUSTOMER) -> VendorSession:
        identity = self.identity(customer)
        with self.house.unit_of_work() as uow:
            return uow.sessions.get(identity.id)

    def said(self, customer: str = CUSTOMER, *, notes: bool = False) -> list[Message]:
        messages = everything_said(self.house, self.identity(customer).member_id)
        return [message for message in messages if message.note is notes]

    def by_member(self, customer: str = CUSTOMER) -> list[str]:
        return [message.text for message in self.said(customer) if message.author is Author.MEMBER]

    def waiting(self) -> int:
        with self.house.unit_of_work() as uow:
            return uow.inbox.waiting()


@pytest.fixture
def channel(house: House) -> Iterator[Channel]:
    made = open_channel(house)
    yield made
    made.wecom.line.stop()


def open_channel(house: House) -> Channel:
    stored: list[Recorded] = []
    channel = Channel(house, Wecom(house, stored=stored.append), stored)
    channel.wecom.greeter._rest = lambda seconds: rest(channel, seconds)
    channel.wecom.line.start()
    return channel


def rest(channel: Channel, seconds: float) -> None:
    """Let time pass instead of waiting."""
    channel.rested.append(seconds)
    clock_of(channel.house).move(seconds=seconds)


@pytest.fixture
async def hook(channel: Channel) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(channel.wecom.routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hook.test") as client:
        yield client
