"""What is felt or seen now: symptoms in everyday words, kept only when they are asserted.

Two kinds of words. Some mean a symptom wherever they stand (流脓, 合不拢). Others are common syllables (酸, 麻, 红)
that mean one beside a part of the body, a word of degree, their own double, or a complement (酸得很). What
stands around decides whether a find is so of now: see `entity_scope`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from care.adapters.language import entity_symptom_words as words
from care.adapters.language.entity_scope import is_asserted
from care.adapters.language.entity_text import Found, PlainText


@dataclass(frozen=True, slots=True)
class Finding:
    """Words of a symptom in a plain text, and whether they are said to be so of now."""

    start: int
    end: int
    asserted: bool


def _guard(choice: str) -> str:
    """Return the alternatives, each followed by none of what makes another word of it."""
    return "|".join(
        f"{word}(?!{words.NOT_AFTER[word]})" if word in words.NOT_AFTER else word
        for word in sorted(choice.split("|"), key=len, reverse=True)
    )


_FIGURE = re.compile(words.FIGURE)
SYMPTOM = re.compile("|".join(words.ALWAYS))
_FELT = _guard(words.FELT)
_BESIDE_PART = _guard(f"{words.FELT}|{words.IN_PART}|{words.SEEN}")
_SEEN_SO = _guard("红|紫|硬|黄|黑|烂|歪|鼓|软|白|青")
_COMPLETED = _guard(f"{words.FELT}|红|紫|烂|硬|晕|黑|歪")
#: Every pattern names its symptom `word`.
IN_COMPANY = (
    re.compile(rf"{words.PART}{words.BETWEEN}{words.DEGREE}{{0,4}}(?P<word>{_BESIDE_PART})(?=[^性])"),
    re.compile(rf"{words.PART}{words.BETWEEN}{words.DEGREE}{{0,4}}(?P<word>{words.FELT}|{words.SEEN})$"),
    re.compile(
        r"(?:有一?点点?|有些|稍微|略微|微微|轻微|还是|一直|一阵阵|一阵|阵阵|隐隐|又|很|好|太|挺|特别|超级?|巨|贼|"
        r"老是?|总是?|还|直|发|越来越|更|偶尔|时不时|少少|都)(?:有一?点点?|有些|是|会|很|在|挺)?"
        rf"(?P<word>{_FELT})"
    ),
    re.compile(
        rf"{words.PART}[^。！？；]{{0,12}}?(?:有一?点点?|有些|很|好|太|特别|非常|又|还|都)"
        rf"(?P<word>{_SEEN_SO})(?=[，。！？了]|$)"
    ),
    # Felt whenever something is done: 一咬就酸一下, 碰到会麻.
    re.compile(rf"[咬碰喝吃刷漱吸按舔][^，。！？；]{{0,8}}(?:就|都|会)(?:有点|很|特别)?(?P<word>{_FELT})"),
    re.compile(r"(?:嘴|口腔|牙缝|伤口|创口|洞里|纱布|闻着)[^，。！？；]{0,6}?(?P<word>味(?!蕾|觉|精)道?)"),
    re.compile(r"(?:^|[，。！？；])(?:都|全|又|还)?(?P<word>青|紫)了"),
    re.compile(r"(?:牙|冠|螺丝|基台|桩)[^，。！？；]{0,3}?(?P<word>转圈|转动|会转|能转|能拔下来)"),
    # A look that lasts: 还青着, 一直红着.
    re.compile(r"(?P<word>青|紫|红|歪|鼓|黑|耷拉|翘)着"),
    re.compile(rf"(?P<word>{_COMPLETED}){words.COMPLEMENT}"),
    re.compile(rf"(?P<word>{words.DOUBLED})"),
    # The whole message, or the whole clause, is the word.
    re.compile(
        rf"(?:^|[，。！？；])(?:还是|就是|是|又|还|现在|好像)?(?P<word>{words.FELT})"
        r"(?:了|的|啊|呀|死了|着呢|着)?(?=[，。！]|$)"
    ),
)
ENGLISH = re.compile(words.ENGLISH)
_ASKED_IN_ENGLISH = re.compile(r"(?:^|[，。！？])(?:is|does|will|do|can|would|how|what|if)[^，。！？]*$")
_NAMES_A_THING = re.compile(r"level|score|killer|free")
PINYIN = re.compile(words.PINYIN)
#: 痛 in letters; only as a word of its own.
_LONE_PAIN = re.compile(r"t[oe]ng")

_STILL_SWOLLEN = re.compile(
    r"(?:没|没有|还没|不|未)(?:完?全|怎么|彻底|太)?消?肿|肿(?:胀)?(?:还|也|都|一直|迟迟|老|总|怎么)*(?:没|"
    r"不)(?:有|完?全|怎么|见|彻底)*(?:消|退|下去)"
)
_STILL_THERE = re.compile(
    r"(?P<what>麻木感?|麻|疼|血|烧|酸|胀|淤青|肿)(?:胀|感)?(?:还|也|都|一直|迟迟|老|总|怎么|到现在)*(?:没|没有|"
    r"不)(?:有|完全|全|怎么|见|彻底)*"
    r"(?:消失|消退|消|退完|退(?!烧)|停|止住|好转|缓解|下去|轻)"
)
_SUPPOSING = re.compile(r"如果|要是(?!不)|万一|会不会|多久|几天|什么时候")
_NONE_LEFT = re.compile(r"[0零](?:分|度)?(?![\d.])")


def read(plain: PlainText) -> Iterator[Found]:
    """Yield the symptoms that a text asserts, by rules alone."""
    for one in findings(plain):
        if one.asserted:
            yield Found("symptom", one.start, one.end, plain.text[one.start : one.end])


def findings(plain: PlainText) -> list[Finding]:
    """Return all words of symptoms, none within another; the asserted go before others, the longer before shorter."""
    text = plain.text
    figures = [match.span() for match in _FIGURE.finditer(text)]
    still = set(_still_there(text))
    found = {Finding(*span, True) for span in still}
    for start, end in set(_finds(plain)):
        barred = any(first < end and start < last for first, last in (*figures, *still))
        denied = barred or bool(_NONE_LEFT.match(text[end : end + 3])) or not is_asserted(text, start, end)
        found.add(Finding(start, end, not denied))
    return _apart(sorted(found, key=lambda one: (not one.asserted, one.start - one.end, one.start)))


def _apart(found: list[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    taken: set[int] = set()
    for one in found:
        places = range(one.start, one.end)
        if one.start < one.end and taken.isdisjoint(places):
            taken.update(places)
            kept.append(one)
    return kept


def _still_there(text: str) -> Iterator[tuple[int, int]]:
    """What is said not to have gone is there, whatever its negation looks like: 还没消肿, 疼一直没停."""
    for match in _STILL_SWOLLEN.finditer(text):
        if "消" in match[0] or "退" in match[0] or "下去" in match[0]:
            if _SUPPOSING.search(text[max(0, match.start() - 10) : match.start()]):
                continue
            at = match.start() + match[0].index("肿")
            yield at, at + 1
    for match in _STILL_THERE.finditer(text):
        if not _SUPPOSING.search(text[max(0, match.start() - 10) : match.start()]):
            yield match.span("what")


def _finds(plain: PlainText) -> Iterator[tuple[int, int]]:
    text = plain.text
    for match in SYMPTOM.finditer(text):
        yield match.span()
    for pattern in IN_COMPANY:
        for match in pattern.finditer(text):
            yield match.span("word")
    for match in ENGLISH.finditer(text):
        asked = _ASKED_IN_ENGLISH.search(text[: match.start()])
        if plain.is_latin_word(*match.span()) and not asked and not _NAMES_A_THING.match(text, match.end()):
            yield match.span()
    for match in _LONE_PAIN.finditer(text):
        if plain.is_latin_word(*match.span()):
            yield match.span()
    for match in PINYIN.finditer(text):
        yield match.span()
