"""After a treatment: symptoms, better days, low ones, what is allowed, drugs, and worries about the result.

Whatever is dangerous was caught before Rasa was asked. Here nothing is judged: the signed sheet is quoted, a question
of the protocol is asked, or somebody who may judge is brought in.
"""

from __future__ import annotations

from rasa_sdk.events import SlotSet

from actions.booking_state import who_words
from actions.people import NURSE_ASKED, RequestHuman
from actions.turn import CareAction, Events, Turn, leave_loop
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.message import Reply
from care.model.staff import BOT_READER
from care.services import check_ins, recovery
from care.services.knowledge import find_in_leaflet

MOOD_ASKED = "mood.what"


class ReportSymptom(CareAction):
    """Ask the protocol's question about what was told."""

    code = "action_report_symptom"

    def act(self, turn: Turn) -> Events:
        if turn.asked == NURSE_ASKED:
            return RequestHuman(self.house).act(turn)
        with self.house.unit_of_work() as uow:
            reply = check_ins.take_report(
                turn.member_id, turn.text, flags=turn.flags, uow=uow, clock=self.house.clock, pack=self.house.pack
            )
            uow.commit()
        _say(reply, turn)
        return leave_loop(turn.tracker)


class ReportImprovement(CareAction):
    """Be glad with the member."""

    code = "action_report_improvement"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_report_improvement")
        return []


class LowMood(CareAction):
    """Stay with somebody who is low, and let a carer know today."""

    code = "action_low_mood"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.W1, "low_mood", uow=uow)
            uow.commit()
        if turn.asked == MOOD_ASKED:
            turn.say("utter_low_mood_again", asked=MOOD_ASKED, 姓名=promise.name, 时间=promise.when)
        else:
            turn.say("utter_low_mood", asked=MOOD_ASKED, 姓名=promise.name, 时间=promise.when)
        return []


class RecoveryGuidance(CareAction):
    """Quote the signed sheet for this treatment and day; what it does not say goes to a nurse."""

    code = "action_recovery_guidance"

    def act(self, turn: Turn) -> Events:
        pack = self.house.pack
        with self.house.unit_of_work() as uow:
            member = uow.members.get(turn.member_id, by=BOT_READER, purpose=Purpose.CARE)
            pair = recovery.current(turn.member_id, uow=uow, now=turn.now)
            uow.commit()
        if pair is None and turn.only_if_known:
            turn.say("utter_rest_unclear")
            return []
        if pair is None:
            self._pass_on(turn, "utter_no_treatment_on_record", "guidance_no_treatment")
            return []
        _, treatment = pair
        leaflet = pack.leaflets[treatment.kind]
        entry = find_in_leaflet(turn.text, leaflet, treatment.day(turn.now, member.tz))
        if entry is None and turn.only_if_known:
            turn.say("utter_rest_unclear")
            return []
        if entry is None:
            self._pass_on(turn, "utter_leaflet_not_found", "leaflet_gap")
            return []
        known = treatment.practitioner in pack.practitioners
        doctor = who_words(treatment.practitioner, turn) if known else pack.say("word.doctor")
        turn.say("utter_leaflet", 医生=doctor, 须知=leaflet.title, 内容=entry.text)
        return []

    def _pass_on(self, turn: Turn, response: str, reason: str) -> None:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.L3, reason, uow=uow)
            uow.commit()
        turn.say(response, 姓名=promise.name, 岗位=promise.title, 时间=promise.when)


class Medication(CareAction):
    """Never advise on drugs: a nurse answers."""

    code = "action_medication"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.L3, "ask_medication", uow=uow)
            uow.commit()
        turn.say("utter_medication", 姓名=promise.name, 岗位=promise.title, 时间=promise.when)
        return []


class Worry(CareAction):
    """Take a worry about the result to somebody who may judge it."""

    code = "action_worry"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.L3, "worry_about_result", uow=uow)
            uow.commit()
        turn.say("utter_worry", 姓名=promise.name, 时间=promise.when)
        return []


class CheckInSent(CareAction):
    """A check-in went out: whatever form was open is left, so that the answer is not taken for it."""

    code = "action_check_in_sent"

    def act(self, turn: Turn) -> Events:
        return [*leave_loop(turn.tracker), SlotSet("topic_service", None)]


class CheckInDone(CareAction):
    """A check-in ended by a tap or a bare answer: what was kept meanwhile is taken up, else nothing is said."""

    code = "action_check_in_done"

    def act(self, turn: Turn) -> Events:
        return []


def _say(reply: Reply, turn: Turn) -> None:
    buttons = [(button.title, button.payload) for button in reply.buttons]
    turn.say_text(reply.text, buttons=buttons, asked=reply.asked)


ACTIONS: tuple[type[CareAction], ...] = (
    ReportSymptom,
    ReportImprovement,
    LowMood,
    RecoveryGuidance,
    Medication,
    Worry,
    CheckInSent,
    CheckInDone,
)
