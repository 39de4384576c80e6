"""How far away something is: 三天后, 两周前, 过半小时, 一周之内."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from care.adapters.language.numbers import roughly, to_number
from care.adapters.language.times_day import DAY, FEW, NUMBER, WEEK, Day, months_on, run

_AFTER_CARE = re.compile(
    r"(?:术后?|手术后?|牙后?|完|了|植后?|齿|治疗后?|根管后?|美白后?|矫正后?|牙套后?|拆线后?|过后?|氟后?|种植后?)$"
)
_OFTEN = re.compile(r"(?:次|每|间|要|得|最好|建议)$")
IN_DAYS = re.compile(
    rf"(?:再?(?<!超)过|隔|再等)(?:个)?(?P<a>{FEW})(?P<u>天|{WEEK}|个?{WEEK}|个月)(?!之?前)(?:以后|之后|后)?(?!的量|"
    rf"再?量)|(?P<b>{FEW}|半)(?P<v>天|{WEEK}|个{WEEK}|个月|年)(?:以后|之后|过后|后)(?!悔|面)"
)
WITHIN = re.compile(rf"(?P<n>{FEW}|半)(?P<u>天|{WEEK}|个{WEEK}|个月)(?:之内|以内|内)")
AGO = re.compile(rf"(?P<n>{FEW}|半)(?P<u>天|{WEEK}|个{WEEK}|个月|年)(?:之前|以前|前)")
IN_HOURS = re.compile(
    rf"(?:再?过)?(?P<n>{NUMBER}|半)(?P<half>个半)?(?P<u>个?小时|个?钟头|分钟|刻钟|个?钟)(?:以后|之后|后)|"
    rf"(?:再?过|再等(?=[^，。]{{2,7}}[就我到来去]))(?P<n2>{NUMBER}|半)(?P<half2>个半)?(?P<u2>个?小时|个?钟头|分钟|刻钟|个?钟)"
)
NOW = re.compile(
    r"(?:现在|这会儿|立马|马上)(?=就?(?:能|可以|想|要)?(?:不能|不可以)?(?:过去|过来|去|来)(?!得及|不及|了))"
)
FEW_DAYS = re.compile(
    r"(?P<ahead>这两天|这几天|近几天|最近几天|最近两天|这两三天|未来几天|接下来几天)|(?P<ago>前几天|前两天|"
    r"前些天|头几天)"
)


def read(words: str, today: date) -> Iterator[Day]:
    """Yield days and moments counted from now, but those counted from a treatment (拔牙三天后)."""
    for match in IN_DAYS.finditer(words):
        if match["b"] and _AFTER_CARE.search(words[max(0, match.start() - 6) : match.start()]):
            continue
        unit = match["u"] or match["v"]
        often = re.match(r"\S{0,4}?[一两二三\d](?:次|趟|回)", words[match.end() :]) or _OFTEN.search(
            words[: match.start()]
        )
        if match[0].startswith("隔") and often:
            continue
        bounds = _bounds(match["a"] or match["b"], unit, today)
        if bounds is not None:
            yield replace(run(match, *bounds), loose=unit != "天")
    for match in WITHIN.finditer(words):
        if _AFTER_CARE.search(words[max(0, match.start() - 6) : match.start()]):
            continue
        bounds = _bounds(match["n"], match["u"], today)
        if bounds is not None:
            yield run(match, today, bounds[1])
    for match in AGO.finditer(words):
        bounds = _bounds(match["n"], match["u"], today, sign=-1)
        if bounds is not None:
            yield run(match, min(bounds), max(bounds))
    for match in FEW_DAYS.finditer(words):
        bounds = (today, today + 2 * DAY) if match["ahead"] else (today - 4 * DAY, today - 2 * DAY)
        yield run(match, *bounds)
    for match in NOW.finditer(words):
        yield Day(match.start(), match.end(), today, today, instant=timedelta(0))
    for match in IN_HOURS.finditer(words):
        spoken, unit = match["n"] or match["n2"], (match["u"] or match["u2"]).removeprefix("个")
        number = 0.5 if spoken == "半" else float(to_number(spoken) or 0)
        number += 0.5 if match["half"] or match["half2"] else 0
        minutes = number * {"分钟": 1, "刻钟": 15}.get(unit, 60)
        if 0 < minutes <= 48 * 60 and not _AFTER_CARE.search(words[max(0, match.start() - 6) : match.start()]):
            yield Day(match.start(), match.end(), today, today, instant=timedelta(minutes=minutes))


def _bounds(spoken: str, unit: str, today: date, sign: int = 1) -> tuple[date, date] | None:
    unit = unit.removeprefix("个")
    if spoken == "半":
        if unit not in {"月", "年"}:
            return None
        day = months_on(today, sign * 6) if unit == "年" else today + sign * 15 * DAY
        return day, day
    amount = roughly(spoken)
    if amount is None or amount[1] > 400:
        return None
    if unit in {"月", "年"}:
        steps = 12 if unit == "年" else 1
        return months_on(today, sign * amount[0] * steps), months_on(today, sign * amount[1] * steps)
    days = 1 if unit == "天" else 7
    return today + sign * amount[0] * days * DAY, today + sign * amount[1] * days * DAY
