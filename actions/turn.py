"""What every action starts from: who speaks, what they said, and the house; and what it may answer.

Actions are thin. Each does its work synchronously in a thread; whatever it wants said is kept until it has
succeeded, so that a member never reads half an answer. A refusal of the core becomes an honest sentence, anything
unexpected becomes one too, together with a case for a human. Silence is never an answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.errors import CareError, NotFound
from care.model.ids import InboxId, MemberId, MessageId
from care.ports import UnitOfWork
from care.services import promises

logger = logging.getLogger(__name__)

Events = list[dict[str, Any]]
Buttons = Sequence[tuple[str, str]]  # what it says, what it means

TEXT_LIMIT = 500  # characters of a message that an action reads
SAID_LIMIT = 120  # characters of a message that ride along on a button
#: Sentences that end in a question or close the talk, and how the same is said when more follows in the same turn.
WITHOUT_QUESTION = {
    "utter_no_visits": "utter_no_visits_plain",
    "utter_cancelled": "utter_cancelled_plain",
    "utter_nothing_to_move": "utter_nothing_to_move_plain",
    "utter_low_mood": "utter_low_mood_plain",
    "utter_practitioners": "utter_practitioners_plain",
    "utter_practitioner_suits": "utter_practitioners_plain",
    "utter_fear_to_book": "utter_fear_to_book_plain",
    "utter_thank": "utter_thank_plain",
    "utter_out_of_scope": "utter_out_of_scope_plain",
    "utter_rating_thanks": "utter_rating_thanks_plain",
    "utter_rating_low": "utter_rating_low_plain",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a message that means something of its own, beside what the message is mainly about."""

    intent: str
    text: str
    confidence: float = 1.0


@dataclass(slots=True)
class Turn:
    """One message of a member, with everything an action may want to know about it."""

    house: House
    tracker: Tracker
    member_id: MemberId
    turn_id: str
    text: str
    intent: str
    confidence: float
    ranking: Sequence[tuple[str, float]]
    asked: str
    flags: tuple[str, ...]
    now: datetime
    entities: Sequence[Mapping[str, Any]] = ()
    also: tuple[Clause, ...] = ()
    by_button: bool = False
    answered: str = ""  # the check-in question these words already answered
    asks_next: str = ""  # the check-in question that follows after whatever is said here
    another_follows: bool = False  # whether a question follows, so that this must not end in one
    only_if_known: bool = False  # whether this is but a guess at what was meant: quote what fits, pass nothing on
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def local(self) -> datetime:
        """The present in the clinic's zone."""
        return self.now.astimezone(self.house.zone)

    @property
    def key(self) -> str:
        """What makes a booking of this turn happen once."""
        return f"turn:{self.turn_id}"

    def slot(self, name: str) -> Any:
        """Return a slot of the tracker."""
        return self.tracker.get_slot(name)

    def tapped(self, entity: str) -> str | None:
        """Return a value that came with a button's order, never one read out of free text."""
        for found in self.entities:
            if found.get("entity") == entity and found.get("extractor") in {None, "RegexMessageHandler"}:
                return str(found.get("value"))
        return None

    def say(
        self,
        response: str,
        words: Mapping[str, object] | None = None,
        *,
        buttons: Buttons = (),
        asked: str | None = None,
        **more: object,
    ) -> None:
        """Say a response of the domain with its blanks filled; `asked` is what its question is about."""
        if self.another_follows and response in WITHOUT_QUESTION:
            response, asked, buttons = WITHOUT_QUESTION[response], None, ()
        self._put({"response": response, "template": response, **(words or {}), **more}, buttons, asked)

    def say_text(self, text: str, *, buttons: Buttons = (), asked: str | None = None) -> None:
        """Say a sentence that comes from the pack."""
        self._put({"text": text}, buttons, asked)

    def ask_about(self, asked: str) -> None:
        """Say what the last sentence asked about, so that the answer can be understood."""
        self.said.append({"custom": {"asked": asked}})

    def clock_words(self, at: datetime) -> str:
        """Return a moment as people say it, in the clinic's zone."""
        return self.house.pack.clock_words(at, self.now, self.house.zone)

    def message_id(self, uow: UnitOfWork) -> MessageId | None:
        """Return the stored message this turn is about."""
        try:
            return uow.inbox.get(InboxId(self.turn_id)).message_id
        except NotFound:
            return None

    def promise(self, level: CaseLevel, reason: str, *, uow: UnitOfWork, summary: str = "") -> promises.Promise:
        """Open a case about this turn and return who answers it and when."""
        return promises.give(
            self.member_id,
            level,
            reason,
            uow=uow,
            now=self.now,
            zone=self.house.zone,
            pack=self.house.pack,
            message_id=self.message_id(uow),
            summary=summary or self.text,
        )

    def _put(self, message: dict[str, Any], buttons: Buttons, asked: str | None) -> None:
        message["buttons"] = [{"title": title, "payload": payload} for title, payload in buttons]
        self.said.append(message)
        if asked:
            self.ask_about(asked)


