"""Which days the clinic is open: Chinese holidays from a kept library, make-up workdays and closures from the pack.

Make-up workdays are announced year by year and no library knows them ahead; they stand in the pack's `holidays.yml`,
which staff edit when the notice appears. A year without an entry is unknown, and said to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
from ruamel.yaml import YAML

from care.model.pack import Pack, Practitioner

SATURDAY = 6


class PackCalendar:
    """The clinic's calendar."""

    def __init__(self, folder: Path, pack: Pack) -> None:
        data = YAML(typ="safe", pure=True).load((folder / "holidays.yml").read_text(encoding="utf-8")) or {}
        self._make_up: dict[date, str] = dict(data.get("make_up_workdays") or {})
        self._open_anyway: frozenset[date] = frozenset(data.get("open_on_holidays") or ())
        self._known_years = frozenset(data.get("known_years") or ())
        self._closures = pack.closures
        self._library = holidays.country_holidays("CN", language="zh_CN")

    def known(self, year: int) -> bool:
        """Whether the make-up workdays of this year were announced and entered."""
        return year in self._known_years

    def name(self, day: date) -> str | None:
        """Return the name of the holiday or closure on this day."""
        return self._closures.get(day) or self._library.get(day)

    def is_make_up_workday(self, day: date) -> bool:
        """Whether this weekend day is worked to make up for a holiday."""
        return day in self._make_up

    def is_festival(self, day: date) -> bool:
        """Whether the country rests on this day: a statutory holiday, or a weekend that touches one.

        The library names the days off a weekday would lose; the Saturday in the midst of a festival is off as well.
        """
        if day in self._make_up:
            return False
        if day in self._library:
            return True
        if day.isoweekday() < SATURDAY:
            return False
        return any(self._touches(day, step) for step in (timedelta(days=1), timedelta(days=-1)))

    def _touches(self, day: date, step: timedelta) -> bool:
        """Whether a holiday lies next to a day in one direction, or beyond the rest of its weekend."""
        day += step
        while day not in self._library and day not in self._make_up and day.isoweekday() >= SATURDAY:
            day += step
        return day in self._library and day not in self._make_up

    def is_closed(self, day: date) -> bool:
        """Whether the clinic is closed all day: a closure of its own, or a statutory holiday it keeps."""
        if day in self._closures:
            return True
        if day in self._make_up or day in self._open_anyway:
            return False
        return day in self._library


def working_windows(
    practitioner: Practitioner, day: date, pack: Pack, calendar: PackCalendar
) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield (branch, from, until) during which somebody works on a day; aware, in the branch's zone.

    On a make-up workday the shifts of the weekday itself hold; a holiday or closure has none.
    """
    if calendar.is_closed(day) or day in practitioner.leave:
        return
    for shift in practitioner.shifts:
        if shift.weekday == day.isoweekday():
            zone = ZoneInfo(pack.clinics[shift.clinic].zone)
            yield (
                shift.clinic,
                datetime.combine(day, shift.start, tzinfo=zone),
                datetime.combine(day, shift.end, tzinfo=zone),
            )
