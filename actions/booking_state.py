"""The working note of a booking: what is wished so far, what was offered, what is held. Kept in slots, in codes.

The note may be lost at any time; the appointment book is what counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rasa_sdk.events import SlotSet

from actions import hearing
from actions.hearing import Change, Values
from actions.turn import Events, Turn
from care.bootstrap import House
from care.model.appointment import Appointment, Slot
from care.model.errors import InvalidInput
from care.model.ids import AppointmentId
from care.model.timespan import TimeSpan
from care.services.booking import HORIZON, Offer, Wish
from care.services.matching import offer_without

FORM = "booking_form"
NEW = "new"  # the visit slot of a booking that replaces nothing
SLOTS = (
    "booking_visit",
    "booking_service",
    "booking_choice",
    "booking_confirm",
    "booking_wish",
    "booking_offers",
    "booking_note",
    "booking_misses",
)


@dataclass(slots=True)
class State:
    """A booking under way."""

    service: str | None = None
    practitioner: str | None = None
    clinic: str | None = None
    time: TimeSpan | None = None
    for_whom: str | None = None
    moves: str | None = None
    without: list[str] = field(default_factory=list)  # practitioners the member does not want
    declined: list[str] = field(default_factory=list)  # starts the member said no to
    offers: list[dict[str, str]] = field(default_factory=list)
    choice: dict[str, str] | None = None
    confirm: str | None = None
    visit: str | None = None
    note: str | None = None  # why the next question is put the way it is
    misses: int = 0

    def wish(self) -> Wish:
        """Return the wish as the book understands it.

        Raises:
            InvalidInput: while the service is not known.
        """
        if self.service is None:
            raise InvalidInput("service", "is not known yet")
        return Wish(
            self.service,
            practitioner=self.practitioner,
            clinic=self.clinic,
            time=self.time,
            for_whom=self.for_whom,
            moves=AppointmentId(self.moves) if self.moves else None,
        )

    def events(self) -> Events:
        """Return the slots that keep this note."""
        wish = {
            "practitioner": self.practitioner,
            "clinic": self.clinic,
            "time": span_to_json(self.time),
            "for_whom": self.for_whom,
            "moves": self.moves,
            "without": self.without,
            "declined": self.declined,
        }
        values = {
            "booking_visit": self.visit,
            "booking_service": self.service,
            "booking_choice": self.choice,
            "booking_confirm": self.confirm,
            "booking_wish": wish,
            "booking_offers": self.offers,
            "booking_note": self.note,
            "booking_misses": self.misses,
        }
        return [SlotSet(name, value) for name, value in values.items()]

    def reopen(self, note: str | None = None) -> None:
        """Go back to choosing a time."""
        self.choice, self.confirm, self.offers, self.note = None, None, [], note


def read_state(turn: Turn) -> State:
    """Return the note as the tracker keeps it."""
    wish: Mapping[str, Any] = turn.slot("booking_wish") or {}
    return State(
        service=turn.slot("booking_service"),
        practitioner=wish.get("practitioner"),
        clinic=wish.get("clinic"),
        time=span_from_json(wish.get("time")),
        for_whom=wish.get("for_whom"),
        moves=wish.get("moves"),
        without=list(wish.get("without") or ()),
        declined=list(wish.get("declined") or ()),
        offers=list(turn.slot("booking_offers") or ()),
        choice=turn.slot("booking_choice"),
        confirm=turn.slot("booking_confirm"),
        visit=turn.slot("booking_visit"),
        note=turn.slot("booking_note"),
        misses=int(turn.slot("booking_misses") or 0),
    )


def cleared() -> Events:
    """Return the events that forget a booking."""
    return [SlotSet(name, None) for name in SLOTS]


def take_values(state: State, values: Values, turn: Turn) -> bool:
    """Write what a message names into the note; return whether anything about the wish changed.

    A practitioner who is unknown to the service is found out when times are looked for, not here.
    """
    before = (state.service, state.practitioner, state.clinic, state.time, state.for_whom, tuple(state.without))
    if (values.service and not state.moves) or (values.service and state.moves and values.service != state.service):
        state.service = values.service
    if values.practitioner:
        state.practitioner = values.practitioner
        state.without = [code for code in state.without if code != values.practitioner]
    for code in values.without:
        state.without.append(code)
        if state.practitioner == code:
            state.practitioner = None
    if values.clinic:
        state.clinic = values.clinic
    if values.relation and (turn.intent == "family_booking" or hearing.is_for(values.relation, turn.text)):
        state.for_whom = values.relation
    if values.span:
        state.time = hearing.merged(values.span, state.time or _held_time(state, turn), turn.text, turn.house.zone)
        state.declined = []
    elif values.shift and (base := _held_time(state, turn) or state.time):
        state.time = TimeSpan(turn.text, base.start + values.shift, base.end + values.shift, base.grain)
    after = (state.service, state.practitioner, state.clinic, state.time, state.for_whom, tuple(state.without))
    return before != after


def take_change(state: State, change: Change, turn: Turn) -> None:
    """Write 换一天, 再晚一点, 别的医生 into the note."""
    zone = turn.house.zone
    shown = [datetime.fromisoformat(offer["start"]) for offer in state.offers]
    if state.choice:
        shown.append(datetime.fromisoformat(state.choice["start"]))
    shown.sort()
    if change is Change.ANY_PERSON:
        state.practitioner, state.without = None, []
        return
    if change is Change.OTHER_PERSON:
        here = {offer["practitioner"] for offer in state.offers} | (
            {state.choice["practitioner"]} if state.choice else set()
        )
        state.without = sorted({*state.without, *([state.practitioner] if state.practitioner else here)})
        state.practitioner = None
        return
    far = turn.now + HORIZON
    if not shown:
        return
    if change is Change.EARLIER:
        state.time = TimeSpan(turn.text, turn.now, max(shown[0], turn.now + timedelta(minutes=1)), "any")
    elif change is Change.OTHER_DAY:
        midnight = shown[-1].astimezone(zone).replace(hour=0, minute=0) + timedelta(days=1)
        state.time = TimeSpan(turn.text, midnight, max(far, midnight + timedelta(days=1)), "any")
    else:  # later, or simply more of them
        after = shown[-1] + timedelta(minutes=1)
        state.time = TimeSpan(turn.text, after, max(far, after + timedelta(days=1)), "any")


def find_offers(state: State, turn: Turn, *, count: int = 3) -> Offer:
    """Look for times that fit the note, without those the member declined.

    Raises:
        InvalidInput: the practitioner or the branch does not go with the service.
    """
    house = turn.house
    with house.unit_of_work() as uow:
        found = offer_without(
            state.wish(),
            without=state.without,
            uow=uow,
            slots=house.slots,
            clock=house.clock,
            pack=house.pack,
            count=count + len(state.declined),
        )
    left = [slot for slot in found.slots if slot.start_at.isoformat() not in state.declined][:count]
    return Offer(tuple(left), fits=found.fits and bool(left), exact=found.exact and bool(left))


def slot_to_json(slot: Slot) -> dict[str, str]:
    """Return a slot as the tracker keeps it."""
    return {
        "service": slot.service,
        "practitioner": slot.practitioner,
        "clinic": slot.clinic,
        "chair": slot.chair,
        "start": slot.start_at.isoformat(),
    }


def slot_from_json(kept: Mapping[str, str], house: House) -> Slot:
    """Return a kept slot.

    Raises:
        InvalidInput: if its service is not in the pack any more.
    """
    service = house.pack.services.get(kept.get("service", ""))
    if service is None:
        raise InvalidInput("service", "is not in the pack")
    start = datetime.fromisoformat(kept["start"])
    return Slot(
        service=service.code,
        practitioner=kept["practitioner"],
        clinic=kept["clinic"],
        chair=kept.get("chair", ""),
        start_at=start,
        end_at=start + timedelta(minutes=service.minutes),
    )


def span_to_json(span: TimeSpan | None) -> dict[str, str] | None:
    """Return a span as the tracker keeps it."""
    if span is None:
        return None
    return {"text": span.text, "start": span.start.isoformat(), "end": span.end.isoformat(), "grain": span.grain}


def span_from_json(kept: Mapping[str, Any] | None) -> TimeSpan | None:
    """Return a kept span."""
    if not kept:
        return None
    return TimeSpan(
        str(kept["text"]),
        datetime.fromisoformat(kept["start"]),
        datetime.fromisoformat(kept["end"]),
        kept["grain"],
    )


def visit_words(slot: Slot, turn: Turn) -> dict[str, str]:
    """Return the words for a visit that responses are filled with."""
    pack = turn.house.pack
    service, clinic = pack.services.get(slot.service), pack.clinics.get(slot.clinic)
    return {
        "时间": turn.clock_words(slot.start_at),
        "服务": service.name if service else slot.service,
        "医生": who_words(slot.practitioner, turn),
        "门店": clinic.name if clinic else slot.clinic,
        "地址": clinic.address if clinic else "",
        "准备": service.preparation if service else "",
        "时长": str(service.minutes if service else ""),
    }


def who_words(code: str, turn: Turn) -> str:
    """Return how a practitioner is called: doctors 王建国医生, others 徐曼洁牙师."""
    pack = turn.house.pack
    one = pack.practitioners.get(code)
    if one is None:
        return code
    return f"{one.name}{pack.say('word.doctor') if one.role == 'doctor' else one.title}"


def visits_as_buttons(visits: Sequence[Appointment], turn: Turn) -> list[tuple[str, str]]:
    """Return one button a visit."""
    buttons = []
    for visit in visits:
        words = visit_words(visit.slot, turn)
        buttons.append((f"{words['时间']} {words['服务']}", f'/inform{{"visit": "{visit.id}"}}'))
    return buttons


def _held_time(state: State, turn: Turn) -> TimeSpan | None:
    """Return the time that is held, or of the visit that is moved, as a span."""
    if state.choice:
        slot = slot_from_json(state.choice, turn.house)
        return TimeSpan("", slot.start_at, slot.start_at + timedelta(hours=1), "hour")
    if state.moves:
        with turn.house.unit_of_work() as uow:
            old = uow.appointments.get(AppointmentId(state.moves)).slot
        return TimeSpan("", old.start_at, old.start_at + timedelta(hours=1), "hour")
    return None
