"""Dates of the calendar: 11月28号, 28号, 11.28, 月底, 下个月中旬, 明年三月."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from care.adapters.language.numbers import NUMERAL, to_number
from care.adapters.language.times_day import DAY, NUMBER, TO, Day, months_on, run

_YEAR = r"(?:(?P<y>20\d\d|[今明后去]|\d\d)年的?)?"
DATE = re.compile(
    rf"{_YEAR}(?<![\d.{NUMERAL}个半几])(?P<m>{NUMBER})月(?:份)?的?(?P<d>{NUMBER})(?:日|号|(?!(?:{NUMBER})?[个月"
    rf"次颗岁周天年块元\d星点时]))(?:{TO}(?:(?P<m2>{NUMBER})月)?(?P<d2>{NUMBER})(?:日|号))?"
)
ISO = re.compile(
    r"(?<!\d)(?P<y>20\d\d)(?:[-/.](?P<m>1[0-2]|0?[1-9])[-/.](?P<d>3[01]|[12]\d|0?[1-9])|"
    r"(?P<m2>1[0-2]|0[1-9])(?P<d2>3[01]|[12]\d|0[1-9]))(?!\d)"
)
BARE = re.compile(r"(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])")
DOTTED = re.compile(
    r"(?<![\d./:¥$v\-午晚])(?<![早晚]上)(?P<m>1[0-2]|0?[1-9])(?P<by>[./-])(?P<d>3[01]|[12]\d|0?[1-9])(?![\d/:]|\.\d|-\d|"
    r"\s*(?:[%度℃°万千元块分折个颗米公里克g版岁厘毫吨月年周次倍包天小点]|星期))"
)
_DOTTED_BEFORE = re.compile(r"(?:约|到|在|是|改成|换|定|日期|时间|就|要|想|，|^|我|选|和|或|或者|、)\s*$")
_DOTTED_AFTER = re.compile(
    r"^\s*(?:\d?\d:\d\d|号|日|上午|下午|晚|早|中午|那天|可以|有|能|行|去|来|吧|约|的号|周|星期|左右|之?前|之?后|，|。|$|"
    r"\(|（|我|想|、|或|和)"
)
_NOT_DATED = re.compile(r"(?:疼|分|体温|烧|度|价|钱|版本|打|评|酸|胀|胖|重|高|率)[^，。]{0,4}$")
DAY_OF_MONTH = re.compile(
    rf"(?<![第\d.咗路街道巷弄村栋#:{NUMERAL}])(?:(?P<which>下下|下|这|本|上)个?月的?)?(?P<d>{NUMBER})(?:(?P<sep>"
    rf"{TO}|、|或者?|和|还是)(?P<d2>{NUMBER}))?(?:号|日|(?<=月\d\d)(?![\d.:]))"
    rf"(?:{TO}(?P<d3>{NUMBER})(?:号|日))?(?!牙|线|楼|院|店|码|常|种植|床|椅|诊|机|门|口|技|病|包|位|桌|房|间|"
    rf"馆|窗|元|难|文|期|本|语|料|三餐|三顿|[一两二三\d]次|之计|游|记|未)"
)
#: Two numbers in a row: 二十一二号, 七八号; or the ten they lie in: 二十几号.
EITHER_DAY = re.compile(
    r"(?<![第\d.零〇一二两三四五六七八九十廿])(?:(?P<which>下下|下|这|本|上)个?月的?)?(?P<ten>[二两]?十|廿)?"
    r"(?:(?P<a>[一二两三四五六七八])(?P<b>[二三四五六七八九])|(?P<some>几|来|多))(?:号|日)(?![楼线店牙])"
)
MONTH = re.compile(
    rf"(?:(?P<year>20\d\d|[今明后去])年的?)?(?:(?P<which>下下|下|这|本|当|上)个?月|(?<![\d.{NUMERAL}个半几第])("
    rf"?P<m>{NUMBER})月(?:份)?)(?:的|里|内)?(?P<part>月底|月初|月末|月中|初|头上|头几天|头(?!一|两|天)|末尾|尾|底|末|上中旬|中下旬|上旬|中旬|下旬|中(?!午|间|秋|"
    rf"的|医))?(?![\d经龄大]|天(?!气))"
    r"|(?<!\d)(?P<bare>月底|月初|月末|月头|月尾|月中(?!旬)|月中旬|上中旬|中下旬|上旬|中旬|下旬)"
)
YEAR_PART = re.compile(
    r"(?P<y>[今明]年)?(?:年底|年末|(?<![每])年初(?![一二三四五六七八九十])|上半年|下半年|暑假|寒假)|"
    r"(?P<whole>明年|后年)(?!\d|初|底)"
)
_PARTS_OF_YEAR = {
    "年底": ((12, 16), (12, 31)),
    "年末": ((12, 16), (12, 31)),
    "年初": ((1, 1), (1, 31)),
    "上半年": ((1, 1), (6, 30)),
    "下半年": ((7, 1), (12, 31)),
    "暑假": ((7, 1), (8, 31)),
    "寒假": ((1, 20), (2, 20)),
}


def read(words: str, today: date) -> Iterator[Day]:
    """Yield dates, days of a month, months and parts of them."""
    yield from _dates(words, today)
    yield from _months(words, today)


def bare_date(words: str, today: date) -> Day | None:
    """Return the date that four digits alone mean when a time was asked for: 0320."""
    match = BARE.fullmatch(words.strip())
    return None if match is None else _dated(match, None, int(match["m"]), int(match["d"]), today)


def _dates(words: str, today: date) -> Iterator[Day]:
    for match in DATE.finditer(words):
        month, number = to_number(match["m"]), to_number(match["d"])
        if month is None or number is None:
            continue
        found = _dated(match, _year(match["y"], today), month, number, today)
        if match["d2"] and found.problem is None:
            last = _dated(
                match, found.first.year, to_number(match["m2"] or match["m"]) or 0, to_number(match["d2"]) or 0, today
            )
            found = replace(found, last=last.first, grain="range", problem=last.problem)
        yield found
    for match in ISO.finditer(words):
        yield _dated(match, int(match["y"]), int(match["m"] or match["m2"]), int(match["d"] or match["d2"]), today)
    for match in DOTTED.finditer(words):
        before, after = words[: match.start()][-12:], words[match.end() :][:6]
        fits = _DOTTED_AFTER.match(after) or (_DOTTED_BEFORE.search(before) and match["by"] != "-")
        sure = match["by"] != "-" and (len(match["d"]) == 2 or _DOTTED_BEFORE.search(before))
        if (
            fits
            and (sure or (_DOTTED_BEFORE.search(before) and len(match["d"]) == 2))
            and not _NOT_DATED.search(before)
        ):
            yield _dated(match, None, int(match["m"]), int(match["d"]), today)
    for match in EITHER_DAY.finditer(words):
        either = _either_day(match, today)
        if either is not None:
            yield either
    for match in DAY_OF_MONTH.finditer(words):
        one = _day_of_month(match, today)
        if one is not None:
            yield one


def _year(spoken: str | None, today: date) -> int | None:
    if spoken is None:
        return None
    if spoken.isdecimal():
        return int(spoken) if len(spoken) == 4 else 2000 + int(spoken)
    return today.year + {"去": -1, "今": 0, "明": 1, "后": 2}[spoken]


def _dated(match: re.Match[str], year: int | None, month: int, number: int, today: date) -> Day:
    longest = calendar.monthrange(2028, month)[1] if 1 <= month <= 12 else 0
    if not 1 <= number <= longest:
        return Day(match.start(), match.end(), today, today, problem="impossible")
    years = (year,) if year else (today.year, today.year + 1)
    for each in years:
        if number > calendar.monthrange(each, month)[1]:
            continue
        found = date(each, month, number)
        if year or found >= today - 45 * DAY:
            back = found if found <= today else _same_day(each - 1, month, number)
            return Day(match.start(), match.end(), found, found, back=None if year else back)
    return Day(match.start(), match.end(), today, today, problem="impossible")


def _same_day(year: int, month: int, number: int) -> date | None:
    return date(year, month, number) if number <= calendar.monthrange(year, month)[1] else None


def _day_of_month(match: re.Match[str], today: date) -> Day | None:
    number = to_number(match["d"])
    end = to_number(match["d2"] or match["d3"] or "") or 0
    if number is None or number == 0 or number > 99 or end > 99 or match["d"] == "两":
        return None
    which = match["which"]
    first = months_on(today.replace(day=1), {"下下": 2, "下": 1, "上": -1}.get(which or "", 0))
    if not which and (end or number) < today.day:
        first = months_on(first, 1)
    if not which and not end and number == 31 and calendar.monthrange(first.year, first.month)[1] < 31:
        first = months_on(first, 1)  # nobody means a day that this month lacks
    found = _in_month(match, first, number)
    if found.problem is None and not which:
        earlier = first if found.first <= today else months_on(first, -1)
        later = months_on(first, 1)
        again = _same_day(later.year, later.month, number) if found.first == today else None
        found = replace(found, back=_same_day(earlier.year, earlier.month, number), again=again)
    if found.problem is None and end:
        last = _in_month(match, first if end > number else months_on(first, 1), end)
        if match["sep"] and not re.fullmatch(TO, match["sep"]):
            return replace(found, other=last.first)
        return replace(found, last=last.first, grain="range", problem=last.problem)
    return found


def _either_day(match: re.Match[str], today: date) -> Day | None:
    ten = {"": 0, "十": 10}.get(match["ten"] or "", 20)
    if match["some"]:
        first, last = ten, ten + 9
    else:
        first, last = ten + (to_number(match["a"]) or 0), ten + (to_number(match["b"]) or 0)
    if not first or (first + 1 != last and not match["some"]):
        return None
    month = months_on(today.replace(day=1), {"下下": 2, "下": 1, "上": -1}.get(match["which"] or "", 0))
    if not match["which"] and (last < today.day or (match["some"] and last <= today.day + 2)):
        month = months_on(month, 1)
    longest = calendar.monthrange(month.year, month.month)[1]
    if first > longest:
        return None
    begin, end = month.replace(day=first), month.replace(day=min(last, longest))
    return run(match, max(begin, today) if end >= today else begin, end)


def _in_month(match: re.Match[str], first: date, number: int) -> Day:
    if number > calendar.monthrange(first.year, first.month)[1]:
        return Day(match.start(), match.end(), first, first, problem="impossible")
    day = first.replace(day=number)
    return Day(match.start(), match.end(), day, day)


def _months(words: str, today: date) -> Iterator[Day]:
    for match in MONTH.finditer(words):
        found = _month(match, words, today)
        if found is not None:
            yield found
    for match in YEAR_PART.finditer(words):
        year = today.year + (1 if (match["y"] or match["whole"] or "").startswith("明") else 0)
        year += 2 if match["whole"] == "后年" else 0
        for word, (first, last) in _PARTS_OF_YEAR.items():
            if match[0].endswith(word):
                begin, end = date(year, *first), date(year, *last)
                if end < today:
                    begin, end = date(year + 1, *first), date(year + 1, *last)
                yield run(match, max(begin, today), end)
                break
        else:
            yield run(match, date(year, 1, 1), date(year, 12, 31))


def _month(match: re.Match[str], words: str, today: date) -> Day | None:
    part = (match["part"] or match["bare"] or "").removeprefix("月")
    first = today.replace(day=1)
    if match["which"]:
        first = months_on(first, {"下下": 2, "下": 1, "上": -1}.get(match["which"], 0))
    elif match["m"]:
        number = to_number(match["m"])
        if (
            number is None
            or not 1 <= number <= 12
            or re.match(r"[一两二三四1-4]次|租|供|薪|票|饼|子|亮|光", words[match.end() :])
        ):
            return None
        year = _year(match["year"], today) or today.year + (number < today.month)
        first = date(year, number, 1)
    elif words[match.start() - 1 : match.start()] in {"满", "蜜", "个"} and match.start():
        return None
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    begin, end = first, last
    if part in {"底", "末", "尾", "末尾"}:
        begin = last - 6 * DAY
    elif part == "中下旬":
        begin = first.replace(day=11)
    elif part == "上中旬":
        end = first.replace(day=20)
    elif part in {"下旬"}:
        begin = first.replace(day=21)
    elif part in {"初", "上旬", "头几天", "头", "头上"}:
        end = first.replace(day=10)
    elif part in {"中", "中旬"}:
        begin, end = first.replace(day=11), first.replace(day=20)
    if end < today and match["bare"]:
        ahead = months_on(first, 1)
        begin, end = (
            begin.replace(year=ahead.year, month=ahead.month),
            end.replace(year=ahead.year, month=ahead.month),
        )
    return run(match, max(begin, today) if end >= today else begin, end, "range" if part else "month")
