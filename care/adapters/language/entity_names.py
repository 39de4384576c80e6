"""Names of the pack in a text: services, practitioners, branches; exact, stretched (洗个牙) and misspelt by sound.

A name is never read inside another word, and never by sound alone: at least one of its characters has to be there.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pypinyin import lazy_pinyin
from pypinyin.constants import PINYIN_DICT

from care.adapters.language.entity_text import Found, PlainText, is_word
from care.adapters.language.normalise import fold
from care.adapters.language.soundalike import plain_sound
from care.model.entities import Vocabulary

TITLES = "医生|医师|主任|大夫|老师|护士长|护士|院长|教授|专家|洁牙师|医助"
MEASURE = (
    r"(?:了|过|完|好|掉|上|下来|出来|个|掉了|完了)?的?(?:[左右上下]{1,2}(?:边|面|"
    r"颌)?的?)?(?:[一两二三四五六几半多\d]{0,2}(?:个|颗|次|下|回|口|排|只|粒|遍)|一下|下)?"
    r"(?:的|后槽|智|假|好|残)?(?:[大坏烂蛀前后门乳虫])?"
)
#: What a name of the pack means something else beside; after it, and before it.
NOT_BEFORE = {
    "拔牙": "窝|创|的?洞|的?(?:坑|窟窿)",
    "漂白": "剂|水|粉",
    "冷光": "灯",
    "洗白": "白",
    "全瓷": "的碗|碗|盘",
    "贴片": "电|机",
    "氟化": "钠|物|泡沫|牙膏|氢|亚锡",
    "做检查": "报告|单",
    "补牙": "材料掉|的?材料掉",
    "洁牙": "师",
    "洗牙": "器|粉",
    "种植": "体|钉|户|业|园|大棚|基地|技术员|面积|庄稼|水稻|花",
    "美白": "牙膏|面膜|精华|针|皮肤|霜|产品|仪|牙贴|护肤|丸|祛斑",
    "矫正": "视力|坐姿|姿势|体态|腿型|骨盆",
    "贴面": "礼|舞",
    "西湖": "玩|逛|区|边|醋鱼|龙井|景|风景|音乐|文化|大学|游|里|十景|银泰",
    "滨江": "区|公园|大道|人|银泰|龙湖|边|路",
    "看牙": "医|套|周|缝",
    "看看牙": "医|套|周|缝",
    "复诊": "率",
    "智齿": "冠",
}
NOT_AFTER = {"西湖": "住在|家在|住|逛|玩|游", "滨江": "住在|家在|住|杭州市", "看牙": "好|难"}
#: Differing from a name by one of these is chance, not a slip: the commonest words of all.
EVERYDAY = frozenset(
    "不没吧呀啊的了我您他在有是就都也还和跟给把被让到去来说做要想能会可这那个一很太真好大小多少爸妈叫等问"
    "人天年月日上下里中出时后前家店您吗么呢着过得地为以对起自样所看听用从比更最再又才只吃喝"
)
_NOT_A_SURNAME = {
    "高": "提最更较很身增偏太",
    "何": "任如为",
    "周": "上下这本每一两三四半几",
    "方": "地对官双多远大各一",
    "林": "森树园",
}
#: A dictionary word that begins with one of these and runs into a service is no word of its own (没洗 in 没洗牙).
_BEFORE_A_VERB = frozenset("没不想要再去来就也都能会得该先刚还又可")
_VERBS = frozenset("拔洗补种抽杀戴装换拆贴")
_AFTER_A_VERB = re.compile(rf"[{''.join(sorted(_BEFORE_A_VERB))}]$|[做洗拔种补弄打]完$|牙$")
_LETTERS = re.compile(r"[a-z]+")
_DOCTOR = r"(?:dr|doctor)"


@dataclass(frozen=True, slots=True)
class _Name:
    kind: str
    code: str
    text: str
    sounds: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A Han character or a pinyin syllable in letters, with where it stands."""

    start: int
    end: int
    sounds: frozenset[str]


