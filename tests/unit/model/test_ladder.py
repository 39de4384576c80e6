"""A promise names its moment: by day, by night, on Sundays, on holidays and on the workdays that make up for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from care.adapters.ladder import load_promises
from care.adapters.packs import load_pack
from care.model.case import Case, CaseLevel, CaseState
from care.model.deadline import DeadlineKind
from care.model.ids import CaseId, MemberId
from care.model.ladder import Promises
from care.settings import ROOT

SHANGHAI = ZoneInfo("Asia/Shanghai")


@cache
def ladder() -> Promises:
    folder = ROOT / "packs" / "dental"
    return load_promises(folder, load_pack(folder))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def a_case(level: str, opened: str) -> Case:
    at = moment(opened)
    due = ladder().due(CaseLevel(level), at, SHANGHAI)
    return Case(CaseId("c"), MemberId("m"), CaseLevel(level), "test", at, due)


def due(level: str, opened: str) -> str:
    return f"{ladder().due(CaseLevel(level), moment(opened), SHANGHAI).astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


def rungs(case: Case) -> dict[str, str]:
    return {
        f"{one.kind}{one.step or ''}": f"{one.due_at.astimezone(SHANGHAI):%m-%d %H:%M:%S}"
        for one in ladder().deadlines(case, SHANGHAI)
    }


@pytest.mark.parametrize(
    ("level", "opened", "by"),
    [
        ("L0", "2026-03-04T10:00", "2026-03-04T10:05"),
        ("L0", "2026-03-04T03:00", "2026-03-04T03:05"),
        ("L1", "2026-03-04T10:00", "2026-03-04T10:10"),
        ("L1", "2026-03-04T22:00", "2026-03-04T22:15"),
        ("L2", "2026-03-04T19:59", "2026-03-04T20:29"),
        ("L2", "2026-03-04T20:00", "2026-03-04T21:00"),
        ("L3", "2026-03-04T10:00", "2026-03-04T14:00"),
        ("L3", "2026-03-04T23:00", "2026-03-05T10:00"),
        ("L3", "2026-03-05T02:00", "2026-03-05T10:00"),
        ("P3", "2026-03-04T10:00", "2026-03-04T10:02"),
        ("P3", "2026-03-04T23:00", "2026-03-04T23:05"),
        ("P2", "2026-03-04T10:00", "2026-03-04T10:30"),
        ("P2", "2026-03-04T21:00", "2026-03-04T22:00"),
        ("W1", "2026-03-04T10:00", "2026-03-04T12:00"),
        ("W1", "2026-03-04T22:00", "2026-03-05T09:30"),
        ("W2", "2026-03-04T10:00", "2026-03-04T11:00"),
        ("W2", "2026-03-04T22:00", "2026-03-05T09:00"),
        ("K1", "2026-03-04T10:00", "2026-03-05T10:00"),
        ("K1", "2026-03-04T22:00", "2026-03-05T22:00"),
        ("K2", "2026-03-04T10:00", "2026-03-04T14:00"),
        ("K3", "2026-03-04T03:00", "2026-03-04T03:30"),
    ],
)
def test_each_level_is_due_when_the_clinic_promised(level: str, opened: str, by: str) -> None:
    assert due(level, opened) == by


@pytest.mark.parametrize(
    ("level", "opened", "by", "why"),
    [
        ("L1", "2026-03-08T10:00", "2026-03-08T10:15", "a Sunday is on call all day"),
        ("P3", "2026-03-08T10:00", "2026-03-08T10:05", "a Sunday is on call all day"),
        ("W1", "2026-03-08T10:00", "2026-03-09T09:30", "a Sunday's care waits for Monday morning"),
        ("L1", "2026-02-17T11:00", "2026-02-17T11:15", "Spring Festival is on call"),
        ("W2", "2026-02-17T11:00", "2026-02-18T09:00", "the colleague on call looks every morning, holiday or not"),
        ("L3", "2026-10-01T12:00", "2026-10-02T10:00", "National Day: the next morning, holiday or not"),
        ("L1", "2026-02-28T10:00", "2026-02-28T10:10", "a Saturday that makes up for the festival is a workday"),
        ("L1", "2026-01-04T10:00", "2026-01-04T10:10", "so is a Sunday that makes up"),
        ("W1", "2026-09-20T10:00", "2026-09-20T12:00", "so is a Sunday that makes up for National Day"),
        ("K1", "2026-03-07T16:30", "2026-03-09T16:30", "an ordinary complaint does not run on Sunday"),
        ("K1", "2026-01-03T12:00", "2026-01-05T00:00", "New Year ends at midnight; Sunday the 4th is worked"),
        ("K1", "2026-02-13T16:30", "2026-02-14T16:30", "nor does the Saturday that makes up stop it"),
        ("K1", "2026-02-14T16:30", "2026-02-24T16:30", "nine days of festival do"),
        ("K2", "2026-03-04T18:30", "2026-03-05T11:30", "four working hours: 90 minutes today, the rest tomorrow"),
        ("K2", "2026-03-07T18:30", "2026-03-09T11:30", "over a Sunday"),
        ("K2", "2026-03-04T22:00", "2026-03-05T13:00", "from opening on"),
        ("K2", "2026-09-30T19:00", "2026-10-08T12:00", "over National Day"),
        ("K3", "2026-10-01T12:00", "2026-10-01T12:30", "a red alert knows no holiday"),
        ("L1", "2026-12-31T10:00", "2026-12-31T10:15", "stock-taking, the clinic's own closure"),
    ],
)
def test_a_day_of_rest_is_on_call_and_a_workday_that_makes_up_is_not(
    level: str, opened: str, by: str, why: str
) -> None:
    assert due(level, opened) == by, why


@pytest.mark.parametrize(
    ("opened", "several", "by"),
    [
        ("2026-03-04T10:00", False, "2026-03-11T20:00"),
        ("2026-03-04T10:00", True, "2026-03-18T20:00"),
        ("2026-09-29T10:00", False, "2026-10-12T20:00"),
        ("2026-02-13T10:00", False, "2026-02-27T20:00"),
    ],
)
def test_the_law_wants_a_complaint_answered_in_five_working_days_or_ten(opened: str, several: bool, by: str) -> None:
    case = replace(a_case("K1", opened), several=several)

    legal = next(one for one in ladder().deadlines(case, SHANGHAI) if one.kind is DeadlineKind.LEGAL)

    assert f"{legal.due_at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}" == by


def test_a_case_climbs_at_the_minutes_of_the_clinics_table() -> None:
    assert rungs(a_case("L0", "2026-03-04T10:00")) == {
        "warn": "03-04 10:03:00",
        "breach": "03-04 10:05:00",
        "escalate2": "03-04 10:10:00",
    }
    assert rungs(a_case("L1", "2026-03-04T10:00"))["escalate2"] == "03-04 10:20:00"
    assert rungs(a_case("L1", "2026-03-04T22:00"))["escalate2"] == "03-04 22:30:00"
    assert rungs(a_case("P3", "2026-03-04T10:00"))["escalate2"] == "03-04 10:04:00"
    assert rungs(a_case("P2", "2026-03-04T21:00"))["escalate2"] == "03-04 23:00:00"


def test_care_promised_for_the_morning_climbs_hours_later_and_not_the_next_night() -> None:
    assert rungs(a_case("W1", "2026-03-04T22:00")) == {
        "warn": "03-05 06:37:30",
        "breach": "03-05 09:30:00",
        "escalate2": "03-05 13:30:00",
    }


def test_every_complaint_has_the_laws_deadline_beside_its_own() -> None:
    for level in ("K1", "K2", "K3"):
        assert {"breach", "legal_warn", "legal"} <= set(rungs(a_case(level, "2026-03-04T10:00")))


def test_a_taken_complaint_still_runs_because_an_answer_was_promised_and_a_taken_emergency_does_not() -> None:
    complaint = replace(a_case("K1", "2026-03-04T10:00"), state=CaseState.TAKEN)
    emergency = replace(a_case("L0", "2026-03-04T10:00"), state=CaseState.TAKEN)

    assert "breach" in rungs(complaint)
    assert rungs(emergency) == {}


def test_a_paused_clock_has_no_moment_but_the_law_does_not_pause() -> None:
    paused = replace(a_case("K1", "2026-03-04T10:00"), paused_at=moment("2026-03-04T11:00"))

    assert set(rungs(paused)) == {"legal_warn", "legal"}
