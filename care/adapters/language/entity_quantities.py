"""Numbers in a text and what they count: pain, temperature, rating, duration, a telephone.

The same 9 is a pain score after `checkin.pain` and a rating after `survey.…`; without a question the words beside it
decide, and a bare number means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from care.adapters.language.entity_text import Found, PlainText
from care.adapters.language.numbers import DIGITS, NUMERAL, to_number

NUMBER = rf"(?:\d{{1,3}}(?:\.\d)?|[{NUMERAL}]{{1,3}}(?:点[{NUMERAL}])?)"
_SOLE = (
    r"(?:大概|大约|差不多|可能|应该|估计|也就|就|是|有|给|打|算|我|觉得|现在|今天|嗯+|呃|额|恩|还|疼|选|最多|最|得)"
)
_ENDING = r"(?:分|星|度|点|颗星)?(?:左右|吧|了|啊|呢|哦|呀|的样子|之间|上下|多)?"
SOLE = re.compile(
    rf"^[，。]?{_SOLE}{{0,5}}[，。]?(?P<n>{NUMBER})(?:[到至、，或]?(?P<m>{NUMBER}))?{_ENDING}(?=[，。！？；]|$)"
)
PAIN_WORD = r"疼|酸|难受|胀|vas|nrs|pain"
_PAIN_NUMBER = rf"(?P<n>{NUMBER})(?:[到至或~]?(?P<m>{NUMBER}))?"
PAIN = (
    re.compile(
        rf"(?:{PAIN_WORD})[^，。！？；\d]{{0,8}}?[，]?(?:打|算|给|有|到|是|大概|大约|差不多|也就|值|为|评分|"
        rf"分数|程度|指数|还有|约|得|了)*{_PAIN_NUMBER}分(?![钟之])"
    ),
    re.compile(rf"(?:{PAIN_WORD})[^，。！？；\d]{{0,6}}?(?P<n>\d(?:\.\d)?|10)，10(?![\d.点号月])"),
    re.compile(
        rf"(?:{NUMBER}分制|满分{NUMBER}分?)[^，。！？；\d]{{0,4}}?(?:给|打|算|是)(?P<n>{NUMBER})(?=[，。！？]|$)"
    ),
    re.compile(r"[疼酸](?P<n>\d(?:\.\d)?|10)(?=[，。！？]|$)"),
    re.compile(rf"疼(?:大概|差不多|大约|是|有|到|在|也就){{1,3}}(?P<n>{NUMBER})(?=[，。！？吧]|$)"),
    re.compile(rf"{_PAIN_NUMBER}分(?:左右)?(?:的|那种)?(?:{PAIN_WORD})"),
    re.compile(
        rf"(?:疼{{1,2}}(?:评分|分数|指数|程度|值|等级|度|感|级别)|vas|nrs|pain(?:level|score|scale)?)(?:[：，]|"
        rf"大概|大约|差不多|现在|今天|是|有|在|"
        rf"到|打|约|为)*{_PAIN_NUMBER}(?![\d天周个小时次颗度点月号])"
    ),
)
MOVED = re.compile(
    rf"从(?:昨天|昨晚|前天|上次|早上|最开始|一开始|开始)?的?{NUMBER}分[^，。！？；]{{0,4}}?到了?(?P<n>{NUMBER})分"
)
NOW = re.compile(
    rf"(?:今天|今儿个?|今早|今晚|现在|目前|这会儿?)(?:大概|差不多|大约|是|有|还|剩|降到|疼|到|的)*{_PAIN_NUMBER}(?=分|"
    rf"[，。！？；吧了]|$)"
)
IN_POINTS = re.compile(rf"{_PAIN_NUMBER}分(?![钟之])")
#: Who speaks of the body and rates nobody gives points to a pain, even where no 疼 stands beside them.
_OF_THE_BODY = re.compile(
    r"疼|酸|肿|胀|麻(?!烦|辣)|伤口|创口|嚼|咬|一[蹦跳抽揪突]|跳着|腮帮|止疼|牙根|牙龈|嗓子|嘴里|半边|木木"
)
_RATES = re.compile(
    r"满意|推荐|服务|态度|体验|好评|环境|前台|打分给|评分|评价|差评|给高分|星(?!期)|考|比赛|积分|学分"
)
#: Before a score that is no longer.
_EARLIER = re.compile(r"(?:昨天|昨晚|前天|之前|上次|刚开始|原来|一开始)[^，。！？；今现]{0,5}$|从[^，。到]{0,3}$")
SCALE = re.compile(rf"满分(?:是|为)?{NUMBER}分?|{NUMBER}分?制|{NUMBER}分?满分|(?:0|零)(?:分)?(?:到|至)(?:10|十)分?")
#: The one number of an answer, counting nothing.
ONLY_NUMBER = re.compile(
    rf"(?<![\d.第{NUMERAL}])(?P<n>10|\d(?:\.\d)?|[一二三四五六七八九十两])(?![\d.%:{NUMERAL}]|"
    rf"[天个次周点号月片颗岁度位年种样定般直会些边下起块遍楼元]|小时|分钟|星期|礼拜|钟头)"
)
RATING = (
    re.compile(
        rf"(?:给|打|评|评价|评分|打分|满意度|推荐|服务|态度|体验|好评|综合|总体)[^，。！？；\d{NUMERAL}]{{0,8}}"
        rf"(?P<n>{NUMBER})(?:个|颗)?(?:分(?!钟)|星(?!期|级酒店))"
    ),
    re.compile(rf"^[，。]?(?P<n>{NUMBER})(?:个|颗)?(?:分(?!钟)|星(?!期))(?:吧|了|啊|好评|哦|呀)?(?=[，。！]|$)"),
    re.compile(rf"(?<=[，。！])(?P<n>{NUMBER})(?:个|颗)?分(?:吧|了|啊)?$"),
    re.compile(r"(?P<n>[1-5一二两三四五])(?:个|颗)?星(?!期|级|巴|座)(?:好评|差评|评价)?"),
)
_VERY = re.compile(r"十分(?:之|的)?(?:疼|酸|胀|难受)")
_ADVERB = re.compile(r"[十万]分(?![，。！？了吧啊左的]|$)")
_IN_ALL = re.compile(r"平均|总的|总体|综合|总分")
FULL_MARKS = re.compile(r"满分(?!是|为|\d)|全五星|给满")
FEVER_NEAR = re.compile(r"fever|temp|体温|温度计|烧|发热|额温|耳温|腋温|量|℃")
_WELL = re.compile(r"身上|退到|枪打|夜里|今早|早上|晚上|吞|喝水|发冷|哆嗦|血|没事|正常|神清气爽|拔完|种完|做完|术后")
_PRICED = re.compile(r"元|块|钱|价|优惠|团购|套餐|折|卡|券|公里|米|斤|码|%")
_WEATHER = re.compile(r"天气|气温|室外|外面|水温|空调|室温|户外|地表|高温天|冰箱|电压|杭州今天")
TEMPERATURE = re.compile(
    r"(?<![\d.])(?P<n>3[4-9](?:\.\d{1,2})?|4[0-3](?:\.\d{1,2})?)(?P<unit>度|°c|°)?(?!\d|元|块|岁|分|%|公斤|斤|"
    r"号|颗|万|路|平|码)"
)
BARE_TEMPERATURE = re.compile(r"^\D{0,8}(?P<n>3[4-9](?:\.\d{1,2})?|4[0-3](?:\.\d{1,2})?|3[4-9]\d|4[0-3]\d)\D{0,6}$")
_UNITS = {
    "分钟": "PT{}M",
    "小时": "PT{}H",
    "钟头": "PT{}H",
    "天": "P{}D",
    "日": "P{}D",
    "周": "P{}W",
    "星期": "P{}W",
    "礼拜": "P{}W",
    "月": "P{}M",
    "年": "P{}Y",
}
_ENGLISH_UNIT = {"m": "分钟", "h": "小时", "d": "天", "w": "周"}
_COUNT = rf"(?:\d{{1,3}}(?:\.\d)?|[{NUMERAL}]{{1,3}}|好?几|数|半)"
DURATION = re.compile(
    rf"(?<![第:：年月周星期每])(?P<n>{_COUNT})(?:(?:-|~|到|至|、|或者?)?(?P<m>\d{{1,3}}))?(?P<more>"
    rf"来|多|几)?"
    rf"(?P<unit>mins?(?:utes?)?|hours?|hrs?|h(?![a-z])|days?|weeks?|个?(?:半|多|来|几)?(?:小时|钟头|礼拜|星期|"
    rf"月)|分钟|刻钟|"
    rf"整?天|周|年|宿|整?晚上?|整?夜|上午|下午)(?P<half>半(?!天|夜))?"
)
#: How long these last, in hours; a night counts as eight.
_SPELLS = {"宿": 8, "晚上": 8, "晚": 8, "夜": 8, "上午": 4, "下午": 4}
#: One of these before a day makes it a date or a habit.
_SOME_DAY = re.compile(r"[有哪那某这头前后换改同跟]$")
_NUMBER_GOES_ON = frozenset(f"0123456789.{NUMERAL}")
_AGE_BEFORE = re.compile(r"(?:宝宝|孩子|娃|宝贝|婴儿)$")
A_BIRTH_YEAR = 50  # 82年 is when somebody was born
_IDIOM = re.compile(r"[看说想聊找讲]了半天|三天两头|一天比一天|一[天年周]一[天年周]|三天两夜")
_SPAN_OF_DAYS = re.compile(r"[头这那]$|(?<![提往推延挪移])[前后]$")
_A_FEW_TOLD = frozenset("了过有着好这晚迟")
_HOW_OFTEN = re.compile(r"到晚|[^，。]{0,4}?(?:几|多少|[一二三四两\d]{1,2})(?:天|次|回|遍|顿|片|粒|颗|支|包|袋)")
A_FEW = 3.0  # what 几 is taken for
#: After one of these an amount of time is how often, how old, or how far along.
_NOT_A_DURATION = re.compile(
    r"[一二两三四五六七八九十几\d]{1,2}(?:次|回|遍|顿|趟|片|粒|颗)|的?(?:宝宝|孩子|娃|小孩|婴儿)|(?:大|岁)的?|中|"
    r"级|龄|代|会|期|租|卡|票|度|"
    r"检|报|货|薪|制|底|初|份|里?[一二三四五六日](?![天个点])"
)
_SPOKEN_DIGITS = str.maketrans("零〇洞幺一二两三四五六七八九拐", "000112234567897")
_LANDLINE = re.compile(
    r"(?<![\d.])(?P<n>(?:0(?:10|2\d|[3-9]\d{2})[到，]?\d{7,8}|0(?:10|2\d|[3-9]\d{2})[到，]\d{4}[到，]\d{4}|"
    r"400[到，]?\d{3,4}[到，]?\d{3,4}))(?!\d)"
)
_MOBILE = re.compile(r"(?<![\d.])(?:0{0,2}86[，、]?)?(?P<n>1[3-9]\d[，、。到]?(?:\d[，、。到]?){7}\d)(?!\d)")


def read(plain: PlainText) -> Iterator[Found]:
    """Yield every number that counts something."""
    yield from _phones(plain.text)
    yield from _temperatures(plain)
    yield from _scores(plain)
    yield from _durations(plain)


def _phones(text: str) -> Iterator[Found]:
    seen: set[int] = set()
    for match in _LANDLINE.finditer(text):
        seen.update(range(*match.span()))
        yield Found("phone", match.start("n"), match.end("n"), re.sub(r"\D", "", match["n"]))
    for spoken in (text, text.translate(_SPOKEN_DIGITS)):
        for match in _MOBILE.finditer(spoken):
            if match.start("n") not in seen:
                digits = re.sub(r"\D", "", match["n"])
                seen.update(range(match.start(), match.end()))
                yield Found("phone", match.start("n"), match.end("n"), digits)


def _temperatures(plain: PlainText) -> Iterator[Found]:
    if plain.asked in {"checkin.temp", "checkin.temperature"}:
        match = BARE_TEMPERATURE.match(plain.text)
        if match:
            spoken = match["n"]
            value = float(spoken) / 10 if "." not in spoken and len(spoken) == 3 else float(spoken)
            yield Found("temperature", match.start("n"), match.end("n"), value)
            return
    for match in TEMPERATURE.finditer(plain.text):
        around = plain.text[max(0, match.start() - 12) : match.end() + 12]
        fever = FEVER_NEAR.search(around)
        if _WEATHER.search(around) and not re.search(r"体温|烧", around):
            continue
        if (
            fever
            or _taken(match["n"], plain.text, match.end())
            or (match["unit"] and re.search(r"[35-9]", match["n"][:1]))
        ):
            yield Found("temperature", match.start(), match.end(), float(match["n"]))


def _taken(degrees: str, text: str, end: int) -> bool:
    """Whether a number that says no more is a temperature: with one decimal, of a body, and nobody's price."""
    return (
        re.fullmatch(r"3[5-9]\.\d|4[01]\.\d", degrees) is not None
        and (_OF_THE_BODY.search(text) or _WELL.search(text)) is not None
        and not _PRICED.search(text[max(0, end - 14) : end + 8])
    )


