"""Hours and parts of the day in a text. A bare hour is left open: the reader fits it to the clinic's day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time

from care.adapters.language.numbers import DIGITS, NUMERAL, to_number

_N = rf"(?:\d{{1,2}}|[{NUMERAL}]{{1,3}})"

#: From and until; the clinic's own reading of each, said back with the whole date.
_NAMED: tuple[tuple[str, time, time], ...] = (
    ("凌晨 后半夜", time(0), time(6)),
    ("大清早 一大早 大早上 清早 清晨 一早 早晨 早上 早间 朝早 早 上班前 早饭后 送娃后", time(8), time(10)),
    ("上半天 上半日 前半晌 前晌 头晌 上晌 上午 上昼 午前", time(8), time(12)),
    ("午饭时间 午休时间 午休 晌午 中晌 正午 中午 晏昼", time(11, 30), time(14)),
    ("午饭后 中饭后", time(13), time(15)),
    ("下半天 下半日 后半天 后半晌 后晌 过晌 下午 下昼 午后 午间后", time(12), time(18)),
    ("放学后 放了学 下课后 接娃后", time(16), time(18)),
    ("傍晚 傍黑 擦黑 黄昏", time(17), time(19)),
    ("下完班 下了班 下班后 晚饭后 下黑 晚黑 夜晚黑 晚上 晚间 夜晚 晚夕 晚", time(18), time(21)),
    ("大半夜 大晚上 半夜 深夜 夜里 夜", time(20), time(23, 59)),
    ("白天", time(9), time(18)),
    ("全天 一整天 整天", time(9), time(20)),
)
PARTS: dict[str, tuple[time, time]] = {
    name: (opens, closes) for names, opens, closes in _NAMED for name in names.split()
}
MORNING = frozenset(part for part, (opens, _) in PARTS.items() if opens < time(11))
EVENING = frozenset(part for part, (opens, _) in PARTS.items() if opens >= time(12))
NIGHT = frozenset(part for part, (opens, _) in PARTS.items() if opens == time(20))
_SHORT = frozenset({"早", "晚", "夜"})
PART = re.compile("|".join(sorted((part for part in PARTS if part not in _SHORT), key=len, reverse=True)))
PART_AFTER_WORK = re.compile(r"下班(?=就|过来|去|来|过去|再|了?(?:就|再|过))")
#: Part of a greeting, a name, a habit; no part of a day.
_NOT_A_PART = re.compile(
    r"^(?:好(?![的吗约挂看做了]|不好)|安(?![排])|会|餐|饭(?!后|以后|过后)|报|市|场|班|自习|年|期|睡早起)"
)
GLUED = re.compile(
    rf"[早晚夜](?!一点)(?=\s*{_N}\s*[点时:])|(?<=[今明后昨前听琴寻])[早晚夜](?!点|一点|些|饭|餐|班)|"
    rf"(?<=[号日一二三四五六天末])[早晚](?!点|一点|些|饭|餐|到|来|去|了|就|都|班|会|半)|"
    rf"(?<![a-z])[ap]m(?![a-z])"
)
CLOCK = re.compile(
    rf"(?:差(?P<short>一刻|[{NUMERAL}]{{1,2}}分|\d{{1,2}}分)钟?)?(?P<h>{_N})\s*(?:点钟?|时(?!候|间|光|期|代|刻|"
    rf"尚|段|不|半会|之)|[:](?=[0-5]\d(?!\d)))\s*整?"
    rf"(?:(?P<half>半(?!小时|个))|(?P<quarter>[一二三1-3])刻|差(?P<less>一刻|[{NUMERAL}]{{1,2}}分|\d{{1,2}}分)|"
    rf"(?P<fives>[一二两三四五六七八九十]|十一|\d{{1,2}})个字|过?(?P<m>[0-5]\d|\d(?=分)|[零〇][{NUMERAL}]|[一二三四五]?十[{NUMERAL}]?|[{NUMERAL}](?=分))(?![{NUMERAL}"
    rf"点时:号月])(?:分(?!钟))?)?"
    r"|(?<=[午早晚上])(?P<hd>\d{1,2})\.(?P<md>[0-5]\d)(?!\d)|(?<![\d.:])(?P<he>\d{1,2})(?=\s?[ap]m(?![a-z]))"
)
EITHER = re.compile(
    rf"(?P<ten>二?十)?(?P<a>[一二两三四五六七八九])(?P<b>[二两三四五六七八九十])点钟?(?!半|[一三]刻|[{NUMERAL}\d])"
)
_TO = r"(?:到|至|~|—|–|-|、|或|或者)"
_LONE = re.compile(r"(?:[嗯那就约改到在,， ]|可以|要不)*(?P<hour>[一1]点)(?:吧|呢|可以|行|左右|好了|[。.!！~])*")
#: An hour of the clinic's day without a mark: 1430.
WRITTEN = re.compile(r"(?:0[89]|1\d|20)[0-5][05]")
#: A number after one of these is a day or a place in a row.
_COUNTED_ON = ("初", "第", "周", "星期", "月", "号", "十", "几")
#: The first hour of 9-11点, said without its own 点.
OPENING = re.compile(
    rf"(?<![\d.:年月/{NUMERAL}第])(?P<h>{_N})(?=\s*{_TO}\s*(?:早上|上午|中午|下午|晚上)?{_N}\s*(?:点(?!几)|"
    rf"[:][0-5]\d))(?!\s*[、或]\s*{_N}点(?:建议|意见))"
)
CLOSING = re.compile(
    rf"(?<=[点半刻钟\d])\s*{_TO}\s*(?P<h>{_N})(?![\d点时:.号日月个天%分星岁楼周次年块元{NUMERAL}])(?!小时)"
)
_A_MATTER = re.compile(
    r"^\s*(?:建议|意见|想法|要求|原因|疑问|问题|不满|需要|希望|要说|要问|感受|体会|好处|理由|区别|注意|不明白|"
    r"不懂|不同|不足|想说|想问|一线|水|都没|也不|也没|儿|多余|左右的血|方面|内容|说明|补充|小)"
)
_A_DEGREE = frozenset(
    "有快早晚多少差好大小轻慢近远便再了这那重强弱高低胖瘦长短深浅疼酸肿松紧贵严吃喝冷热难亮白黑美坏懂会想"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """An hour as it was said; whether it is morning or evening may still be open."""

    start: int
    end: int
    hour: int
    minute: int = 0
    exact: bool = False
    until: int | None = None  # 三四点: the later of the two


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day."""

    start: int
    end: int
    name: str


