"""What may still be sent: which right is spent, what is kept back, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.model.ids import IdentityId
from care.model.rights import ChannelTerms, Gift, Grant, Terms, Trigger, Weight, credit, left_for, spendable

NOW = datetime(2026, 3, 4, 2, tzinfo=UTC)
HUMANS = [Weight.SAFETY, Weight.CARER]
OTHERS = [weight for weight in Weight if weight not in HUMANS]


def a_grant(trigger: Trigger = Trigger.MESSAGE, total: int = 5, used: int = 0, **more: object) -> Grant:
    lasts = {Trigger.MESSAGE: timedelta(hours=48), Trigger.OPT_IN: None}.get(trigger, timedelta(minutes=1))
    grant = Grant(
        id=f"{trigger}-{total}",
        identity_id=IdentityId("lan"),
        trigger=trigger,
        total=total,
        granted_at=NOW,
        expires_at=NOW + lasts if lasts else None,
        used=used,
    )
    for name, value in more.items():
        setattr(grant, name, value)
    return grant


@pytest.mark.parametrize(
    ("after", "is_open"),
    [
        (timedelta(0), True),
        (timedelta(hours=47, minutes=59, seconds=59), True),
        (timedelta(hours=48), False),
        (timedelta(hours=48, minutes=1), False),
    ],
)
def test_a_window_of_48_hours_ends_to_the_second(after: timedelta, is_open: bool) -> None:
    assert a_grant().open_at(NOW + after) is is_open


def test_the_right_that_ends_first_is_spent_first() -> None:
    window, click = a_grant(), a_grant(Trigger.CLICK, 3)

    assert [grant.trigger for grant in spendable([window, click], NOW)] == [Trigger.CLICK, Trigger.MESSAGE]
    assert spendable([window, click], NOW + timedelta(minutes=2)) == [window]


@pytest.mark.parametrize("weight", OTHERS)
def test_the_last_right_of_a_window_is_kept_for_safety_and_humans(weight: Weight) -> None:
    last = [a_grant(used=4)]

    assert left_for(weight, last, NOW, kept=1) == 0
    assert [left_for(human, last, NOW, kept=1) for human in HUMANS] == [1, 1]


def test_nothing_is_kept_back_of_the_minute_after_a_click() -> None:
    assert left_for(Weight.ANSWER, [a_grant(Trigger.CLICK, 3)], NOW, kept=1) == 3
    assert left_for(Weight.ANSWER, [a_grant(Trigger.CLICK, 3), a_grant(used=4)], NOW, kept=1) == 3


def test_what_matters_more_and_waits_comes_first() -> None:
    assert left_for(Weight.REMINDER, [a_grant()], NOW, kept=1, ahead=4) == 0
    assert left_for(Weight.REMINDER, [a_grant()], NOW, kept=1, ahead=3) == 1


def test_a_subscription_is_no_right_to_write() -> None:
    notice = a_grant(Trigger.OPT_IN, 1, template="t1")

    assert left_for(Weight.SAFETY, [notice], NOW, kept=0) == 0
    assert credit([notice], "t1", NOW + timedelta(days=300)) is notice
    assert credit([notice], "another", NOW) is None
    assert credit([a_grant(Trigger.OPT_IN, 1, used=1, template="t1")], "t1", NOW) is None


@given(st.integers(0, 6), st.integers(0, 3), st.integers(0, 3), st.integers(0, 6), st.sampled_from(Weight))
def test_a_weightier_message_never_has_fewer_rights(
    used: int, clicks: int, kept: int, ahead: int, weight: Weight
) -> None:
    grants = [a_grant(used=used), a_grant(Trigger.CLICK, clicks)]

    mine = left_for(weight, grants, NOW, kept=kept, ahead=ahead)

    assert 0 <= mine <= max(0, 5 - used) + clicks
    assert all(left_for(more, grants, NOW, kept=kept, ahead=ahead) >= mine for more in Weight if more < weight)


def test_a_channel_we_know_nothing_of_sets_no_terms() -> None:
    terms = Terms(channels={"wechat": ChannelTerms(gifts={Trigger.MESSAGE: Gift(5)})})

    assert terms.of("telegram").gifts is None
    assert terms.grant("telegram", Trigger.MESSAGE) is None
    assert terms.grant("wechat", Trigger.CLICK) is None
    assert terms.grant("wechat", Trigger.MESSAGE) == Gift(5)
