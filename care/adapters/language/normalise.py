"""One plain form of what a member typed, for matching only; the message itself is never rewritten.

Full width, Traditional, invisible characters, spaced-out words, emoji, spoken temperatures, and the misspellings that
voice input and pinyin keyboards make. Every character of the plain form knows where it came from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from itertools import pairwise

from opencc import OpenCC

from care.adapters.language.soundalike import MISSPELT, sound_alikes

REMEMBERED = 256  # plain forms kept, because several readers look at the same message
STOPS = "。？！；"
MARKS = "，" + STOPS
#: Characters that only mean something else in another region or register, one for one.
FOLD = str.maketrans(
    {
        "痛": "疼",
        "著": "着",
        "唔": "不",
        "勿": "不",
        "弗": "不",
        "冇": "没",
        "咗": "了",
        "嘅": "的",
        "啦": "了",
        "咯": "了",
        "喽": "了",
        "嘞": "了",
        "咧": "了",
        "俺": "我",
        "咱": "我",
        "忒": "太",
        "佢": "他",
        "她": "他",
        "它": "他",
        "妳": "您",
        "你": "您",
        "嘛": "吗",
        "麽": "么",
        "脹": "胀",
        "喺": "在",
        "睇": "看",
        "嚟": "来",
        "嗰": "那",
        "咁": "这么",
        "食": "吃",
        "攰": "累",
        "瞓": "睡",
        "谂": "想",
        "畀": "给",
        "俾": "给",
        "剥": "拔",
        "啲": "些",
        "冧": "倒",
        "脷": "舌",
        "痹": "麻",
        "痺": "麻",
        "仨": "三",
        "俩": "两",
        "哋": "们",
    }
)
PUNCTUATION = {
    **dict.fromkeys(",，:：、（）()【】[]「」『』“”\"'‘’<>《》/|", "，"),
    **dict.fromkeys(".。．…—\n\r\u2028\u2029\x85", "。"),
    **dict.fromkeys("?？", "？"),
    **dict.fromkeys("!！", "！"),
    **dict.fromkeys(";；", "；"),
    "、": "、",
}
EMOJI = {
    "🤒": "发烧",
    "🥵": "好热",
    "🩸": "血",
    "🤮": "吐",
    "🤢": "恶心",
    "😵": "头晕",
    "😢": "流泪",
    "😭": "大哭",
    "🥺": "委屈",
    "😡": "生气",
    "🤬": "生气",
    "😠": "生气",
    "😨": "害怕",
    "😱": "害怕",
    "😰": "担心",
    "😟": "担心",
    "😔": "难过",
    "😞": "难过",
    "💔": "心碎",
    "😊": "开心",
    "😄": "开心",
    "😀": "开心",
    "🥰": "开心",
    "👍": "很好",
    "🔪": "刀",
    "😂": "笑哭",
    "🤣": "笑哭",
}
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "幺": 1}
_CN = "零〇一二两三四五六七八九"
_FEVERISH = r"体温|温度计|体温计|体温表|额温|耳温|烧|发热|量了|量出|量的|量完|红了|℃"
_NOT_DEGREES = r"(?!\d|元|块|万|折|%|岁|公斤|斤|分钟|号|平|公里|米|毫|路|年)"
_TENS = r"(?:三[五六七八九](?=度|点|°)|四[零〇一](?=度|点|°)|(?:三十|卅)[五六七八九]|四十[一二]?|3[5-9]|4[0-2])"
_DECIMAL = re.compile(
    rf"(?<![\d.])({_TENS})(?:度|°c|°|点|\.|。|，|：)({'[' + _CN + '半]'}|\d)(?:度|°c|°)?{_NOT_DEGREES}"
)
_WHOLE = re.compile(rf"(?<![\d.])({_TENS})(?:度|°c|°)(多|几)?(?!\d)")
_RUN = re.compile(
    rf"(?<![\d.{_CN}十])(3[5-9]\d|4[01]\d|三[五六七八九][{_CN}]|四[零〇一][{_CN}])(?:度)?(?![{_CN}十]){_NOT_DEGREES}"
)
#: The 儿 of northern speech after words that are as well without it.
_ERHUA = re.compile(r"([劲点会块气味缝这那哪事眼份片根边弯样丝孔粒圈阵])儿(?![子女童科歌])")


@dataclass(frozen=True, slots=True)
class Normalised:
    """The plain form of a text.

    Attributes:
        text: lower-case Simplified Chinese without spaces between Han characters; `，。？！；、` are the only marks.
        offsets: for every character of `text`, the half-open span of the original it stands for.
        breaks: positions in `text` before which the member left a gap (space, line, emoji) that may end a clause.
        length: characters of the original.
    """

    text: str
    offsets: tuple[tuple[int, int], ...]
    breaks: frozenset[int] = frozenset()
    length: int = 0

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stood in the original, as a half-open span of characters."""
        covered = self.offsets[max(start, 0) : max(end, 0)]
        if not covered:
            here = self.offsets[start][0] if 0 <= start < len(self.offsets) else self.length
            return here, here
        return min(first for first, _ in covered), max(last for _, last in covered)