class NameReader:
    """Finds the pack's names. Built once a process; safe to share between threads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        kinds = (
            ("service", vocabulary.services),
            ("practitioner", vocabulary.practitioners),
            ("clinic", vocabulary.clinics),
        )
        self._codes: dict[str, tuple[str, str]] = {}
        for kind, names in kinds:
            for code, words in names.items():
                for word in words:
                    self._codes.setdefault(fold(word).replace(" ", ""), (kind, code))
        self._exact = re.compile("|".join(re.escape(name) for name in sorted(self._codes, key=len, reverse=True)))
        self._stretched = [
            (re.compile(_stretched(name)), code)
            for name, (kind, code) in self._codes.items()
            if kind == "service"
            and (
                (len(name) == 2 and name[1] in "牙线氟力")
                or (len(name) == 3 and name[0] in _VERBS and name[1] != "个")
            )
        ]
        self._people = _People(vocabulary)
        self._by_sound: dict[str, list[_Name]] = defaultdict(list)
        for text, (kind, code) in self._codes.items():
            name = _Name(kind, code, text, _usual_sounds(text))
            if len(text) < 2 or not all(name.sounds) or (kind == "practitioner" and re.search(TITLES, text)):
                continue
            for sound in name.sounds[0]:
                self._by_sound[sound].append(name)

    def read(self, plain: PlainText) -> Iterator[Found]:
        """Yield every name, overlapping ones included; the caller keeps the longest."""
        if not self._codes:
            return
        yield from self._exactly(plain)
        for pattern, code in self._stretched:
            for match in pattern.finditer(plain.text):
                if match[0] not in self._codes and match.start() not in plain.inside:
                    yield Found("service", match.start(), match.end(), code)
        yield from self._people.read(plain)
        yield from self._sounding_alike(plain)

    def _exactly(self, plain: PlainText) -> Iterator[Found]:
        for match in self._exact.finditer(plain.text):
            name, start, end = match[0], match.start(), match.end()
            kind, code = self._codes[name]
            cut = start in plain.inside and not (kind == "service" and _AFTER_A_VERB.search(plain.text[:start][-2:]))
            if name.isascii():
                cut = not plain.begins_latin(start)
            cut = cut or (kind == "practitioner" and len(name) == 2 and end in plain.inside)
            if cut or _means_something_else(name, plain.text, start, end):
                continue
            if kind == "practitioner" and start and plain.text[start - 1] in _NOT_A_SURNAME.get(name[0], ""):
                continue
            yield Found(kind, start, end, code)

    def _sounding_alike(self, plain: PlainText) -> Iterator[Found]:
        units = _units(plain.text)
        for place, unit in enumerate(units):
            for sound in unit.sounds:
                for name in self._by_sound.get(sound, ()):
                    window = units[place : place + len(name.text)]
                    if len(window) == len(name.text) and all(
                        one.sounds & wanted for one, wanted in zip(window, name.sounds, strict=True)
                    ):
                        found = self._accepted(plain, window, name)
                        if found is not None:
                            yield found

    def _accepted(self, plain: PlainText, window: list[_Unit], name: _Name) -> Found | None:
        start, end = window[0].start, window[-1].end
        heard = plain.text[start:end]
        if heard == name.text or any(one.end != other.start for one, other in pairwise(window)):
            return None
        parts = [plain.text[unit.start : unit.end] for unit in window]
        same = sum(part == char for part, char in zip(parts, name.text, strict=True))
        other = [part for part, char in zip(parts, name.text, strict=True) if part != char]
        letters = all(part.isascii() for part in parts)
        if letters:
            return Found(name.kind, start, end, name.code) if len(name.text) >= 2 else None
        if not same or not plain.is_whole(start, end) or is_word(heard):
            return None
        if name.kind == "practitioner" and (parts[0] != name.text[0] and len(name.text) < 3):
            return None
        if any(part in EVERYDAY for part in other) and same < 2:
            return None
        if _means_something_else(name.text, plain.text, start, end):
            return None
        return Found(name.kind, start, end, name.code)


class _People:
    """Practitioners by surname and title (王主任), given name and title, and Dr Wang."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        surnames: dict[str, list[str]] = defaultdict(list)
        self._given: dict[str, str] = {}
        for code, words in vocabulary.practitioners.items():
            full = next((word for word in words if not re.search(TITLES, word)), "")
            if full:
                surnames[fold(full)[0]].append(code)
                if len(full) == 3:
                    self._given[fold(full)[1:]] = code
        self._surnames = {surname: codes[0] for surname, codes in surnames.items() if len(codes) == 1}
        spelt: dict[str, list[str]] = defaultdict(list)
        for surname, code in self._surnames.items():
            for spelling in spellings(surname):
                spelt[spelling].append(code)
        self._spelt = {spelling: codes[0] for spelling, codes in spelt.items() if len(codes) == 1}
        if not self._surnames:
            self._titled = self._heard = self._latin = None
            return
        names = "".join(self._surnames)
        given = "|".join([*self._given, "(?!)"])
        self._titled = re.compile(rf"(?P<who>[{names}]|{given})(?:{TITLES}|{_DOCTOR}(?![a-z]))")
        self._heard = re.compile(rf"(?P<who>[{names}]|{given})(?P<title>[\u4e00-\u9fff]{{2}})")
        latin = "|".join([*sorted(self._spelt, key=len, reverse=True), "(?!)"])
        self._latin = re.compile(
            rf"{_DOCTOR}[。，]?(?P<a>[{names}]|(?:{latin}))|(?P<b>{latin})(?:{TITLES}|{_DOCTOR})"
        )

    def read(self, plain: PlainText) -> Iterator[Found]:
        """Yield practitioners named by part of their name and a title."""
        if self._titled is None or self._heard is None or self._latin is None:
            return
        for match in self._titled.finditer(plain.text):
            if self._begins(plain, match.start()):
                yield Found("practitioner", match.start(), match.end(), self._code(match["who"]))
        for match in self._heard.finditer(plain.text):
            if self._begins(plain, match.start()) and self._title_by_ear(plain, match):
                yield Found("practitioner", match.start(), match.end(), self._code(match["who"]))
        for match in self._latin.finditer(plain.text):
            if not plain.is_latin_word(*match.span()):
                continue
            who = match["a"] or match["b"]
            yield Found("practitioner", match.start(), match.end(), self._spelt.get(who) or self._surnames[who])

    def _code(self, who: str) -> str:
        return self._surnames.get(who) or self._given[who]

    def _begins(self, plain: PlainText, start: int) -> bool:
        before = plain.text[start - 1 : start] if start else ""
        if start in plain.inside and before not in {"小", "老"}:
            return False
        return not before or before not in _NOT_A_SURNAME.get(plain.text[start], "")

    def _title_by_ear(self, plain: PlainText, match: re.Match[str]) -> bool:
        title = match["title"]
        if re.fullmatch(TITLES, title) or match.end() in plain.inside:
            return False
        heard = (sounds_of(title[0]), sounds_of(title[1]))
        if "yi" in heard[0] and "sen" in heard[1]:
            near = "医" in title or (title[1] == "生" and not is_word(match[0]))
            return near and not (title[0] == "一" and match["who"] in {"周", "高"})
        return ("zu" in heard[0] and "ren" in heard[1] and "任" in title) or (
            title in {"大付", "大伏", "代夫", "待夫", "主人", "医森", "医声"}
        )


