"""Numbers that say how bad it is: temperatures, pain scores, tablets, and the day of recovery a member names.

Thresholds are the clinic's protocol 2026-01 (fever 37.5, 38.0, 38.5 degrees; pain 5, 7, 9 of 10), the same as in the
pack's rules for structured answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from care.adapters.language.normalise import number

_N = r"\d{1,2}(?:\.\d)?|[零一二两三四五六七八九十]{1,3}|半"
_ONE = r"[零一二三四五六七八九]点[一二三四五六七八九半]|10|\d(?:\.\d)?|[零一二两三四五六七八九十]"
_UNITS = r"元|块|万|折|%|岁|公斤|斤|分钟|号|平|公里|米|毫|路|年|点钟|点半|小时|天|次|颗|个|片|粒|月|周|层|楼"
_TEMPERATURE = re.compile(rf"(?<![\d.])(3[4-9]|4[0-2])(\.\d|\d(?=度|°))?\d?(度|°c|℃|°)?(?!\d|{_UNITS})")
#: 烧到三十九 without 度, which would else be a plain number.
_SPOKEN = re.compile(
    rf"(?:烧|体温|温度)(?:到|了|有|都|快|是|得|上|起来|量了|大概|差不多)*(三十[六七八九]|四十[一二]?)(?:点([一二三四五六七八九半]))?(?!\d|{_UNITS})"
)
_FEVERISH = re.compile(r"烧|体温|温度计|量了|量出|量的|量一下|发热|额温|耳温|腋|打冷|寒")
_NOT_BODY = re.compile(r"气温|室外|外面|天气|高温|空调|水|角度|视力|近视|尺码|鞋|桑拿|瑜伽")
_SCORE = re.compile(
    rf"(?:(\d{{1,2}}|[零一二两三四五六七八九十])(?:到|至)?)??({_ONE})(?:分(?!钟|之|店|期|院|享|成)|，10(?!\d|[号点月天年日])|outof10|级)"
)
_AFTER_PAIN = re.compile(
    r"疼(?:疼|感)?(?:的|得|到|有|大概|指数|程度|评分|分数|差不多|是|能|打|，|：|已经|至少|快|起码|了|级别|能到|都|给){0,4}"
    rf"({_ONE})(?![\d.一二三四五六七八九十]|{_UNITS}|点|宿|夜|晚|夜|阵|下|边|会|直|分|样|大|种|跳|半|度|句|秒|级|些|起|多)"
)
_ON_A_SCALE = re.compile(
    r"(?:从)?[01零一]到(?:10|十)(?:分)?(?:的话|里|来说|打分|，)*[^，。？！；\d不没]{0,6}(10|\d|[零一二两三四五六七八九十])(?!\d|到|[天次点月号])"
)
_PAINFUL = re.compile(r"疼|酸|难受|pain|hurt|ache")
#: Words that show what the number is about where none says 疼; and those of people who rate us instead.
_SUFFERING = re.compile(
    r"[受忍扛顶熬撑坐]不|止疼|不[能敢]咬|咬不|咬都|打滚|睡不|没睡|救命|要命|难忍|没法忍|哭|发抖|在抖|冒汗|(?:您|又|还|老)问|[昨前][^，。]{0,5}分.{0,3}今"
)
_RATING = re.compile(r"满意|推荐|服务|好评|星|技术|体验|环境|前台|谢|评价|打分给|态度|考|作文|比赛|球|电影")
_LEAD = (
    r"(?:大概|差不多|可能|估计|应该|也就|至少|起码|得有|有|就|是|我|觉得|感觉|现在|今天|还是|还|疼|能|打|给|最疼|的时候|，"
    r"|了|说|呃|嗯|快|都|到|吧)*"
)
_BARE = re.compile(
    rf"{_LEAD}(?:(10|\d|[零一二两三四五六七八九十])(?:到|至|或|，|、))?({_ONE})"
    r"(?:分|点|/10)?(?:吧|左右|了|啊|的样子|多|哦|呢|吗|。|，|！|样子|疼)*"
)
#: A score said without 分 by one who suffers: 给九点五.
_GIVEN = re.compile(rf"(?:给|打|说|真的|就是|个数，?)(?:到|个|您)*({_ONE})(?=[，。！？；]|$)")
#: An answer that begins with the number and goes on about something else.
_FIRST = re.compile(rf"{_LEAD}({_ONE})(?:分|级)?(?:吧|了|啊|哦|左右|多)?(?=[，。！？；])")
_TWO_SCORES = re.compile(
    rf"(?:大?前天|昨天|昨晚|昨日|早上|上午|中午|之前|治前|做前|原来|本来|开始|头天|头两天|上次|从)[^，。！？；\d]{{0,6}}?({_ONE})分?"
    rf"[^。！？；\d]{{0,8}}?(?:今天|今儿个?|今早|今晚|现在|这会儿?|刚才|晚上|下午|升到|涨到|蹦到|跳到|窜到|变成?|到了?|做完|又|都)"
    rf"[^，。！？；\d]{{0,6}}?({_ONE})(?!\d|个|[天次点月号片颗粒周年块元度])"
)
_PILLS = re.compile(
    rf"(?:吃|吞|喝|服|灌)(?:下去|下|进去|掉|了|过)*…?({_N}|\d{{2,3}}|几十|十几|好几|一大把|一把|半瓶|一瓶|整瓶|一整瓶|一整板|整板|半板|一板|两板|一盒|整盒)(?:多|来|几)?(片|粒|颗|个|包|瓶|板|盒)?".replace(
        "…?", "(?:[^，。？！；没不]{0,6}?)"
    )
)
_DAYS = re.compile(
    r"第(\d{1,2}|[一二三四五六七八九十]{1,3})天|(?<![\d第])(\d{1,2}|[一二两三四五六七八九十]{1,2})天(?!后|前|内|以后|假)"
)
_WEEKS = re.compile(
    r"(?:一个?|1个?)(?:星期|礼拜|周)(?:了|多|过)|(两|三|四|2|3|4|几)(?:个?星期|个?礼拜|周)(?:了|多|过)|(?:半个|一个|两个|几个)月(?:了|多|过)"
)
_TODAY = re.compile(
    r"(?:手术|拔牙|种牙|拔|种|做完?|根管)的?当天|(?:今天|今早|上午|下午|刚刚|刚才|刚|中午|才)(?:才|刚|在您们这|在您们那|来|做|去)*(?:拔|种|做|补|洗|打|装|弄|缝|切|手术)(?:完|了|的|好|牙)"
)
_YESTERDAY = re.compile(
    r"(昨天|昨日|昨晚|前天|大前天)(?:下午|上午|晚上|中午)?(?:在您们这|在您们那|刚|才|去|来|在)*(?:拔|种|做|补|装|弄|缝|切|手术)(?:完|了|的|好|牙)"
)
_BACK = {"昨": 1, "前": 2, "大": 3}

Kind = Literal["temperature", "pain", "pills"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A number and what it measures; `start` and `end` count characters of the plain text."""

    kind: Kind
    value: float
    start: int
    end: int


