"""When a member means: every expression people use for visits, resolved in the clinic's zone.

The rules read a bare hour as the clinic's hours would have it (三点 is 15:00), always look ahead, refuse what does not
exist or is over, and take the last of several when one replaces another (从周三改到周五). What is said back to the
member is always the whole date, so that a wrong reading is seen.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import opencc

from care.adapters.language import times_days as days
from care.adapters.language.numbers import NUMERAL, to_number
from care.model.timespan import TimeSpan

READ_LIMIT = 200  # characters; nobody says a time in more
ANY_SPAN = timedelta(days=28)  # how far "any time" looks
NUMBER = rf"(?:\d{{1,2}}|[{NUMERAL}]{{1,3}})"

PARTS: dict[str, tuple[time, time]] = {
    "凌晨": (time(0), time(6)),
    "早上": (time(8), time(10)),
    "早晨": (time(8), time(10)),
    "清早": (time(8), time(10)),
    "一早": (time(8), time(10)),
    "上午": (time(8), time(12)),
    "中午": (time(11, 30), time(14)),
    "午后": (time(12), time(18)),
    "下午": (time(12), time(18)),
    "傍晚": (time(17), time(19)),
    "下班后": (time(18), time(21)),
    "下了班": (time(18), time(21)),
    "晚上": (time(18), time(21)),
    "晚间": (time(18), time(21)),
    "夜里": (time(18), time(21)),
    "晚": (time(18), time(21)),
    "早": (time(8), time(10)),
}
MORNING = frozenset({"凌晨", "早上", "早晨", "清早", "一早", "上午", "早"})
EVENING = frozenset({"午后", "下午", "傍晚", "下班后", "下了班", "晚上", "晚间", "夜里", "晚"})
PART = re.compile("|".join(sorted((part for part in PARTS if len(part) > 1), key=len, reverse=True)))
GLUED_PART = re.compile(r"(?<=[今明后])(早|晚)(?!点|一点|些)")
CLOCK = re.compile(
    rf"(?P<h>{NUMBER})\s*(?:点钟?|時|时(?!候|间)|[:：](?=[0-5]\d))\s*"
    rf"(?:(?P<half>半)|(?P<quarter>[一三])刻|(?P<m>[0-5]\d|[{NUMERAL}]{{1,3}})(?:分(?!钟))?)?"
)
RANGE = re.compile(r"\s*(?:到|至|~|—|–|-)\s*$")
BARE = re.compile(rf"^\D*?(?P<h>{NUMBER})\D*$")
SOON = re.compile(
    r"越快越好|越早越好|尽快|尽早|最快|最早|随时|都行|都可以|什么时候都|哪天都|马上|立刻|赶紧|近期|最近(?!的|有没有)"
)
REPLACED = re.compile(
    r"改成|改到|改为|改约到?|换成|换到|挪到|调到|调成|推到|推迟到|延到|提前到|而是|不对|[，,\s]是|还是"
)
NOT_THIS = re.compile(r"不是\S{1,10}?是")
AFTER = re.compile(r"\s*(?:以后|之后|过后|往后|后)(?!天)")
BEFORE = re.compile(r"\s*(?:以前|之前|前)")


@dataclass(frozen=True, slots=True)
class TimeReading:
    """A span, or why there is none: `impossible` (2月30号, 25点) or `past`. Both empty when no time was named."""

    span: TimeSpan | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Hour:
    start: int
    end: int
    hour: int
    minute: int
    exact: bool


class TimeReader:
    """Reads times. Safe to share between threads."""

    def __init__(self, zone: ZoneInfo, *, opening: tuple[time, time] = (time(9), time(20))) -> None:
        self._zone = zone
        self._opening = opening
        self._simple = opencc.OpenCC("t2s")

    def warm_up(self) -> None:
        """Do once what the first reading would otherwise wait for."""
        self.read("明天", datetime(2026, 1, 1, tzinfo=self._zone))

    def read(self, text: str, now: datetime, asked: str | None = None) -> TimeReading:
        """Return the time a text names.

        Args:
            text: the member's words; only the first 200 characters are read.
            now: aware; what 明天 counts from.
            asked: what the last question was about; a bare number is an hour after `booking.time`.

        Returns:
            A reading; never raises on any text.
        """
        words = self._plain(text[:READ_LIMIT])
        local = now.astimezone(self._zone)
        try:
            reading = self._read(words, local, asked)
        except (ValueError, OverflowError):
            return TimeReading(problem="impossible")
        if reading.span is not None and reading.span.end <= local:
            return TimeReading(problem="past")
        return reading

    def _plain(self, text: str) -> str:
        flat = "".join(
            unicodedata.normalize("NFKC", c) if len(unicodedata.normalize("NFKC", c)) == 1 else c for c in text
        )
        simple = self._simple.convert(flat)
        simple = simple if len(simple) == len(text) else flat
        return simple.replace("礼拜", "星期").replace("號", "号")

    def _read(self, words: str, local: datetime, asked: str | None) -> TimeReading:
        found = days.find(words, local.date())
        hours = self._hours(words)
        parts = [*PART.finditer(words), *GLUED_PART.finditer(words)]
        cut = self._replaced_until(
            words, [f.start for f in found] + [h.start for h in hours] + [p.start() for p in parts]
        )
        chosen_days = [f for f in found if f.start >= cut] or found
        chosen_hours = [h for h in hours if h.start >= cut]
        chosen_parts = sorted((p for p in parts if p.start() >= cut), key=lambda p: p.start())
        if not chosen_hours and not chosen_parts and not [f for f in found if f.start >= cut]:
            chosen_hours, chosen_parts = hours, sorted(parts, key=lambda p: p.start())
        day = chosen_days[-1] if cut and chosen_days else (chosen_days[0] if chosen_days else None)
        if any(hour.hour > 24 for hour in chosen_hours) or (day is not None and day.problem == "impossible"):
            return TimeReading(problem="impossible")
        if day is not None and day.problem:
            return TimeReading(problem=day.problem)
        part = chosen_parts[0].group() if chosen_parts else None
        if not chosen_hours and asked == "booking.time" and day is None and part is None:
            chosen_hours = self._bare(words)
        spoken = _spoken(words, day, chosen_hours, chosen_parts)
        if chosen_hours:
            return self._with_hours(words, spoken, day, part, chosen_hours, local)
        if part is not None:
            return self._with_part(spoken, day, part, local)
        if day is not None:
            start, end = self._midnight(day.first), self._midnight(day.last + timedelta(days=1))
            if day.instant is not None:
                at = local + day.instant
                return TimeReading(TimeSpan(spoken, at, at + timedelta(hours=1), "hour"))
            return TimeReading(TimeSpan(spoken, max(start, local) if start < local < end else start, end, day.grain))
        soon = SOON.search(words)
        if soon is not None:
            return TimeReading(TimeSpan(soon.group(), local, local + ANY_SPAN, "any"))
        return TimeReading()

    def _with_hours(
        self, words: str, spoken: str, day: days.Day | None, part: str | None, hours: list[_Hour], local: datetime
    ) -> TimeReading:
        first = hours[0]
        date_ = day.first if day is not None else local.date()
        start = self._at(date_, first, part)
        pair = len(hours) > 1 and RANGE.search(words[first.end : hours[1].start].strip() or " ")
        if len(hours) > 1 and pair:
            end = self._at(date_, hours[1], part)
            if end <= start:
                end += timedelta(hours=12)
            span = TimeSpan(spoken, start, end, "range")
        elif AFTER.match(words[first.end :]):
            span = TimeSpan(spoken, start, datetime.combine(date_, self._opening[1], tzinfo=self._zone), "range")
            if span.end <= span.start:
                span = replace(span, end=span.start + timedelta(hours=2))
        elif BEFORE.match(words[first.end :]):
            span = TimeSpan(spoken, datetime.combine(date_, self._opening[0], tzinfo=self._zone), start, "range")
        else:
            grain = "minute" if first.exact else "hour"
            span = TimeSpan(spoken, start, start + timedelta(minutes=1 if first.exact else 60), grain)
        if span.end <= local and day is None:
            shift = timedelta(days=1)
            span = replace(span, start=span.start + shift, end=span.end + shift)
        return TimeReading(span)

    def _with_part(self, spoken: str, day: days.Day | None, part: str, local: datetime) -> TimeReading:
        opens, closes = PARTS[part]
        first = day.first if day is not None else local.date()
        last = day.last if day is not None else first
        span = TimeSpan(
            spoken,
            datetime.combine(first, opens, tzinfo=self._zone),
            datetime.combine(last, closes, tzinfo=self._zone),
            "part" if first == last else "range",
        )
        if span.end <= local and day is None:
            shift = timedelta(days=1)
            span = replace(span, start=span.start + shift, end=span.end + shift)
        return TimeReading(span)

    def _at(self, day: date, hour: _Hour, part: str | None) -> datetime:
        number = hour.hour
        if part == "中午":
            number += 12 if number <= 3 else 0
        elif (part in EVENING and number < 12) or (part is None and 1 <= number <= 7):
            number += 12
        if number == 24:
            return self._midnight(day + timedelta(days=1))
        return datetime.combine(day, time(number, hour.minute), tzinfo=self._zone)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), tzinfo=self._zone)

    def _hours(self, words: str) -> list[_Hour]:
        found = []
        for match in CLOCK.finditer(words):
            hour = to_number(match["h"])
            if hour is None or _not_a_clock(words, match, hour):
                continue
            minute = 30 if match["half"] else {"一": 15, "三": 45}.get(match["quarter"] or "", 0)
            exact = bool(match["half"] or match["quarter"])
            if match["m"]:
                spoken = to_number(match["m"])
                if spoken is None or spoken > 59:
                    continue
                minute, exact = spoken, True
            found.append(_Hour(match.start(), match.end(), hour, minute, exact and minute != 0))
        return found

    def _bare(self, words: str) -> list[_Hour]:
        match = BARE.match(words)
        hour = to_number(match["h"]) if match else None
        if match is None or hour is None or not 1 <= hour <= 21:
            return []
        return [_Hour(match.start("h"), match.end("h"), hour, 0, exact=False)]

    def _replaced_until(self, words: str, starts: list[int]) -> int:
        """Return where the expression begins that replaces earlier ones; 0 when nothing is replaced."""
        cut = 0
        for match in (*REPLACED.finditer(words), *NOT_THIS.finditer(words)):
            if any(start >= match.end() for start in starts):
                cut = max(cut, match.end())
        return cut


def _not_a_clock(words: str, match: re.Match[str], hour: int) -> bool:
    before, after = words[: match.start()][-1:], words[match.end() : match.end() + 1]
    if hour >= 30:  # 38点5 is a temperature
        return True
    if match["h"] in {"一", "1"} and match.group().rstrip() in {"一点", "1点"}:
        return before in set("有快早晚多少差好大小轻慢近远便再了这那") or after in set("点也都儿不没用就，。,的")
    return before.isdigit() or before in set("第.．")


def _spoken(words: str, day: days.Day | None, hours: list[_Hour], parts: list[re.Match[str]]) -> str:
    starts = [h.start for h in hours[:2]] + [p.start() for p in parts[:1]] + ([day.start] if day else [])
    ends = [h.end for h in hours[:2]] + [p.end() for p in parts[:1]] + ([day.end] if day else [])
    return words[min(starts) : max(ends)] if starts else ""