def _scores(plain: PlainText) -> Iterator[Found]:
    text, asked = plain.text, plain.asked
    scales = [match.span() for match in SCALE.finditer(text)]

    def off_scale(match: re.Match[str]) -> bool:
        return any(start <= match.start("n") < end for start, end in scales)

    pain_asked, survey = asked in {"checkin.pain", "checkin.sens"}, asked.startswith("survey")
    found = []
    for pattern in (MOVED, *PAIN):
        found += [
            _score("pain_score", match)
            for match in pattern.finditer(text)
            if not off_scale(match) and not _VERY.match(text, match.start("n"))
        ]
    suffers = not survey and _OF_THE_BODY.search(text) and not _RATES.search(text)
    if not any(found) and suffers and not pain_asked:
        found = [
            _score("pain_score", match)
            for match in IN_POINTS.finditer(text)
            if not off_scale(match) and not _ADVERB.match(text, match.start("n"))
        ]
    if not any(found):
        kind = "pain_score" if pain_asked else "rating"
        patterns = (SOLE, NOW, IN_POINTS) if pain_asked else (SOLE, *RATING, IN_POINTS) if survey else RATING
        for pattern in patterns:
            found += [_score(kind, match) for match in pattern.finditer(text) if not off_scale(match)]
            if any(found):
                break
    if not any(found) and (pain_asked or survey):
        only = [match for match in ONLY_NUMBER.finditer(text) if not off_scale(match)]
        if len({match["n"] for match in only}) == 1:
            found = [_score("pain_score" if pain_asked else "rating", only[0])]
    if not any(found) and survey and (match := FULL_MARKS.search(text)):
        yield Found("rating", match.start(), match.end(), 5 if asked == "survey.csat" else 10)
    scores = {one.start: one for one in found if one is not None}
    now = [one for one in scores.values() if not _EARLIER.search(text[max(0, one.start - 8) : one.start])]
    if len(now) > 1 and _IN_ALL.search(text):
        now = [max(now, key=lambda one: one.start)]
    yield from now or scores.values()


