"""The days in a text, of every kind; of overlapping ones the longest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from care.adapters.language import times_dates, times_distances, times_holidays, times_weeks
from care.adapters.language import times_feasts as feasts
from care.adapters.language.numbers import to_number
from care.adapters.language.times_day import DAY, WEEK, WEEKDAY, Day

NTH_IN = re.compile(
    rf"^的?(?:第(?P<k>[{feasts.ORDINAL}])|(?P<first>头一|首)|(?P<last>最后一))(?:个(?:(?P<work>工作日)|{WEEK}(?P<d"
    rf"ay>[一二三四五六日天末]))|个?(?P<week>{WEEK}))"
)


#: The first or last days of a stretch: 下周前三天, 国庆假期最后两天.
EDGE_OF = re.compile(rf"^的?(?P<side>前|头|最后|末)(?P<n>[{feasts.ORDINAL}])(?:天|日)")
#: Streets and places are named after days.
_PLACE = re.compile(r"^(?:路(?!过|上)|大?街|大道|广场|巷|桥(?!牙|体)|村(?!里)|新村|小区|公园|小学|中学|医院|地铁)")
_COLLECTIVE = {"week", "month", "range"}


def find(words: str, today: date) -> list[Day]:
    """Return every day expression in order; what lies inside a longer one is left out."""
    everything = sorted(_all(words, today), key=lambda day: (day.start - day.end, day.start))
    kept: list[Day] = []
    for day in everything:
        if not any(day.start < other.end and other.start < day.end for other in kept):
            kept.append(day)
    kept = [day for day in kept if not _PLACE.match(words[day.end : day.end + 3])]
    return [_narrowed(words, day) for day in _in_week(sorted(kept, key=lambda day: day.start))]


def _all(words: str, today: date) -> Iterator[Day]:
    for kind in (times_weeks, times_dates, times_distances, times_holidays):
        yield from kind.read(words, today)


def _in_week(days: list[Day]) -> list[Day]:
    """Look for a bare weekday in the week that was spoken of before it: 下周一二上班，周四休息."""
    found: list[Day] = []
    named: Day | None = None
    for day in days:
        if day.weekday is not None and day.back is None and day.again is None:
            named = day
        elif named is not None and day.weekday is not None and named.weekday is not None:
            there = named.first + (day.weekday - named.weekday) * DAY
            if day.first < named.first < there:
                found.append(replace(day, first=there, last=there, back=None, again=None, other=day.first))
                continue
        found.append(day)
    return found


def _narrowed(words: str, day: Day) -> Day:
    """Return the one day of a run that is picked out of it: 下个月第一个周六, 月底最后一个工作日."""
    edge = EDGE_OF.match(words[day.end : day.end + 6])
    if edge is not None and day.grain in _COLLECTIVE and not day.problem:
        number = to_number(edge["n"]) or 1
        first, last = (day.first, day.first + (number - 1) * DAY)
        if edge["side"] in {"最后", "末"}:
            first, last = day.last - (number - 1) * DAY, day.last
        if day.first <= first <= last <= day.last:
            return replace(
                day, end=day.end + edge.end(), first=first, last=last, grain="range" if number > 1 else "day"
            )
    match = NTH_IN.match(words[day.end : day.end + 12])
    if match is None or day.problem or day.first == day.last:
        return day
    whole = [day.first + step * DAY for step in range((day.last - day.first).days + 1)]
    if day.grain == "month":
        whole = [day.last.replace(day=number) for number in range(1, day.last.day + 1)]
    if match["week"]:
        weeks = [whole[place : place + 7] for place in range(0, len(whole) - 6, 7)]
        weeks = [whole[-7:]] if match["last"] else weeks
        nth = (to_number(match["k"]) or 1) - 1 if match["k"] else 0
        if day.grain != "month" or nth >= len(weeks):
            return day
        return replace(day, end=day.end + match.end(), first=weeks[nth][0], last=weeks[nth][-1], grain="range")
    weekend = match["day"] == "末"
    fits = [
        each
        for each in whole
        if (feasts.is_workday(each) if match["work"] else each.weekday() == (5 if weekend else WEEKDAY[match["day"]]))
    ]
    place = -1 if match["last"] else (to_number(match["k"]) or 1) - 1 if match["k"] else 0
    if not -len(fits) <= place < len(fits):
        return replace(day, end=day.end + match.end(), problem="impossible")
    return replace(
        day,
        end=day.end + match.end(),
        first=fits[place],
        last=fits[place] + weekend * DAY,
        grain="weekend" if weekend else "day",
    )
