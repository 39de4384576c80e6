"""Fakes and builders for tests: a clock that moves when told, a dialogue that says what it is told, a small house.

Databases in tests are real ones (SQLite in a folder of the test, or PostgreSQL when the test asks), because what
they refuse is half of what the core promises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from care.adapters.ladder import load_promises
from care.adapters.packs import load_pack
from care.adapters.sql.engine import open_engine
from care.adapters.sql.keys import Keyring, MasterKey
from care.adapters.sql.schema import migrate, migrate_keys
from care.adapters.sql.unit_of_work import SqlUnitOfWork
from care.model.appointment import Opening
from care.model.assessment import Assessment, Context, worst
from care.model.consent import Purpose
from care.model.errors import DialogueUnavailable
from care.model.ids import MemberId, OutboxId, StaffId, new_id
from care.model.ladder import Promises
from care.model.member import Identity, Member
from care.model.message import Message, Reply
from care.model.pieces import PieceLimit
from care.model.staff import Reader, Role, Staff
from care.ports import Dialogue, UnitOfWork
from care.services import conversations
from care.services.turns import CHECK_IN_DONE
from care.settings import ROOT, Settings

if TYPE_CHECKING:
    from care.bootstrap import House, Reading

TEST_READER = Reader("test", "")
NOTHING_KNOWN = Context()


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: str | datetime) -> None:
        self._now = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(UTC)

    def now(self) -> datetime:
        """Return where the clock stands, in UTC."""
        return self._now

    def move(self, **span: float) -> None:
        """Move on by a `timedelta` given in its own words: `move(hours=2)`."""
        self._now += timedelta(**span)

    def set(self, at: str | datetime) -> None:
        """Put the clock to a moment."""
        self._now = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(UTC)


class FakeDialogue:
    """A dialogue that answers from a table, and can be taken down."""

    def __init__(self, answers: Mapping[str, Sequence[Reply]] | None = None) -> None:
        self.answers = dict(answers or {})
        self.heard: list[tuple[str, str, Mapping[str, str]]] = []
        self.triggered: list[tuple[str, str]] = []
        self.kept: Sequence[Reply] = ()  # what is taken up when a check-in has ended
        self.down: str | None = None
        self.while_thinking: Callable[[], None] | None = None

    def say(self, tracker_id: str, text: str, metadata: Mapping[str, str]) -> Sequence[Reply]:
        """Answer from the table, or with an echo."""
        if self.down:
            raise DialogueUnavailable(self.down)
        if metadata.get("payload") == CHECK_IN_DONE:
            return self.kept
        self.heard.append((tracker_id, text, dict(metadata)))
        if self.while_thinking:
            self.while_thinking()
        return self.answers.get(text, (Reply(f"收到：{text}"),))

    def trigger(self, tracker_id: str, intent: str, metadata: Mapping[str, str]) -> None:
        """Remember what happened outside."""
        if self.down:
            raise DialogueUnavailable(self.down)
        self.triggered.append((intent, metadata.get("touchpoint_id", "")))

    def healthy(self) -> bool:
        """Whether it was not taken down."""
        return self.down is None


class FakeSafety:
    """Reads danger from a short table of phrases; the real lexicon has tests of its own."""

    def __init__(self, phrases: Mapping[str, Assessment]) -> None:
        self.phrases = dict(phrases)

    def assess(self, text: str, context: Context = NOTHING_KNOWN) -> Assessment:
        """Return the worst of what stands in the text."""
        found = [verdict for phrase, verdict in self.phrases.items() if phrase in text]
        return reduce(worst, found, Assessment())


class FakeSender:
    """A channel that keeps what it was given, or fails as told."""

    idempotent = False
    limit: PieceLimit | None = None

    def __init__(self, channel: str = "web") -> None:
        self.channel = channel
        self.sent: list[tuple[str, str]] = []
        self.failures: list[Exception] = []
        self._lock = threading.Lock()

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Keep the text, or raise the next failure."""
        with self._lock:
            if self.failures:
                raise self.failures.pop(0)
            self.sent.append((to.external_id, message.text))
        return f"vendor-{outbox_id[:8]}"

    @property
    def texts(self) -> list[str]:
        """What was delivered, in order."""
        return [text for _, text in self.sent]


class _EveryKey(dict[str, str]):
    """Holds whatever is looked for."""

    def __contains__(self, key: object) -> bool:
        return True


class PlainWords:
    """Stands in for a pack where only its texts are needed: says the key and what was filled in."""

    wording = _EveryKey()
    closures: frozenset[date] = frozenset()

    duty_name = "值班护士"
    duty_title = "护士"
    duty_phone = "0571-0000"
    brand = "测试口腔"

    def say(self, key: str, **values: object) -> str:
        """Return the key with its values."""
        return " ".join([key, *(f"{name}={value}" for name, value in values.items())])

    def clock_words(self, at: datetime, _now: datetime, zone: ZoneInfo) -> str:
        """Return the wall time, plainly."""
        return f"{at.astimezone(zone):%H:%M}"


