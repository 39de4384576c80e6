"""Talking to the real dialogue: the trained model, the real actions, a house of its own for every conversation.

Rasa runs once for all conversations. Its actions are served by this process and work on whichever house is open, so
that every conversation begins with an empty appointment book and its own clock.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from actions.server import application
from anxin.up import Part, parts
from bot.inbound import accept, turn_parts
from care.bootstrap import House
from care.model.appointment import Appointment
from care.model.case import Case, CaseLevel
from care.model.consent import Purpose
from care.model.ids import MemberId
from care.model.member import Member
from care.model.message import Author, Message
from care.model.staff import Role
from care.model.touchpoint import Answer, Touchpoint
from care.services import booking, recovery, turns
from care.services.booking import Wish
from care.services.conversations import Inbound, button_token
from care.settings import ROOT, inherited_environment
from care.testing import TEST_READER, FakeClock, a_colleague, a_member, test_settings
from tests.conftest import free_port

MORNING = "2026-11-23T10:00+08:00"  # a Monday with no holiday near
READY_WITHIN_S = 90.0


class Switch:
    """The action server of whichever house is open."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None

    def to(self, house: House) -> None:
        """Serve the actions of this house from now on."""
        self._app = application(house)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._app is None:
            return
        await self._app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Model:
    """A running Rasa and the switch its actions go through."""

    url: str
    switch: Switch


