"""Places in the mouth: 左下, 大牙, 最里面那颗, 16号牙."""

from __future__ import annotations

import re
from collections.abc import Iterator

from care.adapters.language.entity_text import Found, PlainText

_SIDE = r"(?:左|右)(?:边|侧|面|手边)?"
_LEVEL = r"(?:上|下)(?:面|边|颌|排|方|侧|头)?"
_DEPTH = r"(?:最)?(?:里面|里边|里头|后面|后边|后头|前面|前边|靠里|靠后|中间|深处|靠里面)"
_COUNTED = r"(?:第[一二三](?=前?磨牙|恒磨牙|双尖牙)|第?[一二三四五六七八两几1-8](?:颗|个|只))"
_TOOTH = (
    r"(?:后槽牙|后大牙|大门牙|大板牙|六龄齿|六龄牙|前磨牙|恒磨牙|双尖牙|大牙|门牙|虎牙|板牙|槽牙|磨牙|切牙|尖牙|"
    r"犬牙|犬齿|智齿|智牙|"
    r"乳牙|恒牙|尽头牙|牙齿|牙龈|牙床|牙)"
)
SITE = re.compile(
    rf"(?:(?P<side>{_SIDE})的?(?P<level>{_LEVEL})?的?(?P<depth>{_DEPTH})?的?|(?P<level2>{_LEVEL})的?(?P<side2>"
    rf"{_SIDE})?的?(?P<depth2>{_DEPTH})?的?|(?P<depth3>{_DEPTH})的?(?P<side3>{_SIDE})?的?)"
    rf"(?P<count>[那这]?{_COUNTED}|[那这](?:颗|个|只|排))?的?(?P<tooth>{_TOOTH})?(?P<fdi>[1-8](?![\d.]|号[楼线]))?"
)
NAMED = re.compile(
    r"后槽牙|后大牙|大门牙|大板牙|大牙|门牙|虎牙|板牙|槽牙|(?<=[大后前颗])磨牙|切牙|尖牙|犬齿|乳牙|六龄齿|尽头牙|"
    r"(?<=两颗)门牙"
)
NUMBERED = re.compile(
    r"(?<![\d.])(?:[1-4][1-8]|[5-8][1-5]|(?:[一二三四]?十[一二三四五六七八]|"
    r"[二三四]十[一二三四五六七八]))号?(?:位)?(?:牙|牙位)|#(?:[1-4][1-8])"
)
WISDOM_NOW = re.compile(r"(?:智齿|智牙)(?=[^，。！？；]{0,3}(?:疼|肿|发炎|胀|冒|长|松|烂|蛀))")
_ABOUT_A_MOUTH = re.compile(
    r"^[^，。！？；]{0,5}(?:疼|肿|酸|麻|胀|松|流血|出血|发炎|牙|脸|腮|不舒服|难受|拔|种|补|咬|断|掉|蛀|烂|缺|"
    r"化脓|敏感)"
)
_NOT_IN_A_MOUTH = re.compile(
    r"^(?:角|拐|转|走|停车|的?(?:门|路|店|楼|电梯|按钮|图标|入口)|手|眼|耳|脚|腿|班|午|周|个|次|载|单|雨)"
)


def read(plain: PlainText) -> Iterator[Found]:
    """Yield places in the mouth, those that stand side by side as one."""
    places: list[Found] = []
    for found in sorted(_sites(plain.text), key=lambda one: (one.start, -one.end)):
        last = places[-1] if places else None
        if last is not None and found.start <= last.end + (plain.text[last.end : last.end + 1] == "的"):
            end = max(last.end, found.end)
            places[-1] = Found("tooth_site", last.start, end, plain.text[last.start : end])
        else:
            places.append(found)
    yield from places


def _sites(text: str) -> Iterator[Found]:
    for match in NUMBERED.finditer(text):
        yield Found("tooth_site", match.start(), match.end(), match[0])
    for match in SITE.finditer(text):
        found = _site(text, match)
        if found is not None:
            yield found
    for pattern in (NAMED, WISDOM_NOW):
        for match in pattern.finditer(text):
            yield Found("tooth_site", match.start(), match.end(), match[0])


def _site(text: str, match: re.Match[str]) -> Found | None:
    words = match.groupdict()
    start, end = match.span()
    end -= len(match[0]) - len(match[0].rstrip("的"))
    side = words["side"] or words["side2"] or words["side3"]
    level = words["level"] or words["level2"]
    depth = words["depth"] or words["depth2"] or words["depth3"]
    after = text[match.end() : match.end() + 8]
    if words["tooth"] or words["fdi"]:
        if words["tooth"] in {"牙", "牙齿", "牙龈", "牙床"} and not (
            side or depth or (level and len(level) > 1) or words["count"]
        ):
            known = level is not None and text[start:end] in {"上牙", "下牙", "上牙龈", "下牙龈", "上牙床", "下牙床"}
            if not known or (start and text[start - 1] in "戴换装摘咬磨刷一以晚早"):
                return None
        return None if words["fdi"] and not (side and level) else Found("tooth_site", start, end, text[start:end])
    if _NOT_IN_A_MOUTH.match(after):
        return None
    if side and level:
        return Found("tooth_site", start, end, text[start:end])
    alone = match[0].rstrip("的")
    if len(alone) < 2 or alone in {
        ("里面"),
        "里边",
        "里头",
        "上头",
        "下头",
        "下面",
        "上面",
        "中间",
        "后面",
        "前面",
        "下边",
        "上边",
    }:
        return None
    counted = words["count"] and "颗" in words["count"]
    return Found("tooth_site", start, end, text[start:end]) if counted or _ABOUT_A_MOUTH.match(after) else None
