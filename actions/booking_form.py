"""Booking and moving a visit: opening the form, understanding what is said inside it, and finishing it.

`booking_form` asks, one at a time: which visit (only when several could be moved), which service, which time, and
whether what was read back is right. Values may come in any order, several at once, and change at any moment.
"""

from __future__ import annotations

from datetime import timedelta

from rasa_sdk.events import ActiveLoop, SlotSet

from actions import hearing
from actions.booking_answers import does_not_know, first_service, hear, move_from, next_question, settled, which_visit
from actions.booking_state import (
    FORM,
    NEW,
    State,
    cleared,
    read_state,
    slot_from_json,
    slot_to_json,
    take_change,
    take_values,
    visit_words,
)
from actions.hearing import Change, Values, values_in
from actions.turn import CareAction, Events, Turn, leave_loop, returning
from care.model.appointment import Appointment
from care.model.consent import Purpose
from care.model.errors import HoldExpired, SlotTaken, SlotUnavailable
from care.model.staff import BOT_READER
from care.model.timespan import TimeSpan
from care.services import booking

#: What opens another subject: answered first, then the open question comes back once.
QUESTIONS = frozenset(
    [
        "ask_practitioner",
        "ask_service",
        "ask_price",
        "ask_clinic_info",
        "ask_membership",
        "express_dental_anxiety",
        "list_appointments",
        "ask_recovery_guidance",
        "ask_medication",
        "worry_about_result",
        "report_symptom",
        "report_improvement",
        "report_low_mood",
        "request_human",
        "complain",
        "praise",
        "give_suggestion",
        "ask_data_held",
        "ask_data_use",
        "ask_profile_tags",
        "ask_access_log",
        "correct_data",
        "export_data",
        "delete_data",
        "set_personalization",
        "set_data_sharing",
        "opt_out_marketing",
        "opt_out_checkins",
        "opt_in",
        "feel_watched",
        "ask_community_report",
        "join_council",
        "fitness_absence",
        "running_late",
        "bot_challenge",
        "ask_capabilities",
        "chitchat",
        "greet",
        "thank",
        "goodbye",
        "out_of_scope",
    ]
)
#: These are never an answer to a question about a visit, however unsure the model is.
ALWAYS_FIRST = frozenset(["request_human", "complain", "report_symptom", "report_low_mood", "ask_medication"])
SURE = 0.55  # below this a message that names a value is taken as the answer it could be
TOO_SHORT = 2  # characters in which nobody opens another subject: 正常, 还行
COURTESIES = frozenset(["thank", "greet", "goodbye"])
ASKED_TIME = "booking.time"


class StartBooking(CareAction):
    """Open the form for a new visit with everything the first message already said."""

    code = "action_start_booking"

    def act(self, turn: Turn) -> Events:
        values = values_in(turn.text, self.house, now=turn.local, asked=None)
        state = State(visit=NEW, service=turn.tapped("service"), practitioner=turn.tapped("practitioner"))
        take_values(state, values, turn)
        if turn.intent == "family_booking" and state.for_whom is None:
            state.for_whom = ""
        if state.service is None and turn.intent != "family_booking":
            state.service = self._service_spoken_of(state, turn)
        if state.service is None and hearing.hurts(turn.text):
            state.service = first_service(turn)
        if turn.intent == "ask_availability" and state.service is None:
            state.note = "availability"
        elif values.problem and state.service is not None:
            state.note = values.problem
        return [*cleared(), *settled(state, turn).events(), ActiveLoop(FORM)]

    def _service_spoken_of(self, state: State, turn: Turn) -> str | None:
        """Return the service of the last question, that the member goes on with, or whose doctor they ask for."""
        spoken = turn.slot("topic_service")
        goes_on = (
            any(word in turn.text for word in ("这个", "那个", "那就", "就约", "它", "他", "她")) or not turn.text
        )
        pack = self.house.pack
        service, one = pack.services.get(str(spoken)), pack.practitioners.get(state.practitioner or "")
        if service is None:
            return None
        does_it = one is not None and pack.may_do(one, service)
        return service.code if goes_on or does_it else None


class StartMove(CareAction):
    """Open the form for moving a visit; with one visit to come it is not asked which."""

    code = "action_start_move"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            visits = booking.coming(turn.member_id, uow=uow, clock=self.house.clock)
        if not visits:
            turn.say("utter_nothing_to_move", asked="booking.offer")
            return [*cleared(), *leave_loop(turn.tracker)]
        values = values_in(turn.text, self.house, now=turn.local, asked=None)
        state = State()
        found = which_visit(visits, values, turn)
        if found is not None:
            move_from(state, found)
        if state.visit is None and values.service:
            values = Values(practitioner=values.practitioner, clinic=values.clinic, span=values.span)
        _take_move(state, values, turn, found)
        return [*cleared(), *settled(state, turn).events(), ActiveLoop(FORM)]


class ValidateBooking(CareAction):
    """Understand what was said while the form is open."""

    code = f"validate_{FORM}"

    def act(self, turn: Turn) -> Events:
        requested = turn.slot("requested_slot")
        if requested is None or returning(turn.tracker, FORM) or _opened_just_now(turn):
            return [SlotSet("booking_misses", 0)] if requested is None else []
        state = read_state(turn)
        asked = ASKED_TIME if requested == "booking_choice" else turn.asked or None
        values = values_in(turn.text, self.house, now=turn.local, asked=asked)
        if turn.intent == "stop" or hearing.gives_up(turn.text):
            return [SlotSet("booking_confirm", "stopped"), SlotSet("requested_slot", None)]
        if _is_other_subject(turn, values, requested):
            return []
        understood = hear(requested, state, values, turn)
        if not understood:
            state.misses += 1
            state.note = "unclear"
        else:
            state.misses = 0
            if state.confirm is None:
                settled(state, turn)
        return [*state.events(), SlotSet("requested_slot", next_question(state))]


