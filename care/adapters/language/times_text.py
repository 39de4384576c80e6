"""A text as the rules of time read it: Simplified, half width, one spelling of a word; every place traceable."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from opencc import OpenCC

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = re.compile(
    r"(?<![\d零〇一二三四五六七八九])[二2][零〇0o][一二三四五六七八九1-9][零〇一二三四五六七八九\d](?=年)"
)
_DIGIT = str.maketrans("零〇o一二三四五六七八九", "000123456789")


def _month_first(match: re.Match[str]) -> str:
    return f"{_MONTHS.index(match[1]) + 1}月{match[2]}号"


def _month_last(match: re.Match[str]) -> str:
    return f"{_MONTHS.index(match[2]) + 1}月{match[1]}号"


#: What is written in several ways, and the one way the rules know; later ones see what earlier ones wrote.
_WRITTEN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), right)
    for pattern, right in (
        (r"礼拜|(?:[里理李]拜|礼[百白败摆])(?=[一二三四五六日天1-6])", "星期"),
        (r"(?<!崇)拜(?=[一二三四五六日天])(?<!礼拜)", "周"),
        (r"星棋|星其|兴期|新期(?=[一二三四五六天日])|星期期", "星期"),
        (r"[州洲舟](?=[一二三四五六日末])(?<![一-龥][州洲舟])|(?<=[下这上本])[州洲舟](?=[一二三四五六日末])", "周"),
        (r"点中(?!间|午)", "点钟"),
        (r"(?<=\d)。(?=\d)", "."),
        (r"元月(?!份?供)", "一月"),
        (r"幺(?=[零一二三四五六七八九][月点号日])", "十"),
        (r"十零(?=[月点号日])", "十"),
        (r"仨(?=钟头|小时|星期|月)", "三个"),
        (r"俩(?=钟头|小时|星期|月)", "两个"),
        (r"明添|名天(?!下)", "明天"),
        (r"厚天(?=[上下早晚中能可有来去吧，]|$)|后田|後天", "后天"),
        (r"下舞|下五(?=[一二两三四五六]点)|下武", "下午"),
        (r"上舞|上武", "上午"),
        (r"(?<=[一二两三四五六七八九十])典(?=半|钟|$|[，。])", "点"),
        (r"(?:吃[完过了好罢]|吃好了|用过)([早午中晚])饭(?:以后|之后|过后|后)?", r"\1饭后"),
        (r"([早午中晚])饭(?:吃[完过好]了?|以后|之后|过后)", r"\1饭后"),
        (r"(下班|下课|放学)(?:了?以后|了?之后|了后|过后)", r"\1后"),
        (r"(接|送)[完了好]了?(?:孩子|娃娃?|小孩)(?:以后|之后|放学|上学|后)?", r"\1娃后"),
        (
            r"(?<!朝)早([一二三四五六七八九十]{1,2}|\d{1,2})点?[到至]?晚([一二三四五六七八九十]|\d{1,2})点?(?![饭上])",
            r"早\1点到晚\2点",
        ),
        (rf"(?<![a-z])({'|'.join(_MONTHS)})[a-z]{{0,6}}\.?\s*(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:a-z])", _month_first),
        (rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?(?: of)?\s*({'|'.join(_MONTHS)})(?![a-z]*\d)[a-z]{{0,6}}", _month_last),
        (r"(?<![a-z])(?:the )?day after tomorrow(?![a-z])", "后天"),
        (r"(?<![a-z])(?:in the )?afternoon(?![a-z])", "下午"),
        (r"(?<![a-z])(?:in the )?morning(?![a-z])", "上午"),
        (r"(?<![a-z])this evening(?![a-z])", "今晚"),
        (r"(?<![a-z])tomorrow(?![a-z])|(?<![a-z])tmr(?![a-z])", "明天"),
        (r"(?<![a-z])today(?![a-z])", "今天"),
        (r"(?<![a-z])tonight(?![a-z])", "今晚"),
        (r"(?<![a-z])next week(?![a-z])", "下周"),
        (r"(?<![a-z])weekend(?![a-z])", "周末"),
        (r"(?<![a-z])next (?=(?:mon|tue|wed|thu|fri|sat|sun))", "下"),
        (r"(?<![a-z])mon(?:day)?(?![a-z])", "周一"),
        (r"(?<![a-z])tue(?:s|sday)?(?![a-z])", "周二"),
        (r"(?<![a-z])wed(?:nesday)?(?![a-z])", "周三"),
        (r"(?<![a-z])thu(?:rs|rsday)?(?![a-z])", "周四"),
        (r"(?<![a-z])fri(?:day)?(?![a-z])", "周五"),
        (r"(?<![a-z])sat(?:urday)?(?![a-z])", "周六"),
        (r"(?<![a-z])sunday(?![a-z])", "周日"),
    )
)
_TIGHT = frozenset("点号月日时年分半周天上下早晚中")


@dataclass(frozen=True, slots=True)
class TimeWords:
    """Words ready for the rules.

    Attributes:
        original: the text as it came.
        text: its plain form.
        offsets: for each character of `text`, the half-open span of the original it stands for.
    """

    original: str
    text: str
    offsets: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, original: str) -> TimeWords:
        """Make the plain form; whatever the text."""
        chars, spans = _characters(original)
        for pattern, written in _WRITTEN:
            text = "".join(chars)
            for match in reversed(list(pattern.finditer(text))):
                right = match.expand(written) if isinstance(written, str) else written(match)
                start, end = match.span()
                whole = (spans[start][0], spans[end - 1][1])
                same = len(right) == end - start
                spans[start:end] = spans[start:end] if same else [whole] * len(right)
                chars[start:end] = list(right)
        plain = _YEAR.sub(lambda year: year[0].translate(_DIGIT), "".join(chars))
        return cls(original, plain, tuple(spans))

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stood in the original."""
        covered = self.offsets[start:end]
        if not covered:
            return 0, 0
        return covered[0][0], covered[-1][1]


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _characters(original: str) -> tuple[list[str], list[tuple[int, int]]]:
    flat = []
    for char in original:
        plain = unicodedata.normalize("NFKC", char) if char > "\x7f" and not "\ud800" <= char <= "\udfff" else char
        flat.append(plain.lower() if len(plain.lower()) == 1 else char)
    joined = "".join(char if not "\ud800" <= char <= "\udfff" else "?" for char in flat)
    simple = str(_converter().convert(joined.replace("\0", " ")))
    if len(simple) != len(joined):
        simple = joined
    chars: list[str] = []
    spans: list[tuple[int, int]] = []
    for place, char in enumerate(simple):
        if unicodedata.category(char)[0] in "CM" and char not in "\n\r\t":
            continue
        if char.isspace() and _droppable(simple, place):
            continue
        chars.append(" " if char.isspace() else char)
        spans.append((place, place + 1))
    return chars, spans


def _droppable(text: str, place: int) -> bool:
    """Whether a space only spreads one expression out (周 三, 下午 3 点) rather than parting two numbers."""
    before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    if text[place] in "\n\r" or not before or not after:
        return False
    if before.isdigit() and after.isdigit():
        return False
    return "\u4e00" <= after <= "\u9fff" or "\u4e00" <= before <= "\u9fff" or after in _TIGHT