def _score(kind: str, match: re.Match[str]) -> Found | None:
    """Return the number alone; of two (五六分) the higher pain, the lower rating: doubt counts against us."""
    words = match.groupdict()
    first, end = words["n"], match.end("n")
    numbers = [_decimal(first)]
    if words.get("m"):
        numbers.append(_decimal(words["m"]))
        end = match.end("m")
    elif len(first) == 2 and all(char in DIGITS for char in first) and not first.isdigit():
        numbers = [DIGITS[char] for char in first]
    known = [number for number in numbers if number is not None]
    if not known or len(known) != len(numbers) or not all(0 <= number <= 10 for number in known):
        return None
    value = max(known) if kind == "pain_score" else min(known)
    return Found(kind, match.start("n"), end, int(value) if value == int(value) else value)


def _decimal(words: str) -> float | None:
    if re.fullmatch(r"\d+(?:\.\d+)?", words, re.ASCII):
        return float(words)
    whole, _, tenth = words.partition("点")
    number = to_number(whole)
    if number is None:
        return None
    return number + (to_number(tenth) or 0) / 10 if tenth else float(number)


def _durations(plain: PlainText) -> Iterator[Found]:
    text = plain.text
    for match in DURATION.finditer(text):
        if _NOT_A_DURATION.match(text[match.end() : match.end() + 5]):
            continue
        before = text[match.start() - 1 : match.start()]
        if before and before in _NUMBER_GOES_ON and match.start() not in plain.breaks:
            continue
        if _AGE_BEFORE.search(text[max(0, match.start() - 3) : match.start()]) and "月" in match["unit"]:
            continue
        if match["unit"] == "年" and match["n"].isdigit() and int(match["n"]) >= A_BIRTH_YEAR:
            continue
        if _IDIOM.search(text[max(0, match.start() - 3) : match.end() + 3]):
            continue
        if match["unit"] in {"天", "年", "周"} and _SPAN_OF_DAYS.search(text[: match.start()][-2:]):
            continue
        if match["n"] == "几" and before not in _A_FEW_TOLD:
            continue
        if (match["n"] == "一" and _HOW_OFTEN.match(text, match.end())) or before == "隔":
            continue
        if match[0] in {"一天", "几天", "一晚", "一夜"} and _SOME_DAY.search(text[: match.start()][-1:]):
            continue
        value = _length(match)
        if value is not None:
            yield Found("duration", match.start(), match.end(), value)


