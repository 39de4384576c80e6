"""A member's days in a house with the clinic's real pack: treatments, ticks, words, taps and what came of them.

The dialogue and the reading of danger are fakes, so that what is proved here is what the core does with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

from bot.inbound import accept, turn_parts
from care.adapters.calendar import PackCalendar
from care.adapters.packs import load_pack
from care.adapters.shifts import ShiftSlots
from care.bootstrap import House, Reading
from care.model.assessment import Assessment, Complaint, Distress, Flag, Medical
from care.model.case import Case
from care.model.consent import Purpose
from care.model.conversation import Conversation
from care.model.ids import MemberId, StaffId, TreatmentId
from care.model.member import Member
from care.model.message import Author, Message
from care.model.pack import Pack
from care.model.staff import Role
from care.model.touchpoint import Answer, Touchpoint
from care.model.treatment import Episode, Treatment
from care.services import conversations, recovery, turns
from care.services import members as registry
from care.services.conversations import Inbound, button_token
from care.settings import ROOT
from care.testing import TEST_READER, Book, FakeClock, FakeDialogue, FakeSafety, a_colleague, a_member, test_settings
from scheduler import ticks

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = "2026-03-04T10:00+08:00"  # a Wednesday, no holiday near
DANGER = {
    "血止不住": Assessment(medical=Medical.L1, flags=(Flag.BLEEDING,)),
    "喘不上气": Assessment(medical=Medical.L0, flags=(Flag.BREATHING,)),
    "半边脸都肿了": Assessment(medical=Medical.L2, flags=(Flag.SWELLING,)),
    "低烧": Assessment(medical=Medical.WATCH, flags=(Flag.FEVER,)),
    "能不能吃海鲜": Assessment(medical=Medical.L3),
    "不想活了": Assessment(distress=Distress.P3, flags=(Flag.SELF_HARM,)),
    "曝光你们": Assessment(complaint=Complaint.K2),
}


@cache
def the_pack() -> Pack:
    """Return the clinic's pack, read once a test run; nothing in it can change."""
    return load_pack(ROOT / "packs" / "dental")


@contextmanager
def a_care_house(folder: Path, *, url: str = "", **settings: object) -> Iterator[House]:
    """Build a house around a fresh database, on SQLite unless a URL is given."""
    chosen = test_settings(folder, **settings)
    clock = FakeClock(MORNING)
    book = Book(url or f"sqlite:///{folder / 'care.db'}", f"sqlite:///{folder / 'keys' / 'k.db'}", folder, clock)
    pack = the_pack()
    house = House(
        settings=chosen,
        clock=clock,
        pack=pack,
        slots=ShiftSlots(pack, PackCalendar(chosen.pack, pack), clock),
        reading=cast("Reading", SimpleNamespace(safety=FakeSafety(DANGER))),
        dialogue=FakeDialogue(),
        engine=book.engine,
        keys=book.keys,
    )
    try:
        yield house
    finally:
        house.close()


def clock_of(house: House) -> FakeClock:
    """Return the house's clock, to be moved."""
    return cast("FakeClock", house.clock)


def dialogue_of(house: House) -> FakeDialogue:
    """Return the house's dialogue, to be taken down."""
    return cast("FakeDialogue", house.dialogue)


def a_patient(house: House, **fields: object) -> Member:
    """Store a member who was treated here and writes on the web."""
    with house.unit_of_work() as uow:
        member = a_member(uow, now=house.clock.now(), **({"phone": "13800001234"} | fields))  # type: ignore[arg-type]
        uow.commit()
    return member


def a_second_account(house: House, member_id: MemberId, channel: str = "telegram") -> None:
    """Give the member one more channel."""
    with house.unit_of_work() as uow:
        conversations.add_identity(member_id, channel, f"{channel}-of-{member_id}", uow=uow, now=house.clock.now())
        uow.commit()


def staff_on_duty(house: House) -> dict[Role, StaffId]:
    """Store a nurse, a carer and a lead; return their ids."""
    people = ((Role.NURSE, "赵敏", "值班护士"), (Role.CARER, "李静", "康复关怀师"), (Role.LEAD, "孙岚", "关怀组长"))
    with house.unit_of_work() as uow:
        found = {
            role: a_colleague(uow, now=house.clock.now(), name=name, role=role, job_title=title).id
            for role, name, title in people
        }
        uow.commit()
    return found


def treat(
    house: House,
    member_id: MemberId,
    *,
    kind: str = "implant",
    ended: str | None = None,
    sutures: date | None = None,
    facts: frozenset[str] = frozenset(),
    ref: str | None = None,
) -> tuple[Treatment, Episode]:
    """Record a treatment that ended at a moment, or just now."""
    with house.unit_of_work() as uow:
        treatment, episode = recovery.record_treatment(
            member_id,
            kind=kind,
            practitioner=next(iter(house.pack.practitioners)),
            clinic=next(iter(house.pack.clinics)),
            ended_at=datetime.fromisoformat(ended) if ended else house.clock.now(),
            sutures_out_on=sutures,
            facts=facts,
            external_ref=ref,
            uow=uow,
            clock=house.clock,
            pack=house.pack,
            zone=house.zone,
        )
        uow.commit()
    assert episode is not None
    return treatment, episode


