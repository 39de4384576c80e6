"""What the tagger of symptoms sees of every character of a message.

The characters and words around it, what the rules found there and whether they hold it for asserted, and what stands
nearby that may deny, put off, suppose or renew it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import rjieba

from care.adapters.language.entity_symptoms import Finding
from care.adapters.language.normalise import MARKS

STEPS = (0.02, 0.06, 0.12, 0.25, 0.5, 0.75, 0.88, 0.94, 0.98)  # how much a message sounds like it, in ten steps
#: Words nearby that change how something stands; from one to the next clause they count differently.
CUES: Final = {
    "denied": re.compile(r"没有?|不(?!但|光|仅|停|断|止|住|得了|舒服|适|对劲)|无|未|别|并非|莫|勿"),
    "asked": re.compile(
        r"吗|么(?!多)|呢|？|会不会|是不是|有没有|多久|几天|多少|怎么|什么|哪|能不能|可不可以|要不要|正常不|行不|得不得|咩"
    ),
    "supposed": re.compile(r"如果|要是|万一|假如|若|的话|会(?!员)|怕|担心|害怕|恐|可能|以免|避免|预防|防止|等"),
    "past": re.compile(
        r"上次|上回|以前|之前|从前|小时候|去年|前年|当时|原来|曾|早年|那年|昨天|昨晚|前天|前两天|刚开始"
    ),
    "now": re.compile(r"现在|今天|今早|刚才|刚刚|还|又|一直|越来越|突然|开始|总|老是?|仍|依然|到现在|已经"),
    "over": re.compile(
        r"不[^，。]{0,2}了|没了|停了|止住|好了|消了|退了|好多|恢复|正常|没事|轻了|没再|散了|痊愈|解决|治好"
    ),
    "others": re.compile(
        r"同事|邻居|网友|闺蜜|同学|室友|别人|人家|有人|大家|听说|网上|视频|电视|小说|剧|书上|说明书|医生说|护士说|朋友"
    ),
    "self": re.compile(r"我|自己|妈|爸|娃|孩子|老公|老婆|媳妇|儿子|女儿|闺女|奶奶|爷爷|老伴"),
    "figure": re.compile(r"笑|钱|价|贵|哈|气死|心疼|麻烦|服务|态度|推荐|广告|剧|歌|手机"),
    "body": re.compile(r"牙|嘴|脸|唇|舌|龈|伤口|喉|嗓|腮|下巴|鼻|眼|头|脖|身|手|腿|膝|腰|线|冠|套|钉|骨|洞|坑|血"),
    "treated": re.compile(r"拔|种|植|手术|根管|补|洗牙|美白|矫|箍|麻药|拆线|术后|打针|装"),
}
TURNS = frozenset(("denied", "asked", "supposed", "past", "now", "over", "others"))
_WORDS = rjieba.Jieba()


def signs(text: str, findings: Sequence[Finding], chance: float) -> list[list[str]]:
    """Return what is seen of every character.

    Args:
        text: plain, not empty.
        findings: what the rules found in it.
        chance: how much the whole sounds like a message that names a symptom.
    """
    words = _words_around(text)
    by_rules, named = _by_rules(text, findings)
    cues = {name: [match.span() for match in cue.finditer(text)] for name, cue in CUES.items()}
    asserted, sounds = min(sum(one.asserted for one in findings), 3), int(np.searchsorted(STEPS, chance))
    edges = [0, *(place + 1 for place, char in enumerate(text) if char in MARKS), len(text)]
    around, rules = "^^^^" + text + "$$$$", ["^", *by_rules, "$"]
    seen: list[list[str]] = []
    clause = 0
    for place in range(len(text)):
        clause += place == edges[clause + 1] and clause + 2 < len(edges)
        start, end = edges[clause], edges[clause + 1]
        here, mark = around[place : place + 9], by_rules[place]
        one = [f"c{at}={here[at]}" for at in range(9)]
        one += [f"b{at}={here[at : at + 2]}" for at in range(1, 7)] + [
            f"t{at}={here[at : at + 3]}" for at in range(1, 6)
        ]
        one += [f"q={here[2:6]}", f"r={here[4:8]}", *words[place]]
        one += [f"R-={rules[place]}", f"R={mark}", f"R+={rules[place + 2]}", f"Rw={mark}{named[place]}"]
        one += [f"Rn={mark}{asserted}", f"n={asserted}", f"s={sounds}", f"sR={sounds}{mark}"]
        one += [f"a={min(place - start, 3)}", f"z={min(end - place, 4)}"]
        one += [f"k={min(clause, 3)}", f"l={min(len(edges) - 2 - clause, 3)}"]
        for name, spans in cues.items():
            told = _cue(name, spans, place, (start, end))
            one += told
            if name in TURNS:
                one += [f"{each}|{mark}" for each in told]
        seen.append(one)
    return seen


def _cue(name: str, spans: Sequence[tuple[int, int]], place: int, clause: tuple[int, int]) -> list[str]:
    """Return how far before and after in the clause a cue stands, and whether in other clauses."""
    if not spans:
        return []
    before = min((place - end for start, end in spans if clause[0] <= start and end <= place), default=None)
    after = min((start - place for start, end in spans if place < start and end <= clause[1]), default=None)
    told = [f"{name}*"]
    if before is not None:
        told.append(f"{name}<{(before > 0) + (before > 2) + (before > 6)}")
    if after is not None:
        told.append(f"{name}>{(after > 2) + (after > 6)}")
    if spans[0][1] <= clause[0]:
        told.append(f"{name}<<")
    if spans[-1][0] >= clause[1]:
        told.append(f"{name}>>")
    return told


def _words_around(text: str) -> list[list[str]]:
    words = ["^", "^", *_WORDS.cut(text, False), "$", "$"]
    seen: list[list[str]] = []
    for number in range(2, len(words) - 2):
        word = words[number]
        told = [f"w{at - number}={words[at]}" for at in range(number - 2, number + 3) if at != number]
        told += [f"ww-={words[number - 1]}|{word}", f"ww+={word}|{words[number + 1]}"]
        for place in range(len(word)):
            part = "S" if len(word) == 1 else "B" if place == 0 else "E" if place == len(word) - 1 else "M"
            seen.append([*told, f"w={word}|{part}", f"p={part}"])
    return seen


def _by_rules(text: str, findings: Sequence[Finding]) -> tuple[list[str], list[str]]:
    """Return for every character whether the rules found something there, and its words; the asserted go first."""
    marks, named = ["-"] * len(text), [""] * len(text)
    for one in sorted(findings, key=lambda each: each.asserted):
        for place in range(one.start, one.end):
            marks[place] = ("B" if place == one.start else "I") if one.asserted else "u"
            named[place] = text[one.start : one.end]
    return marks, named
