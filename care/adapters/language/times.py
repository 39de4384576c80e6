"""When a member means: every expression people use for visits, resolved in the clinic's zone.

The rules read a bare hour as the clinic's hours would have it (三点 is 15:00), look ahead, refuse what does not
exist, and of several times take the one that is wanted: moved to and not from, possible and not refused. What is said
back to the member is always the whole date, so that a wrong reading is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from care.adapters.language.times_choice import Choice, choose
from care.adapters.language.times_clock import EVENING, MORNING, NIGHT, PARTS, Clock
from care.adapters.language.times_points import Point
from care.adapters.language.times_text import TimeWords
from care.model.timespan import TimeSpan

READ_LIMIT = 1_000  # characters; nobody says a time in more
ANY_SPAN = timedelta(days=28)  # how far "any time" looks
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TimeReading:
    """What a text says about time.

    Attributes:
        span: the time that is wanted; what a booking acts on.
        told: a time that is named but not wanted: over (昨天拔的) or refused (周三不行).
        problem: why there is no `span` although one was named: `impossible` (2月30号, 25点) or `past`.
        start: where it begins, in characters of the original text.
        end: where it ends, exclusive.
    """

    span: TimeSpan | None = None
    told: TimeSpan | None = None
    problem: str | None = None
    start: int = 0
    end: int = 0

    @property
    def named(self) -> TimeSpan | None:
        """The time the text names, wanted or not."""
        return self.span or self.told


class TimeReader:
    """Reads times. Safe to share between threads."""

    def __init__(self, zone: ZoneInfo, *, opening: tuple[time, time] = (time(9), time(20))) -> None:
        self._zone = zone
        self._opening = opening

    def warm_up(self) -> None:
        """Do once what the first reading would otherwise wait for."""
        self.read("国庆后第一个工作日", datetime(2026, 1, 1, tzinfo=self._zone))

    def read(self, text: str, now: datetime, asked: str | None = None) -> TimeReading:
        """Return the time a text names.

        Args:
            text: the member's words; only the first 1,000 characters are read.
            now: aware; what 明天 counts from.
            asked: what the last question was about; a bare number is an hour after `booking.time`.

        Returns:
            A reading; never raises on any text.
        """
        words = TimeWords.of(text[:READ_LIMIT])
        try:
            local = now.astimezone(self._zone)
            choice = choose(words.text, local.date(), asked or "")
            return self._resolve(choice, words, local) if choice is not None else TimeReading()
        except (ValueError, OverflowError):
            return TimeReading(problem="impossible")

    def _resolve(self, choice: Choice, words: TimeWords, local: datetime) -> TimeReading:
        start, end = words.original_span(choice.start, choice.end)
        reading = TimeReading(start=start, end=end)
        if choice.problem:
            return replace(reading, problem=choice.problem)
        spoken = words.original[start:end]
        if choice.anytime:
            return replace(reading, span=TimeSpan(spoken, local, local + ANY_SPAN, "any"))
        span = self._span(choice, spoken, local)
        others = tuple(
            self._span(replace(choice, first=other, last=None, others=()), spoken, local) for other in choice.others
        )
        span = replace(span, alternatives=tuple(other for other in others if other.end > local))
        if span.end <= local or (span.grain in {"hour", "minute"} and span.end <= local + MINUTE and choice.over):
            over = choice.over or not choice.wanted
            return replace(reading, told=span if over else None, problem=None if choice.over else "past")
        return replace(reading, told=span) if choice.refused or choice.over else replace(reading, span=span)

    def _span(self, choice: Choice, spoken: str, local: datetime) -> TimeSpan:
        first = choice.first
        if first.day is not None and first.day.instant is not None:
            at = (local.astimezone(UTC) + first.day.instant).astimezone(self._zone)  # clocks may change meanwhile
            return TimeSpan(spoken, at, at + HOUR, "hour")
        span = self._point(first, spoken, local, over=choice.over)
        if choice.last is not None:
            span = self._until(span, first, choice.last, local)
        elif choice.relation and not choice.over:
            span = self._related(span, first, choice.relation, local)
        pointed = span.grain in {"hour", "minute"} or (
            first.clock is not None and choice.relation in {"after", "from"}
        )
        begun = span.end <= local or (pointed and span.start <= local)
        if first.day is None and begun and not choice.over:
            span = replace(span, start=span.start + DAY, end=span.end + DAY)
        return span

    def _point(self, point: Point, spoken: str, local: datetime, *, over: bool) -> TimeSpan:
        first, last = self._dates(point, local, over=over)
        if point.clock is not None:
            start = self._at(first, point.clock, point.part, local, named=point.day is not None)
            if over and start > local and point.day is None:
                start -= DAY
            if point.clock.until is not None:
                until = self._at(first, Clock(0, 0, point.clock.until), point.part, local, named=True)
                return TimeSpan(spoken, start, until if until > start else until + 12 * HOUR, "range")
            return TimeSpan(
                spoken,
                start,
                start + (MINUTE if point.clock.exact else HOUR),
                "minute" if point.clock.exact else "hour",
            )
        if point.part is not None:
            opens, closes = PARTS[point.part]
            grain = "part" if first == last else "range"
            return TimeSpan(spoken, self._combine(first, opens), self._combine(last, closes), grain)
        start, end = self._midnight(first), self._midnight(last + DAY)
        return TimeSpan(spoken, start, end, point.day.grain if point.day else "day")

    def _dates(self, point: Point, local: datetime, *, over: bool) -> tuple[date, date]:
        if point.day is None:
            return local.date(), local.date()
        if over and point.day.back is not None:
            return point.day.back, point.day.back
        if not over and point.day.again is not None and local.time() >= self._opening[1]:
            return point.day.again, point.day.again
        return point.day.first, point.day.last

    def _until(self, span: TimeSpan, first: Point, last: Point, local: datetime) -> TimeSpan:
        """Return the span from one point to another; the second takes over what it does not say."""
        day = last.day or first.day
        part = last.part or (first.part if last.clock is not None and last.day is None else None)
        end = self._point(Point(last.start, last.end, day, part, last.clock), span.text, local, over=False)
        close = end.start if last.clock is not None else end.end
        if last.day is not None and first.clock is None and first.part is None and last.part and last.clock is None:
            span = replace(span, start=self._combine(span.start.date(), PARTS[last.part][0]))
        if close <= span.start and last.clock is not None:
            close += 12 * HOUR
        if close <= span.start:
            return span
        return replace(span, end=close, grain="range")

    def _related(self, span: TimeSpan, point: Point, relation: str, local: datetime) -> TimeSpan:
        opens, closes = self._opening
        day = span.start.date()
        if point.clock is None and point.part is None:
            if relation == "from":
                return replace(span, end=max(span.end, span.start + 7 * DAY), grain="range")
            if relation == "around":
                start = max(span.start - DAY, self._midnight(local.date()))
                return replace(span, start=min(start, span.start), end=span.end + DAY, grain="range")
            if relation == "before" and span.text.rstrip("之以前").endswith(("底", "末")):
                return replace(span, start=min(local, span.start), grain="range")
            if relation == "before":
                start = min(local, span.start)
                return replace(
                    span, start=start if start < span.start else span.start - DAY, end=span.start, grain="range"
                )
            return replace(span, start=span.end, end=span.end + 7 * DAY, grain="range")
        if relation == "around":
            return span
        if relation == "before":
            starts = (self._combine(day, opens), self._midnight(day), self._combine(day - DAY, opens))
            return replace(
                span, start=next(each for each in starts if each < span.start), end=span.start, grain="range"
            )
        start = span.start if point.clock is not None or relation == "from" else span.end
        end = self._combine(day, closes)
        return replace(span, start=start, end=end if end > start else start + 2 * HOUR, grain="range")

    def _at(self, day: date, clock: Clock, part: str | None, local: datetime, *, named: bool) -> datetime:
        hour = clock.hour
        if hour == 24:
            return self._midnight(day + DAY)
        early = part in NIGHT and (hour == 12 or hour < 6)
        if early or (hour == 12 and part in EVENING and PARTS[part or ""][0] >= time(18)):
            return self._combine(day + DAY, time(hour % 12, clock.minute))
        if part is None:
            late_today = hour == 8 and named and day == local.date() and local.hour >= 9
            hour += 12 if 1 <= hour <= 7 or late_today else 0
        elif part in EVENING:
            hour += 12 if hour < 12 else 0
        elif part in MORNING:
            hour = 0 if hour == 12 and part == "凌晨" else hour
        else:
            hour += 12 if hour <= 4 else 0
        return self._combine(day, time(hour, clock.minute))

    def _combine(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self._zone)

    def _midnight(self, day: date) -> datetime:
        return self._combine(day, time(0))
