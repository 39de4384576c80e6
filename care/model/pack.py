"""A clinic as data: places, people, services, protocols, leaflets and every sentence members read."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from care.model.protocol import AnswerRule, Protocol, Question, Silence

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@dataclass(frozen=True, slots=True)
class Clinic:
    """One branch. Hours are wall time in its zone, by weekday; a missing weekday is closed."""

    code: str
    name: str
    aliases: tuple[str, ...]
    address: str
    getting_there: str
    parking: str
    phone: str
    zone: str
    hours: Mapping[int, tuple[time, time]]  # 1 Monday … 7 Sunday
    chairs: Mapping[str, tuple[str, ...]]  # chair code: kinds of work it is fit for


@dataclass(frozen=True, slots=True)
class Shift:
    """When a practitioner works where; wall time of the branch."""

    weekday: int
    clinic: str
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Practitioner:
    """Somebody who treats members."""

    code: str
    name: str
    gender: Literal["女", "男"]
    role: Literal["doctor", "hygienist", "nurse", "coach"]
    title: str
    years: int
    aliases: tuple[str, ...]
    specialities: tuple[str, ...]
    languages: tuple[str, ...]
    good_at: tuple[str, ...]  # in patients' own words
    about: str
    shifts: tuple[Shift, ...]
    keywords: tuple[str, ...] = ()  # words in a member's question that point to this person
    leave: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """Something that can be booked. Prices in CNY, the whole range a member may meet."""

    code: str
    name: str
    aliases: tuple[str, ...]
    minutes: int
    price_low: int
    price_high: int
    about: str
    preparation: str
    hurts: str
    speciality: str
    chair: str
    price_note: str = ""
    lead_time_hours: int = 2
    protocol: str | None = None
    facts: tuple[str, ...] = ()  # what having done it tells about the recovery
    marks: Literal["crown"] | None = None  # the day it was done is what contacts of an earlier recovery wait for


@dataclass(frozen=True, slots=True)
class LeafletEntry:
    """One thing the signed leaflet says, for some days of recovery."""

    code: str
    keywords: tuple[str, ...]
    text: str
    from_day: int = 0
    to_day: int = 365


@dataclass(frozen=True, slots=True)
class Leaflet:
    """The signed after-care sheet of one treatment."""

    treatment: str
    title: str
    version: str
    signed_by: str
    entries: tuple[LeafletEntry, ...]


@dataclass(frozen=True, slots=True)
class KnowledgeEntry:
    """An answer to a question about the clinic."""

    code: str
    keywords: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything that makes one brand this brand."""

    code: str
    version: str
    approved_by: str
    brand: str
    duty_name: str
    duty_title: str
    duty_phone: str
    clinics: Mapping[str, Clinic]
    practitioners: Mapping[str, Practitioner]
    services: Mapping[str, Service]
    protocols: Mapping[str, Protocol]
    questions: Mapping[str, Question]
    rules: tuple[AnswerRule, ...]
    leaflets: Mapping[str, Leaflet]
    knowledge: Mapping[str, KnowledgeEntry]
    wording: Mapping[str, str]
    closures: Mapping[date, str] = field(default_factory=dict)
    silence: Silence = field(default_factory=Silence)
    lexicon: str = "safety.yml"  # words of danger; another pack's may be shared: ../dental/safety.yml

    def say(self, key: str, **values: object) -> str:
        """Return a sentence of the pack with its blanks filled.

        Raises:
            KeyError: if the pack has no such sentence; loading a pack refuses that beforehand.
        """
        return self.fill(self.wording[key], **values)

    def fill(self, text: str, **values: object) -> str:
        """Fill `{blanks}`; one that is not given stays visible to tests and is never a crash for a member.

        Whoever has not told their name is not hailed with a bare 您.
        """
        return string.Formatter().vformat(text, (), _Blanks(values)).removeprefix("您，")

    def may_do(self, practitioner: Practitioner, service: Service) -> bool:
        """Whether this person does this service."""
        return service.speciality in practitioner.specialities

    def chairs_for(self, clinic: str, service: Service) -> tuple[str, ...]:
        """Return the chairs of a branch that are fit for a service."""
        return tuple(chair for chair, kinds in self.clinics[clinic].chairs.items() if service.chair in kinds)

    def clock_words(self, at: datetime, now: datetime, zone: ZoneInfo) -> str:
        """Return a moment as people say it: 今天下午3点, 明天上午9点30分, 3月6日周五下午2点."""
        local, today = at.astimezone(zone), now.astimezone(zone).date()
        days = (local.date() - today).days
        near = {0: "今天", 1: "明天", 2: "后天"}
        day = near.get(days) or f"{local.month}月{local.day}日{WEEKDAYS[local.weekday()]}"
        return f"{day}{part_of_day(local.hour)}{hour_words(local)}"


class _Blanks(dict[str, object]):
    """Blanks that were not given read as nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def part_of_day(hour: int) -> str:
    """Return what Chinese calls this part of the day."""
    for until, name in ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午")):
        if hour < until:
            return name
    return "晚上"


def hour_words(local: datetime) -> str:
    """Return the hour as it is said, 12-hour clock: 3点, 9点半, 10点20分."""
    hour = local.hour if local.hour <= 12 else local.hour - 12
    minutes = {0: "", 30: "半"}.get(local.minute, f"{local.minute}分")
    return f"{hour}点{minutes}"