@dataclass(slots=True)
class _Draft:
    """A text under work: characters, where each came from, and the gaps between."""

    chars: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    gaps: list[bool] = field(default_factory=list)  # a gap before this character

    def add(self, chars: str, span: tuple[int, int], *, gap: bool) -> None:
        for number, char in enumerate(chars):
            self.chars.append(char)
            self.spans.append(span)
            self.gaps.append(gap and number == 0)

    def replace(
        self, pattern: re.Pattern[str], make: Callable[[re.Match[str]], str | None], *, whole: bool = False
    ) -> None:
        """Put `make(match)` in place of every match; None leaves it as it is.

        With `whole`, every new character stands for the whole match even where the lengths agree.
        """
        text = "".join(self.chars)
        if len(text) != len(self.chars):
            return
        for match in reversed(list(pattern.finditer(text))):
            new = make(match)
            if new is None or new == match[0] or not match[0]:
                continue
            start, end = match.span()
            if len(new) == end - start and not whole:
                self.chars[start:end] = list(new)
                continue
            span = (self.spans[start][0], self.spans[end - 1][1])
            self.chars[start:end] = list(new)
            self.spans[start:end] = [span] * len(new)
            self.gaps[start:end] = [self.gaps[start]] + [False] * (len(new) - 1)


@lru_cache(REMEMBERED)
def normalise(text: str) -> Normalised:
    """Return the plain form of `text`; never raises, whatever the text."""
    draft = _characters(text)
    _join_spaced_words(draft)
    _misspellings(draft)
    _temperatures(draft)
    return Normalised(
        text="".join(draft.chars),
        offsets=tuple(draft.spans),
        breaks=frozenset(place for place, gap in enumerate(draft.gaps) if gap and place),
        length=len(text),
    )


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


@cache
def _simplified(char: str) -> str:
    return str(_converter().convert(char))


def fold(text: str) -> str:
    """Return `text` as patterns and messages are compared: Simplified, lower case, one spelling of a word."""
    return _to_simplified(unicodedata.normalize("NFKC", text).lower()).translate(FOLD)


def _to_simplified(text: str) -> str:
    """Convert one by one: the converter's own phrases change words that are Simplified already (打坏)."""
    return "".join(_simplified(char) for char in text)


def _characters(text: str) -> _Draft:
    """Drop what cannot be seen, turn the rest into plain characters one by one."""
    draft, gap, previous = _Draft(), False, ""
    for place, raw in enumerate(text):
        if raw in EMOJI:
            draft.add(EMOJI[raw], (place, place + 1), gap=True)
            gap = True
            continue
        for char in _simple_form(raw):
            kind = unicodedata.category(char)
            if char in PUNCTUATION and not _inside_number(char, previous, text, place):
                draft.add(PUNCTUATION[char], (place, place + 1), gap=False)
                gap = False
            elif char in "-~–—" and previous.isdigit() and text[place + 1 : place + 2].isdigit():
                draft.add("到", (place, place + 1), gap=False)
            elif kind[0] == "Z" or char in "\t~～·*_-+=^`@#&•" or (kind[0] == "S" and char not in "°℃%"):
                gap = True
            elif kind[0] in "CM":
                continue
            elif kind[0] == "P" and char not in ".%:":
                draft.add("，", (place, place + 1), gap=False)
            else:
                draft.add(char.translate(FOLD), (place, place + 1), gap=gap)
                gap = False
        previous = raw
    return draft


@cache
def _simple_form(char: str) -> str:
    """Return the plain form of one character; nothing for half of a surrogate pair."""
    if 0xD800 <= ord(char) <= 0xDFFF:
        return ""
    return _to_simplified(unicodedata.normalize("NFKC", char).lower())