def temperatures(text: str, asked: str | None) -> list[Reading]:
    """Return the body temperatures in the text that count: the highest, or the last if it came down."""
    found = []
    for match in _TEMPERATURE.finditer(text):
        around = text[max(0, match.start() - 12) : match.end() + 10]
        feverish = _FEVERISH.search(around) is not None or asked == "checkin.temp"
        if not feverish and (_NOT_BODY.search(around) or not (match[2] or match[3])):
            continue
        if not feverish and match[2] is None and _NOT_BODY.search(text):
            continue
        tenths = match[2] or ""
        value = float(match[1] + (tenths if tenths.startswith(".") or not tenths else f".{tenths}"))
        before = text[max(0, match.start() - 4) : match.start()]
        if re.search(r"不到|没到|没超过|不超过|没上|低于", before):
            value -= 0.5
        found.append(Reading("temperature", value, match.start(), match.end()))
    for match in _SPOKEN.finditer(text):
        degrees, tenths = number(match[1]), 5.0 if match[2] == "半" else number(match[2] or "零")
        if degrees is not None and tenths is not None:
            found.append(Reading("temperature", degrees + tenths / 10, match.start(1), match.end()))
    return _standing_at_last(found, text)


def pain_scores(text: str, asked: str | None, *, recovering: bool = False) -> list[Reading]:
    """Return pain scores: named as such, the answer to the question for pain, or a score of one who suffers.

    Of one who recovers from a treatment a number on a scale is about pain even if nobody asked for it.
    """
    found: dict[int, Reading] = {}
    unasked = recovering and asked is None
    suffers = (unasked or _SUFFERING.search(text) is not None) and _RATING.search(text) is None
    if asked == "checkin.pain":
        bare = _BARE.fullmatch(text)
        if bare and (value := _score(bare[2])) is not None:
            return [Reading("pain", value, bare.start(2), bare.end())]
        first = _FIRST.match(text)
        if first and (value := _score(first[1])) is not None:
            found[first.start(1)] = Reading("pain", value, first.start(1), first.end())
    for match in _SCORE.finditer(text):
        value = _score(match[2])
        before, after = text[max(0, match.start() - 14) : match.start()], text[match.end() : match.end() + 6]
        adverb = match[0] in ("十分", "万分") and after[:1] not in ("", "了", "吧", "，", "。", "！", "啊", "左")
        scale = re.search(r"满分|总分|最高|0(?:到|-|至)$|零到$", before[-4:] + after[:2])
        painful = _PAINFUL.search(before) or _PAINFUL.match(after.lstrip("的，"))
        about_pain = asked == "checkin.pain" or suffers or painful
        survey = asked is not None and asked.startswith("survey.") and not _PAINFUL.search(before)
        if value is not None and about_pain and not (adverb or scale or survey):
            found[match.start(2)] = Reading("pain", value, match.start(), match.end())
    if suffers:
        for match in _GIVEN.finditer(text):
            if (value := _score(match[1])) is not None:
                found.setdefault(match.start(1), Reading("pain", value, match.start(1), match.end()))
    on_a_scale = _PAINFUL.search(text) or asked == "checkin.pain" or (asked is None and recovering)
    for match in (*_AFTER_PAIN.finditer(text), *(_ON_A_SCALE.finditer(text) if on_a_scale else ())):
        value = _score(match[1])
        if value is not None:
            found.setdefault(match.start(1), Reading("pain", value, match.start(), match.end()))
    return _standing_at_last([found[place] for place in sorted(found)], text)


