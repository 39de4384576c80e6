"""Phrases that are recognised by their sound, and the slips of voice input and pinyin keyboards.

Only phrases of three syllables or more are read by sound alone; of shorter ones at least one syllable has to be typed
in letters (发shao), for too many harmless words sound the same.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from pypinyin.constants import PINYIN_DICT

#: Read by sound. Chosen so that no everyday phrase sounds the same.
PHRASES = [
    "止不住",
    "停不下来",
    "张不开",
    "合不拢",
    "咽不下",
    "喘不上气",
    "喘不过气",
    "透不过气",
    "吸不上气",
    "呼吸困难",
    "睡不着觉",
    "退不下去",
    "消不下去",
    "没有知觉",
    "不想活了",
    "活着没意思",
    "喉咙堵住",
    "血流不止",
    "张不开嘴",
    "疼得睡不着",
    "胸口疼",
    "眼前一黑",
    "站不起来",
    "一直流血",
    "伤口裂开",
    "流口水",
    "反复发烧",
    "高烧不退",
    "嘴唇发紫",
    "说不出话",
    "麻药没退",
    "螺丝松了",
    "心慌气短",
]
#: Read when at least one syllable is in letters.
SHORT = [
    "流血",
    "出血",
    "发烧",
    "肿了",
    "化脓",
    "流脓",
    "麻木",
    "止血",
    "自杀",
    "想死",
    "跳楼",
    "割腕",
    "呼吸",
    "晕倒",
    "吞了",
    "过敏",
    "种植",
    "拔牙",
    "牙龈",
    "伤口",
    "脸肿",
    "好疼",
    "很疼",
    "疼死",
    "牙疼",
    "发炎",
    "红肿",
    "头晕",
    "恶心",
    "溃疡",
    "口臭",
    "松动",
    "渗血",
    "发麻",
    "脓包",
]
#: Slips that voice input and pinyin keyboards make, with what was meant.
MISSPELT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), right)
    for pattern, right in (
        (r"流雪|留血|硫血|流写", "流血"),
        (r"出雪(?=了|不|还|止)", "出血"),
        (r"发骚(?=.{0,12}(?:\d|度|热|烫|体温))|(?<=又)发骚|发稍了|法烧|发少了", "发烧"),
        (
            r"(?<=[脸腮唇眼龈颊])种(?!植|牙|的牙)|(?<=帮子)种|(?<=嘴巴)种(?!植|牙)|(?<=[更又还好])种(?=了|得|起|"
            r"的厉害)",
            "肿",
        ),
        (r"(?:中指|终止|种子|钟指|种止)(?=牙|一颗)|种值|重植|中植|种直|种殖", "种植"),
        (r"仲(?!裁|景|夏|秋)", "还"),
        (r"牙银|牙跟(?=肿|疼|出|流|发|烂)|牙艮", "牙龈"),
        (r"候咙|喉龙|侯咙", "喉咙"),
        (r"自鲨|自纱|自沙|紫砂(?!壶|杯|茶|锅|煲|泥|陶|花盆)|自s(?![a-z])", "自杀"),
        (r"想(?:4|s了?|si|死死)(?![a-z\d点分颗个片月日号天])", "想死"),
        (r"呼西|忽吸|呼息", "呼吸"),
        (r"[化流]农(?!村|民|业|药|历)|[化流]浓", "流脓"),
        (r"(?<=[点些又还更])钟(?=[，。！？了起得]|$)|(?<=[脸腮唇龈])钟", "肿"),
        (r"红种(?!人)", "红肿"),
        (r"(?<=[龈口肉牙根])发[言研盐](?!人)|发研", "发炎"),
        (r"麻目|嘛木", "麻木"),
        (r"亏疡|溃杨|溃扬|馈疡", "溃疡"),
        (r"淤清|瘀清|於青|於血", "淤青"),
        (r"松洞|松懂", "松动"),
        (r"恶新(?!闻)", "恶心"),
        (r"头运(?!河)|头云(?=[，。！？了]|$)", "头晕"),
        (r"(?<=[牙头好很])(?:腾|藤)(?=[，。！？了死得]|$)|(?<=[牙龈口])同(?=[，。！？了死得]|$)", "疼"),
        (r"渗雪|参血", "渗血"),
        (r"忍不鸟|受不鸟", "受不了"),
    )
)
_VAGUE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))


@cache
def sound_alikes() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return patterns of what sounds like a phrase, each with the phrase.

    A match may begin or end within a run of letters; whether it does, only the caller can see.
    """
    table = _characters_by_sound()
    by_sound = [(re.compile("".join(_syllable(char, table) for char in phrase)), phrase) for phrase in PHRASES]
    lettered = [(re.compile(_one_lettered(phrase)), phrase) for phrase in SHORT]
    return (*by_sound, *lettered)


def plain_sound(reading: str) -> str:
    """Return a pinyin reading without tones and without the differences that many speakers do not make."""
    letters = unicodedata.normalize("NFD", reading.replace("ü", "v").replace("Ü", "v"))
    sound = "".join(char for char in letters if "a" <= char <= "z")
    for careful, loose in _VAGUE:
        sound = sound.replace(careful, loose)
    return sound


@cache
def _characters_by_sound() -> dict[str, str]:
    table: dict[str, set[str]] = {}
    for code in _everyday_characters():
        for reading in PINYIN_DICT.get(code, "").split(","):
            table.setdefault(plain_sound(reading), set()).add(chr(code))
    return {sound: "".join(sorted(chars)) for sound, chars in table.items()}


def _everyday_characters() -> list[int]:
    """The 3,755 characters of the first level of GB 2312."""
    found = []
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                found.append(ord(bytes((high, low)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return found


def _spellings(char: str) -> list[str]:
    readings = PINYIN_DICT.get(ord(char), "").split(",")
    plain = {"".join(c for c in unicodedata.normalize("NFD", one) if "a" <= c <= "z") for one in readings}
    return sorted(one for one in plain if one)


def _syllable(char: str, table: dict[str, str]) -> str:
    sounds = {plain_sound(reading) for reading in PINYIN_DICT.get(ord(char), "").split(",")}
    alike = "".join(table.get(sound, "") for sound in sorted(sounds))
    letters = "|".join(_spellings(char))
    return f"(?:[{char}{alike}]|{letters})"


def _one_lettered(phrase: str) -> str:
    first, second = phrase[0], phrase[1]
    one, two = "|".join(_spellings(first)), "|".join(_spellings(second))
    return f"(?:{one}){second}|{first}(?:{two})|(?:{one})'?(?:{two})"