def _length(match: re.Match[str]) -> str | None:
    unit = _ENGLISH_UNIT.get(match["unit"][:1], match["unit"]) if match["unit"].isascii() else match["unit"]
    unit = unit.removeprefix("个").removeprefix("整")
    half = bool(match["half"]) or unit.startswith("半")
    unit = unit.lstrip("半多来几")
    spoken = match["n"]
    rough = {"半": 0.5, "几": A_FEW, "好几": A_FEW, "数": A_FEW}
    number = rough[spoken] if spoken in rough else _decimal(spoken)
    if number is None or (unit == "月" and "个" not in match["unit"]):
        return None
    if len(spoken) == 2 and all(char in DIGITS for char in spoken) and not spoken.isdigit():
        number = float(DIGITS[spoken[0]])
    number += 0.5 if half else 0
    if unit in _SPELLS:
        return None if spoken == "半" else _iso(number * _SPELLS[unit], "小时")
    return _iso(number, unit)


def _iso(number: float, unit: str) -> str:
    if unit == "刻钟":
        return f"PT{int(number * 15)}M"
    if number == int(number):
        return _UNITS[unit].format(int(number))
    smaller = {
        "小时": ("PT{}M", 60),
        "钟头": ("PT{}M", 60),
        "天": ("PT{}H", 24),
        "年": ("P{}M", 12),
        "月": ("P{}D", 30),
    }
    pattern, factor = smaller.get(unit, ("P{}D", 7))
    return pattern.format(int(number * factor))
