"""Visits that stand in the book: telling them, cancelling one, and coming late to one."""

from __future__ import annotations

from datetime import timedelta

from rasa_sdk.events import ActiveLoop, SlotSet

from actions import hearing
from actions.booking_answers import which_visit
from actions.booking_state import visit_words, visits_as_buttons
from actions.hearing import values_in
from actions.turn import CareAction, Events, Turn, returning
from care.model.appointment import Appointment
from care.model.case import CaseLevel
from care.model.errors import Conflict, NotFound
from care.model.ids import AppointmentId
from care.services import booking

FORM = "cancel_form"
SLOTS = ("cancel_visit", "cancel_confirm", "cancel_note")
#: Inside the question whether to cancel these are answers; everything else is another subject.
ANSWERS = frozenset(["affirm", "deny", "stop", "inform", "cancel_appointment", "nlu_fallback", "out_of_scope"])
LATE_WITHIN = timedelta(hours=6)  # how long before a visit 我要晚到 can only mean this visit


class ListAppointments(CareAction):
    """Tell every visit to come."""

    code = "action_list_appointments"

    def act(self, turn: Turn) -> Events:
        visits = _coming(turn)
        if not visits:
            turn.say("utter_no_visits", asked="booking.offer")
        elif len(visits) == 1:
            turn.say(
                "utter_one_visit" if not visits[0].for_whom else "utter_one_visit_family", _words(visits[0], turn)
            )
        else:
            lines = "\n".join(f"{n}. {_line(visit, turn)}" for n, visit in enumerate(visits, start=1))
            turn.say("utter_visits", 列表=lines, 数=len(visits))
        return []


class StartCancel(CareAction):
    """Open the question whether a visit is to be dropped; with one visit it is not asked which."""

    code = "action_start_cancel"

    def act(self, turn: Turn) -> Events:
        visits = _coming(turn)
        if not visits:
            turn.say("utter_nothing_to_cancel")
            return []
        values = values_in(turn.text, self.house, now=turn.local, asked=None)
        found = which_visit(visits, values, turn)
        return [
            SlotSet("cancel_visit", found.id if found else None),
            SlotSet("cancel_confirm", None),
            SlotSet("cancel_note", None),
            ActiveLoop(FORM),
        ]


class ValidateCancel(CareAction):
    """Understand the answer to which visit, and to whether it is to be dropped."""

    code = f"validate_{FORM}"

    def act(self, turn: Turn) -> Events:
        requested = turn.slot("requested_slot")
        if requested is None or returning(turn.tracker, FORM):
            return []
        plain = hearing.keeps_it(turn.text) or hearing.is_plain_yes(hearing.trimmed(turn.text))
        if turn.intent not in ANSWERS and turn.confidence >= 0.5 and not turn.tapped("visit") and not plain:
            return []
        if requested == "cancel_visit":
            return self._visit(turn)
        text = turn.text
        keeps = turn.intent in {"deny", "stop"} or hearing.is_no(text)
        if hearing.keeps_it(text):
            keeps = True
        if ("取消" in text and not keeps) or turn.intent == "affirm" or hearing.is_yes(text):
            return [SlotSet("cancel_confirm", "yes"), SlotSet("requested_slot", None)]
        if keeps:
            return [SlotSet("cancel_confirm", "no"), SlotSet("requested_slot", None)]
        return [SlotSet("cancel_note", "unclear")]

    def _visit(self, turn: Turn) -> Events:
        if turn.intent in {"deny", "stop"} or hearing.gives_up(turn.text):
            return [SlotSet("cancel_confirm", "no"), SlotSet("requested_slot", None)]
        visits = _coming(turn)
        values = values_in(turn.text, self.house, now=turn.local, asked="booking.time")
        index = hearing.which_in(turn.text, len(visits))
        tapped = next((visit for visit in visits if visit.id == turn.tapped("visit")), None)
        found = tapped or (visits[index] if index is not None else which_visit(visits, values, turn))
        if found is None:
            return [SlotSet("cancel_note", "unclear")]
        return [SlotSet("cancel_visit", found.id), SlotSet("requested_slot", "cancel_confirm")]