def parts_in(words: str, days: Sequence[tuple[int, int]] = ()) -> list[Part]:
    """Return parts of days, in order, clear of the `days` found before (周一早上 holds no 一早)."""
    taken = {place for start, end in days for place in range(start, end)}
    free = "".join("▁" if place in taken else char for place, char in enumerate(words)) if taken else words
    found = [Part(match.start(), match.end(), match[0]) for match in PART.finditer(free)]
    found += [Part(match.start(), match.end(), "下班后") for match in PART_AFTER_WORK.finditer(words)]
    covered = {place for part in found for place in range(part.start, part.end)}
    for match in GLUED.finditer(words):
        if match.start() not in covered and match.start() not in taken:
            name = {"am": "上午", "pm": "下午"}.get(match[0], match[0])
            found.append(Part(match.start(), match.end(), name))
    return sorted(
        (part for part in found if not _NOT_A_PART.match(words[part.end : part.end + 4])), key=lambda part: part.start
    )


def clocks_in(words: str, *, hinted: frozenset[int] = frozenset()) -> list[Clock]:
    """Return hours, in order.

    Args:
        words: the plain text.
        hinted: positions right after a day or part of a day, where even 一点 is an hour.
    """
    found = [*_either(words), *_clocks(words, hinted)]
    taken = {place for clock in found for place in range(clock.start, clock.end)}
    for pattern in (OPENING, CLOSING):
        for match in pattern.finditer(words):
            hour = to_number(match["h"])
            if hour is not None and hour <= 24 and match.start("h") not in taken:
                found.append(Clock(match.start("h"), match.end("h"), hour))
    return sorted(found, key=lambda clock: clock.start)


