"""The questions of the booking form: which visit, which service, which time, and is this right."""

from __future__ import annotations

from collections.abc import Sequence

from rasa_sdk.events import SlotSet

from actions.booking_answers import services_to_choose
from actions.booking_state import (
    FORM,
    State,
    find_offers,
    read_state,
    slot_from_json,
    slot_to_json,
    visit_words,
    visits_as_buttons,
    who_words,
)
from actions.hearing import Change
from actions.turn import CareAction, Events, Turn, returning
from care.model.appointment import Slot
from care.model.errors import InvalidInput
from care.model.ids import AppointmentId
from care.services import booking
from care.services.booking import Offer
from care.services.matching import next_days

#: Why the question is put so, and the sentence that says it.
OFFER_WORDS = {
    "taken": "utter_offer_taken",
    "expired": "utter_offer_expired",
    "declined": "utter_offer_declined",
    "which": "utter_offer_which",
    "unclear": "utter_offer_unclear",
    "practitioner": "utter_offer_practitioner_cannot",
    "clinic": "utter_offer_clinic_cannot",
    "past": "utter_offer_past",
    "impossible": "utter_offer_impossible",
    "full": "utter_offer_not_fit",
    Change.OTHER_PERSON.value: "utter_offer_other_person",
    Change.OTHER_DAY.value: "utter_offer_more",
    Change.MORE.value: "utter_offer_more",
    Change.LATER.value: "utter_offer_more",
    Change.EARLIER.value: "utter_offer_earlier",
}
KEEPS_THE_LIST = frozenset({"which", "unclear"})


class AskVisit(CareAction):
    """Which of several visits is to be moved."""

    code = "action_ask_booking_visit"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            visits = booking.coming(turn.member_id, uow=uow, clock=self.house.clock)
        unclear = turn.slot("booking_note") == "unclear"
        turn.say(
            "utter_ask_visit_again" if unclear else "utter_ask_visit_to_move",
            buttons=visits_as_buttons(visits, turn),
            asked="booking.visit",
        )
        return [SlotSet("booking_note", None)]


class AskService(CareAction):
    """What the visit is for."""

    code = "action_ask_booking_service"

    def act(self, turn: Turn) -> Events:
        state = read_state(turn)
        if state.note == "availability" and state.practitioner:
            self._say_days_of(state.practitioner, turn)
        response = "utter_ask_service"
        if returning(turn.tracker, FORM):
            response = "utter_ask_service_again"
        elif state.note == "unclear":
            response = "utter_ask_service_unclear" if state.misses < 2 else "utter_ask_service_human"
        elif state.for_whom is not None:
            response = "utter_ask_service_family"
        elif state.time is not None:
            response = "utter_ask_service_time"
        shown = services_to_choose(state.practitioner, turn)
        buttons = [(service.name, f'/inform{{"service": "{service.code}"}}') for service in shown]
        turn.say(
            response,
            buttons=buttons,
            asked="booking.service",
            谁=state.for_whom or "",
            说法=state.time.text if state.time else "",
        )
        return [SlotSet("booking_note", None)]

    def _say_days_of(self, code: str, turn: Turn) -> None:
        one = self.house.pack.practitioners.get(code)
        if one is None:
            return
        with self.house.unit_of_work() as uow:
            days = next_days(one, uow=uow, slots=self.house.slots, clock=self.house.clock, pack=self.house.pack)
        if days:
            listed = "、".join(turn.clock_words(slot.start_at) for slot in days)
            turn.say("utter_days_of", 医生=who_words(code, turn), 列表=listed)


