"""Near days, weekdays, weeks and workdays: 大后天, 下周三, 这周末, 下个工作日."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from care.adapters.language import times_feasts as feasts
from care.adapters.language.numbers import NUMERAL
from care.adapters.language.times_day import DAY, TO, WEEK, WEEKDAY, Day, run

WEEKS_ON = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, "下下": 2, "再下": 2}
NEAR = {
    "大前": -3, "前": -2, "昨": -1, "琴": -1, "寻": -1, "夜": -1, "今": 0, "当": 0, "明": 1, "听": 1, "后": 2,
    "大后": 3, "外后": 3,
}  # fmt: skip
NEAR_DAY = re.compile(
    r"(?<!之)(?<!以)(?<!然)(?<!最)(?:大后|外后|大前|(?<!目)(?<!之)前|昨|今|明|(?<![今背落饭术])后)(?:天|日(?!本)|"
    r"儿个?)(?!性|堂|色|井|之星|夕)"
    r"|(?<!之)(?<!最)(?<![以饭术然])(?:大后|外后|[昨今明后夜])个(?![个月星小把半别多人钟\d])|(?<!两)[琴寻]日(?!常)"
    r"|(?:大后|大前|[今明后昨前])(?=[早晚夜](?!点|一点|些))|(?<![打旁])听日|[听琴寻](?=[晚朝])|(?<![\u4e00-\u9fff])当天|[今明]朝(?!有酒)"
)
_WHICH = r"(?P<which>(?:再下|下下)一?个?|下一?个?|这一?个?|本|上上个?|上一?个?)?"
WEEKDAY_IN = re.compile(
    rf"{_WHICH}(?<![每隔])(?:(?<![{NUMERAL}几半\d])(?<![{NUMERAL}几半\d]个)|(?<=周[一二三四五六])|"
    rf"(?<=星期[一二三四五六])){WEEK}(?:的?{WEEK})?(?P<day>[一二三四五六日天七]|[1-7](?!\d))"
    rf"(?:(?:{TO}|、)?(?:这|本|下)?(?:{WEEK})?(?:(?<=[一二三四])[二三四五](?=[三四五六日天]))*(?P<to>(?<=[到至~—–\-])[一二三四五六日天七1-7]|"
    rf"(?<=[到至~—–\-]周)[一二三四五六日天七1-7]|(?<=[到至~—–\-]星期)[一二三四五六日天七1-7]|"
    rf"(?<=[一二三四五、])[二三四五六日天](?![点号月\d个十])))?"
    r"(?![次回年颗遍趟个节围])(?!天(?!晚|早|上|下|中)|小时|点半?前|边)"
)
WEEKEND = re.compile(rf"{_WHICH}(?:{WEEK}末|双休日|(?:周|星期)六日)(?!愉快|快乐|好)")
WHOLE_WEEK = re.compile(
    rf"(?:(?P<which>(?:再下|下下)一?个?|下一?个?|这一?个?|本|上上个?|上一?个?){WEEK}|(?P<next>未来|接下来)一?{WEEK})(?!["
    rf"一二三四五六日天七末1-7期围边]|年|到)(?:之?内|里)?"
)
#: 明后天, 今明两天: two days in a row.
PAIR = re.compile(r"(?P<a>[今明])(?P<b>[明后])(?:两天|两日|天|日|儿)(?!性|堂)")
#: The day of the week that today is, some weeks on.
SAME_WEEKDAY = re.compile(rf"(?P<which>下下|下)个?{WEEK}的?(?:今天|今日|这一?天|同一天)")
_NO_WEEKDAY = re.compile(r"(?:(?:星期|周)[八九十](?![\u4e00-\u9fff])|星期[八九十890零])(?!\d)")
WORKDAY = re.compile(r"(?P<next>下一?个|最近的?一?个?)工作日|(?<!第[一二三四五]个)(?<!个)工作日")


def read(words: str, today: date) -> Iterator[Day]:
    """Yield near days, weekdays, weeks and workdays."""
    for match in NEAR_DAY.finditer(words):
        found = re.match(r"[大外]后|大前|.", match[0])
        day = today + NEAR[found[0] if found else "今"] * DAY
        yield Day(match.start(), match.end(), day, day)
    for match in PAIR.finditer(words):
        first, last = today + NEAR[match["a"]] * DAY, today + NEAR[match["b"]] * DAY
        if first < last:
            yield run(match, first, last)
    for match in SAME_WEEKDAY.finditer(words):
        day = today + 7 * WEEKS_ON[match["which"]] * DAY
        yield Day(match.start(), match.end(), day, day)
    for match in _NO_WEEKDAY.finditer(words):
        yield Day(match.start(), match.end(), today, today, problem="impossible")
    yield from _weekdays(words, today)
    yield from _weeks(words, today)


def _weekdays(words: str, today: date) -> Iterator[Day]:
    for match in WEEKDAY_IN.finditer(words):
        if not match["which"] and match.start() and words[match.start() - 1] in "每隔前":
            continue
        number = WEEKDAY[match["day"]]
        day = _monday(today, match["which"]) + number * DAY
        if match["to"]:
            last = day + (WEEKDAY[match["to"]] - number) % 7 * DAY
            if "、" in match[0] and last != day + DAY:
                yield Day(match.start(), match.end(), day, day, weekday=number, other=last)
                continue
            if match["which"] is None and last < today:
                day, last = day + 7 * DAY, last + 7 * DAY
            several = run(match, max(day, today) if match["which"] is None else day, last)
            yield several if match["which"] is None else replace(several, weekday=number)
            continue
        if match["which"] is None:
            back = day if day < today else day - 7 * DAY
            day += 7 * DAY if day < today else 0 * DAY
            again = day + 7 * DAY if day == today else None
            yield Day(match.start(), match.end(), day, day, weekday=number, back=back, again=again)
        elif match["which"][0] in "这本" and day < today and today.weekday() == 6:  # on Sundays many count on
            yield Day(match.start(), match.end(), day + 7 * DAY, day + 7 * DAY, weekday=number, back=day)
        else:
            near = today + (number - today.weekday()) % 7 * DAY
            other = (
                near if match["which"].endswith("个") and match["which"].startswith("下") and near != day else None
            )
            yield Day(match.start(), match.end(), day, day, weekday=number, other=other)


def _weeks(words: str, today: date) -> Iterator[Day]:
    for match in WEEKEND.finditer(words):
        saturday = _monday(today, match["which"]) + 5 * DAY
        first = max(saturday, today) if saturday + DAY >= today else saturday
        yield Day(match.start(), match.end(), first, saturday + DAY, "weekend")
    for match in WHOLE_WEEK.finditer(words):
        if match["next"]:
            yield run(match, today, today + 7 * DAY)
            continue
        monday = _monday(today, match["which"])
        first = max(monday, today) if monday <= today <= monday + 6 * DAY else monday
        yield Day(match.start(), match.end(), first, monday + 6 * DAY, "week")
    for match in WORKDAY.finditer(words):
        if match["next"]:
            day = feasts.workday_after(today)
            yield Day(match.start(), match.end(), day, day)
        elif not re.search(r"(?:第.|一|后|完|前)个?$", words[: match.start()]):
            first = today if feasts.is_workday(today) else feasts.workday_after(today)
            yield run(match, first, first + max(0, 4 - first.weekday()) * DAY)


def _monday(today: date, which: str | None) -> date:
    weeks = WEEKS_ON[(which or "这").removesuffix("个").removesuffix("一") or "这"]
    return today - today.weekday() * DAY + timedelta(weeks=weeks)
