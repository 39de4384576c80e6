"""A text made ready for reading entities: its plain form, its word boundaries, and what a find looks like."""

from __future__ import annotations

from dataclasses import dataclass, field

import rjieba

from care.adapters.language.normalise import Normalised

_WORDS = rjieba.Jieba()


@dataclass(frozen=True, slots=True)
class Found:
    """Something named, in positions of the plain form."""

    entity: str
    start: int
    end: int
    value: str | int | float

    def overlaps(self, other: Found) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class PlainText:
    """The plain form of a text with the words of the dictionary found in it.

    Attributes:
        text: what patterns are matched against.
        asked: what the last question was about, empty when nothing was.
        inside: positions that lie inside a dictionary word, where no name can begin or end.
    """

    text: str
    asked: str = ""
    inside: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, plain: Normalised, asked: str | None) -> PlainText:
        """Cut the plain form into dictionary words."""
        inside: set[int] = set()
        place = 0
        for word in _WORDS.cut(plain.text, False):
            inside.update(range(place + 1, place + len(word)))
            place += len(word)
        return cls(plain.text, asked or "", frozenset(inside))

    def is_whole(self, start: int, end: int) -> bool:
        """Whether the stretch begins and ends between words."""
        return start not in self.inside and end not in self.inside


def is_word(text: str) -> bool:
    """Whether the dictionary knows the text as one word."""
    return bool(_WORDS.has_word(text))
