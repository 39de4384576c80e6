"""A day as it was spoken of, and the words that several kinds of days share."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from care.adapters.language.numbers import NUMERAL

DAY = timedelta(days=1)
WEEKDAY = {char: place for place, char in enumerate("一二三四五六日")} | {"天": 6, "七": 6}
WEEKDAY |= {str(number): number - 1 for number in range(1, 8)}
NUMBER = rf"(?:\d{{1,3}}|[{NUMERAL}]{{1,3}})(?!\d)"
FEW = rf"(?:\d{{1,3}}|[{NUMERAL}]{{1,3}}|好?几)"
TO = r"(?:到|至|~|-|—|–)"
WEEK = r"(?:周|星期)"


@dataclass(frozen=True, slots=True)
class Day:
    """A day or a run of days, or why there is none.

    Attributes:
        start, end: where it stands in the words.
        first, last: the days, both included.
        grain: as in a `TimeSpan`.
        problem: `impossible` when there is no such day.
        instant: how far from now, for what is counted in hours.
        weekday: 0 to 6 when a bare weekday was said.
        back: the same day the last time it was, for what is told of as over.
        again: the same day the next time it is, when it is today and today's hours are over.
        other: another reading.
        loose: counted in weeks or months, so that a weekday after it is looked for in that week (两周后的周三).
    """

    start: int
    end: int
    first: date
    last: date
    grain: str = "day"
    problem: str | None = None
    instant: timedelta | None = None
    weekday: int | None = None
    back: date | None = None
    again: date | None = None
    other: date | None = None
    loose: bool = False


def run(match: re.Match[str], first: date, last: date, grain: str = "range") -> Day:
    """Return the days from `first` to `last`; one day when they are the same."""
    return Day(match.start(), match.end(), first, last, grain if first != last else "day")


def months_on(day: date, months: int) -> date:
    """Return the same day some months on, or the month's last when it has no such day."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