def _stretched(name: str) -> str:
    """Return the pattern of a verb and its object with what may stand between: 洗个牙, 拔的那颗牙, 拆了线."""
    verb, thing = name[0], name[1:]
    pattern = f"{verb}(?:{verb}|{MEASURE}){thing}"
    return f"{pattern}(?!冠|套|龈|缝|刷|膏)|(?<=[想要约去来做个]){verb}呀(?!呀)" if thing == "牙" else pattern


@lru_cache(maxsize=8192)
def sounds_of(char: str) -> frozenset[str]:
    """Return how a character can sound, without tones and regional differences."""
    readings = PINYIN_DICT.get(ord(char), "") if len(char) == 1 else ""
    return frozenset(sound for one in readings.split(",") if (sound := plain_sound(one)))


def _usual_sounds(name: str) -> tuple[frozenset[str], ...]:
    """Return how a name is said; what its characters can sound like elsewhere (洗 as a surname) does not count."""
    return tuple(
        frozenset({plain_sound(sound)}) if sounds_of(char) else frozenset()
        for char, sound in zip(name, lazy_pinyin(list(name)), strict=True)
    )


@lru_cache(maxsize=64)
def spellings(char: str) -> tuple[str, ...]:
    """Return how a surname is spelt in letters; its commonest reading alone."""
    return tuple(lazy_pinyin(char))


@lru_cache(maxsize=1)
def _syllables() -> dict[str, str]:
    """Every pinyin syllable in letters, with its plain sound."""
    table: dict[str, str] = {}
    for code in range(0x4E00, 0x9FA6):
        spelt = unicodedata.normalize("NFD", PINYIN_DICT.get(code, "").split(",")[0])
        letters = "".join(char for char in spelt if "a" <= char <= "z")
        if letters:
            table[letters] = plain_sound(letters)
    return table


def _units(text: str) -> list[_Unit]:
    units = [
        _Unit(place, place + 1, sounds_of(char)) for place, char in enumerate(text) if "\u4e00" <= char <= "\u9fff"
    ]
    for match in _LETTERS.finditer(text):
        units.extend(_spelt(match[0], match.start()))
    return sorted(units, key=lambda unit: unit.start)


def _spelt(letters: str, start: int) -> list[_Unit]:
    """Cut a run of letters into pinyin syllables, longest first; nothing when it does not come out even."""
    if not 2 <= len(letters) <= 24:
        return []
    table, units, place = _syllables(), [], 0
    while place < len(letters):
        for length in range(min(6, len(letters) - place), 0, -1):
            sound = table.get(letters[place : place + length])
            if sound:
                units.append(_Unit(start + place, start + place + length, frozenset({sound})))
                place += length
                break
        else:
            return []
    return units


def _means_something_else(name: str, text: str, start: int, end: int) -> bool:
    after, before = NOT_BEFORE.get(name), NOT_AFTER.get(name)
    return bool(
        (after and re.match(after, text[end : end + 4]))
        or (before and re.search(f"(?:{before})$", text[max(0, start - 4) : start]))
    )
