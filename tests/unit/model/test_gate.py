"""The send gate says no for one stated reason, or yes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.model.caps import Said
from care.model.case import Case, CaseLevel
from care.model.consent import Choice, Purpose
from care.model.conversation import Conversation
from care.model.errors import NaiveDatetime
from care.model.gate import GateDecision, Verdict, decide, next_awake
from care.model.ids import CaseId, ConversationId, MemberId, StaffId, TouchpointId
from care.model.member import Member
from care.model.touchpoint import Touchpoint, TouchpointKind

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 4, 19, 0, tzinfo=SHANGHAI)


def test_an_evening_check_in_with_nothing_against_it_leaves() -> None:
    assert _ask().verdict is Verdict.CLEARED


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-04T21:00:00+08:00", "2026-03-05T08:30:00+08:00"),
        ("2026-03-04T23:59:59+08:00", "2026-03-05T08:30:00+08:00"),
        ("2026-03-05T08:29:59+08:00", "2026-03-05T08:30:00+08:00"),
        ("2026-03-04T20:59:59+08:00", "2026-03-04T20:59:59+08:00"),
        ("2026-03-05T08:30:00+08:00", "2026-03-05T08:30:00+08:00"),
    ],
)
def test_quiet_hours_hold_to_the_second(at: str, until: str) -> None:
    assert next_awake(datetime.fromisoformat(at), SHANGHAI) == datetime.fromisoformat(until)


def test_quiet_hours_are_those_of_the_members_own_zone() -> None:
    noon_in_london = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

    assert next_awake(noon_in_london, ZoneInfo("Europe/London")) == noon_in_london
    assert next_awake(noon_in_london + timedelta(hours=2), SHANGHAI) > noon_in_london + timedelta(hours=2)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.sampled_from(["Asia/Shanghai", "America/New_York"])
)
def test_nobody_is_ever_written_to_at_night(moment: datetime, zone: str) -> None:
    where = ZoneInfo(zone)

    allowed = next_awake(moment.replace(tzinfo=UTC), where).astimezone(where)

    assert time(8, 30) <= allowed.time() < time(21)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetime):
        next_awake(datetime(2026, 1, 1, 9), SHANGHAI)


def test_a_member_who_said_no_more_check_ins_gets_none() -> None:
    member = _member()
    member.choices = {Purpose.CHECK_INS: Choice(Purpose.CHECK_INS, given=False, at=EVENING)}

    assert _ask(member=member) == GateDecision(Verdict.SUPPRESSED, "consent_withdrawn")


def test_a_reminder_survives_a_no_to_check_ins() -> None:
    member = _member()
    member.choices = {Purpose.CHECK_INS: Choice(Purpose.CHECK_INS, given=False, at=EVENING)}

    assert _ask(member=member, kind=TouchpointKind.REMINDER).verdict is Verdict.CLEARED


def test_while_a_human_holds_the_conversation_the_check_in_waits() -> None:
    conversation = _conversation()
    conversation.take_over(StaffId("s"))

    decision = _ask(conversation=conversation)

    assert (decision.verdict, decision.reason) == (Verdict.POSTPONED, "human_owner")


def test_a_check_in_whose_window_is_over_expires_instead_of_being_late() -> None:
    assert _ask(now=EVENING + timedelta(hours=3)).verdict is Verdict.EXPIRED


@pytest.mark.parametrize("level", [CaseLevel.L0, CaseLevel.L1, CaseLevel.P2, CaseLevel.P3])
def test_a_serious_open_case_silences_routine(level: CaseLevel) -> None:
    case = Case(CaseId("c"), MemberId("m"), level, "said", EVENING, EVENING)

    assert _ask(cases=[case]) == GateDecision(Verdict.SUPPRESSED, "open_case")


def test_a_second_optional_contact_on_one_day_is_one_too_many() -> None:
    morning = [Said(EVENING - timedelta(hours=10, minutes=20))]

    assert _ask(said=morning) == GateDecision(Verdict.SUPPRESSED, "daily_cap")
    assert _ask(said=morning, safety=True).verdict is Verdict.CLEARED


def test_nobody_is_interrupted_in_the_middle_of_a_sentence() -> None:
    conversation = _conversation()
    conversation.last_member_at = EVENING - timedelta(seconds=20)

    decision = _ask(conversation=conversation)

    assert decision.reason == "talking"
    assert decision.until == EVENING + timedelta(seconds=160)


def test_after_a_late_operation_the_first_evening_may_be_half_an_hour_later() -> None:
    at = datetime(2026, 3, 4, 21, 10, tzinfo=SHANGHAI)

    assert _ask(now=at, plan="A0", safety=True).verdict is Verdict.CLEARED
    assert _ask(now=at, plan="A3", safety=True).verdict is not Verdict.CLEARED


def _ask(
    *,
    member: Member | None = None,
    conversation: Conversation | None = None,
    cases: list[Case] | None = None,
    now: datetime = EVENING,
    kind: TouchpointKind = TouchpointKind.CHECK_IN,
    said: Sequence[Said] = (),
    quiet_until: datetime | None = None,
    safety: bool = False,
    plan: str = "A2",
) -> GateDecision:
    touchpoint = Touchpoint(
        id=TouchpointId("t"),
        member_id=MemberId("m"),
        kind=kind,
        plan=plan,
        occurrence="e",
        version="1",
        due_at=EVENING,
        expires_at=EVENING + timedelta(hours=2, minutes=30),
        created_at=EVENING,
        safety=safety,
    )
    return decide(
        touchpoint,
        member=member or _member(),
        conversation=conversation or _conversation(),
        open_cases=cases or [],
        said=said,
        quiet_until=quiet_until,
        reachable=True,
        now=now,
    )


def _member() -> Member:
    return Member(id=MemberId("m"), created_at=EVENING)


def _conversation() -> Conversation:
    return Conversation(ConversationId("c"), MemberId("m"), "t", EVENING)
