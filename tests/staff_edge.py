"""A house for tests of the carers' console, served on loopback as it is in life.

Real database and pack, a dialogue that answers at once, a safety reader that knows two phrases, colleagues who can
log in, and members who write.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import uvicorn
from fastapi import FastAPI

from bot.delivery import deliver_all
from bot.inbound import accept
from care.adapters.packs import load_pack
from care.adapters.passwords import Argon2Passwords
from care.bootstrap import House, Reading
from care.model.assessment import Assessment, Context, Distress, Flag, Medical, Why
from care.model.case import Case, CaseLevel
from care.model.conversation import Conversation
from care.model.ids import MemberId, new_id
from care.model.message import Author, Message
from care.model.pack import Pack
from care.model.staff import Role, Staff
from care.ports import Slots
from care.services import cases, outbox, staff, turns
from care.services.conversations import Inbound
from care.testing import Book, EveryHalfHour, FakeClock, FakeDialogue, FakeSender, a_member, test_settings
from console import app as console
from tests.conftest import free_port

MORNING = "2026-03-04T10:00+08:00"
PASSWORD = "a-long-demo-password"
GASPS, DESPAIRS = "喘不上气", "不想活"


class TwoPhrases:
    """Reads two phrases as danger, so that these tests do not hang on the lexicon."""

    def assess(self, text: str, context: Context | None = None) -> Assessment:
        """Return an emergency, a crisis, or nothing."""
        gasps = re.search(GASPS, text)
        if gasps:
            why = Why("medical", gasps.group(), "test", gasps.start(), gasps.end())
            return Assessment(medical=Medical.L0, flags=(Flag.BREATHING,), why=(why,))
        despairs = re.search(DESPAIRS, text)
        if despairs:
            why = Why("distress", despairs.group(), "test", despairs.start(), despairs.end())
            return Assessment(distress=Distress.P3, flags=(Flag.SELF_HARM,), why=(why,))
        return Assessment()


@contextmanager
def a_clinic(folder: Path) -> Iterator[House]:
    """Build the house, with 李静 (lijing) and the lead 孙岚 (sunlan) on its staff."""
    settings = test_settings(folder)
    keys_url = f"sqlite:///{folder / 'keys' / 'k.db'}"
    book = Book(f"sqlite:///{folder / 'care.db'}", keys_url, folder, FakeClock(MORNING))
    house = House(
        settings=settings,
        clock=book.clock,
        pack=_pack(settings.pack),
        slots=cast("Slots", EveryHalfHour()),
        reading=cast("Reading", SimpleNamespace(safety=TwoPhrases())),
        dialogue=FakeDialogue(),
        engine=book.engine,
        keys=book.keys,
    )
    try:
        add_colleague(house, "lijing", "李静", Role.CARER, "康复关怀师")
        add_colleague(house, "sunlan", "孙岚", Role.LEAD, "关怀组长")
        yield house
    finally:
        house.close()


@cache
def _pack(folder: Path) -> Pack:
    """Read the pack once a run; nobody changes it."""
    return load_pack(folder)


class Desk:
    """The console on a loopback port; can be stopped and started again."""

    def __init__(self, house: House) -> None:
        self.app = FastAPI()
        self.app.include_router(console.routes(house))
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve, and come back when requests are answered."""
        config = uvicorn.Config(
            self.app, port=self.port, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop; pages that are still open lose their line after a second."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(10)

    def stranger(self) -> httpx.Client:
        """Return a browser nobody has logged in with."""
        return httpx.Client(base_url=self.base, headers={"Origin": self.base}, timeout=10, trust_env=False)

    def at_work(self, login: str) -> httpx.Client:
        """Return the browser of a colleague who is in, with the token of their page."""
        client = self.stranger()
        assert log_in(client, login).status_code == 303
        client.headers["x-csrf"] = client.get("/console/me").json()["csrf"]
        return client


@contextmanager
def a_desk(house: House) -> Iterator[Desk]:
    """Serve the console for a test."""
    desk = Desk(house)
    desk.start()
    try:
        yield desk
    finally:
        desk.stop()


def log_in(client: httpx.Client, login: str, password: str = PASSWORD) -> httpx.Response:
    """Send the login form."""
    return client.post("/console/login", data={"login": login, "password": password})


def add_colleague(house: House, login: str, name: str, role: Role, title: str) -> Staff:
    """Add somebody who can log in with the tests' password."""
    with house.unit_of_work() as uow:
        added = staff.add_staff(
            login=login,
            name=name,
            role=role,
            job_title=title,
            password=PASSWORD,
            uow=uow,
            clock=house.clock,
            passwords=Argon2Passwords(),
        )
        uow.commit()
    return added


def clock_of(house: House) -> FakeClock:
    """Return the clock, to be moved."""
    return cast("FakeClock", house.clock)


def dialogue_of(house: House) -> FakeDialogue:
    """Return the dialogue, to be told what to say."""
    return cast("FakeDialogue", house.dialogue)


def somebody(house: House, name: str | None = "王秀兰", phone: str | None = None) -> Conversation:
    """Store a member with a web account and return their conversation."""
    with house.unit_of_work() as uow:
        member = a_member(uow, now=house.clock.now(), name=name, phone=phone)
        found = uow.conversations.of_member(member.id)
        uow.commit()
    assert found is not None
    return found


def writes(house: House, conversation: Conversation, text: str) -> None:
    """Let the member write, the house read and answer, and the answers arrive."""
    received(house, conversation, text)
    work_through(house)
    delivered(house)


def received(house: House, conversation: Conversation, text: str) -> None:
    """Store what the member wrote; nobody has read it yet."""
    accept(house, Inbound("web", f"account-of-{conversation.member_id}", new_id(), text))


def work_through(house: House) -> None:
    """Let the house read and answer all that waits."""
    parts = turns.Parts(house.unit_of_work, house.clock, house.pack, house.safety, house.dialogue, house.zone)
    while True:
        with house.unit_of_work() as uow:
            now = house.clock.now()
            item = uow.inbox.claim(now, now + house.settings.inbox_lease)
            uow.commit()
        if item is None:
            return
        turns.process(item, parts)


def delivered(house: House) -> list[str]:
    """Deliver what is queued; return what arrived at the members, in order."""
    sender = FakeSender("web")
    deliver_all(house, {"web": sender})
    return sender.texts


def says(house: House, conversation: Conversation, text: str, author: Author = Author.BOT) -> Message:
    """Queue something of ours."""
    with house.unit_of_work() as uow:
        fresh = uow.conversations.get(conversation.id, lock=True)
        message = outbox.enqueue(fresh, text, author=author, key=new_id(), uow=uow, now=house.clock.now())
        uow.conversations.save(fresh)
        uow.commit()
    assert message is not None
    return message


def owes(house: House, conversation: Conversation, level: CaseLevel, reason: str = "request_human") -> Case:
    """Open a case for the member."""
    with house.unit_of_work() as uow:
        opened = cases.open_case(
            conversation.member_id, level, reason, uow=uow, now=house.clock.now(), zone=house.zone, summary="原话"
        )
        uow.commit()
    return opened.case


def reread(house: House, conversation: Conversation) -> Conversation:
    """Return the conversation as stored."""
    with house.unit_of_work() as uow:
        return uow.conversations.get(conversation.id)


def said(house: House, conversation: Conversation) -> list[Message]:
    """Return all that was said and noted."""
    with house.unit_of_work() as uow:
        return list(uow.conversations.history(conversation.id))


def looked(house: House, member_id: MemberId) -> list[str]:
    """Return what the access log says was looked at, and by whom, the latest first."""
    with house.unit_of_work() as uow:
        return [f"{line['reader']} {line['what']}" for line in uow.access.of_member(member_id, 100)]
