"""Short answers that stand alone, giving up, and not having understood.

A yes, a no or a bare value belongs to what was asked last; without a question it begins nothing by itself,
except that naming a service, a person or a time is the beginning of a booking.
"""

from __future__ import annotations

from actions.booking_form import StartBooking
from actions.booking_state import cleared
from actions.data_rights import save_phone
from actions.hearing import Values, values_in
from actions.information import AskPractitioner, AskPrice, AskService
from actions.people import FEAR_ASKED, NURSE_ASKED, DentalAnxiety, RequestHuman
from actions.recovery import MOOD_ASKED, LowMood
from actions.turn import CareAction, Events, Turn, leave_loop, said_again
from care.model.case import CaseLevel
from care.model.courtesy import is_courtesy
from care.model.errors import InvalidInput
from care.model.member import clean_phone

ASKS_TO_BOOK = frozenset({"booking.offer", "practitioner.choice"})
BETWEEN = 0.12  # the second meaning is offered too when it is not much less likely than this share
OFFERED = 2
NO_MEANING = frozenset({"nlu_fallback", "inform", "affirm", "deny", "stop", "out_of_scope", "EXTERNAL_check_in"})
ASKED_AGAIN = "fallback"
#: Unsure between these is sure enough: all of them only offer times.
SAME_DOOR = frozenset({"book_appointment", "family_booking", "ask_availability"})


class Inform(CareAction):
    """A bare value: the answer to what was asked last, or the beginning of a booking."""

    code = "action_inform"

    def act(self, turn: Turn) -> Events:
        values = values_in(turn.text, self.house, now=turn.local, asked=turn.asked or None)
        if turn.asked == "booking.phone" or _is_number_alone(turn.text):
            return self._phone(turn)
        answers: dict[str, type[CareAction]] = {
            "price.service": AskPrice,
            "service.which": AskService,
            "practitioner.need": AskPractitioner,
            FEAR_ASKED: DentalAnxiety,
            MOOD_ASKED: LowMood,
        }
        if turn.asked in answers:
            return answers[turn.asked](self.house).act(turn)
        if _begins_a_booking(values, turn):
            return StartBooking(self.house).act(turn)
        turn.say("utter_inform_unclear")
        return []

    def _phone(self, turn: Turn) -> Events:
        if save_phone(turn):
            return []
        try:
            clean_phone(turn.text)
        except InvalidInput:
            turn.say("utter_phone_wrong", asked="booking.phone")
            return []
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.W1, "data_request:correct", uow=uow)
            uow.commit()
        turn.say("utter_correct_data", 姓名=promise.name, 时间=promise.when)
        return []


class Affirm(CareAction):
    """A yes to what was asked last."""

    code = "action_affirm"

    def act(self, turn: Turn) -> Events:
        if turn.asked in ASKS_TO_BOOK:
            events = StartBooking(self.house).act(turn)
            return events
        if turn.asked == NURSE_ASKED:
            return RequestHuman(self.house).act(turn)
        if turn.asked == "booking.phone":
            turn.say("utter_send_phone", asked="booking.phone")
            return []
        turn.say("utter_ack")
        return []


class Deny(CareAction):
    """A no to what was asked last."""

    code = "action_deny"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_fine")
        return []


class Stop(CareAction):
    """Give up what is under way; a time that was held is let go."""

    code = "action_stop"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            uow.appointments.release(turn.member_id)
            uow.commit()
        turn.say("utter_stopped")
        return [*cleared(), *leave_loop(turn.tracker)]


class Fallback(CareAction):
    """Not understood: offer what it could mean, then a human. Never do anything on a guess."""

    code = "action_fallback"

    def act(self, turn: Turn) -> Events:
        if turn.asked == MOOD_ASKED:
            return LowMood(self.house).act(turn)
        if is_courtesy(turn.text):  # thanks that were not recognised open no case
            turn.say("utter_ack")
            return []
        likeliest = [name for name, _ in turn.ranking if name != "nlu_fallback"][:OFFERED]
        if likeliest and SAME_DOOR.issuperset(likeliest):
            return StartBooking(self.house).act(turn)
        if turn.asked == ASKED_AGAIN:
            with self.house.unit_of_work() as uow:
                promise = turn.promise(CaseLevel.W1, "fallback", uow=uow)
                uow.commit()
            turn.say("utter_fallback_human", 姓名=promise.name, 时间=promise.when, 电话=self.house.pack.duty_phone)
            return []
        meanings = [
            (name, chance)
            for name, chance in turn.ranking
            if name not in NO_MEANING and f"meaning.{name}" in self.house.pack.wording
        ][:OFFERED]
        likely = [name for name, chance in meanings if chance >= BETWEEN]
        human = (self.house.pack.say("button.human"), "/request_human")
        if not likely:
            turn.say("utter_fallback", asked=ASKED_AGAIN)
            return []
        buttons = [(self.house.pack.say(f"meaning.{name}"), f"/{name}{said_again(turn.text)}") for name in likely]
        turn.say("utter_fallback_two", buttons=[*buttons, human], asked=ASKED_AGAIN)
        return []


def _begins_a_booking(values: Values, turn: Turn) -> bool:
    tapped = turn.tapped("service") or turn.tapped("practitioner")
    return bool(values.service or values.practitioner or values.span or tapped or turn.asked in ASKS_TO_BOOK)


def _is_number_alone(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    return digits >= 9 and digits >= len(text.replace(" ", "").replace("-", "")) - 6


ACTIONS: tuple[type[CareAction], ...] = (Inform, Affirm, Deny, Stop, Fallback)
