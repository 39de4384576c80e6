"""Nobody is asked too often, whatever the number of programmes; and every planned contact has one outcome."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from care.model.caps import Said, over
from care.model.conversation import Conversation
from care.model.gate import Verdict, decide
from care.model.ids import ConversationId, MemberId, TouchpointId
from care.model.member import Member
from care.model.touchpoint import Touchpoint, TouchpointKind

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 20, 19, 0, tzinfo=SHANGHAI)
EVENTS = 100_000


def test_the_fifth_in_three_days_is_one_too_many() -> None:
    assert _over([20, 35, 50, 71]) == "cap_72_hours"
    assert _over([30, 47, 71]) is None


def test_the_twelfth_in_two_weeks_is_one_too_many() -> None:
    eleven = [80 + 20 * number for number in range(11)]

    assert _over(eleven) == "cap_14_days"
    assert _over(eleven[1:]) is None


def test_after_two_weeks_it_is_twice_a_week() -> None:
    assert _over([90, 140], day=15) == "cap_week"
    assert _over([90, 140], day=14) is None
    assert _over([90, 169], day=15) is None


def test_ten_hours_lie_between_two_even_across_midnight() -> None:
    after_midnight = datetime(2026, 3, 20, 5, 0, tzinfo=SHANGHAI)
    late = [Said(after_midnight - timedelta(hours=9, minutes=59))]

    reason = over(late, now=after_midnight, zone=SHANGHAI, day=1, last_member_at=None)

    assert reason == "too_soon"


def test_two_without_an_answer_and_only_safety_goes_on() -> None:
    silent = [Said(NOW - timedelta(hours=48), answered=False), Said(NOW - timedelta(hours=24), answered=False)]

    assert over(silent, now=NOW, zone=SHANGHAI, day=3, last_member_at=None) == "unanswered"
    wrote = NOW - timedelta(hours=30)
    assert over(silent, now=NOW, zone=SHANGHAI, day=3, last_member_at=wrote) is None


@pytest.mark.parametrize(
    ("zone", "before", "now", "reason"),
    [
        ("America/New_York", "2026-03-07T23:30:00-05:00", "2026-03-08T19:00:00-04:00", None),  # an hour is missing
        ("America/New_York", "2026-11-01T00:30:00-04:00", "2026-11-01T19:00:00-05:00", "daily_cap"),  # one is twice
        ("Asia/Shanghai", "2028-02-28T19:00:00+08:00", "2028-02-29T19:00:00+08:00", None),
        ("Asia/Shanghai", "2028-02-29T08:30:00+08:00", "2028-02-29T19:00:00+08:00", "daily_cap"),
    ],
)
def test_a_day_is_the_members_own_day(zone: str, before: str, now: str, reason: str | None) -> None:
    said = [Said(datetime.fromisoformat(before))]

    found = over(said, now=datetime.fromisoformat(now), zone=ZoneInfo(zone), day=2, last_member_at=None)

    assert found == reason


def test_every_planned_contact_ends_in_exactly_one_verdict_and_no_cap_is_ever_broken() -> None:
    dice = random.Random(7)
    zone = ZoneInfo("America/New_York")
    member = Member(id=MemberId("m"), created_at=NOW, zone=zone.key)
    conversation = Conversation(ConversationId("c"), MemberId("m"), "t", NOW)
    verdicts: Counter[Verdict] = Counter()
    said: list[Said] = []
    optional: list[datetime] = []
    now = datetime(2024, 1, 1, tzinfo=UTC)

    for number in range(EVENTS):
        now += timedelta(minutes=dice.randrange(1, 900))
        safety = dice.random() < 0.1
        conversation.crisis = dice.random() < 0.02
        contact = Touchpoint(
            id=TouchpointId(str(number)),
            member_id=member.id,
            kind=TouchpointKind.CHECK_IN,
            plan="A2",
            occurrence="e",
            version="1",
            due_at=now,
            expires_at=now + timedelta(minutes=dice.randrange(-30, 900)),
            created_at=now,
            safety=safety,
        )
        decision = decide(
            contact,
            member=member,
            conversation=conversation,
            open_cases=[],
            said=said,
            reachable=True,
            now=now,
        )
        verdicts[decision.verdict] += 1
        if decision.verdict is Verdict.CLEARED:
            said = [one for one in said if now - one.at < timedelta(days=14)]
            said.append(Said(now))
            if not safety:
                optional.append(now)
                assert sum(now - one.at < timedelta(hours=72) for one in said) <= 4
                assert len(said) <= 11

    assert sum(verdicts.values()) == EVENTS
    assert set(verdicts) == set(Verdict)
    days = Counter(moment.astimezone(zone).date() for moment in optional)
    assert max(days.values()) == 1


def _over(hours_ago: list[int], day: int = 3) -> str | None:
    said = [Said(NOW - timedelta(hours=hours)) for hours in sorted(hours_ago, reverse=True)]
    return over(said, now=NOW, zone=SHANGHAI, day=day, last_member_at=None)
