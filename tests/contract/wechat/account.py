"""What the tests of WeChat have in common: the account's address and who writes to it."""

from __future__ import annotations

import httpx

from anxin.dev import wechat_callbacks as cb
from anxin.dev.wechat_callbacks import Callback
from bot.channels.wechat.app import CALLBACK, WeChat
from bot.delivery import deliver_all
from care.bootstrap import House
from care.model.conversation import Conversation
from care.model.message import Author
from care.testing import FakeClock
from tests.member_edge import a_writer, everything_said

LAN = "oLan-0001_aaaaaaaaaaaaaaaaaa"
BAO = "oBao-0002_bbbbbbbbbbbbbbbbbb"
OLD_KEY = "0123456789" * 4 + "abc"

#: The vendor's own sample of a sealed callback, see channels research 1.2.
SAMPLE_TOKEN, SAMPLE_KEY, SAMPLE_APP = "spamtest", cb.KEY, "wx2c2769f8efd9abc2"
SAMPLE_AT = 1409735669
SAMPLE_QUERY = {
    "signature": "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a",
    "msg_signature": "5d197aaffba7e9b25a30732f161a50dee96bd5fa",
    "timestamp": str(SAMPLE_AT),
    "nonce": "1320562132",
    "encrypt_type": "aes",
}
SAMPLE_PERSON = "oyORnuP8q7ou2gfYjqLzSIWZf0rs"
SAMPLE_SEALED = (
    "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXp"
    "bUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlp"
    "Kn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD"
    "1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
)


class Hook:
    """The address WeChat posts to, and the vendor's clock."""

    def __init__(self, client: httpx.AsyncClient, clock: FakeClock) -> None:
        self.client = client
        self.clock = clock

    @property
    def at(self) -> float:
        """Seconds since 1970."""
        return self.clock.now().timestamp()

    async def shows(self, query: dict[str, str]) -> httpx.Response:
        """Ask for the handshake."""
        return await self.client.get(CALLBACK, params=query)

    async def posts(self, callback: Callback) -> httpx.Response:
        """Post as it is."""
        return await self.client.post(CALLBACK, params=callback.query, content=callback.body)

    async def brings(self, xml: str) -> httpx.Response:
        """Post what happened, sealed now."""
        return await self.posts(cb.sealed_callback(xml, at=self.at))

    async def says(self, person: str, words: str, *, number: int | None = None) -> httpx.Response:
        """Bring what somebody wrote."""
        return await self.brings(cb.text(person, words, number=number, at=self.at))


def a_patient(house: House, person: str = LAN) -> Conversation:
    """Let somebody write for the first time."""
    return a_writer(house, person, channel="wechat")


def said_by(house: House, person: str) -> list[str]:
    """Return what somebody wrote, in order; nothing if nobody of that name is known."""
    with house.unit_of_work() as uow:
        identity = uow.members.identity("wechat", person)
    if identity is None:
        return []
    return [one.text for one in everything_said(house, identity.member_id) if one.author is Author.MEMBER]


def waiting(house: House) -> int:
    """Return how many messages were stored and not worked on yet."""
    with house.unit_of_work() as uow:
        return uow.inbox.waiting()


def deliver(house: House, channel: WeChat) -> None:
    """Send everything that is due."""
    deliver_all(house, {"wechat": channel.sender})
