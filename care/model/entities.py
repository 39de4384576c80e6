"""What a message names: services, people, places, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from care.model.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class Entity:
    """One named thing.

    Attributes:
        entity: its kind, one of the taxonomy.
        text: the member's own characters.
        start: where it begins, in characters of the original text.
        end: where it ends, exclusive.
        value: a code of the pack (service, practitioner, clinic); a number (pain_score, rating, temperature in °C);
            eleven digits (phone); an ISO 8601 duration; a span of time; otherwise the plain words.
    """

    entity: str
    text: str
    start: int
    end: int
    value: str | int | float | TimeSpan


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pack's names: code to every name it goes by."""

    services: Mapping[str, tuple[str, ...]]
    practitioners: Mapping[str, tuple[str, ...]]
    clinics: Mapping[str, tuple[str, ...]]