def lone_hour(words: str) -> frozenset[int]:
    """Return where an hour begins in a text that says nothing else: 一点, 那就一点吧."""
    match = _LONE.fullmatch(words)
    return frozenset() if match is None else frozenset([match.start("hour")])


def bare_hour(words: str) -> Clock | None:
    """Return the hour that a number alone means when the hour was asked for."""
    numbers = list(re.finditer(rf"\d+(?:[.:]\d+)?|[{NUMERAL}]+", words))
    if len(numbers) != 1 or len(words) > 12:
        return None
    match = numbers[0]
    if WRITTEN.fullmatch(match[0]):
        return Clock(match.start(), match.end(), int(match[0][:2]), int(match[0][2:]), exact=match[0][2:] != "00")
    hour = to_number(match[0])
    counted = re.match(r"\s*[点颗个次天周月年岁块元分号楼小%床几多来]", words[match.end() :])
    if hour is None or not 1 <= hour <= 21 or counted or words[: match.start()].endswith(_COUNTED_ON):
        return None
    return Clock(match.start(), match.end(), hour, 30 if words[match.end() : match.end() + 1] == "半" else 0)


def _either(words: str) -> Iterator[Clock]:
    for match in EITHER.finditer(words):
        ten = {None: 0, "十": 10}.get(match["ten"], 20)
        first, last = DIGITS[match["a"]], to_number(match["b"]) or 0
        if last == first + 1:
            yield Clock(match.start(), match.end(), ten + first, until=ten + last)


def _clocks(words: str, hinted: frozenset[int]) -> Iterator[Clock]:
    either = {place for match in EITHER.finditer(words) for place in range(*match.span())}
    for match in CLOCK.finditer(words):
        spoken = match["h"] or match["hd"] or match["he"]
        hour = to_number(spoken)
        start = match.start()
        if hour is None or start in either or _not_a_clock(words, match, hour, hinted):
            continue
        minute, exact = 0, False
        if match["half"]:
            minute, exact = 30, True
        elif match["quarter"]:
            minute, exact = 15 * (to_number(match["quarter"]) or 0), True
        elif match["m"] or match["md"]:
            number = to_number(match["m"] or match["md"])
            if number is None or number > 59:
                continue
            minute, exact = number, number != 0
        elif match["fives"]:  # Cantonese counts minutes in fives
            number = 5 * (to_number(match["fives"]) or 0)
            if number > 59:
                continue
            minute, exact = number, True
        less = match["short"] or match["less"]
        if less:
            away = 15 if less == "一刻" else to_number(less.removesuffix("分")) or 0
            hour, minute, exact = hour - 1, 60 - away, True
        yield Clock(start, match.end(), hour, minute, exact)


def _not_a_clock(words: str, match: re.Match[str], hour: int, hinted: frozenset[int]) -> bool:
    before, after = words[: match.start()], words[match.end() :]
    if (
        hour >= 30
        or before[-1:].isdigit()
        or before[-1:] in set("第.．:#百千万")
        or (before and before[-1] in NUMERAL)
    ):
        return True
    if match["h"] is None:
        return False
    bare = not (match["half"] or match["quarter"] or match["m"] or match["less"])
    if bare and (_A_MATTER.match(after) or re.match(rf"\s*(?:[{NUMERAL}]|\d)(?!\S?[点号月时:到])", after)):
        return match.start() not in hinted or bool(_A_MATTER.match(after))
    if bare and re.search(r"(?:以下|这|那|说|讲|提|上述|总结|注意|第)$", before) and "点" in match[0]:
        return not re.search(r"(?:就|约)(?:这|那)$", before) and hour < 8
    if match["h"] in {"一", "1"} and bare and not match[0].endswith(("钟", "整")) and "点" in match[0]:
        if match.start() in hinted or re.match(r"\s*(?:左右|的号|之前|以后|之后|以前|前后|钟|到|至|-|~|开始)", after):
            return False
        return match["h"] == "一" or before[-1:] in _A_DEGREE
    return False