def _inside_number(char: str, previous: str, text: str, place: int) -> bool:
    following = text[place + 1] if place + 1 < len(text) else ""
    return char in ".．:：" and previous.isdigit() and following.isdigit()


def _join_spaced_words(draft: _Draft) -> None:
    """Take the marks out of words written one character at a time: 流.血.不.止, 流 血 不 止."""
    keep: list[int] = []
    text = draft.chars
    loose = [place for place, char in enumerate(text) if char in "，。、"]
    drop: set[int] = set()
    for run in _runs(loose):
        if len(run) >= 2 and all(_han(text, place - 1) and _han(text, place + 1) for place in run):
            drop.update(run)
    keep = [place for place in range(len(text)) if place not in drop]
    if drop:
        draft.chars = [draft.chars[place] for place in keep]
        draft.spans = [draft.spans[place] for place in keep]
        draft.gaps = [draft.gaps[place] for place in keep]
    _forget_single_gaps(draft)


def _runs(places: list[int]) -> Iterable[list[int]]:
    """Group marks that stand exactly one character apart."""
    run: list[int] = []
    for place in places:
        if run and place - run[-1] != 2:
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _forget_single_gaps(draft: _Draft) -> None:
    """A gap on both sides of one Han character parts characters, not clauses."""
    places = [place for place, gap in enumerate(draft.gaps) if gap]
    lone = {
        second
        for first, second in pairwise([0, *places, len(draft.chars)])
        if second - first == 1 and second < len(draft.chars) and not _latin(draft.chars[first])
    }
    for place in lone:
        draft.gaps[place] = False


def _latin(char: str) -> bool:
    return "a" <= char <= "z"


def _han(chars: list[str], place: int) -> bool:
    return 0 <= place < len(chars) and "\u4e00" <= chars[place] <= "\u9fff"


def _misspellings(draft: _Draft) -> None:
    draft.replace(_ERHUA, lambda match: match[1])
    for pattern, right in (*MISSPELT, *sound_alikes()):
        draft.replace(pattern, partial(_if_words, draft, right))


def _if_words(draft: _Draft, right: str, match: re.Match[str]) -> str | None:
    """Return `right`, unless the match begins or ends within a run of letters."""
    for place in (match.start(), match.end()):
        sides = draft.chars[place - 1 : place + 1] if place else []
        if len(sides) == 2 and not draft.gaps[place] and all(_latin(char) for char in sides):
            return None
    return right


def _temperatures(draft: _Draft) -> None:
    draft.replace(_DECIMAL, _spoken_decimal, whole=True)
    draft.replace(_WHOLE, lambda m: f"{_tens(m[1])}.0度", whole=True)
    text = "".join(draft.chars)
    if re.search(_FEVERISH, text):
        draft.replace(
            _RUN,
            lambda m: (
                (f"{''.join(str(_digit(char)) for char in m[1][:2])}.{_digit(m[1][2])}度")
                if _near(text, m.start(), _FEVERISH)
                else None
            ),
        )


def _spoken_decimal(match: re.Match[str]) -> str:
    plain = match[0][len(match[1])] == "." and not match[0].endswith(("度", "°", "c"))
    return match[0] if plain else f"{_tens(match[1])}.{_digit(match[2])}度"


def _near(text: str, place: int, words: str, reach: int = 10) -> bool:
    return re.search(words, text[max(0, place - reach) : place + reach]) is not None


def _tens(words: str) -> int:
    return int(words) if words.isdigit() else _number(words)


def _digit(word: str) -> int:
    if word == "半":
        return 5
    return int(word) if word.isdigit() else _DIGITS[word]


def _number(words: str) -> int:
    if len(words) == 2 and words[0] in _DIGITS and words[1] in _DIGITS:
        return _DIGITS[words[0]] * 10 + _DIGITS[words[1]]
    tens, _, ones = words.replace("卅", "三十").partition("十")
    return _DIGITS.get(tens, 1) * 10 + (_DIGITS[ones] if ones else 0)


def number(words: str) -> float | None:
    """Return the value of a small number in digits or Chinese numerals up to 99 (半 is a half), else None."""
    if re.fullmatch(r"\d{1,4}(?:\.\d{1,2})?", words, re.ASCII):
        return float(words)
    if words == "半":
        return 0.5
    if re.fullmatch(rf"[{_CN}]", words):
        return float(_DIGITS[words])
    if re.fullmatch(rf"[{_CN}]?十[{_CN}]?", words):
        return float(_number(words))
    return None
