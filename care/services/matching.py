"""Who suits a member, and why; and times with those who do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from care.model.appointment import Slot
from care.model.errors import InvalidInput
from care.model.pack import Pack, Practitioner, Service
from care.ports import Clock, Slots, UnitOfWork
from care.services import booking
from care.services.booking import Offer, Wish

SUGGESTED = 2  # two names are a choice, three are a list
WORTH = {"service": 4.0, "fits": 3.0, "language": 3.0, "gender": 3.0, "clinic": 2.0}
LANGUAGES = {"英语": ("英语", "英文", "外国", "老外", "english"), "日语": ("日语", "日文", "日本")}

Why = Literal["service", "fits", "language", "gender", "clinic"]


@dataclass(frozen=True, slots=True)
class Need:
    """What somebody looks for in a practitioner, as far as they have said it."""

    text: str = ""
    service: str | None = None
    clinic: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A practitioner and the reasons that speak for them, the strongest first; values are words of the pack."""

    practitioner: Practitioner
    reasons: tuple[tuple[Why, str], ...]
    worth: float


def who_suits(need: Need, *, pack: Pack, count: int = SUGGESTED) -> list[Match]:
    """Return who suits a need, best first, each with reasons the member can check.

    Only what is in the pack counts: what they do, whom they are good with in patients' words, languages, gender,
    branch; experience only decides between equals. Nobody is returned without a reason.
    """
    matches = [_match(one, need, pack) for one in pack.practitioners.values()]
    fitting = [match for match in matches if match.reasons]
    must = pack.services.get(need.service or "")
    if must is not None:
        fitting = [match for match in fitting if pack.may_do(match.practitioner, must)]
    fitting.sort(key=lambda match: (-match.worth, -match.practitioner.years, match.practitioner.code))
    return fitting[:count]


def offer_without(
    wish: Wish,
    *,
    without: Collection[str],
    uow: UnitOfWork,
    slots: Slots,
    clock: Clock,
    pack: Pack,
    count: int = booking.OFFERED,
) -> Offer:
    """Find times as `booking.offer` does, leaving out practitioners the member does not want.

    Raises:
        InvalidInput: as `booking.offer`; also if nobody else does this service.
    """
    if not without or wish.practitioner is not None:
        return booking.offer(wish, uow=uow, slots=slots, clock=clock, count=count)
    service = pack.services.get(wish.service)
    if service is None:
        raise InvalidInput("service", "is not in the pack")
    able = [one.code for one in pack.practitioners.values() if pack.may_do(one, service)]
    others = [code for code in able if code not in without]
    if not others:
        raise InvalidInput("practitioner", "nobody else does this service")
    found = [
        booking.offer(replace(wish, practitioner=code), uow=uow, slots=slots, clock=clock, count=count)
        for code in others
    ]
    fitting = [one for one in found if one.fits] or found
    merged: dict[datetime, Slot] = {}
    for slot in sorted((slot for one in fitting for slot in one.slots), key=lambda slot: slot.start_at):
        merged.setdefault(slot.start_at, slot)
    chosen = tuple(merged.values())[:count]
    return Offer(
        chosen,
        fits=any(one.fits for one in found),
        exact=len(chosen) == 1 and any(one.exact for one in fitting),
    )


def next_days(
    practitioner: Practitioner, *, uow: UnitOfWork, slots: Slots, clock: Clock, pack: Pack, days: int = 3
) -> list[Slot]:
    """Return the first free time on each of the practitioner's next days with one, for their shortest service."""
    service = min(
        (one for one in pack.services.values() if pack.may_do(practitioner, one)),
        key=lambda one: one.minutes,
        default=None,
    )
    if service is None:
        return []
    found: dict[object, Slot] = {}
    now = clock.now()
    wish = Wish(service.code, practitioner=practitioner.code)
    for slot in booking.free_times(wish, uow=uow, slots=slots, clock=clock):
        zone = pack.clinics[slot.clinic].zone
        day = _local_day(slot.start_at, zone)
        found.setdefault(day, slot)
        if len(found) == days or slot.start_at > now + timedelta(days=30):
            break
    return list(found.values())


def _match(one: Practitioner, need: Need, pack: Pack) -> Match:
    reasons: list[tuple[Why, str]] = []
    worth = 0.0
    service: Service | None = pack.services.get(need.service or "")
    if service is not None and pack.may_do(one, service):
        reasons.append(("service", service.name))
        worth += WORTH["service"]
    phrase, overlap = _best_phrase(need.text, one.good_at)
    hit = [word for word in one.keywords if word in need.text]
    if overlap >= 2 or hit:
        reasons.append(("fits", phrase if overlap >= 2 else pack.say("word.often", 内容="、".join(hit))))
        worth += WORTH["fits"] + (overlap + 2 * len(hit)) / 4
    language = _language(need.text, one.languages)
    if language:
        reasons.append(("language", language))
        worth += WORTH["language"]
    wished = "女" if any(word in need.text for word in ("女医生", "女的", "女大夫", "女士看")) else None
    wished = "男" if any(word in need.text for word in ("男医生", "男的", "男大夫")) else wished
    if wished and one.gender == wished and one.role == "doctor":
        reasons.append(("gender", wished))
        worth += WORTH["gender"]
    if need.clinic and any(shift.clinic == need.clinic for shift in one.shifts):
        if reasons:
            reasons.append(("clinic", pack.clinics[need.clinic].name))
        worth += WORTH["clinic"]
    return Match(one, tuple(reasons), worth)


def _best_phrase(text: str, phrases: Sequence[str]) -> tuple[str, int]:
    """Return the phrase that shares most pairs of characters with the text, and how many."""
    pairs = _pairs(text)
    best, most = "", 0
    for phrase in phrases:
        shared = len(pairs & _pairs(phrase))
        if shared > most:
            best, most = phrase, shared
    return best, most


def _pairs(text: str) -> set[str]:
    words = "".join(character for character in text if character.isalnum())
    return {words[i : i + 2] for i in range(len(words) - 1)} - COMMON


def _language(text: str, spoken: Sequence[str]) -> str | None:
    lowered = text.lower()
    for language in spoken:
        if language != "普通话" and any(word in lowered for word in LANGUAGES.get(language, (language,))):
            return language
    return None


def _local_day(at: datetime, zone: str) -> object:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - read once a call

    return at.astimezone(ZoneInfo(zone)).date()


COMMON = frozenset(
    (
        "医生",
        "哪个",
        "哪位",
        "什么",
        "怎么",
        "可以",
        "我想",
        "想找",
        "有没",
        "没有",
        "一个",
        "这个",
        "的医",
        "一下",
        "比较",
        "适合",
        "牙齿",
        "的牙",
    )
)