def read_turn(tracker: Tracker, house: House) -> Turn:
    """Return the turn a tracker stands in.

    Raises:
        NotFound: if nobody knows whose conversation this is.
    """
    latest: Mapping[str, Any] = tracker.latest_message or {}
    metadata: Mapping[str, Any] = latest.get("metadata") or {}
    intent: Mapping[str, Any] = latest.get("intent") or {}
    member_id = str(metadata.get("member_id") or "")
    if not member_id:
        with house.unit_of_work() as uow:
            conversation = uow.conversations.by_tracker(tracker.sender_id)
        if conversation is None:
            raise NotFound("conversation", "of this tracker")
        member_id = conversation.member_id
    text = str(latest.get("text") or "")
    by_button = bool(metadata.get("payload")) or text.startswith("/")
    if by_button:
        text = _said(latest)
    answered = str(metadata.get("answered") or "")
    return Turn(
        house=house,
        tracker=tracker,
        member_id=MemberId(member_id),
        turn_id=str(metadata.get("turn_id") or latest.get("message_id") or ""),
        text=text[:TEXT_LIMIT],
        intent=str(intent.get("name") or ""),
        confidence=float(intent.get("confidence") or 0.0),
        ranking=tuple(
            (str(one.get("name")), float(one.get("confidence") or 0.0)) for one in latest.get("intent_ranking") or ()
        ),
        asked="" if answered else str(metadata.get("asked") or ""),
        flags=tuple(filter(None, str(metadata.get("flags") or "").split(","))),
        now=house.clock.now(),
        entities=tuple(latest.get("entities") or ()),
        also=() if by_button else tuple(_also(latest)),
        by_button=by_button,
        answered=answered,
        asks_next=str(metadata.get("asks_next") or ""),
    )


def said_again(text: str) -> str:
    """Return a member's words as they ride along on a button, so that the tap means them again."""
    return json.dumps({"said": " ".join(text.split())[:SAID_LIMIT]}, ensure_ascii=False)


def _also(latest: Mapping[str, Any]) -> Iterator[Clause]:
    """Yield what the message means beside its intent, as the intent reader found it."""
    for found in latest.get("also") or ():
        name = str(found.get("intent") or "")
        if name:
            yield Clause(name, str(found.get("text") or "")[:TEXT_LIMIT], float(found.get("confidence") or 0.0))


def _said(latest: Mapping[str, Any]) -> str:
    """Return the words that came along with a button, or nothing."""
    for found in latest.get("entities") or []:
        if found.get("entity") == "said" and found.get("extractor") in {None, "RegexMessageHandler"}:
            return str(found.get("value") or "")
    return ""


class Attention(Protocol):
    """Sees to it that an action is not all that is done about a message."""

    def act(self, action: CareAction, turn: Turn) -> Events:
        """Let the action work, with whatever else the message or the talk before it asks for."""


class CareAction(Action):
    """An action of the house. A subclass says its `code` and does its work in `act`."""

    code = ""

    def __init__(self, house: House) -> None:
        self.house = house
        self.attention: Attention | None = None

    def name(self) -> str:
        """Return the name under which Rasa calls it."""
        return self.code

    def act(self, turn: Turn) -> Events:
        """Do the work; runs in a thread. What is said is kept in the turn."""
        raise NotImplementedError

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        """Do the work and hand over what is to be said, or say honestly that it did not succeed."""
        try:
            turn, events = await asyncio.to_thread(self._act, tracker)
        except CareError as refused:
            logger.warning("action refused", extra={"action": self.code, "code": refused.code})
            dispatcher.utter_message(response="utter_refused")
            return leave_loop(tracker)
        except Exception as broken:
            logger.error("action failed", extra={"action": self.code, "code": type(broken).__name__})
            dispatcher.messages.append(await asyncio.to_thread(self.own_up, tracker))
            return leave_loop(tracker)
        dispatcher.messages.extend(turn.said)
        return events

    def _act(self, tracker: Tracker) -> tuple[Turn, Events]:
        turn = read_turn(tracker, self.house)
        return turn, self.attention.act(self, turn) if self.attention else self.act(turn)

    def own_up(self, tracker: Tracker) -> dict[str, Any]:
        """Open a case for a human and return what is said meanwhile."""
        phone = self.house.pack.duty_phone
        try:
            turn = read_turn(tracker, self.house)
            with self.house.unit_of_work() as uow:
                promise = turn.promise(CaseLevel.W1, f"action_failed:{self.code}"[:64], uow=uow)
                uow.commit()
        except Exception as broken:
            logger.error("case not opened", extra={"action": self.code, "code": type(broken).__name__})
            return {"response": "utter_trouble_phone", "电话": phone}
        return {"response": "utter_trouble", "姓名": promise.name, "时间": promise.when, "电话": phone}


def leave_loop(tracker: Tracker) -> Events:
    """Return the events that end an open form, if one is open."""
    if not tracker.active_loop_name:
        return []
    return [ActiveLoop(None), SlotSet("requested_slot", None)]


def returning(tracker: Tracker, form: str) -> bool:
    """Whether the form is only being taken up again after an answer to something else in this very turn."""
    for event in reversed(tracker.events):
        kind = event.get("event")
        if kind == "user":
            return False
        if kind == "action_execution_rejected" and event.get("name") == form:
            return True
    return False