def says(
    house: House, member: Member, text: str, *, button: str | None = None, account: str = "", channel: str = "web"
) -> None:
    """Let the member write, or tap, and work through everything that waits."""
    name = account or f"account-of-{member.id}"
    number = len(everything_said(house, member.id))
    accept(house, Inbound(channel, name, f"{channel}:{member.id}:{number}", text, button))
    work_through(house)


def work_through(house: House) -> None:
    """Work through the inbox as one worker does."""
    parts = turn_parts(house)
    while True:
        with house.unit_of_work() as uow:
            now = house.clock.now()
            item = uow.inbox.claim(now, now + house.settings.inbox_lease)
            uow.commit()
        if item is None:
            return
        turns.process(item, parts)


def taps(house: House, member: Member, title: str) -> None:
    """Let the member tap the latest button with this title."""
    for message in reversed(everything_said(house, member.id)):
        for index, button in enumerate(message.buttons):
            if button.title == title:
                says(house, member, title, button=button_token(message, index))
                return
    raise AssertionError(f"no button {title} was shown")


def everything_said(house: House, member_id: MemberId) -> list[Message]:
    """Return all messages of a member, oldest first."""
    with house.unit_of_work() as uow:
        conversation = uow.conversations.of_member(member_id)
        return uow.conversations.history(conversation.id, limit=1000) if conversation else []


def ours(house: House, member_id: MemberId) -> list[str]:
    """Return what we said, oldest first."""
    return [said.text for said in everything_said(house, member_id) if said.author is not Author.MEMBER]


def last(house: House, member_id: MemberId) -> Message:
    """Return the latest message."""
    return everything_said(house, member_id)[-1]


def conversation_of(house: House, member_id: MemberId) -> Conversation:
    """Return the member's conversation."""
    with house.unit_of_work() as uow:
        found = uow.conversations.of_member(member_id)
    assert found is not None
    return found


def contacts(house: House, member_id: MemberId) -> dict[str, Touchpoint]:
    """Return a member's planned contacts by the code of their plan; of several the latest."""
    with house.unit_of_work() as uow:
        return {one.plan: one for one in uow.treatments.touchpoints_of(member_id)}


def answers_of(house: House, episode: Episode) -> list[Answer]:
    """Return the answers of a recovery, oldest first."""
    with house.unit_of_work() as uow:
        return uow.treatments.answers(episode.id)


def cases_of(house: House, member_id: MemberId) -> list[Case]:
    """Return a member's unresolved cases, most urgent first."""
    with house.unit_of_work() as uow:
        return uow.cases.open_of(member_id)


def treatment_of(house: House, treatment_id: TreatmentId) -> Treatment:
    """Return a treatment as stored."""
    with house.unit_of_work() as uow:
        return uow.treatments.treatment(treatment_id)


def withdraw(house: House, member_id: MemberId, purpose: Purpose) -> None:
    """Let the member take a consent back."""
    with house.unit_of_work() as uow:
        registry.choose(
            member_id, purpose, given=False, at=house.clock.now(), by=TEST_READER, evidence="别发了", uow=uow
        )
        uow.commit()


def take_over(house: House, member_id: MemberId, staff_id: StaffId) -> None:
    """Let a colleague take the conversation over."""
    conversation = conversation_of(house, member_id)
    with house.unit_of_work() as uow:
        conversations.take_over(conversation.id, staff_id, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()


def hand_back(house: House, member_id: MemberId, staff_id: StaffId, because: str = "") -> None:
    """Let the colleague give it back; within a day of something grave a lead says why."""
    conversation = conversation_of(house, member_id)
    with house.unit_of_work() as uow:
        conversations.hand_back(
            conversation.id,
            staff_id,
            outcome="血已止住",
            next_step="明早复诊",
            because=because,
            may_mention=True,
            uow=uow,
            clock=house.clock,
            pack=house.pack,
        )
        uow.commit()


def wall(moment: datetime, zone: ZoneInfo = SHANGHAI) -> str:
    """Return a moment as the clock on the wall shows it: `03-04 18:00`."""
    return f"{moment.astimezone(zone):%m-%d %H:%M}"


def at(house: House, moment: str) -> int:
    """Move the clock to a wall time in Shanghai and let one tick find what is due."""
    clock_of(house).set(f"2026-{moment}+08:00")
    return ticks.send_due(house)


def on_the_first_morning(house: House, member: Member) -> Episode:
    """Record an implant of the day before, and let the first morning's question go out."""
    clock_of(house).set("2026-03-05T08:00+08:00")
    _, episode = treat(house, member.id, ended="2026-03-04T10:00+08:00")
    assert at(house, "03-05T09:00") == 1
    return episode
