"""When a recovery ends by itself, condition by condition."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from care.model.protocol import Stop
from care.model.stopping import Ending, Standing, ending, unmet

STOP = Stop(
    words="第 7 天以后，线已拆，疼痛 2 分以下，最近两次都好，下次已约好",
    from_day=7,
    last_day=10,
    sutures_out=True,
    last_two_ok=True,
    no_open_case=True,
    pain_at_most=2,
    next_visit_booked=True,
    keep=("A30",),
)
WELL = Standing(
    day=8,
    today=date(2026, 3, 12),
    sutures_out_on=date(2026, 3, 11),
    contacts=[["watch"], ["ok", "ok"], ["ok"]],
    last_pain=2,
    case_open=False,
    visit_booked=True,
    safety_ahead=False,
    waiting=("A30",),
)


def test_a_recovery_in_which_everything_holds_has_ended() -> None:
    assert ending(STOP, WELL) is Ending.STOP


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({"day": 6}, "from_day"),
        ({"sutures_out_on": date(2026, 3, 12)}, "sutures_out"),
        ({"sutures_out_on": None}, "sutures_out"),
        ({"contacts": [["ok"], ["ok", "watch"]]}, "last_two_ok"),
        ({"contacts": [["ok"]]}, "last_two_ok"),
        ({"case_open": True}, "no_open_case"),
        ({"last_pain": 3}, "pain_at_most"),
        ({"last_pain": None}, "pain_at_most"),
        ({"visit_booked": False}, "next_visit_booked"),
    ],
)
def test_one_condition_that_does_not_hold_keeps_it_open_and_is_named(
    change: dict[str, object], condition: str
) -> None:
    standing = replace(WELL, **change)  # type: ignore[arg-type]

    assert unmet(STOP, standing) == [condition]
    assert ending(STOP, standing) is None


def test_nothing_ends_while_a_safety_contact_still_lies_ahead() -> None:
    assert ending(STOP, replace(WELL, safety_ahead=True)) is None
    assert ending(STOP, replace(WELL, safety_ahead=True, day=40, visit_booked=False)) is None


def test_after_the_last_day_it_is_over_whatever_else_was_hoped_for() -> None:
    waited = replace(WELL, day=10, visit_booked=False, waiting=())

    assert ending(STOP, waited) is Ending.OVER
    assert ending(STOP, replace(waited, day=9)) is None
    assert ending(STOP, replace(waited, case_open=True)) is None
    assert ending(STOP, replace(waited, waiting=("A10",))) is None


def test_who_is_not_well_at_the_end_is_looked_at_by_a_nurse_first() -> None:
    hurting = replace(WELL, day=12, last_pain=5, waiting=())

    assert ending(STOP, hurting) is Ending.NOT_WELL
    assert ending(STOP, replace(hurting, looked_at=True)) is Ending.OVER
