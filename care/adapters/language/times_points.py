"""Pieces of a time joined into points: a day, a part of it, an hour that belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from care.adapters.language import times_days as days
from care.adapters.language.times_clock import Clock, Part, clocks_in, parts_in
from care.adapters.language.times_day import Day

#: May stand between the pieces of one time.
_JOINT = (
    r"[的\s,，、(（)）:：.。]{0,2}(?:那天|当天|这天|大概|大约|差不多|左右|最好|想|我想|要|是|就|,|，|也就是|"
    r"即)?(?:的)?[\s,，(（]{0,1}"
)
JOINT = re.compile(rf"^{_JOINT}$")
TIGHT = re.compile(r"^[的\s,，(（)）]{0,2}(?:也就是|即|就是)?[\s,，(（]{0,1}$")


@dataclass(frozen=True, slots=True)
class Point:
    """One moment or stretch as it was said: a day, a part of it, an hour; at least one of them."""

    start: int
    end: int
    day: Day | None = None
    part: str | None = None
    clock: Clock | None = None


def points_in(words: str, today: date, hours: frozenset[int] = frozenset()) -> Iterator[Point]:
    """Yield every point a text names, in order; at `hours` even 一点 is an hour."""
    found = days.find(words, today)
    parts = parts_in(words, [(day.start, day.end) for day in found])
    hinted = hours | frozenset([day.end for day in found] + [part.end for part in parts])
    clocks = clocks_in(_masked(words, found), hinted=hinted)
    pieces: list[Day | Part | Clock] = sorted([*found, *parts, *clocks], key=lambda piece: piece.start)
    point: Point | None = None
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        joined = None if point is None else _join(words, point, piece, following)
        if joined is not None:
            point = joined
            continue
        if point is not None:
            yield point
        point = _new(piece)
    if point is not None:
        yield point


def _masked(words: str, found: list[Day]) -> str:
    """Return the words with every day blotted out, so that 周二十点 is not read as twenty o'clock."""
    for day in found:
        words = words[: day.start] + "▁" * (day.end - day.start) + words[day.end :]
    return words


def _new(piece: Day | Part | Clock) -> Point:
    if isinstance(piece, Day):
        return Point(piece.start, piece.end, day=piece)
    if isinstance(piece, Part):
        return Point(piece.start, piece.end, part=piece.name)
    return Point(piece.start, piece.end, clock=piece)


def _join(words: str, point: Point, piece: Day | Part | Clock, following: Day | Part | Clock | None) -> Point | None:
    gap = words[point.end : piece.start]
    end = max(point.end, piece.end)
    if isinstance(piece, Day):
        return _join_day(point, piece, gap, following, end)
    if isinstance(piece, Part):
        if (
            words[piece.start : piece.end] in {"am", "pm"}
            and point.clock is not None
            and piece.start <= point.end + 1
        ):
            return replace(point, end=end, part=piece.name)
        fits = point.part is None and point.clock is None and JOINT.match(gap)
        finer = point.part is not None and point.clock is None and gap in {"", "的"} and piece.name != point.part
        return replace(point, end=end, part=piece.name) if fits or finer else None
    if point.clock is not None or not JOINT.match(gap):
        return None
    return replace(point, end=end, clock=piece)


def _join_day(point: Point, piece: Day, gap: str, following: Day | Part | Clock | None, end: int) -> Point | None:
    if not TIGHT.match(gap) or piece.instant is not None:
        return None
    if point.day is None:
        followed = following is not None and not isinstance(following, Day) and following.start <= piece.end + 1
        return None if followed or "，" in gap or "," in gap else replace(point, end=end, day=piece)
    if point.part is not None or point.clock is not None or point.day.instant is not None:
        return None
    return (
        replace(point, end=end, day=_same_day_twice(point.day, piece)) if _goes_with(point.day, piece, gap) else None
    )


def _goes_with(first: Day, second: Day, gap: str) -> bool:
    """Whether two days side by side are one said twice (28号周六) or a wider and a narrower (下周的周三)."""
    if first.loose:
        return second.weekday is not None
    if first.grain == "day" and second.grain == "day":
        if first.weekday is not None and second.weekday is not None:
            return first.first == second.first
        return gap.strip("()（） 的") in {"", "也就是", "即", "就是"}
    return first.grain in {"week", "month", "range", "weekend"} and second.grain == "day"


def _same_day_twice(first: Day, second: Day) -> Day:
    whole = replace(first, end=second.end)
    if first.loose and second.weekday is not None:
        day = first.first + timedelta(days=second.weekday - first.first.weekday())
        return replace(second, start=first.start, first=day, last=day, back=None, other=None)
    if first.grain == "day":
        if second.first == first.first or first.weekday is None:
            return whole if second.first == first.first else replace(whole, other=second.first)
        return replace(second, start=first.start, other=first.first)
    if second.weekday is not None:
        start = first.first - timedelta(days=first.first.weekday()) if first.grain == "week" else first.first
        inside = [start + timedelta(days=step) for step in range((first.last - start).days + 1)]
        fits = [day for day in inside if day.weekday() == second.weekday]
        if fits:
            return replace(second, start=first.start, first=fits[0], last=fits[0], back=None)
    if not first.first <= second.first <= first.last and second.first.day <= 28:
        moved = second.first.replace(year=first.first.year, month=first.first.month)
        if first.first <= moved <= first.last:
            return replace(second, start=first.start, first=moved, last=moved, back=None)
    return replace(second, start=first.start)
