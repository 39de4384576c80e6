"""Short words that mean what was asked: the same 9 is a rating, an hour or nothing at all.

Inside a form the form hears them, and a check-in question hears them before the dialogue is asked at all. What is
left is read here: with a survey open they are its answer, without any question they begin nothing. Words that would
arrange something are looked at too: a parcel is not moved here, a cat's tooth not pulled.
"""

from __future__ import annotations

import re

from actions import hearing
from actions.information import AskPrice, AskService
from actions.people import FEAR_ASKED, named_fear
from actions.recovery import LowMood
from actions.relationship import NUMBER_ASKED, WHY_ASKED, Rating, rating_in
from actions.social import OutOfScope
from actions.turn import CareAction, Events, Turn
from care.services import recovery

BEFORE_TREATMENT = re.compile(r"看牙|治|钻|拔|洗|补|约|拆线|复查|下次|去|再做|牙医")
SHORT = 8  # characters; longer words say what they mean themselves
#: What short words are often taken for when nothing says what they answer.
OPEN_TO_CONTEXT = frozenset(
    {"affirm", "deny", "inform", "give_rating", "nlu_fallback", "chitchat", "out_of_scope", "report_symptom"}
    | {"report_improvement", "ask_capabilities", "stop", "praise", "complain"}
)
#: Words like 取消, 改到, 多少钱 are said of anything; only with these is it looked at what they are said of.
ARRANGES = frozenset(
    {"book_appointment", "reschedule_appointment", "cancel_appointment", "ask_availability", "list_appointments"}
    | {"ask_price", "ask_service", "inform", "nlu_fallback", "family_booking", "out_of_scope"}
)
UNDECIDED = frozenset({"affirm", "inform", "give_rating", "nlu_fallback", "chitchat"})


class AskWhichNumber(CareAction):
    """Ask what a bare number is about."""

    code = "action_ask_which_number"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_number_alone", 数=hearing.trimmed(turn.text))
        return []


class AskForRating(CareAction):
    """Ask for a number, when what was answered to a survey holds none."""

    code = "action_ask_for_rating"

    def act(self, turn: Turn) -> Events:
        of_five = turn.asked == "survey.csat"
        turn.say("utter_rating_number", asked=turn.asked, 最高=5 if of_five else 10)
        return []


class RatingReason(CareAction):
    """Take whatever somebody would like better."""

    code = "action_rating_reason"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_rating_noted")
        return []


class HearCheckIn(CareAction):
    """Say nothing of its own: the check-in asks again itself."""

    code = "action_hear_check_in"

    def act(self, turn: Turn) -> Events:
        turn.said.append({"custom": {"quiet": True}})
        return []


class NoAnimals(CareAction):
    """Say who looks after animals."""

    code = "action_no_animals"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_no_animals")
        return []


def instead_of(action: CareAction, turn: Turn) -> CareAction | None:
    """Return what should answer instead of `action`, because of what was asked before; None when it is right."""
    text = turn.text.strip()
    if not turn.by_button and (turn.intent in ARRANGES or hearing.is_order(text)):
        if hearing.is_about_an_animal(text):
            return NoAnimals(action.house)
        if hearing.is_not_ours(text) and _names_nothing(turn):
            return OutOfScope(action.house)
    if turn.intent == "express_dental_anxiety" and _afraid_afterwards(turn):
        return LowMood(action.house)
    if turn.by_button or turn.tracker.active_loop_name or not text or turn.intent not in OPEN_TO_CONTEXT:
        return None
    if len(text) > SHORT:
        return None
    instead = _by_question(turn)
    return instead(action.house) if instead is not None else None


def _afraid_afterwards(turn: Turn) -> bool:
    """Whether a fear without a name comes after a treatment: then it is not the drill that frightens."""
    if turn.by_button or turn.asked == FEAR_ASKED or named_fear(turn.text) or BEFORE_TREATMENT.search(turn.text):
        return False
    with turn.house.unit_of_work() as uow:
        return recovery.current(turn.member_id, uow=uow) is not None


def _by_question(turn: Turn) -> type[CareAction] | None:
    if turn.asked.startswith("checkin."):
        return None if turn.intent in {"stop", "report_improvement", "complain", "praise"} else HearCheckIn
    if turn.asked in NUMBER_ASKED:
        if rating_in(turn) is not None:
            return Rating
        return None if turn.intent in {"deny", "stop", "complain", "praise", "report_symptom"} else AskForRating
    if turn.asked == WHY_ASKED:
        return None if turn.intent in {"deny", "stop", "complain", "praise", "report_symptom"} else RatingReason
    if turn.asked in {"price.service", "service.which"} and turn.intent in UNDECIDED and _names_nothing(turn):
        return AskPrice if turn.asked == "price.service" else AskService
    if hearing.is_bare_number(turn.text):
        return AskWhichNumber
    return None


def _names_nothing(turn: Turn) -> bool:
    values = hearing.values_in(turn.text, turn.house, now=turn.local, asked=turn.asked)
    return values.service is None and values.practitioner is None