class EveryHalfHour:
    """Shifts of one practitioner with two chairs who never sleeps; for tests of the book."""

    def __init__(self, minutes: int = 60, practitioners: Sequence[str] = ("wang",), chairs: int = 1) -> None:
        self._length = timedelta(minutes=minutes)
        self._who = practitioners
        self._chairs = tuple(f"c{number}" for number in range(1, chairs + 1))

    def openings(
        self, service: str, start: datetime, end: datetime, *, practitioner: str | None, clinic: str | None
    ) -> Iterator[Opening]:
        """Yield every half hour between the two moments."""
        at = start.replace(minute=0, second=0, microsecond=0)
        while at < end:
            for who in self._who:
                if at >= start and practitioner in {None, who}:
                    yield Opening(service, who, clinic or "main", self._chairs, at, at + self._length)
            at += timedelta(minutes=30)


def test_settings(folder: Path, **changes: object) -> Settings:
    """Return settings whose files all lie in a folder of the test."""
    base = {
        "data_dir": folder / "data",
        "key_file": folder / "keys" / "master.json",
        "api_token": "t" * 40,
        "model_dir": folder / "models",
    }
    return Settings(_env_file=None, **(base | changes))  # type: ignore[arg-type, call-arg]


NO_MODELS = ROOT / "models" / "none"  # where nothing is ever trained
test_settings.__test__ = False  # type: ignore[attr-defined]


@cache
def the_ladder() -> Promises:
    """Return the clinic's ladder, read once a test run; nothing in it can change."""
    folder = ROOT / "packs" / "dental"
    return load_promises(folder, load_pack(folder))


class Book:
    """A migrated database and its keys, without the rest of the house."""

    def __init__(self, url: str, keys_url: str, folder: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.terms = test_settings(folder).terms
        self.ladder = the_ladder()
        self.engine = open_engine(url)
        migrate(self.engine)
        key_engine = open_engine(keys_url)
        migrate_keys(key_engine)
        key_file = folder / "keys" / "master.json"
        self.keys = Keyring(key_engine, MasterKey.load(key_file) if key_file.exists() else MasterKey.create(key_file))

    def unit_of_work(self) -> SqlUnitOfWork:
        """Return a fresh transaction."""
        return SqlUnitOfWork(self.engine, self.keys, self.clock, self.terms, self.ladder)

    def close(self) -> None:
        """Let go of connections."""
        self.engine.dispose()
        self.keys.close()


@cache
def _reading_of(pack: Path, model_dir: Path) -> Reading:
    """Compile the lexicon and load the models once for all houses of a run; it takes seconds."""
    from care.bootstrap import build_reading  # noqa: PLC0415 - as heavy

    return build_reading(Settings(_env_file=None, pack=pack, model_dir=model_dir))  # type: ignore[call-arg]


@contextmanager
def a_house(
    folder: Path,
    *,
    clock: FakeClock | None = None,
    dialogue: Dialogue | None = None,
    **settings: object,
) -> Iterator[House]:
    """Build a house on a fresh, migrated database."""
    from care.bootstrap import build  # noqa: PLC0415 - loads the pack; only tests of the whole house need it

    chosen = test_settings(folder, **settings)
    for url, prepare in ((chosen.care_url, migrate), (chosen.key_store_url, migrate_keys)):
        engine = open_engine(url)
        prepare(engine)
        engine.dispose()
    MasterKey.create(chosen.key_file)
    house = build(
        chosen,
        clock=clock or FakeClock("2026-03-04T10:00+08:00"),
        dialogue=dialogue or FakeDialogue(),
        reading=_reading_of(chosen.pack, chosen.model_dir if chosen.model_dir.exists() else NO_MODELS),
    )
    try:
        yield house
    finally:
        house.close()


def a_member(
    uow: UnitOfWork,
    *,
    now: datetime,
    name: str | None = "王秀兰",
    phone: str | None = None,
    title: str | None = "女士",
    channel: str | None = "web",
    **fields: object,
) -> Member:
    """Store a member with a channel account and a conversation."""
    member = Member(id=MemberId(new_id()), created_at=now, name=name, phone=phone, title=title)
    for field, value in fields.items():
        setattr(member, field, value)
    uow.members.add(member)
    conversations.ensure_conversation(member.id, uow=uow, now=now)
    if channel:
        conversations.add_identity(member.id, channel, f"account-of-{member.id}", uow=uow, now=now)
    return member


def a_colleague(
    uow: UnitOfWork, *, now: datetime, name: str = "李静", role: Role = Role.CARER, **fields: object
) -> Staff:
    """Store a colleague who cannot log in (no password)."""
    staff = Staff(
        id=StaffId(new_id()), login=f"login-{new_id()[:8]}", name=name, role=role, created_at=now, password_hash="!"
    )
    staff = replace(staff, **fields)  # type: ignore[arg-type]
    uow.staff.add(staff)
    return staff


def reread(uow: UnitOfWork, member_id: MemberId) -> Member:
    """Return the member as stored."""
    return uow.members.get(member_id, by=TEST_READER, purpose=Purpose.CARE)