class AskCancelVisit(CareAction):
    """Which of several visits is to be dropped."""

    code = "action_ask_cancel_visit"

    def act(self, turn: Turn) -> Events:
        again = turn.slot("cancel_note") == "unclear"
        turn.say(
            "utter_ask_visit_again" if again else "utter_ask_visit_to_cancel",
            buttons=visits_as_buttons(_coming(turn), turn),
            asked="cancel.visit",
        )
        return [SlotSet("cancel_note", None)]


class AskCancelConfirm(CareAction):
    """Ask once whether it is to be dropped."""

    code = "action_ask_cancel_confirm"

    def act(self, turn: Turn) -> Events:
        visit = next((visit for visit in _coming(turn) if visit.id == turn.slot("cancel_visit")), None)
        if visit is None:
            turn.say("utter_nothing_to_cancel")
            return [ActiveLoop(None), SlotSet("requested_slot", None)]
        again = turn.slot("cancel_note") == "unclear"
        turn.say(
            "utter_confirm_cancel_again" if again else "utter_confirm_cancel",
            _words(visit, turn),
            asked="cancel.confirm",
        )
        return [SlotSet("cancel_note", None)]


class FinishCancel(CareAction):
    """Drop the visit, or leave it where it is."""

    code = "action_finish_cancel"

    def act(self, turn: Turn) -> Events:
        done = [SlotSet(name, None) for name in SLOTS]
        answer, visit_id = turn.slot("cancel_confirm"), turn.slot("cancel_visit")
        if answer == "no":
            turn.say("utter_visit_kept")
        if answer != "yes" or not visit_id:
            return done
        try:
            with self.house.unit_of_work() as uow:
                dropped = booking.cancel(turn.member_id, AppointmentId(visit_id), uow=uow, clock=self.house.clock)
                uow.commit()
        except (Conflict, NotFound):
            turn.say("utter_nothing_to_cancel")
            return done
        turn.say("utter_cancelled", _words(dropped, turn), asked="booking.offer")
        return [*done, SlotSet("topic_service", dropped.slot.service)]


class RunningLate(CareAction):
    """Tell the front desk that a member comes late, and the member who knows it now."""

    code = "action_running_late"

    def act(self, turn: Turn) -> Events:
        visits = _coming(turn, since=turn.now - timedelta(hours=1))
        soon = next((visit for visit in visits if visit.slot.start_at <= turn.now + LATE_WITHIN), None)
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.W1, "running_late", uow=uow)
            uow.commit()
        clinic = self.house.pack.clinics.get(soon.slot.clinic) if soon else None
        values = {"姓名": promise.name, "电话": clinic.phone if clinic else self.house.pack.duty_phone}
        if soon is None:
            turn.say("utter_running_late_unknown", values)
        else:
            turn.say("utter_running_late", _words(soon, turn) | values)
        return []


def _coming(turn: Turn, *, since: object = None) -> list[Appointment]:
    with turn.house.unit_of_work() as uow:
        if since is not None:
            return uow.appointments.of_member(turn.member_id, after=turn.now - timedelta(hours=1))
        return booking.coming(turn.member_id, uow=uow, clock=turn.house.clock)


def _words(visit: Appointment, turn: Turn) -> dict[str, str]:
    return {**visit_words(visit.slot, turn), "谁": visit.for_whom or ""}


def _line(visit: Appointment, turn: Turn) -> str:
    words = _words(visit, turn)
    whom = f"（{visit.for_whom}）" if visit.for_whom else ""
    return f"{words['时间']} · {words['服务']}{whom} · {words['医生']} · {words['门店']}"


ACTIONS: tuple[type[CareAction], ...] = (
    ListAppointments,
    StartCancel,
    ValidateCancel,
    AskCancelVisit,
    AskCancelConfirm,
    FinishCancel,
    RunningLate,
)
