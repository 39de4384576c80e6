"""Feasts, holidays and lunar dates as they are spoken of: 国庆前, 节后第一个工作日, 大年初六."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from care.adapters.language import times_feasts as feasts
from care.adapters.language.numbers import to_number
from care.adapters.language.times_day import DAY, Day, run

LUNAR_DATE = re.compile(
    r"(?P<era>农历|阴历|旧历)(?P<m>正|腊|冬|十?[一二]|[三四五六七八九十])月(?P<d>初?[一二三四五六七八九十廿]{1,"
    r"3})(?:日|号)?"
    r"|(?P<month>正月|腊月|冬月|大年|年)(?P<d2>初[一二三四五六七八九十]|十[一二三四五六七八九]|"
    r"[二廿]十?[一二三四五六七八九]?)(?!岁|个|年|[点号月])"
    r"|(?<![年月当])(?P<d3>初[一二三四五六七八九十])(?![一-龥]*(?:中|学|级))"
)
#: Feasts that bring days off.
DAYS_OFF = frozenset(["国庆", "十一", "春节", "过年", "除夕", "五一", "劳动节", "清明", "端午", "中秋", "元旦"])
FEASTS = re.compile(
    rf"(?P<past>过完|过了)?(?:(?P<year>[明后]年|20\d\d年)的?)?(?P<name>{feasts.NAMES})(?:节(?![约省目]))?(?!安康|快乐|愉快|大吉)(?P<off>小长假|长假|假期|黄金周|放假|休假|假)?"
    rf"(?:(?P<on>那天|当天|当日|正日子)|(?P<during>期间|里|那几天|这几天|那阵)|(?P<last>最后一天)|"
    rf"第(?P<nth>[{feasts.ORDINAL}])天"
    rf"|(?P<around>前后)|前(?P<few>[{feasts.ORDINAL}])天"
    rf"|(?P<weekend>前的?(?:最后)?一?个?(?:周末|双休日))"
    rf"|(?P<before>之前|以前|前夕|前一天|前(?!台|面|牙|天))|(?P<after>之后|以后|过后|收假后?|回来|结束后?|后(?!天|面|"
    rf"悔|槽)|过完|完)(?:的?(?:第(?P<k>[{feasts.ORDINAL}])|头一)(?P<what>个工作日|天上班|个?上班日|天|周|"
    rf"个星期))?)?"
)
AFTER_HOLIDAY = re.compile(
    rf"(?:节后|假期(?:结束)?(?:以后|之后|后|结束)|(?:放|休|过)完(?:假|节)(?:以?后)?|收假后?|(?:开门|开工|开业|开诊|上班|营业)的?(?=第一天|头一天)|长假(?:之|"
    rf"以)?后)(?:的?(?:第(?P<k>[{feasts.ORDINAL}])|头一)(?P<what>个工作日|天上班|个?上班日|天|周|个星期))?|"
    rf"(?P<eve>(?<![季时春情细关环])节前|假期前|放假前|长假前)"
)
NEW_YEAR = re.compile(
    r"(?P<after>年后|过完年(?:以?后)?|开年)(?!\d)|(?P<before>(?<![\d今明后去前两三四五六七八九十几多一每半])年"
    r"前|过年前|过年之前)"
)


def read(words: str, today: date) -> Iterator[Day]:
    """Yield lunar dates, feasts and what lies around them."""
    yield from _lunar_dates(words, today)
    yield from _feasts(words, today)


def _lunar_dates(words: str, today: date) -> Iterator[Day]:
    for match in LUNAR_DATE.finditer(words):
        spoken = (match["d"] or match["d2"] or match["d3"]).removeprefix("初")
        number = to_number(spoken.replace("廿十", "廿"))
        name = match["m"] or (match["month"] or "").removesuffix("月")
        if number is None or not 1 <= number <= 30:
            continue
        month = (
            {"正": 1, "大年": 1, "年": 1 if number <= 15 else 12, "腊": 12, "冬": 11, "": 1}.get(name)
            or to_number(name)
            or 0
        )
        days_before = 75 if re.search(r"年|春节|除夕|正月", words) else 20
        alone = len(words) <= match.end() - match.start() + 2
        if match["d3"] and not alone and not _near_new_year(today, days_before):
            continue
        day = feasts.next_lunar(month, number, today)
        if match["d3"]:  # of the month that is under way
            day = feasts.next_of_lunar_month(number, today) if not _near_new_year(today, days_before) else day
        if day is not None:
            back = feasts.next_lunar(month, number, today - 350 * DAY)
            yield Day(match.start(), match.end(), day, day, back=back if back is not None and back <= today else None)


def _near_new_year(today: date, days: int) -> bool:
    new_year = feasts.next_lunar(1, 1, today - 15 * DAY)
    return new_year is not None and new_year - today <= days * DAY


def _feasts(words: str, today: date) -> Iterator[Day]:
    for match in FEASTS.finditer(words):
        yield _feast(match, today)
    for match in AFTER_HOLIDAY.finditer(words):
        first, last = feasts.next_days_off(today)
        if match["eve"]:
            yield _before(match, first, 7, today)
        else:
            yield _after(match, last, match["k"], match["what"])
    for match in NEW_YEAR.finditer(words):
        first, last = feasts.days_off("春节", today)
        if match["before"]:
            yield _before(match, first, 14, today)
        else:
            yield run(match, last + DAY, last + 14 * DAY)


def _feast(match: re.Match[str], today: date) -> Day:
    name = match["name"]
    if match["year"]:
        year = (
            today.year + {"明": 1, "后": 2}[match["year"][0]]
            if match["year"][0] in "明后"
            else int(match["year"][:4])
        )
        today = max(today, date(year, 1, 1))
    off = name in DAYS_OFF and any(match[each] for each in ("off", "during", "after", "last", "past"))
    first, last = feasts.days_off(name, today) if off else feasts.feast(name, today, on=bool(match["on"]))
    if match["before"] == "前一天":
        return run(match, first - DAY, first - DAY)
    if match["weekend"]:
        saturday = first - ((first.weekday() - 5) % 7 or 7) * DAY
        return run(match, saturday, saturday + DAY, "weekend")
    if match["around"]:
        reach = 1 if first == last else 3
        return run(match, max(today, first - reach * DAY), last + reach * DAY)
    if match["few"]:
        number = to_number(match["few"]) or 1
        if match["off"]:
            return run(match, first, first + (number - 1) * DAY)
        return run(match, first - number * DAY, first - DAY)
    if match["before"]:
        first = feasts.days_off(name, today)[0] if name in {"春节", "过年"} else first
        return _before(match, first, 7, today)
    if match["past"] or match["after"]:
        return _after(match, last, match["k"], match["what"])
    if match["last"]:
        return run(match, last, last)
    if match["nth"]:
        day = feasts.feast(name, today, on=True)[0] + ((to_number(match["nth"]) or 1) - 1) * DAY
        return run(match, day, day)
    found = run(match, max(first, today) if last >= today else first, last)
    return replace(found, back=feasts.latest(name, today))


def _before(match: re.Match[str], first: date, days: int, today: date) -> Day:
    """Return the days before a feast that are left; once it has begun they are over and told as such."""
    begins = first - days * DAY
    return run(match, max(today, begins) if today < first else begins, first - DAY)


def _after(match: re.Match[str], last: date, k: str | None, what: str | None) -> Day:
    number = to_number(k) if k else 1
    if what is None or number is None:
        return run(match, last + DAY, last + 7 * DAY)
    if "工作" in what or "班" in what:
        day = feasts.workday_after(last, number)
        return run(match, day, day)
    if what.endswith("天"):
        return run(match, last + number * DAY, last + number * DAY)
    return run(match, last + (7 * number - 6) * DAY, last + 7 * number * DAY)