class FinishBooking(CareAction):
    """Book what was confirmed, or let go of what was held."""

    code = "action_finish_booking"

    def act(self, turn: Turn) -> Events:
        state = read_state(turn)
        if state.confirm == "yes":
            return self._book(state, turn)
        with self.house.unit_of_work() as uow:
            uow.appointments.release(turn.member_id)
            uow.commit()
        if state.confirm == "stopped":
            turn.say("utter_move_stopped" if state.moves else "utter_booking_stopped")
        return cleared()

    def _book(self, state: State, turn: Turn) -> Events:
        try:
            made = self._confirm(state, turn)
        except (HoldExpired, SlotTaken, SlotUnavailable):
            state.reopen("expired")
            return [*state.events(), ActiveLoop(FORM)]
        say_booked(made, turn)
        return [*cleared(), SlotSet("topic_service", None)]

    def _confirm(self, state: State, turn: Turn) -> Appointment:
        with self.house.unit_of_work() as uow:
            try:
                made = booking.confirm(turn.member_id, key=turn.key, uow=uow, clock=self.house.clock)
            except HoldExpired:
                if state.choice is None:
                    raise
                slot = booking.as_held(
                    slot_from_json(state.choice, self.house), uow=uow, slots=self.house.slots, clock=self.house.clock
                )
                booking.hold(
                    turn.member_id,
                    slot,
                    wish=state.wish(),
                    uow=uow,
                    clock=self.house.clock,
                    lasts=self.house.settings.hold_for,
                )
                made = booking.confirm(turn.member_id, key=turn.key, uow=uow, clock=self.house.clock)
            uow.commit()
        return made


def say_booked(made: Appointment, turn: Turn) -> None:
    """Tell what stands in the book now, and ask for a number if there is none to call."""
    words = visit_words(made.slot, turn)
    with turn.house.unit_of_work() as uow:
        member = uow.members.get(turn.member_id, by=BOT_READER, purpose=Purpose.SERVICE_CORE)
        uow.commit()
    if made.moved_from:
        turn.say("utter_moved", words)
    elif made.for_whom:
        turn.say("utter_booked_family", words, 谁=made.for_whom)
    else:
        turn.say("utter_booked", words)
    if member.phone is None:
        turn.say("utter_ask_phone", asked="booking.phone")


def _take_move(state: State, values: Values, turn: Turn, visit: Appointment | None) -> None:
    """Take what the move should change; without a time, another person is sought for the same time."""
    changed = take_values(state, values, turn)
    if visit is None:
        return
    change = hearing.change_in(turn.text)
    if change is Change.OTHER_PERSON and not values.practitioner:
        state.without, state.practitioner = [visit.slot.practitioner], None
        changed = True
    if values.practitioner or values.service or state.practitioner is None:
        state.clinic = values.clinic
    if changed and state.time is None:
        state.time = TimeSpan(
            turn.clock_words(visit.slot.start_at),
            visit.slot.start_at,
            visit.slot.start_at + timedelta(hours=1),
            "hour",
        )
    elif state.time is None and change in {Change.EARLIER, Change.LATER}:
        state.choice = slot_to_json(visit.slot)
        take_change(state, change, turn)
        state.choice = None


def _opened_just_now(turn: Turn) -> bool:
    """Whether the form was opened in this very turn: then the message has been read already."""
    for event in reversed(turn.tracker.events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action" and event.get("name") in {
            StartBooking.code,
            StartMove.code,
            FinishBooking.code,
            "action_inform",
            "action_affirm",
            "action_fallback",
        }:
            return True
    return False


def _is_other_subject(turn: Turn, values: Values, requested: str) -> bool:
    if turn.intent in ALWAYS_FIRST and turn.confidence >= SURE:
        return True
    if turn.intent == "cancel_appointment":
        return turn.slot("booking_visit") == NEW and not hearing.gives_up(turn.text)
    if turn.intent not in QUESTIONS:
        return False
    if len(turn.text.strip()) <= TOO_SHORT and turn.intent not in ALWAYS_FIRST and turn.intent not in COURTESIES:
        return False
    if requested == "booking_service" and does_not_know(turn.text):
        return False
    if turn.tapped("choice") or turn.tapped("visit"):
        return False
    if requested in {"booking_choice", "booking_confirm"} and hearing.change_in(turn.text) is not None:
        asks_for_somebody = turn.intent == "ask_practitioner" and values.practitioner is None
        return not (asks_for_somebody or turn.intent in {"out_of_scope", "chitchat", "ask_clinic_info"})
    if requested == "booking_confirm" and hearing.is_yes(turn.text) and turn.intent in {"thank", "greet", "chitchat"}:
        return False
    if hearing.which_in(turn.text, len(turn.slot("booking_offers") or ())) is not None and len(turn.text) <= 8:
        return False
    return not (values.any and turn.confidence < SURE)


ACTIONS: tuple[type[CareAction], ...] = (StartBooking, StartMove, ValidateBooking, FinishBooking)
