"""Wanting a human, being unhappy, being glad: it reaches somebody, and the member hears who and until when."""

from __future__ import annotations

from actions.booking_state import who_words
from actions.hearing import values_in
from actions.turn import CareAction, Events, Turn
from care.model.case import CaseLevel
from care.services import booking, promises

FEAR_ASKED = "anxiety.fear"  # what somebody is most afraid of before a treatment
NURSE_ASKED = "report.nurse"  # whether a nurse should call about a symptom without a treatment on record
URGENT = frozenset({CaseLevel.L0, CaseLevel.L1, CaseLevel.L2, CaseLevel.P2, CaseLevel.P3})
FEARS = {"sound": "utter_fear_sound", "needle": "utter_fear_needle", "unknown": "utter_fear_unknown"}
FEAR_WORDS = (
    ("sound", ("声音", "钻", "滋滋", "电钻", "嗡")),
    ("needle", ("针", "麻药", "麻醉", "打麻")),
    ("unknown", ("不知道", "没底", "下一步", "突然")),
)


class RequestHuman(CareAction):
    """Bring in a human, and say who comes and when."""

    code = "action_request_human"

    def act(self, turn: Turn) -> Events:
        owed = self._already_promised(turn)
        if owed is not None:
            phone = self.house.pack.duty_phone
            turn.say("utter_human_coming", 姓名=owed.name, 岗位=owed.title, 时间=owed.when, 电话=phone)
            return []
        nurse = turn.asked == NURSE_ASKED
        with self.house.unit_of_work() as uow:
            level, reason = (CaseLevel.L3, "symptom_no_record") if nurse else (CaseLevel.W1, "request_human")
            promise = turn.promise(level, reason, uow=uow)
            uow.commit()
        turn.say("utter_human", 承诺=promise.received, 电话=self.house.pack.duty_phone)
        return []

    def _already_promised(self, turn: Turn) -> promises.Promise | None:
        """Return the promise of a more urgent case that is open: its clock runs, a second one helps nobody."""
        with self.house.unit_of_work() as uow:
            coming = [case for case in uow.cases.open_of(turn.member_id) if case.due_at > turn.now]
            urgent = [case for case in coming if case.level in URGENT]
            if not urgent:
                return None
            promise = turn.promise(urgent[0].level, urgent[0].reason, uow=uow)
            uow.commit()
        return promise


class Complain(CareAction):
    """Take a grievance seriously: sorry, the words as they were said, who answers and when."""

    code = "action_complain"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.K1, "complain", uow=uow)
            uow.commit()
        turn.say("utter_complain", 姓名=promise.name, 岗位=promise.title, 时间=promise.when)
        return []


class Praise(CareAction):
    """Thank for praise; colleagues read it where they read everything."""

    code = "action_praise"

    def act(self, turn: Turn) -> Events:
        named = values_in(turn.text, self.house, now=turn.local, asked=None).practitioner
        if named:
            turn.say("utter_praise_person", 医生=who_words(named, turn))
        else:
            turn.say("utter_praise")
        return []


class Suggest(CareAction):
    """Pass a suggestion on."""

    code = "action_suggestion"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.K1, "suggestion", uow=uow)
            uow.commit()
        turn.say("utter_suggestion", 姓名=promise.name)
        return []


class DentalAnxiety(CareAction):
    """Ask what the fear is about, give the member something to hold on to, and tell whoever treats them."""

    code = "action_dental_anxiety"

    def act(self, turn: Turn) -> Events:
        fear = turn.tapped("fear") or named_fear(turn.text)
        if fear is None and turn.asked != FEAR_ASKED:
            turn.say("utter_dental_anxiety", asked=FEAR_ASKED)
            return []
        turn.say(FEARS.get(fear or "", "utter_fear_other"))
        with self.house.unit_of_work() as uow:
            words = self.house.pack.say(f"fear.{fear}" if fear in FEARS else "fear.other")
            visit = booking.note(turn.member_id, words, uow=uow, clock=self.house.clock)
            uow.commit()
        if visit is None:
            turn.say("utter_fear_to_book", asked="booking.offer")
        else:
            doctor = who_words(visit.slot.practitioner, turn)
            turn.say("utter_fear_noted", 时间=turn.clock_words(visit.slot.start_at), 医生=doctor)
        return []


def named_fear(text: str) -> str | None:
    """Return which of the usual fears the words name."""
    return next((fear for fear, words in FEAR_WORDS if any(word in text for word in words)), None)


ACTIONS: tuple[type[CareAction], ...] = (RequestHuman, Complain, Praise, Suggest, DentalAnxiety)
