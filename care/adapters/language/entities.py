"""What a message names, in the taxonomy's words: every reader asked, the longest find of a kind kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache

from opencc import OpenCC

from care.adapters.language import entity_body, entity_people, entity_quantities, entity_symptoms
from care.adapters.language.categoriser import Trained
from care.adapters.language.entity_names import NameReader
from care.adapters.language.entity_text import Found, PlainText
from care.adapters.language.normalise import Normalised, normalise
from care.adapters.language.symptom_model import SymptomModel
from care.adapters.language.times import TimeReader
from care.model.entities import Entity, Vocabulary

#: Kinds whose value is the member's words in Simplified characters; names of people stay as written.
IN_WORDS = frozenset({"symptom", "tooth_site", "family_relation", "data_category"})
_TO_BE_DONE = re.compile(r"拔|约|看|做|号|多少|价|手术|切|取|处理|咨询")
READ_LIMIT = 4_000  # characters; nobody names more in one message
#: Where two kinds claim the same characters, the kind named first keeps them; kinds not named here may share.
STRONGER: dict[str, frozenset[str]] = {
    "phone": frozenset({"pain_score", "rating", "temperature", "duration", "tooth_site", "time"}),
    "temperature": frozenset({"pain_score", "rating", "tooth_site", "duration", "time"}),
    "pain_score": frozenset({"rating", "time"}),
    "practitioner": frozenset({"person_name", "service", "family_relation"}),
    "service": frozenset({"symptom", "person_name"}),
    "clinic": frozenset({"person_name"}),
    "time": frozenset({"duration", "rating", "tooth_site", "person_name"}),
}


class EntityReader:
    """Reads what a message names. Built once a process; safe to share between threads.

    Symptoms are tagged by what was trained; where nothing was, or it is damaged, the rules find them alone.
    """

    def __init__(
        self, vocabulary: Vocabulary, times: TimeReader, symptoms: Trained[SymptomModel] | None = None
    ) -> None:
        self._names = NameReader(vocabulary)
        self._times = times
        self._symptoms = symptoms

    def read(self, text: str, now: datetime, asked: str | None = None) -> list[Entity]:
        """Return what is named, in the order of the text.

        Args:
            text: the member's own words, of any length; only the first 4,000 characters are read.
            now: aware; what 明天 counts from.
            asked: what the last question was about; decides what a bare number is.

        Returns:
            Entities whose `start` and `end` count characters of `text`; never raises on any text.
        """
        plain = normalise(text[:READ_LIMIT])
        prepared = PlainText.of(plain, asked)
        found = [
            *self._names.read(prepared),
            *entity_quantities.read(prepared),
            *entity_body.read(prepared),
            *self._symptoms_of(prepared),
            *entity_people.read(prepared),
        ]
        entities = [_entity(text, plain, one) for one in _longest(found)]
        entities += self._time(text, now, asked)
        entities = _teeth_apart_from_services(entities, plain.text)
        return sorted(_settled(entities), key=lambda one: (one.start, -one.end))

    def missing(self) -> tuple[str, ...]:
        """Return the name of what was not trained or cannot be read; reads it if it was not yet."""
        return () if self._symptoms is None or self._symptoms.get() is not None else ("symptoms",)

    def _symptoms_of(self, plain: PlainText) -> Iterator[Found]:
        tagger = self._symptoms.get() if self._symptoms else None
        return tagger.read(plain) if tagger else entity_symptoms.read(plain)

    def _time(self, text: str, now: datetime, asked: str | None) -> list[Entity]:
        reading = self._times.read(text, now, asked)
        if reading.named is None:
            return []
        return [Entity("time", text[reading.start : reading.end], reading.start, reading.end, reading.named)]


def _longest(found: list[Found]) -> list[Found]:
    """Keep, of finds of one kind that overlap, the longest; of equally long ones the first read."""
    kept: list[Found] = []
    taken: dict[str, set[int]] = {}
    for one in sorted(found, key=lambda each: each.start - each.end):
        places = range(one.start, one.end)
        if taken.setdefault(one.entity, set()).isdisjoint(places):
            taken[one.entity].update(places)
            kept.append(one)
    return kept


def _teeth_apart_from_services(entities: list[Entity], plain: str) -> list[Entity]:
    """A wisdom tooth is a place; it stands for its removal only where something is to be done or asked."""
    if _TO_BE_DONE.search(plain):
        return entities
    sites = [one for one in entities if one.entity == "tooth_site"]
    return [
        one
        for one in entities
        if one.entity != "service"
        or not any(one.text in site.text and site.start <= one.start and one.end <= site.end for site in sites)
    ]


def _within(part: Entity, whole: Entity) -> bool:
    """Whether the first is a piece of the second: 晚上 in 一晚上."""
    return whole.start <= part.start and part.end <= whole.end and len(part.text) < len(whole.text)


def _settled(entities: list[Entity]) -> list[Entity]:
    """Drop what a stronger kind claims."""
    lengths = [one for one in entities if one.entity == "duration"]
    entities = [one for one in entities if one.entity != "time" or not any(_within(one, each) for each in lengths)]
    barred: dict[str, set[int]] = {}
    for one in entities:
        for weaker in STRONGER.get(one.entity, ()):
            barred.setdefault(weaker, set()).update(range(one.start, one.end))
    return [one for one in entities if barred.get(one.entity, set()).isdisjoint(range(one.start, one.end))]


def _entity(text: str, plain: Normalised, found: Found) -> Entity:
    start, end = plain.original_span(found.start, found.end)
    spoken, value = text[start:end], found.value
    if found.entity == "person_name":
        value = "".join(spoken.split())
    elif found.entity in IN_WORDS and spoken[:1].isalpha():
        value = "".join(str(_simplifier().convert(spoken)).split())
    return Entity(found.entity, spoken, start, end, value)


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")