def pain_rise(text: str, asked: str | None) -> Reading | None:
    """Return the later of two scores, an earlier and one of now, if the pain went up: 前天3，今儿个6."""
    if asked != "checkin.pain" and not _PAINFUL.search(text):
        return None
    for match in _TWO_SCORES.finditer(text):
        earlier, later = _score(match[1]), _score(match[2])
        if earlier is not None and later is not None and later > earlier:
            return Reading("pain", later - earlier, match.start(2), match.end(2))
    return None


def bare_score(text: str) -> float | None:
    """Return the number if the message is one and nothing else, as an answer to a question on a scale."""
    match = _BARE.fullmatch(text)
    return _score(match[2]) if match else None


def _score(written: str) -> float | None:
    """Return a score of at most 10; 九点五 is spoken for 9.5."""
    whole, _, tenths = written.partition("点")
    value = number(whole)
    if value is not None and tenths:
        value += 0.5 if tenths == "半" else (number(tenths) or 0.0) / 10
    return value if value is not None and value <= 10 else None


def tablets(text: str) -> list[Reading]:
    """Return how many tablets were taken at once; a handful, a strip or a bottle counts as 20."""
    found = []
    for match in _PILLS.finditer(text):
        count = number(match[1]) if match[1] not in ("半",) else 0.5
        packed = (
            match[2] in ("瓶", "板", "盒")
            or "瓶" in match[1]
            or "板" in match[1]
            or "盒" in match[1]
            or "把" in match[1]
        )
        if packed or match[1] in ("几十", "十几"):
            count = 20.0
        elif match[1] == "好几":
            count = 4.0
        if match[1].isdecimal() and count is None:
            count = float(match[1])
        if count is not None and (match[2] or packed):
            found.append(Reading("pills", count, match.start(), match.end()))
    return found


def day_named(text: str) -> int | None:
    """Return the latest day of recovery the text speaks of; the day of treatment is 0, None if it names none."""
    days = [0] if _TODAY.search(text) else []
    days += [_BACK[match[1][0]] for match in _YESTERDAY.finditer(text)]
    for match in _DAYS.finditer(text):
        value = number(match[1] or match[2])
        if value is not None:
            days.append(int(value))
    days += [7 for _ in _WEEKS.finditer(text)]
    return max(days) if days else None


def _standing_at_last(readings: list[Reading], text: str) -> list[Reading]:
    """Keep all, or only the last where the text says that it came down to it."""
    if len(readings) < 2:
        return readings
    last, highest = readings[-1], max(readings, key=lambda one: one.value)
    between = text[highest.end : last.start]
    came_down = last.value < highest.value and re.search(
        r"降|退|今天|现在|这会|刚|今早|早上|已|后来|到|只有|变", between
    )
    return [last] if came_down else readings