class AskChoice(CareAction):
    """Which of the nearest free times."""

    code = "action_ask_booking_choice"

    def act(self, turn: Turn) -> Events:
        state = read_state(turn)
        if state.offers and (returning(turn.tracker, FORM) or state.note in KEEPS_THE_LIST):
            slots = tuple(slot_from_json(offer, self.house) for offer in state.offers)
            response = OFFER_WORDS.get(state.note or "", "utter_offer_again")
            if state.note == "unclear" and state.misses >= 2:
                response = "utter_offer_human"
            _say_offer(response, slots, state, turn)
            return [SlotSet("booking_note", None)]
        try:
            found = find_offers(state, turn)
        except InvalidInput:
            found = self._without_what_does_not_fit(state, turn)
        if not found.slots:
            return self._nothing(state, turn)
        said = state.note or ("" if found.fits or state.time is None else "full")
        response = OFFER_WORDS.get(said, "utter_offer" if len(found.slots) > 1 else "utter_offer_one")
        if not found.fits and said in {Change.EARLIER.value}:
            response = "utter_offer_no_earlier"
        _say_offer(response, found.slots, state, turn)
        state.offers, state.note = [slot_to_json(slot) for slot in found.slots], None
        return state.events()

    def _without_what_does_not_fit(self, state: State, turn: Turn) -> Offer:
        """Drop the person or the branch that does not do this service, and say which."""
        state.note = "practitioner" if state.practitioner else "clinic"
        turn.tracker.slots["booking_cannot"] = who_words(state.practitioner, turn) if state.practitioner else ""
        state.practitioner, state.without = None, []
        try:
            return find_offers(state, turn)
        except InvalidInput:
            state.clinic = None
            return find_offers(state, turn)

    def _nothing(self, state: State, turn: Turn) -> Events:
        """Say honestly that the book is full, and open the wish again."""
        before = bool(state.practitioner or state.clinic or state.time or state.without)
        state.practitioner, state.clinic, state.time, state.without = None, None, None, []
        found = find_offers(state, turn)
        if not before or not found.slots:
            turn.say("utter_offer_nothing", 服务=_service_name(state, turn), asked="booking.time")
            return state.events()
        _say_offer("utter_offer_not_fit", found.slots, state, turn)
        state.offers, state.note = [slot_to_json(slot) for slot in found.slots], None
        return state.events()


class AskConfirm(CareAction):
    """Is this right: what is held, read back."""

    code = "action_ask_booking_confirm"

    def act(self, turn: Turn) -> Events:
        state = read_state(turn)
        if state.choice is None:
            return []
        words = visit_words(slot_from_json(state.choice, self.house), turn)
        with self.house.unit_of_work() as uow:
            held = uow.appointments.hold_of(turn.member_id, turn.now)
            old = uow.appointments.get(AppointmentId(state.moves)) if state.moves else None
        words["留到"] = turn.clock_words(held.expires_at) if held else ""
        words["谁"] = state.for_whom or ""
        response = "utter_confirm"
        if returning(turn.tracker, FORM):
            response = "utter_confirm_again"
        elif state.note == "unclear":
            response = "utter_confirm_unclear" if state.misses < 2 else "utter_confirm_human"
        elif old is not None:
            response = "utter_confirm_move"
            words["旧时间"] = turn.clock_words(old.slot.start_at)
        elif state.for_whom:
            response = "utter_confirm_family"
        turn.say(response, words, asked="booking.confirm")
        return [SlotSet("booking_note", None)]


def _say_offer(response: str, slots: Sequence[Slot], state: State, turn: Turn) -> None:
    lines, buttons = [], []
    several = len({slot.clinic for slot in slots}) > 1 or state.clinic is None
    for number, slot in enumerate(slots, start=1):
        words = visit_words(slot, turn)
        place = f" · {words['门店']}" if several else ""
        lines.append(f"{number}. {words['时间']} · {words['医生']}{place}")
        payload = f'/inform{{"choice": "{slot.start_at.isoformat()}|{slot.practitioner}"}}'
        buttons.append((f"{words['时间']} {words['医生']}", payload))
    turn.say(
        response,
        buttons=buttons,
        asked="booking.time",
        列表="\n".join(lines),
        服务=_service_name(state, turn),
        说法=state.time.text if state.time else "",
        医生=turn.tracker.slots.get("booking_cannot") or "",
        谁=state.for_whom or "",
    )


def _service_name(state: State, turn: Turn) -> str:
    service = turn.house.pack.services.get(state.service or "")
    return service.name if service else ""


ACTIONS: tuple[type[CareAction], ...] = (AskVisit, AskService, AskChoice, AskConfirm)
