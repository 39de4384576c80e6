"""Finding what the clinic has already written down: the signed leaflet and the answers about the clinic.

Found by the words members use for a topic, which stand beside each entry. What is not found is not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from care.model.pack import KnowledgeEntry, Leaflet, LeafletEntry

T = TypeVar("T")


def find_in_leaflet(text: str, leaflet: Leaflet, day: int) -> LeafletEntry | None:
    """Return the entry of a leaflet that answers a question on a day of recovery.

    Args:
        text: the member's words.
        leaflet: the signed sheet of their treatment.
        day: 0 is the day of treatment; only entries for this day count.

    Returns:
        The entry with the most and longest of its words in the text, or None.
    """
    valid = [entry for entry in leaflet.entries if entry.from_day <= day <= entry.to_day]
    return _best(text, [(entry, entry.keywords) for entry in valid])


def find_knowledge(text: str, knowledge: Mapping[str, KnowledgeEntry]) -> KnowledgeEntry | None:
    """Return the answer about the clinic that a question is about, or None."""
    return _best(text, [(entry, entry.keywords) for entry in knowledge.values()])


def _best(text: str, entries: Sequence[tuple[T, Sequence[str]]]) -> T | None:
    lowered = text.lower()
    best: T | None = None
    most = 0
    for entry, keywords in entries:
        score = sum(len(word) + 1 for word in keywords if word.lower() in lowered)
        if score > most:
            best, most = entry, score
    return best
