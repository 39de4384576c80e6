"""Feasts and holidays as days: statutory ones from a kept library, lunar ones reckoned, make-up workdays where known.

A year whose make-up days have not been announced yet gets the usual length of its long holidays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

import holidays
from lunar_python.Lunar import Lunar

_RECKONING: Any = Lunar  # carries no types
DAY = timedelta(days=1)
#: Days off that a long holiday usually has, counted from its first; used until the year's notice is in the library.
USUAL_LENGTH = {"国庆": 7, "春节": 8, "五一": 5}
_FIXED = {
    "元旦": (1, 1), "情人节": (2, 14), "妇女节": (3, 8), "三八节": (3, 8), "五一": (5, 1), "劳动节": (5, 1),
    "五四": (5, 4), "青年节": (5, 4), "儿童节": (6, 1), "六一": (6, 1), "六一八": (6, 18), "618": (6, 18),
    "520": (5, 20),
    "教师节": (9, 10), "国庆": (10, 1), "十一": (10, 1), "双十一": (11, 11), "双11": (11, 11), "双十二": (12, 12),
    "双12": (12, 12), "平安夜": (12, 24), "圣诞": (12, 25), "跨年": (12, 31),
    "植树节": (3, 12), "愚人节": (4, 1), "建军节": (8, 1), "万圣节": (10, 31),
}  # fmt: skip
_LUNAR = {
    "春节": (1, 1), "元宵": (1, 15), "端午": (5, 5), "七夕": (7, 7), "中秋": (8, 15), "重阳": (9, 9), "腊八": (12, 8),
    "小年": (12, 23), "中元节": (7, 15),
}  # fmt: skip
#: The month, the weekday and which of them: 母亲节 is the second Sunday of May.
_MOVING = {"母亲节": (5, 6, 2), "父亲节": (6, 6, 3), "感恩节": (11, 3, 4)}
#: Terms of the sun; the second are words of the weather as well.
_TERMS = "立春|惊蛰|春分|谷雨|立夏|芒种|夏至|立秋|处暑|秋分|霜降|立冬|冬至"
_WEATHER = "雨水|小满|小暑|大暑|白露|寒露|小雪|大雪|小寒|大寒"
NAMES = (
    rf"{_TERMS}|(?:{_WEATHER})(?=那天|当天|这天|前一天|节气)|母亲节|父亲节|感恩节|植树节|愚人节|建军节|万圣节|中元节|"
    "双十一|双11|双十二|双12|平安夜|圣诞|跨年|元旦|春节|大年三十|年三十|除夕|过年|元宵|清明|端午|七夕|中秋|"
    "重阳|腊八|小年|国庆|"
    "劳动节|五一|情人节|妇女节|三八节|五四|青年节|儿童节|六一|教师节|"
    r"(?<!\d)(?:618|520)(?=那天|当天|这天|活动|期间|大促)|十一(?=长假|黄金周|假期|放假|期间|"
    "小长假|回来|过后|之?后|之?前|节)"
)
_TERM_NAMES = frozenset(f"{_TERMS}|{_WEATHER}".split("|"))
ORDINAL = "一二两三四五六七八九1-9"


@cache
def _library() -> holidays.HolidayBase:
    return holidays.country_holidays("CN", language="zh_CN")


@cache
def _made_up(year: int) -> frozenset[date]:
    """Return the weekend days of a year that are worked to make up for a holiday; empty until they are announced."""
    _ = date(year, 1, 1) in _library()  # the library fills a year when it is asked for one of its days
    text = " ".join(name for day, name in _library().items() if day.year == year)
    return frozenset(date.fromisoformat(found) for found in re.findall(r"\d{4}-\d\d-\d\d", text))


@lru_cache(maxsize=4096)
def is_workday(day: date) -> bool:
    """Whether people work on a day, as far as is known."""
    if day in _made_up(day.year):
        return True
    return day.weekday() < 5 and day not in _library()


def workday_after(day: date, number: int = 1) -> date:
    """Return the `number`-th workday after a day."""
    while number:
        day += DAY
        number -= is_workday(day)
    return day


@lru_cache(maxsize=4096)
def statutory(name: str, day: date) -> tuple[date, date]:
    """Return the days off around a feast, the feast among them."""
    first = last = day
    if name == "春节" and day - DAY in _library():
        first -= DAY
    while not is_workday(last + DAY):
        last += DAY
    while not is_workday(first - DAY) and (first - DAY in _library() or first.weekday() == 6):
        first -= DAY
    if not _made_up(day.year) and name in USUAL_LENGTH:
        last = max(last, first + (USUAL_LENGTH[name] - 1) * DAY)
    return first, last


def feast(name: str, today: date, *, on: bool = False) -> tuple[date, date]:
    """Return a feast's first and last day, the next one that is not over.

    Args:
        name: one of `NAMES`.
        today: the member's day.
        on: the feast itself rather than its days off (国庆节当天).
    """
    for year in (today.year - 1, today.year, today.year + 1, today.year + 2):
        first, last = _in_year(name, year, on=on)
        if last >= today:
            return first, last
    return first, last


def _in_year(name: str, year: int, *, on: bool) -> tuple[date, date]:
    if name in {"除夕", "大年三十", "年三十"}:
        day = lunar(year, 1, 1) - DAY
        return day, day
    if name in _MOVING:
        month, weekday, which = _MOVING[name]
        begin = date(year, month, 1)
        day = begin + ((weekday - begin.weekday()) % 7 + 7 * (which - 1)) * DAY
        return day, day
    if name in _terms(year):
        return _terms(year)[name], _terms(year)[name]
    if name == "清明":
        day = _qingming(year)
        return day, day
    if name == "过年":
        first = lunar(year, 1, 1) - DAY
        return (first, first) if on else (first, statutory("春节", first + DAY)[1])
    base = "五一" if name == "劳动节" else "国庆" if name == "十一" else name
    day = date(year, *_FIXED[base]) if base in _FIXED else lunar(year, *_LUNAR[base])
    if on or base not in {"国庆", "春节", "五一"}:
        return day, day
    return day, statutory(base, day)[1]


def latest(name: str, today: date) -> date:
    """Return the first day of a feast the last time that it had begun."""
    this_year = _in_year(name, today.year, on=False)[0]
    return this_year if this_year <= today else _in_year(name, today.year - 1, on=False)[0]


def days_off(name: str, today: date) -> tuple[date, date]:
    """Return the days off that a feast brings (中秋假期, 元旦放假), the next that are not over."""
    for year in (today.year - 1, today.year, today.year + 1, today.year + 2):
        base = {
            "过年": "春节",
            "除夕": "春节",
            "大年三十": "春节",
            "年三十": "春节",
            "十一": "国庆",
            "劳动节": "五一",
        }
        day = _in_year(base.get(name, name), year, on=True)[0]
        first, last = statutory(base.get(name, name), day)
        if last >= today:
            return first, last
    return first, last


def next_days_off(today: date) -> tuple[date, date]:
    """Return the statutory holiday that is going on or comes next."""
    candidates = [days_off(name, today) for name in ("元旦", "春节", "清明", "五一", "端午", "中秋", "国庆")]
    return min(candidates)


@cache
def _terms(year: int) -> dict[str, date]:
    """Return the days on which the terms of the sun begin; 清明 is left to the library of holidays."""
    found: dict[str, date] = {}
    for lunar_year in (year, year + 1):
        for name, solar in _RECKONING.fromYmd(lunar_year, 6, 1).getJieQiTable().items():
            if solar.getYear() == year and name in _TERM_NAMES:
                found[name] = date(year, solar.getMonth(), solar.getDay())
    return found


@lru_cache(maxsize=4096)
def lunar(year: int, month: int, day: int) -> date:
    """Return the day of a lunar date; a 30th that the month lacks is its 29th."""
    solar = _RECKONING.fromYmd(year, month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())


def next_lunar(month: int, day: int, today: date) -> date | None:
    """Return the next day on which a lunar date falls."""
    return _first_from(today, lambda year: lunar(year, month, day))


def next_of_lunar_month(day: int, today: date) -> date | None:
    """Return the next day that bears a number of the lunar month, in whichever month."""
    coming = (next_lunar(month, day, today) for month in range(1, 13))
    return min((each for each in coming if each is not None), default=None)


def _first_from(today: date, in_year: Callable[[int], date]) -> date | None:
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            day = in_year(year)
        except Exception:  # noqa: S112 - lunar-python raises nothing finer for a day that its month lacks
            continue
        if day >= today:
            return day
    return None


def _qingming(year: int) -> date:
    found = [day for day, name in _library_year(year) if "清明" in name and "补" not in name and "调" not in name]
    return found[0] if found else date(year, 4, 5 if year % 4 in {2, 3} else 4)


@cache
def _library_year(year: int) -> tuple[tuple[date, str], ...]:
    _ = date(year, 1, 1) in _library()
    return tuple(sorted((day, name) for day, name in _library().items() if day.year == year))
