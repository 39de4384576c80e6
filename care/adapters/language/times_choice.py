"""Which of the times in a text is meant: points linked into ranges and choices, one of them taken.

Taken is what the member wants: moved to rather than from, not refused, not over, nearest to a wish. Times that only
tell of something are kept apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from care.adapters.language.times_clock import bare_hour, lone_hour
from care.adapters.language.times_cues import (
    AFTER,
    AND_THEN,
    ANYONE,
    AROUND,
    BEFORE,
    BOOKING,
    CHOICE,
    CORRECTED,
    ELSEWHERE,
    EVENT,
    EVENT_SURE,
    FELT,
    FILLER,
    FROM,
    FUTURE_VERB,
    HABIT,
    INTENDED,
    LISTED_ON,
    MOVED_AFTER,
    OTHERWISE,
    RANGE,
    REFUSED_AFTER,
    REFUSED_BEFORE,
    REFUSED_LATER,
    SOON,
    SOON_ABOUT,
    SOURCE_BEFORE,
    SURELY,
    WISH,
    YOURS,
)
from care.adapters.language.times_dates import bare_date
from care.adapters.language.times_day import DAY, Day
from care.adapters.language.times_points import Point, points_in


@dataclass(frozen=True, slots=True)
class Choice:
    """The time that was taken, and how it stands.

    Attributes:
        start, end: where it stands in the words.
        first: the point, or where a range begins.
        last: where a range ends.
        others: the points that would do as well.
        relation: `before`, `after`, `from` or `around`, when the time bounds what is meant.
        wanted: whether the words beside it ask for something.
        refused: said not to suit.
        over: told of as past.
        anytime: no time in particular.
        problem: `impossible`.
        weight: how likely this is the one that is meant.
        reach: where the last of the others ends.
    """

    start: int
    end: int
    first: Point
    last: Point | None = None
    others: tuple[Point, ...] = ()
    relation: str | None = None
    wanted: bool = False
    refused: bool = False
    over: bool = False
    anytime: bool = False
    problem: str | None = None
    weight: int = 0
    reach: int = 0


def choose(words: str, today: date, asked: str) -> Choice | None:
    """Return the time that is meant, None when none is named.

    Args:
        words: the plain text.
        today: the member's day.
        asked: what the last question was about.
    """
    hour_asked = asked.endswith(".time")
    points = list(points_in(words, today, lone_hour(words) if hour_asked else frozenset()))
    booking = asked.startswith(("booking", "reschedule")) or asked.endswith(".time")
    choices = [one for one in _linked(words, points) if _counts(words, one, booking=booking)]
    if not choices:
        bare = bare_hour(words) if hour_asked else None
        if bare is not None:
            return Choice(bare.start, bare.end, Point(bare.start, bare.end, clock=bare), wanted=True)
        written = bare_date(words, today) if hour_asked else None
        if written is not None:
            return Choice(written.start, written.end, Point(written.start, written.end, day=written), wanted=True)
        return _anytime(words, booking=booking)
    judged = _refused_alike([_judged(words, one, choices, today) for one in choices])
    best = max(judged, key=lambda one: (one.weight, -one.start))
    if (best.refused or best.weight < 0) and OTHERWISE.search(words):
        return Choice(best.start, best.end, Point(best.start, best.end), anytime=True, wanted=True)
    best = _completed(words, best, judged, today)
    return _with_impossible(best)


def _linked(words: str, points: list[Point]) -> Iterator[Choice]:
    place = 0
    while place < len(points):
        first = points[place]
        last: Point | None = None
        others: list[Point] = []
        end = first.end
        if place + 1 < len(points) and RANGE.match(words[first.end : points[place + 1].start]):
            last = points[place + 1]
            place += 1
            end = last.end
        while place + 1 < len(points) and CHOICE.match(words[points[place].end : points[place + 1].start]):
            gap = words[points[place].end : points[place + 1].start]
            if not gap.strip() and not _alike(points[place], points[place + 1]):
                break
            if gap.strip() in {",", "，"} and not LISTED_ON.match(words[points[place + 1].end :]):
                break
            loose = gap.strip().removeprefix("左右") in {",", "，", "还是"} or gap.strip(" ,，") == "是"
            if loose and (
                not _alike(points[place], points[place + 1]) or REFUSED_BEFORE.search(words[: first.start])
            ):
                break
            place += 1
            others.append(_inheriting(first, points[place]))
        if others and last is None and first.clock is None and first.part is None and others[-1].day is not None:
            first = replace(first, part=others[-1].part, clock=others[-1].clock)  # 周四或周五的下午
        reach = others[-1].end if others else end
        relation = None
        if last is None and not others:
            bound = None
            for name, words_of in (("after", AFTER), ("from", FROM), ("before", BEFORE), ("around", AROUND)):
                if bound is None and (bound := words_of.match(words[end:])):
                    relation = name
            end += bound.end() if bound else 0
            reach = end
        if first.day is not None and first.day.other is not None:
            others.insert(
                0, replace(first, day=replace(first.day, first=first.day.other, last=first.day.other, other=None))
            )
        yield Choice(first.start, end, first, last, tuple(others), relation, reach=max(reach, end))
        place += 1


def _alike(first: Point, second: Point) -> bool:
    return (first.day is None) == (second.day is None) and (first.clock is None) == (second.clock is None)


def _inheriting(first: Point, second: Point) -> Point:
    day = second.day or first.day
    part = second.part or (first.part if second.day is None and second.clock is not None else None)
    return replace(second, day=day, part=part)


def _counts(words: str, one: Choice, *, booking: bool) -> bool:
    """Whether a part of the day without a day is meant as a time, rather than when something is felt."""
    point = one.first
    if HABIT.search(words[: one.start]):
        return False
    if point.day is not None or point.clock is not None or one.last is not None or booking:
        return True
    clause = _clause(words, one)
    rest = clause.replace(words[one.start : one.end], "", 1)
    if FELT.search(rest) and not re.search(r"约|挂|号|有空|看牙|能[来去]|过来|过去|方便", clause):
        return False
    return (
        bool(WISH.search(rest)) or not rest.strip("的吧呢啊呀 ") or len(words) <= len(words[one.start : one.end]) + 4
    )


def _clause(words: str, one: Choice) -> str:
    start = max(words.rfind(mark, 0, one.start) for mark in "。！？!?;；\n,，")
    ends = [place for mark in "。！？!?;；\n,，" if (place := words.find(mark, one.end)) >= 0]
    return words[start + 1 : min(ends, default=len(words))]


def _judged(words: str, one: Choice, choices: list[Choice], today: date) -> Choice:
    before, after = words[max(0, one.start - 16) : one.start], words[one.reach : one.reach + 24]
    clause = _clause(words, one)
    rest = clause.replace(words[one.start : one.end], "", 1)
    wanted = bool(WISH.search(rest)) or not FILLER.sub("", rest)
    wanted = wanted and not (FELT.search(rest) and not BOOKING.search(rest))
    until_next = min((other.start - one.reach for other in choices if other.start >= one.reach), default=len(after))
    refused = bool(
        REFUSED_AFTER.match(after) or REFUSED_BEFORE.search(before) or REFUSED_LATER.match(after[:until_next])
    )
    later = any(other.start >= one.end for other in choices)
    source = later and bool(
        (MOVED_AFTER.match(after) and _reaches(words, one, choices))
        or (SOURCE_BEFORE.search(before) and MOVED_AFTER.match(words[one.end :][:40]))
        or re.search(r"(?:不是|不要)\s*$", before)
        or INTENDED.search(before)
    )
    corrected = bool(CORRECTED.search(before)) and any(other.end <= one.start for other in choices)
    felt = one.first.day is None and not wanted and bool(FELT.search(rest))
    over = felt or _is_over(words, one, after, today)
    weight = 2 * wanted - 8 * refused - 6 * source + 5 * corrected - 4 * over
    weight -= 3 * bool(ELSEWHERE.match(after))
    weight -= 3 * bool(re.search(r"平时|一般|通常|往常", clause))
    weight -= 3 * (one.first.day is not None and one.first.day.last < today)
    if corrected:
        weight += sum(other.end <= one.start for other in choices)
    return replace(one, wanted=wanted, refused=refused, over=over, weight=weight)


def _refused_alike(judged: list[Choice]) -> list[Choice]:
    """Take a time that is named again and refused then as refused the first time too (后天，不对，后天我有课)."""
    kept = []
    for place, one in enumerate(judged):
        again = any(
            other.refused and _moment(other) == _moment(one) and not one.refused for other in judged[place + 1 :]
        )
        kept.append(replace(one, refused=True, weight=one.weight - 8) if again else one)
    return kept


def _moment(one: Choice) -> tuple[object, ...]:
    day, clock = one.first.day, one.first.clock
    return (day and (day.first, day.last), one.first.part, clock and (clock.hour, clock.minute))


def _reaches(words: str, one: Choice, choices: list[Choice]) -> bool:
    """Whether the verb of moving stands between this time and a later one."""
    later = min(other.start for other in choices if other.start >= one.end)
    return re.search(r"改|换|挪|推|调|移|延|提前|往后|往前", words[one.end : later]) is not None


def _is_over(words: str, one: Choice, after: str, today: date) -> bool:
    day = one.first.day
    if day is not None and day.last < today:
        if re.search(r"(?:约|挂|改到|换到|预约)(?:个|一个|一下|在|到)?$", words[: one.start]):
            return False
        return not re.match(r"^[^,，。!！?？]{0,4}(?:约|号|来得及)", after)
    if day is None and one.first.clock is None:
        return False
    event = EVENT.match(after)
    if event is None or not EVENT_SURE.search(event[0][-3:]):
        return False
    if AND_THEN.match(after[event.end() :]):
        return False
    if re.match(r"^\s*(?:的?(?:号|预约|约|吗|话|行|可以|时间))", after[event.end() :]):
        return False
    return (day is None or day.back is not None or day.first == today) and not FUTURE_VERB.search(
        words[max(0, one.start - 4) : one.start]
    )


def _completed(words: str, best: Choice, judged: list[Choice], today: date) -> Choice:
    """Give the chosen time the day, or the hour, that stands apart from it (周六有空吗，我想下午三点去)."""
    day = None
    finer = [one for one in judged if _says_more(one, best) or _narrows(one, best, today)]
    if finer:
        return finer[0]
    if best.first.day is None:
        day = _day_beside(best, judged)
        best = best if day is None else _with_day(best, day)
    open_ended = best.last is None and best.relation is None and best.first.clock is None
    if not open_ended or (day is None and best.first.day is not None and best.first.day.instant is not None):
        return best
    for other in judged:
        if not _supplements(words, other, best):
            continue
        part = other.first.part or best.first.part
        first = replace(other.first, day=best.first.day, part=part)
        others = tuple(replace(each, part=part, clock=other.first.clock) for each in best.others)
        start = min(best.start, other.start)
        return replace(
            other, first=first, start=start, end=max(best.end, other.end), others=others or other.others, wanted=True
        )
    return best


def _says_more(other: Choice, best: Choice) -> bool:
    """Whether the same day is said again with an hour or a part of it (后天吧，后天下午)."""
    first, second = best.first, other.first
    if first.day is None or second.day is None or first.clock is not None or first.part is not None:
        return False
    same = first.day.first == second.day.first and first.day.last == second.day.last
    return same and not (other.refused or other.over) and (second.part is not None or second.clock is not None)


def _narrows(other: Choice, best: Choice, today: date) -> bool:
    """Whether a shorter stretch inside the chosen one is named after it (国庆前弄完，三十号也行)."""
    wide, narrow = best.first.day, other.first.day
    if wide is None or narrow is None or best.first.clock or best.first.part or best.last or wide.instant is not None:
        return False
    if other.start < best.end or other.refused or other.over or not other.wanted or other.relation or other.last:
        return False
    begin, last = today if best.relation == "before" else wide.first, wide.last
    if best.relation in {"after", "from"}:
        begin = wide.first if best.relation == "from" else wide.last + DAY
        last = begin + 6 * DAY
    inside = begin <= narrow.first <= narrow.last <= last and narrow.problem is None
    return inside and narrow.last - narrow.first < last - begin


def _supplements(words: str, other: Choice, best: Choice) -> bool:
    """Whether a time without a day says the hour or the part of the day that the chosen one leaves open.

    It stands after it, or right before it (九点以后，明天).
    """
    beside = other.start >= best.end or not words[other.end : best.start].removeprefix("左右").strip(" ,，、")
    if other.first.day is not None or other.refused or other.over or not beside or other.weight < 0:
        return False
    if best.first.part is not None and other.first.clock is None:
        return False
    return other.first.part is None or best.first.part is None


def _day_beside(best: Choice, judged: list[Choice]) -> Day | None:
    for other in sorted(judged, key=lambda one: abs(one.start - best.start)):
        day = other.first.day
        if (
            other is not best
            and day is not None
            and day.grain == "day"
            and not other.over
            and day.instant is None
            and other.last is None
        ):
            return None if other.refused and not other.first.clock else day
    return None


def _with_day(best: Choice, day: Day) -> Choice:
    first = replace(best.first, day=day)
    start = min(best.start, day.start) if day.start < best.start and best.start - day.end <= 12 else best.start
    return replace(
        best, first=first, start=start, others=tuple(replace(other, day=other.day or day) for other in best.others)
    )


def _with_impossible(best: Choice) -> Choice:
    points = [best.first, *([best.last] if best.last else [])]
    if any((point.clock and point.clock.hour > 24) or (point.day and point.day.problem) for point in points):
        return replace(best, problem="impossible")
    return best


def _anytime(words: str, *, booking: bool) -> Choice | None:
    yours = YOURS.search(words) if booking else None
    if yours is not None:
        return Choice(yours.start(), yours.end(), Point(yours.start(), yours.end()), anytime=True, wanted=True)
    for match in SOON.finditer(words):
        if match[0].startswith("都") and not booking:
            continue
        if match[0].startswith("都") and ANYONE.search(words[: match.start()]):
            continue
        if booking or SURELY.match(match[0]) or SOON_ABOUT.search(words) or len(words) <= len(match[0]) + 4:
            point = Point(match.start(), match.end())
            return Choice(match.start(), match.end(), point, anytime=True, wanted=True)
    return None
