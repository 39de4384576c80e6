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
        breaks: positions before which the member left a gap.
    """

    text: str
    asked: str = ""
    inside: frozenset[int] = field(default_factory=frozenset)
    breaks: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, plain: Normalised, asked: str | None) -> PlainText:
        """Cut the plain form into dictionary words."""
        inside: set[int] = set()
        place = 0
        for word in _WORDS.cut(plain.text, False):
            inside.update(range(place + 1, place + len(word)))
            place += len(word)
        return cls(plain.text, asked or "", frozenset(inside), plain.breaks)

    def is_latin_word(self, start: int, end: int) -> bool:
        """Whether a stretch of letters is a word of its own; the plain form has lost the spaces between words."""
        return self.begins_latin(start) and (end in self.breaks or not _is_letter(self.text[end : end + 1]))

    def begins_latin(self, start: int) -> bool:
        """Whether no letter stands directly before."""
        return start in self.breaks or not (start and _is_letter(self.text[start - 1]))

    def is_whole(self, start: int, end: int) -> bool:
        """Whether the stretch begins and ends between words."""
        return start not in self.inside and end not in self.inside


def _is_letter(char: str) -> bool:
    return "a" <= char <= "z"


def is_word(text: str) -> bool:
    """Whether the dictionary knows the text as one word."""
    return bool(_WORDS.has_word(text))
