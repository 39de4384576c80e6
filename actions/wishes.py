"""What else a message asks for: a second wish is answered in the same turn, or kept and taken up when its turn comes.

The intent reader puts beside the intent what other clauses of the message mean (`also`). What only needs information,
or can be done without asking back, is done at once, before the open question. What opens something of its own waits
in the slot `kept_wishes` until nothing is open any more. At most one question stands at the end of a turn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rasa_sdk.events import SlotSet

from actions import hearing
from actions.booking_answers import first_service
from actions.people import NURSE_ASKED
from actions.second_wishes import (
    ANSWERED,
    ASKS,
    BOOKS,
    DOES,
    FIRST,
    LIKELY,
    OPENS,
    READ_ALONE,
    answer_and_others,
    beside_answer,
    same_wish,
    second_wishes,
    without,
)
from actions.short_answers import instead_of
from actions.turn import CareAction, Clause, Events, Turn
from care.model.answers import is_question
from care.model.errors import CareError
from care.services import recovery

logger = logging.getLogger(__name__)

KEPT, HEARD = "kept_wishes", "heard_turn"
KEPT_AT_MOST = 3
QUOTED = 24  # characters of a kept wish that are said back
NOT_AFTER = frozenset({"action_check_in_sent"})  # a question was asked elsewhere: nothing is taken up


class Wishes:
    """Sees to it that no wish of a message is lost and none is done twice."""

    def __init__(self, actions: Mapping[str, CareAction]) -> None:
        self._actions = actions

    def act(self, action: CareAction, turn: Turn) -> Events:
        """Let the action work, with whatever else the message or the talk before it asks for."""
        if action.code.startswith("action_ask_"):
            return action.act(turn)
        if action.code.startswith("validate_"):
            return self._inside(action, turn)
        fresh = turn.slot(HEARD) != turn.turn_id
        clauses = second_wishes(turn) if fresh else []
        if turn.intent == "nlu_fallback" and clauses and not turn.answered:  # unclear as a whole, clear in its parts
            first = next((one for one in clauses if one.intent in OPENS), clauses[0])
            clauses.remove(first)
            turn = replace(turn, intent=first.intent, confidence=first.confidence)
            action = self._actions[DOES[first.intent]]
        kept = _still_wanted(_kept(turn), action, turn) if fresh else _kept(turn)
        events = self._main(action, turn, clauses, kept)
        if action.code not in NOT_AFTER:
            events = self._others(turn, events, clauses, kept)
        if not turn.said and (turn.answered or action.code == "action_check_in_done"):
            turn.said.append({"custom": {"quiet": True}})
        changed = [SlotSet(KEPT, [_as_slot(one) for one in kept] or None)] if kept or turn.slot(KEPT) else []
        return [*events, *changed, *([SlotSet(HEARD, turn.turn_id)] if clauses else [])]

    def _inside(self, form: CareAction, turn: Turn) -> Events:
        """Hear the answer to the form's question, and act on what else was said."""
        if turn.slot(HEARD) == turn.turn_id:
            return form.act(turn)
        answer, others = answer_and_others(form.code, turn)
        inner = replace(answer, said=[])
        events = form.act(inner)
        before = _kept(turn)
        kept = [] if hearing.drops_everything(turn.text) else _kept(turn)
        if not events or (not others and kept == before):
            turn.said.extend(inner.said)
            return events  # nothing heard means that another action answers, and that action sees to the rest
        _remember(turn, events)
        goes_on = turn.slot("requested_slot") is not None
        events = self._do(turn, events, others, kept, asks=True, aloud=goes_on)
        turn.said.extend(inner.said)
        return [*events, SlotSet(KEPT, [_as_slot(one) for one in kept] or None), SlotSet(HEARD, turn.turn_id)]

    def _main(self, action: CareAction, turn: Turn, clauses: list[Clause], kept: list[Clause]) -> Events:
        """Do what the message is mainly about, unless it was done, has to wait, or something else comes first."""
        if turn.answered and not turn.by_button and (turn.intent in ANSWERED or turn.confidence < LIKELY):
            question = beside_answer(turn)
            if not clauses and is_question(question):
                guess = replace(turn, text=question, said=turn.said, only_if_known=True, another_follows=True)
                return self._actions["action_recovery_guidance"].act(guess)
            return []
        rest = without(beside_answer(turn) or turn.text, [one.text for one in clauses if one.intent != turn.intent])
        main = Clause(turn.intent, rest, turn.confidence)
        if turn.asks_next and turn.intent in OPENS | ASKS:
            _keep(main, kept, turn)
            return []
        symptom = next((one for one in clauses if one.intent == "report_symptom"), None)
        opener = next((one for one in clauses if one.intent in BOOKS), None)
        if symptom is not None and turn.intent in OPENS:
            clauses.remove(symptom)
            if self._in_recovery(turn):  # how somebody is comes before when they come
                _keep(main, kept, turn, aloud=False)
                turn.say("utter_kept_check_in")
                said, events = self._run(symptom, turn, another_follows=False)
                turn.said.extend(said)
                return events
            turn.say("utter_symptom_to_book")
            turn.entities = _check_up(turn)
        if turn.intent == "report_symptom" and opener and turn.asked != NURSE_ASKED and not self._in_recovery(turn):
            clauses.remove(opener)
            turn.say("utter_symptom_to_book")
            whole = replace(opener, text=turn.text)
            said, events = self._run(whole, turn, another_follows=False, entities=_check_up(turn))
            turn.said.extend(said)
            return events
        if turn.intent == "express_dental_anxiety" and opener:  # it is noted on the visit, so the visit comes first
            clauses.remove(opener)
            _keep(main, kept, turn)
            said, events = self._run(replace(opener, text=turn.text), turn, another_follows=False)
            turn.said.extend(said)
            return events
        read = replace(turn, said=turn.said)
        if turn.answered or turn.intent in READ_ALONE:
            read.text = rest
        elif turn.intent in OPENS:
            read.text = without(turn.text, [one.text for one in clauses if one.intent in OPENS])
        inside = bool(turn.tracker.active_loop_name)
        read.another_follows = (
            inside or _check_in_waits(turn) or bool(kept) or any(c.intent in OPENS for c in clauses)
        )
        events = (instead_of(action, read) or action).act(read)
        _remember(turn, events)
        return events

    def _others(self, turn: Turn, events: Events, clauses: Sequence[Clause], kept: list[Clause]) -> Events:
        """Do what else was said; with nothing open any more, take up what was kept."""
        asks = not _free(turn, events)
        events = self._do(turn, events, clauses, kept, asks=asks, aloud=True)
        while kept and _free(turn, events):
            wish = kept.pop(0)
            said, more = self._run(wish, turn, another_follows=bool(kept))
            turn.say("utter_next_wish", 话=hearing.quoted(wish.text, QUOTED))
            turn.said.extend(said)
            events = [*events, *more]
        return events

    def _do(
        self,
        turn: Turn,
        events: Events,
        clauses: Iterable[Clause],
        kept: list[Clause],
        *,
        asks: bool,
        aloud: bool,
    ) -> Events:
        """Do what can be done beside an open question, keep what cannot; return all events."""
        asked_already = _asked_in(turn.said)
        front: list[dict[str, Any]] = []
        back: list[dict[str, Any]] = []
        for clause in clauses:
            if asks and clause.intent in OPENS | ASKS:
                _keep(clause, kept, turn, aloud=aloud)
                continue
            said, more = self._run(clause, turn, another_follows=asks or clause.intent not in OPENS | ASKS)
            if asks and _asked_in(said):
                _keep(clause, kept, turn, aloud=aloud)
                continue
            if said and all(one in turn.said or one in front or one in back for one in said):
                continue
            (front if clause.intent in FIRST or asked_already else back).extend(said)
            events = [*events, *more]
            asks = asks or _asked_in(said) or bool(_loop_after(turn, more))
        turn.said[:] = [*front, *turn.said, *back]
        return events

    def _run(
        self, clause: Clause, turn: Turn, *, another_follows: bool, entities: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[list[dict[str, Any]], Events]:
        """Do one wish as if it had been said alone; a failure of it never undoes the others."""
        action = self._actions[DOES[clause.intent]]
        alone = replace(
            turn,
            text=hearing.without_lead(clause.text),
            intent=clause.intent,
            confidence=clause.confidence,
            asked="",
            entities=entities,
            also=(),
            by_button=False,
            said=[],
            another_follows=another_follows,
        )
        try:
            events = action.act(alone)
        except CareError as refused:
            logger.warning("second wish refused", extra={"action": action.code, "code": refused.code})
            alone.said, events = [{"response": "utter_refused"}], []
        except Exception as broken:
            logger.error("second wish failed", extra={"action": action.code, "code": type(broken).__name__})
            alone.said, events = [action.own_up(turn.tracker)], []
        _remember(turn, events)
        return alone.said, events

    def _in_recovery(self, turn: Turn) -> bool:
        with turn.house.unit_of_work() as uow:
            return recovery.current(turn.member_id, uow=uow) is not None


def _check_up(turn: Turn) -> tuple[Mapping[str, Any], ...]:
    """Return the service for somebody in pain who names none; a service they name counts instead."""
    return ({"entity": "service", "value": first_service(turn)},)


def _keep(clause: Clause, kept: list[Clause], turn: Turn, *, aloud: bool = True) -> None:
    if any(same_wish(clause, other, turn.text) for other in kept) or len(kept) >= KEPT_AT_MOST:
        return
    kept.append(clause)
    if not aloud or any(one.get("response", "").startswith("utter_kept") for one in turn.said):
        return
    if clause.intent == "express_dental_anxiety":
        turn.said.insert(0, {"response": "utter_kept_fear"})
    else:
        turn.said.insert(0, {"response": "utter_kept_check_in" if _check_in_waits(turn) else "utter_kept_wish"})


def _still_wanted(kept: list[Clause], action: CareAction, turn: Turn) -> list[Clause]:
    """Return what is kept, without what the member dropped or begins on their own now."""
    if action.code == "action_stop" or hearing.drops_everything(turn.text):
        return []
    return [one for one in kept if one.intent != turn.intent and not {one.intent, turn.intent} <= BOOKS]


def _kept(turn: Turn) -> list[Clause]:
    return [
        Clause(str(one.get("intent")), str(one.get("text") or ""))
        for one in turn.slot(KEPT) or ()
        if one.get("intent") in DOES
    ]


def _as_slot(clause: Clause) -> dict[str, str]:
    return {"intent": clause.intent, "text": clause.text}


def _remember(turn: Turn, events: Events) -> None:
    """Let what was just decided be known to what is done next in this turn."""
    for event in events:
        if event.get("event") == "slot":
            turn.tracker.slots[event["name"]] = event["value"]


def _loop_after(turn: Turn, events: Events) -> str | None:
    loops = [event.get("name") for event in events if event.get("event") == "active_loop"]
    return loops[-1] if loops else turn.tracker.active_loop_name


def _asked_in(said: Iterable[Mapping[str, Any]]) -> bool:
    return any("asked" in (one.get("custom") or {}) for one in said)


def _check_in_waits(turn: Turn) -> bool:
    """Whether a check-in question follows after whatever is said in this turn."""
    return bool(turn.asks_next) or turn.asked.startswith("checkin.")


def _free(turn: Turn, events: Events) -> bool:
    return not (_asked_in(turn.said) or _loop_after(turn, events) or _check_in_waits(turn))
