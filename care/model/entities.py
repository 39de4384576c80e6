"""What a message names: services, people, places, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from care.model.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class Entity:
    """One named thing. `start` and `end` count characters of the original text."""

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
