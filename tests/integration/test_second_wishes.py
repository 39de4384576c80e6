"""A second wish in the same message: answered at once, or kept and taken up; never lost, never done twice.

The actions are called as Rasa calls them, with the parse result the intent reader gives; what Rasa makes of a form in
between is shown in the conversations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker
from rasa_sdk.types import DomainDict

from actions.server import all_actions
from actions.turn import CareAction
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.testing import FakeClock, FakeDialogue, a_house
from tests.conversations.talk import MORNING, Talk, begin

GUIDANCE = ("ask_recovery_guidance", "能喝咖啡吗")
NO_DOMAIN = cast("DomainDict", {})  # no action reads it
SYMPTOM = ("report_symptom", "种牙那里有点疼")


@dataclass
class Answer:
    """What an action said and decided."""

    responses: list[str]
    asked: list[str]
    slots: dict[str, Any]
    loop: str | None
    events: list[dict[str, Any]] = field(repr=False, default_factory=list)

    @property
    def kept(self) -> list[str]:
        """The intents of the wishes that are kept."""
        return [wish["intent"] for wish in self.slots.get("kept_wishes") or ()]


@dataclass
class Desk:
    """The actions of a house, called one by one."""

    talk: Talk
    actions: Mapping[str, CareAction]
    turns: int = 0

    def hears(
        self,
        code: str,
        text: str,
        intent: str,
        *also: tuple[str, str],
        asked: str = "",
        slots: Mapping[str, Any] | None = None,
        loop: str | None = None,
        sure: float = 0.9,
        **more: str,
    ) -> Answer:
        """Let an action answer a message whose other clauses mean `also`."""
        self.turns += 1
        latest = {
            "text": text,
            "intent": {"name": intent, "confidence": sure},
            "intent_ranking": [{"name": intent, "confidence": sure}],
            "entities": [],
            "also": [{"intent": name, "text": clause, "confidence": 0.9} for name, clause in also],
            "metadata": {"member_id": self.talk.member_id, "turn_id": f"t{self.turns}", "asked": asked, **more},
        }
        tracker = Tracker("tracker", dict(slots or {}), latest, [], False, None, {"name": loop} if loop else {}, None)
        dispatcher = CollectingDispatcher()
        events = asyncio.run(self.actions[code].run(dispatcher, tracker, NO_DOMAIN))
        loops = [event["name"] for event in events if event["event"] == "active_loop"]
        return Answer(
            [str(one.get("response") or one.get("text") or "") for one in dispatcher.messages if "custom" not in one],
            [one["custom"]["asked"] for one in dispatcher.messages if "asked" in one.get("custom", {})],
            {event["name"]: event["value"] for event in events if event["event"] == "slot"},
            loops[-1] if loops else None,
            events,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = FakeClock(MORNING)
    with a_house(tmp_path, clock=clock, dialogue=FakeDialogue()) as house:
        yield Desk(begin(house, clock), all_actions(house))


# Answered in the same turn


def test_a_price_asked_beside_a_booking_is_told_and_the_booking_opens(desk: Desk) -> None:
    answer = desk.hears("action_start_booking", "约洗牙，洗牙多少钱", "book_appointment", ("ask_price", "洗牙多少钱"))

    assert answer.responses == ["utter_price"]
    assert answer.loop == "booking_form"
    assert answer.kept == []


def test_a_price_without_a_name_is_that_of_the_service_just_booked(desk: Desk) -> None:
    answer = desk.hears("action_start_booking", "约洗牙，多少钱", "book_appointment", ("ask_price", "多少钱"))

    assert answer.responses == ["utter_price"]


def test_what_is_answered_beside_a_question_comes_before_it(desk: Desk) -> None:
    answer = desk.hears("action_price", "多少钱，你们在哪", "ask_price", ("ask_clinic_info", "你们在哪"))

    assert answer.responses[-1] == "utter_price_which"
    assert len(answer.responses) == 2
    assert answer.asked == ["price.service"]


def test_two_prices_are_two_answers(desk: Desk) -> None:
    answer = desk.hears("action_price", "洗牙多少钱，补牙多少钱", "ask_price", ("ask_price", "补牙多少钱"))

    assert answer.responses == ["utter_price", "utter_price"]


def test_thanks_come_first_and_are_short(desk: Desk) -> None:
    answer = desk.hears("action_price", "谢谢，洗牙多少钱", "ask_price", ("thank", "谢谢"))

    assert answer.responses == ["utter_thank_plain", "utter_price"]


def test_a_human_asked_for_beside_a_booking_is_brought_in_at_once(desk: Desk) -> None:
    answer = desk.hears(
        "action_start_booking", "约洗牙，给我转人工", "book_appointment", ("request_human", "给我转人工")
    )

    assert "utter_human" in answer.responses
    assert answer.loop == "booking_form"
    assert CaseLevel.W1 in desk.talk.levels()


def test_a_grievance_beside_a_move_is_a_case_at_once(desk: Desk) -> None:
    desk.talk.has_visit("scaling", "2026-11-26 15:00")

    answer = desk.hears(
        "action_start_move", "改到周五，等了一小时没人理", "reschedule_appointment", ("complain", "等了一小时没人理")
    )

    assert "utter_complain" in answer.responses
    assert answer.loop == "booking_form"
    assert CaseLevel.K1 in desk.talk.levels()


def test_an_opt_out_beside_a_booking_is_done_at_once(desk: Desk) -> None:
    desk.hears("action_start_booking", "约洗牙，别再发广告", "book_appointment", ("opt_out_marketing", "别再发广告"))

    assert not desk.talk.member().choices[Purpose.MARKETING].given


def test_a_wish_after_an_answer_that_asks_nothing_opens_at_once(desk: Desk) -> None:
    answer = desk.hears(
        "action_clinic", "你们几点关门，帮我约洗牙", "ask_clinic_info", ("book_appointment", "帮我约洗牙")
    )

    assert answer.loop == "booking_form"
    assert answer.slots["booking_service"] == "scaling"
    assert answer.kept == []


def test_a_failing_second_wish_leaves_the_first_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: object) -> list[dict[str, Any]]:
        raise RuntimeError

    monkeypatch.setattr(desk.actions["action_price"], "act", breaks)

    answer = desk.hears("action_start_booking", "约洗牙，多少钱", "book_appointment", ("ask_price", "多少钱"))

    assert answer.loop == "booking_form"
    assert "utter_trouble" in answer.responses
    assert CaseLevel.W1 in desk.talk.levels()


# Kept, and taken up


def test_a_second_thing_to_open_is_kept_and_said_so(desk: Desk) -> None:
    desk.talk.has_visit("scaling", "2026-11-26 15:00")

    answer = desk.hears(
        "action_start_cancel",
        "取消周四的洗牙，再约下周一的补牙",
        "cancel_appointment",
        ("book_appointment", "再约下周一的补牙"),
    )

    assert answer.responses == ["utter_kept_wish"]
    assert answer.kept == ["book_appointment"]
    assert answer.loop == "cancel_form"


def test_what_was_kept_is_taken_up_when_the_first_has_ended(desk: Desk) -> None:
    visit = desk.talk.has_visit("scaling", "2026-11-26 15:00")

    answer = desk.hears(
        "action_finish_cancel",
        "对",
        "affirm",
        slots={
            "cancel_confirm": "yes",
            "cancel_visit": visit.id,
            "kept_wishes": [{"intent": "book_appointment", "text": "再约下周一的补牙"}],
        },
    )

    assert answer.responses == ["utter_cancelled_plain", "utter_next_wish"]
    assert answer.asked == []
    assert answer.loop == "booking_form"
    assert answer.slots["booking_service"] == "filling"
    assert answer.kept == []


def test_what_was_kept_waits_while_a_question_is_open(desk: Desk) -> None:
    answer = desk.hears(
        "action_price",
        "多少钱",
        "ask_price",
        slots={"kept_wishes": [{"intent": "cancel_appointment", "text": "取消周四的"}]},
    )

    assert answer.responses == ["utter_price_which"]
    assert answer.kept == ["cancel_appointment"]


def test_nothing_is_taken_up_after_everything_was_dropped(desk: Desk) -> None:
    answer = desk.hears(
        "action_stop", "算了", "stop", slots={"kept_wishes": [{"intent": "book_appointment", "text": "约补牙"}]}
    )

    assert answer.responses == ["utter_stopped"]
    assert answer.loop is None
    assert answer.kept == []


def test_giving_up_the_first_takes_up_the_second(desk: Desk) -> None:
    answer = desk.hears(
        "action_finish_booking",
        "算了",
        "stop",
        slots={"booking_confirm": "stopped", "kept_wishes": [{"intent": "ask_price", "text": "洗牙多少钱"}]},
    )

    assert answer.responses == ["utter_booking_stopped", "utter_next_wish", "utter_price"]


def test_a_wish_begun_by_the_member_meanwhile_is_not_done_again(desk: Desk) -> None:
    answer = desk.hears(
        "action_start_booking",
        "帮我约补牙",
        "book_appointment",
        slots={"kept_wishes": [{"intent": "book_appointment", "text": "约补牙"}]},
    )

    assert answer.loop == "booking_form"
    assert answer.kept == []


def test_a_booking_and_a_question_for_free_times_are_one_wish(desk: Desk) -> None:
    answer = desk.hears(
        "action_start_booking", "约洗牙，周六有号吗", "book_appointment", ("ask_availability", "周六有号吗")
    )

    assert answer.kept == []
    assert answer.responses == []


def test_a_visit_for_oneself_and_one_for_the_mother_are_two(desk: Desk) -> None:
    answer = desk.hears(
        "action_start_booking",
        "我想约口腔检查，也给我妈约个洗牙",
        "book_appointment",
        ("family_booking", "也给我妈约个洗牙"),
    )

    assert answer.slots["booking_service"] == "checkup"
    assert answer.kept == ["family_booking"]


def test_a_button_carries_no_second_wish(desk: Desk) -> None:
    answer = desk.hears(
        "action_price",
        "洗牙多少钱",
        "ask_price",
        ("book_appointment", "约洗牙"),
        payload='/ask_price{"said": "洗牙"}',
    )

    assert answer.loop is None
    assert answer.kept == []


def test_an_unsure_second_wish_is_left_alone(desk: Desk) -> None:
    desk.talk.has_visit("scaling", "2026-11-26 15:00")
    answer = desk.hears("action_price", "洗牙多少钱", "ask_price", ("cancel_appointment", "洗牙"))
    assert answer.loop == "cancel_form"  # sure of it, it would be

    latest = {"intent": "cancel_appointment", "text": "洗牙", "confidence": 0.3}
    tracker = Tracker(
        "tracker",
        {},
        {
            "text": "洗牙多少钱",
            "intent": {"name": "ask_price", "confidence": 0.9},
            "entities": [],
            "also": [latest],
            "metadata": {"member_id": desk.talk.member_id, "turn_id": "other"},
        },
        [],
        False,
        None,
        {},
        None,
    )

    events = asyncio.run(desk.actions["action_price"].run(CollectingDispatcher(), tracker, NO_DOMAIN))

    assert not [event for event in events if event["event"] == "active_loop"]


@pytest.mark.parametrize(
    ("code", "text", "intent", "kept", "clause"),
    [
        (
            "action_start_cancel",
            "取消周四的洗牙，再约下周一的补牙",
            "cancel_appointment",
            "book_appointment",
            "再约下周一的补牙",
        ),
        (
            "action_start_booking",
            "帮我约补牙，周四的洗牙取消",
            "book_appointment",
            "cancel_appointment",
            "周四的洗牙取消",
        ),
        (
            "action_start_booking",
            "约口腔检查，顺便也给我妈约个洗牙",
            "family_booking",
            "book_appointment",
            "约口腔检查",
        ),
    ],
)
def test_two_visits_named_in_so_many_words_are_two_wishes(
    desk: Desk, code: str, text: str, intent: str, kept: str, clause: str
) -> None:
    desk.talk.has_visit("scaling", "2026-11-26 15:00")

    answer = desk.hears(code, text, intent)

    assert answer.slots["kept_wishes"] == [{"intent": kept, "text": clause}]
    assert answer.responses == ["utter_kept_wish"]


@pytest.mark.parametrize("text", ["取消周四的洗牙，我约了牙医朋友", "取消周四的洗牙，谢谢", "取消吧，约好的那个"])
def test_other_words_about_visits_are_no_second_wish(desk: Desk, text: str) -> None:
    desk.talk.has_visit("scaling", "2026-11-26 15:00")

    assert desk.hears("action_start_cancel", text, "cancel_appointment").kept == []


# Inside a form


def hears_inside(desk: Desk, text: str, intent: str, *also: tuple[str, str]) -> Answer:
    """Say something while the time of a booking that was read back waits for its yes."""
    opened = desk.hears("action_start_booking", "约周四下午三点洗牙", "book_appointment")
    return desk.hears(
        "validate_booking_form",
        text,
        intent,
        *also,
        asked="booking.confirm",
        slots={**opened.slots, "requested_slot": "booking_confirm"},
        loop="booking_form",
    )


def test_a_yes_with_another_visit_to_cancel_is_a_yes_and_keeps_the_other(desk: Desk) -> None:
    answer = hears_inside(
        desk,
        "对，另外帮我取消周五的检查",
        "cancel_appointment",
        ("affirm", "对"),
        ("cancel_appointment", "帮我取消周五的检查"),
    )

    assert answer.slots["booking_confirm"] == "yes"
    assert answer.kept == ["cancel_appointment"]


def test_a_correction_is_no_second_wish(desk: Desk) -> None:
    answer = hears_inside(desk, "不对，改成周三", "deny", ("reschedule_appointment", "改成周三"))

    assert answer.kept == []
    assert answer.slots["booking_confirm"] is None
    assert answer.slots["booking_choice"]["start"].startswith("2026-11-25T15:00")


def test_a_yes_with_a_but_is_no_yes(desk: Desk) -> None:
    answer = hears_inside(desk, "好，不过能换个医生吗", "ask_practitioner")

    assert answer.slots.get("booking_confirm") is None


def test_by_the_way_is_no_yes(desk: Desk) -> None:
    answer = hears_inside(desk, "对了，你们几点关门", "ask_clinic_info")

    assert answer.slots.get("booking_confirm") is None


# How somebody is comes first


def test_in_recovery_a_symptom_comes_before_the_booking(desk: Desk) -> None:
    desk.talk.was_treated("implant", days_ago=2)

    answer = desk.hears("action_start_booking", "帮我约洗牙，种牙那里有点疼", "book_appointment", SYMPTOM)

    assert answer.responses[0] == "utter_kept_check_in"
    assert answer.asked == ["checkin.pain"]
    assert answer.loop is None
    assert answer.kept == ["book_appointment"]


def test_without_a_treatment_the_booking_is_the_answer_to_the_pain(desk: Desk) -> None:
    answer = desk.hears("action_report_symptom", "牙疼，想约个号", "report_symptom", ("book_appointment", "想约个号"))

    assert answer.responses == ["utter_symptom_to_book"]
    assert answer.loop == "booking_form"
    assert answer.kept == []


def test_a_fear_is_heard_and_noted_once_there_is_a_visit_to_note_it_on(desk: Desk) -> None:
    fear = ("express_dental_anxiety", "特别怕打针")
    opened = desk.hears("action_start_booking", "约洗牙，特别怕打针", "book_appointment", fear)
    assert opened.responses == ["utter_kept_fear"]
    desk.talk.has_visit("scaling", "2026-11-26 15:00")

    answer = desk.hears(
        "action_greet", "你好", "greet", slots={"kept_wishes": [{"intent": fear[0], "text": fear[1]}]}
    )

    assert answer.responses[-2:] == ["utter_fear_needle", "utter_fear_noted"]
    assert answer.kept == []


# Beside the answer to a check-in


def test_what_the_check_in_took_is_not_answered_again(desk: Desk) -> None:
    answer = desk.hears(
        "action_report_symptom",
        "疼6分",
        "report_symptom",
        asked="checkin.pain",
        answered="pain",
        asks_next="checkin.bleed",
    )

    assert answer.responses == []
    assert answer.asked == []


def test_a_question_beside_the_answer_is_answered(desk: Desk) -> None:
    desk.talk.was_treated("implant", days_ago=1)

    answer = desk.hears(
        "action_report_symptom",
        "疼3分，能喝咖啡吗",
        "report_symptom",
        GUIDANCE,
        answered="pain",
        asks_next="checkin.bleed",
    )

    assert answer.responses == ["utter_leaflet"]


def test_a_question_that_is_the_main_thing_is_answered_without_the_answer_in_it(desk: Desk) -> None:
    desk.talk.was_treated("implant", days_ago=1)

    answer = desk.hears(
        "action_recovery_guidance",
        "疼3分，能喝咖啡吗",
        "ask_recovery_guidance",
        ("report_symptom", "疼3分"),
        answered="pain",
        asks_next="checkin.bleed",
        sure=0.45,
    )

    assert answer.responses == ["utter_leaflet"]


def test_what_opens_something_waits_until_the_check_in_has_ended(desk: Desk) -> None:
    desk.talk.has_visit("checkup", "2026-11-27 15:00")

    waiting = desk.hears(
        "action_start_move",
        "疼3分，帮我把周五的检查改到下周一",
        "reschedule_appointment",
        answered="pain",
        asks_next="checkin.bleed",
    )
    assert waiting.responses == ["utter_kept_check_in"]
    assert waiting.loop is None
    ended = desk.hears(
        "action_check_in_done",
        "",
        "EXTERNAL_check_in_done",
        slots=waiting.slots,
        answered="med",
        payload="/EXTERNAL_check_in_done",
    )

    assert waiting.slots["kept_wishes"][0]["text"] == "帮我把周五的检查改到下周一"
    assert ended.responses == ["utter_next_wish"]
    assert ended.loop == "booking_form"


def test_a_question_read_as_nothing_is_still_looked_up_in_the_signed_sheet(desk: Desk) -> None:
    desk.talk.was_treated("implant", days_ago=1)

    answer = desk.hears(
        "action_report_symptom",
        "看看能不能喝咖啡，疼大概4分吧",
        "report_symptom",
        answered="pain",
        asks_next="checkin.bleed",
    )

    assert answer.responses == ["utter_leaflet"]
    assert not desk.talk.cases()


def test_a_question_nobody_understood_beside_an_answer_is_owned_up_to(desk: Desk) -> None:
    answer = desk.hears(
        "action_fallback",
        "疼3分，那个啥行不行吗",
        "nlu_fallback",
        answered="pain",
        asks_next="checkin.bleed",
        sure=0.2,
    )

    assert answer.responses == ["utter_rest_unclear"]
