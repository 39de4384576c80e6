"""A promise names its moment, by day and by night."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from care.model.case import URGENCY, CaseLevel, due_at, more_urgent

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("level", "opened", "due"),
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
        ("W1", "2026-03-04T22:00", "2026-03-05T09:30"),
        ("W2", "2026-03-04T10:00", "2026-03-04T11:00"),
        ("K1", "2026-03-04T22:00", "2026-03-05T22:00"),
        ("K2", "2026-12-31T22:00", "2027-01-01T02:00"),
        ("K3", "2026-03-04T03:00", "2026-03-04T03:30"),
    ],
)
def test_each_level_is_due_when_the_clinic_promised(level: str, opened: str, due: str) -> None:
    at = datetime.fromisoformat(opened).replace(tzinfo=SHANGHAI)

    assert due_at(CaseLevel(level), at, SHANGHAI) == datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)


def test_an_emergency_comes_before_everything() -> None:
    assert all(more_urgent(CaseLevel.L0, other) for other in URGENCY[1:])
    assert not more_urgent(CaseLevel.K1, CaseLevel.W1)