@contextmanager
def a_running_model(folder: Path) -> Iterator[Model]:
    """Start Rasa with the trained model and an action server of this process, and stop both afterwards."""
    settings = test_settings(folder, rasa_port=free_port(), actions_port=free_port(), model_dir=ROOT / "models")
    switch = Switch()
    config = uvicorn.Config(switch, host="127.0.0.1", port=settings.actions_port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    rasa = parts(settings)[0]
    process = subprocess.Popen(
        rasa.command,
        cwd=ROOT,
        env=inherited_environment() | rasa.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, rasa)
        yield Model(settings.rasa_url, switch)
    finally:
        process.terminate()
        process.wait(20)
        server.should_exit = True
        thread.join(10)


@dataclass(slots=True)
class Talk:
    """One member talking, and everything the house knows afterwards."""

    house: House
    clock: FakeClock
    member_id: MemberId
    account: str
    _numbers: Iterator[int] = field(default_factory=count)
    _seen: int = 0
    last: list[Message] = field(default_factory=list)

    def say(self, text: str) -> str:
        """Write something and return all that was answered, one line a message."""
        return self._send(text, None)

    def tap(self, title: str) -> str:
        """Tap the newest button whose words contain `title`, and return what was answered."""
        for message in reversed(self._history()):
            for index, button in enumerate(message.buttons):
                if title in button.title:
                    return self._send(button.title, button_token(message, index))
        raise AssertionError(f"no button {title!r} among {self.buttons()}")

    def buttons(self) -> list[str]:
        """Return the buttons under the last answers."""
        return [button.title for message in self.last for button in message.buttons]

    def newest(self) -> str:
        """Return the newest message of ours, and mark everything as seen."""
        history = [message for message in self._history() if message.author is not Author.MEMBER and not message.note]
        self._seen = max((message.seq for message in self._history()), default=0)
        return history[-1].text if history else ""

    def visits(self) -> list[Appointment]:
        """Return the visits to come, in order of time."""
        with self.house.unit_of_work() as uow:
            return booking.coming(self.member_id, uow=uow, clock=self.clock)

    def visit(self) -> Appointment:
        """Return the one visit to come."""
        visits = self.visits()
        assert len(visits) == 1, f"{len(visits)} visits instead of one"
        return visits[0]

    def local(self, at: datetime) -> str:
        """Return a moment as `2026-11-24 15:00` in the clinic's zone."""
        return at.astimezone(self.house.zone).strftime("%Y-%m-%d %H:%M")

    def cases(self) -> list[Case]:
        """Return the open cases, most urgent first."""
        with self.house.unit_of_work() as uow:
            return uow.cases.open_of(self.member_id)

    def levels(self) -> set[CaseLevel]:
        """Return the levels of the open cases."""
        return {case.level for case in self.cases()}

    def answers(self) -> list[Answer]:
        """Return what was answered to check-ins in the open recovery."""
        with self.house.unit_of_work() as uow:
            pair = recovery.current(self.member_id, uow=uow)
            return uow.treatments.answers(pair[0].id) if pair else []

    def touchpoints(self) -> list[Touchpoint]:
        """Return every planned contact."""
        with self.house.unit_of_work() as uow:
            return uow.treatments.touchpoints_of(self.member_id)

    def member(self) -> Member:
        """Return the member as stored."""
        with self.house.unit_of_work() as uow:
            return uow.members.get(self.member_id, by=TEST_READER, purpose=Purpose.CARE)

    def held(self) -> bool:
        """Whether a time is kept for the member."""
        with self.house.unit_of_work() as uow:
            return uow.appointments.hold_of(self.member_id, self.clock.now()) is not None

    def has_visit(
        self, service: str, at: str, *, practitioner: str | None = None, for_whom: str | None = None
    ) -> Appointment:
        """Put a visit into the book, as the practice system would; `at` is `2026-11-26 15:00` of the clinic."""
        start = datetime.fromisoformat(at).replace(tzinfo=self.house.zone)
        with self.house.unit_of_work() as uow:
            made = booking.book(
                self.member_id,
                Wish(service, practitioner=practitioner, for_whom=for_whom),
                start,
                key=None,
                uow=uow,
                slots=self.house.slots,
                clock=self.clock,
            )
            uow.commit()
        return made

    def was_treated(
        self,
        kind: str,
        *,
        days_ago: int = 0,
        hour: int = 9,
        practitioner: str = "wang_jianguo",
        sutures_out_on: date | None = None,
        facts: frozenset[str] = frozenset(),
    ) -> None:
        """Record a treatment that ended at `hour` o'clock some days ago."""
        ended = self.clock.now().astimezone(self.house.zone).replace(hour=hour, minute=0) - timedelta(days=days_ago)
        with self.house.unit_of_work() as uow:
            recovery.record_treatment(
                self.member_id,
                kind=kind,
                practitioner=practitioner,
                clinic="xihu",
                ended_at=ended,
                uow=uow,
                clock=self.clock,
                pack=self.house.pack,
                facts=facts,
                sutures_out_on=sutures_out_on,
            )
            uow.commit()

    def _send(self, text: str, token: str | None) -> str:
        accept(self.house, Inbound("web", self.account, f"vendor-{self.account}-{next(self._numbers)}", text, token))
        with self.house.unit_of_work() as uow:
            now = self.clock.now()
            item = uow.inbox.claim(now, now + timedelta(minutes=1))
            uow.commit()
        assert item is not None
        turns.process(item, turn_parts(self.house))
        self.last = [
            message
            for message in self._history()
            if message.seq > self._seen and message.author is not Author.MEMBER and not message.note
        ]
        self._seen = max((message.seq for message in self._history()), default=0)
        return "\n".join(message.text for message in self.last)

    def _history(self) -> Sequence[Message]:
        with self.house.unit_of_work() as uow:
            conversation = uow.conversations.of_member(self.member_id)
            assert conversation is not None
            return uow.conversations.history(conversation.id, limit=200)


def begin(house: House, clock: FakeClock, *, known: bool = True) -> Talk:
    """Let a member sit down and write; a carer, a nurse and a lead are on duty."""
    with house.unit_of_work() as uow:
        for name, role, title in (
            ("李静", Role.CARER, "康复关怀师"),
            ("赵敏", Role.NURSE, "值班护士"),
            ("孙岚", Role.LEAD, "关怀组长"),
        ):
            a_colleague(uow, now=clock.now(), name=name, role=role, job_title=title)
        if known:
            member = a_member(uow, now=clock.now(), phone="13800001234", channel="web")
        else:
            member = a_member(uow, now=clock.now(), name=None, title=None, channel="web")
        account = uow.members.identities_of(member.id)[0].external_id
        conversation = uow.conversations.of_member(member.id, lock=True)
        assert conversation is not None
        conversation.introduced = True
        uow.conversations.save(conversation)
        uow.commit()
    return Talk(house, clock, member.id, account)


def _wait(process: subprocess.Popen[bytes], rasa: Part) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError("Rasa ended while starting: run `make train` and look into its log")
        if rasa.healthy():
            return
        time.sleep(0.2)
    raise AssertionError("Rasa was not ready in time")
