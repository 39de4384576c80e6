"""Stand-in until the reader lands."""

from __future__ import annotations

import re
from datetime import datetime

from care.adapters.language.times import TimeReader
from care.model.entities import Entity, Vocabulary


class EntityReader:
    """Reads names of the pack, phones and times."""

    def __init__(self, vocabulary: Vocabulary, times: TimeReader) -> None:
        self._v, self._times = vocabulary, times

    def read(self, text: str, now: datetime, asked: str | None = None) -> list[Entity]:
        """Return what is named."""
        found = []
        for kind, names in (("service", self._v.services), ("practitioner", self._v.practitioners), ("clinic", self._v.clinics)):
            pairs = sorted(((n, c) for c, ns in names.items() for n in ns), key=lambda p: -len(p[0]))
            hit = next(((n, c) for n, c in pairs if n in text), None)
            if hit:
                at = text.index(hit[0])
                found.append(Entity(kind, hit[0], at, at + len(hit[0]), hit[1]))
        for match in re.finditer(r"1[3-9]\d{9}", text):
            found.append(Entity("phone", match.group(), match.start(), match.end(), match.group()))
        span = self._times.read(text, now, asked).span
        if span:
            at = max(0, text.find(span.text))
            found.append(Entity("time", span.text, at, at + len(span.text), span))
        return found
