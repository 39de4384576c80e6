"""The days in a text: near ones, weekdays, dates, feasts, and how far away something is."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from lunar_python.Lunar import Lunar

from care.adapters.language.numbers import NUMERAL, to_number

NUMBER = rf"(?:\d{{1,3}}|[{NUMERAL}]{{1,3}})"
WEEKDAY = {
    "一": 0,
    "二": 1,
    "三": 2,
    "四": 3,
    "五": 4,
    "六": 5,
    "日": 6,
    "天": 6,
    "七": 6,
    **{str(n): n - 1 for n in range(1, 8)},
}
NEAR = {"大后天": 3, "大后日": 3, "今天": 0, "今日": 0, "今儿": 0, "今": 0, "明天": 1, "明日": 1, "明儿": 1, "明": 1, "后天": 2, "后日": 2, "后儿": 2, "后": 2}  # fmt: skip
PAST = re.compile(r"大前天|前天|昨天|昨晚|昨儿|上周|上个?星期|上个月|去年")
NEAR_DAY = re.compile(
    r"大后天|大后日|今天|今日|今儿|明天|明日|明儿|(?<!以|之|然|最|今)后天|后日|后儿|[今明后](?=[早晚])"
)
WEEK = re.compile(
    r"(?P<which>下下个?|下个?|这个?|本)?(?:周|星期)(?P<day>[一二三四五六日天七1-7])(?!\d|个|次|年|点半?前)"
)
WEEKEND = re.compile(r"(?P<which>下下个?|下个?|这个?|本)?(?:周|星期)末(?!愉快|快乐)")
WHOLE_WEEK = re.compile(r"(?P<which>下下个?|下个?|这个?|本)(?:周|星期)(?![一二三四五六日天七末1-7])")
DATE = re.compile(rf"(?P<m>{NUMBER})月(?:份)?(?P<d>{NUMBER})(?:日|号)?(?!个|月)")
DOTTED = re.compile(
    r"(?<![\d.])(?P<m>1[0-2]|0?[1-9])[./-](?P<d>3[01]|[12]\d|0?[1-9])(?![\d.]|\s*[%度万千元块分个颗])"
)
DAY_OF_MONTH = re.compile(rf"(?<![第\d])(?P<next>下个?月)?(?P<d>{NUMBER})(?:号|日)(?!牙|线|楼|院|店|码|常)")
IN_DAYS = re.compile(rf"(?:过|再过)(?P<a>{NUMBER}|几)天|(?P<b>{NUMBER})天(?:以后|之后|后)")
IN_WEEKS = re.compile(
    rf"(?:过|再过)?(?P<n>{NUMBER})(?:个)?(?:周|星期)(?:以后|之后|后)|过(?P<n2>{NUMBER})(?:个)?(?:周|星期)"
)
IN_MONTHS = re.compile(rf"(?:过|再过)?(?P<n>{NUMBER}|半)个月(?:以后|之后|后)|过(?P<n2>{NUMBER})个月")
IN_HOURS = re.compile(rf"(?P<n>{NUMBER}|半)(?:个)?(?:小时|钟头)(?:以后|之后|后)")
MONTH = re.compile(
    r"(?P<next>下个?月)?(?:的|这个月)?(?P<part>月底|月初|月中旬?|上旬|中旬|下旬|底(?=$|[，。,])|初(?=$|[，。,]))|(?P<whole>下个?月|这个月|本月)"
)
FEASTS = re.compile(
    r"(?P<name>国庆|十一长假|元旦|春节|过年|除夕|清明|端午|中秋|五一|劳动节|元宵)节?(?P<when>放假)?(?P<rel>节?[前后]|回来|过完)?"
)
FIRST_WORKDAY = re.compile(r"节后第一个工作日|节后第一天|假期后第一天")
WORKDAYS = re.compile(r"工作日")


@dataclass(frozen=True, slots=True)
class Day:
    """A day or a run of days, or why there is none."""

    start: int
    end: int
    first: date
    last: date
    grain: str = "day"
    problem: str | None = None
    instant: timedelta | None = None


def find(words: str, today: date) -> list[Day]:
    """Return every day expression in order; what lies inside another one is left out."""
    everything = sorted(_all(words, today), key=lambda day: (day.start, -(day.end)))
    kept: list[Day] = []
    for day in everything:
        if not any(day.start < other.end and other.start < day.end for other in kept):
            kept.append(day)
    return kept


def _all(words: str, today: date) -> Iterator[Day]:
    for match in PAST.finditer(words):
        yield Day(match.start(), match.end(), today, today, problem="past")
    for match in NEAR_DAY.finditer(words):
        day = today + timedelta(days=NEAR[match.group()])
        yield Day(match.start(), match.end(), day, day)
    yield from _weeks(words, today)
    yield from _dates(words, today)
    yield from _distances(words, today)
    yield from _feasts(words, today)


def _monday(today: date, which: str | None) -> date:
    monday = today - timedelta(days=today.weekday())
    return monday + timedelta(weeks={"下": 1, "下下": 2}.get((which or "").removesuffix("个"), 0))


def _weeks(words: str, today: date) -> Iterator[Day]:
    for match in WEEK.finditer(words):
        if match.start() and words[match.start() - 1] in "上前每":
            continue
        day = _monday(today, match["which"]) + timedelta(days=WEEKDAY[match["day"]])
        if day < today and match["which"] is None:
            day += timedelta(weeks=1)
        yield Day(match.start(), match.end(), day, day, problem="past" if day < today else None)
    for match in WEEKEND.finditer(words):
        saturday = _monday(today, match["which"]) + timedelta(days=5)
        if saturday + timedelta(days=1) < today:
            saturday += timedelta(weeks=1)
        yield Day(match.start(), match.end(), max(saturday, today), saturday + timedelta(days=1), "weekend")
    for match in WHOLE_WEEK.finditer(words):
        monday = _monday(today, match["which"])
        yield Day(match.start(), match.end(), max(monday, today), monday + timedelta(days=6), "week")
    for match in WORKDAYS.finditer(words):
        monday = _monday(today, None) if today.weekday() < 5 else _monday(today, "下")
        yield Day(match.start(), match.end(), max(monday, today), monday + timedelta(days=4), "week")


def _dates(words: str, today: date) -> Iterator[Day]:
    for pattern in (DATE, DOTTED):
        for match in pattern.finditer(words):
            month, day = to_number(match["m"]), to_number(match["d"])
            if month is None or day is None:
                continue
            yield _month_day(match, month, day, today)
    for match in DAY_OF_MONTH.finditer(words):
        number = to_number(match["d"])
        if number is None or number == 0:
            continue
        first = _next_month(today) if match["next"] else today.replace(day=1)
        if not match["next"] and number < today.day:
            first = _next_month(today)
        yield _day_in(match, first, number)
    for match in MONTH.finditer(words):
        yield _month_part(match, today)


def _month_day(match: re.Match[str], month: int, day: int, today: date) -> Day:
    longest = calendar.monthrange(2028, month)[1] if 1 <= month <= 12 else 0
    if not 1 <= day <= longest:
        return Day(match.start(), match.end(), today, today, problem="impossible")
    for year in (today.year, today.year + 1, today.year + 2, today.year + 3, today.year + 4):
        if day <= calendar.monthrange(year, month)[1] and date(year, month, day) >= today - timedelta(days=45):
            found = date(year, month, day)
            return Day(match.start(), match.end(), found, found, problem="past" if found < today else None)
    return Day(match.start(), match.end(), today, today, problem="impossible")


def _day_in(match: re.Match[str], first: date, number: int) -> Day:
    if number > 31:
        return Day(match.start(), match.end(), first, first, problem="impossible")
    if number > calendar.monthrange(first.year, first.month)[1]:
        return Day(match.start(), match.end(), first, first, problem="impossible")
    found = first.replace(day=number)
    return Day(match.start(), match.end(), found, found)


def _month_part(match: re.Match[str], today: date) -> Day:
    first = _next_month(today) if (match["next"] or (match["whole"] or "").startswith("下")) else today.replace(day=1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    part = match["part"] or ""
    if part.startswith(("月底", "下旬", "底")):
        first = first.replace(day=last.day - 6 if part.startswith("月底") or part == "底" else 21)
    elif part.startswith(("月初", "上旬", "初")):
        if not match["next"] and today.day > 10:
            first = _next_month(today)
        last = first.replace(day=10)
    elif part.startswith(("月中", "中旬")):
        first, last = first.replace(day=11), first.replace(day=20)
    return Day(match.start(), match.end(), max(first, today), max(last, today), "week" if part else "month")


def _distances(words: str, today: date) -> Iterator[Day]:
    for match in IN_DAYS.finditer(words):
        spoken = match["a"] or match["b"]
        number = 3 if spoken == "几" else to_number(spoken)
        if number is not None:
            day = today + timedelta(days=number)
            yield Day(match.start(), match.end(), day, day)
    for match in IN_WEEKS.finditer(words):
        number = to_number(match["n"] or match["n2"])
        if number is not None:
            day = today + timedelta(weeks=number)
            yield Day(match.start(), match.end(), day, day)
    for match in IN_MONTHS.finditer(words):
        spoken = match["n"] or match["n2"]
        number = 0 if spoken == "半" else to_number(spoken)
        if number is not None:
            day = today + timedelta(days=15) if spoken == "半" else _months_on(today, number)
            yield Day(match.start(), match.end(), day, day)
    for match in IN_HOURS.finditer(words):
        number = 0 if match["n"] == "半" else to_number(match["n"])
        if number is not None:
            far = timedelta(minutes=30) if match["n"] == "半" else timedelta(hours=number)
            yield Day(match.start(), match.end(), today, today, instant=far)


def _feasts(words: str, today: date) -> Iterator[Day]:
    for match in FEASTS.finditer(words):
        first, last = _feast(match["name"], today)
        relation = match["rel"] or ""
        if "前" in relation:
            first, last = max(today, first - timedelta(days=7)), first - timedelta(days=1)
        elif relation:
            first, last = last + timedelta(days=1), last + timedelta(days=7)
        if FIRST_WORKDAY.search(words, match.start()) and "后" in relation:
            last = first
        yield Day(match.start(), match.end(), first, max(first, last), "week" if first != last else "day")


def _feast(name: str, today: date) -> tuple[date, date]:
    for year in (today.year, today.year + 1):
        first, last = _feast_in(name, year)
        if last >= today:
            return first, last
    return _feast_in(name, today.year + 1)


def _feast_in(name: str, year: int) -> tuple[date, date]:
    solar = {
        "国庆": (10, 1, 7),
        "十一长假": (10, 1, 7),
        "元旦": (1, 1, 3),
        "五一": (5, 1, 5),
        "劳动节": (5, 1, 5),
        "清明": (4, 4, 3),
    }
    if name in solar:
        month, day, length = solar[name]
        first = date(year, month, day)
        return first, first + timedelta(days=length - 1)
    month, day, before, length = {"端午": (5, 5, 0, 3), "中秋": (8, 15, 0, 3), "元宵": (1, 15, 0, 1)}.get(
        name, (1, 1, 1, 8)
    )
    lunar = Lunar.fromYmd(year, month, day).getSolar()
    first = date(lunar.getYear(), lunar.getMonth(), lunar.getDay()) - timedelta(days=before)
    return first, first + timedelta(days=length - 1)


def _next_month(day: date) -> date:
    return _months_on(day.replace(day=1), 1)


def _months_on(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
