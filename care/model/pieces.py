"""Cutting a long text into pieces a channel takes, never inside a character as people see it.

An emoji may be seven code points joined by invisible ones; cutting it shows two broken pictures. Rules only; how
long a piece may be is the vendor's word.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

BREAKS = ("\n\n", "\n", "。", "！", "？", "；", "，", " ")
CUT_SHORT = "…"  # ends the last piece of a text longer than all pieces together
JOINER = "\u200d"
EXTENDING = frozenset({"Mn", "Me", "Mc"})  # marks that belong to the character before them
SKIN_TONES = range(0x1F3FB, 0x1F400)
TAGS = range(0xE0020, 0xE0080)  # spell out the flag of a region
FLAG_LETTERS = range(0x1F1E6, 0x1F200)  # two of them make a flag
JAMO = range(0x1160, 0x1200)  # vowels and ends of a Korean syllable


@dataclass(frozen=True, slots=True)
class PieceLimit:
    """The longest message a vendor takes, in its own unit, and how many may make up one text of ours."""

    unit: Literal["bytes", "utf16"]
    size: int
    most: int

    def length(self, text: str) -> int:
        """Return how long a text is to this vendor: UTF-8 bytes or UTF-16 code units."""
        return len(text.encode()) if self.unit == "bytes" else len(text.encode("utf-16-le")) // 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a text, as the span of characters it is."""

    start: int
    end: int
    short: bool = False  # the text goes on, but there is no room for more

    def of(self, text: str) -> str:
        """Return the words of this piece."""
        return text[self.start : self.end] + (CUT_SHORT if self.short else "")


def cut(text: str, limit: PieceLimit | None, *, spare: str = "") -> list[Piece]:
    """Cut a text into pieces, after a paragraph or sentence where one is near.

    Args:
        text: what the member will read.
        limit: what the vendor takes; None for a channel that takes anything.
        spare: words every piece but the last must leave room for.

    Returns:
        Spans in order, without the space between them; at most `limit.most`. What does not fit is left out and the
        last piece says so by an ellipsis.
    """
    if limit is None or limit.length(text) <= limit.size:
        return [Piece(0, len(text))]
    room = max(limit.size - limit.length(spare), limit.size // 2)
    pieces = _cut(text, limit, room, soft=True)
    if len(pieces) > limit.most:
        pieces = _cut(text, limit, room, soft=False)
    if len(pieces) <= limit.most:
        return pieces
    kept = pieces[: limit.most]
    last = kept[-1]
    end = _reach(text, last.start, limit, limit.size - limit.length(CUT_SHORT))
    return [*kept[:-1], Piece(last.start, end, short=True)]


def _cut(text: str, limit: PieceLimit, room: int, *, soft: bool) -> list[Piece]:
    pieces: list[Piece] = []
    start, stop = 0, len(text.rstrip())
    while start < stop:
        end = _reach(text, start, limit, room)
        if end < stop and soft:
            end = _near_end(text, start, end)
        last = end
        while last > start and text[last - 1].isspace():
            last -= 1
        if last > start:
            pieces.append(Piece(start, min(last, stop)))
        start = end
        while start < stop and text[start].isspace():
            start += 1
    return pieces


def _reach(text: str, start: int, limit: PieceLimit, room: int) -> int:
    """Return the farthest end of a piece that begins at `start`: whole characters only, but always at least one."""
    end, used = start, 0
    while end < len(text):
        following = end + 1
        while following < len(text) and not is_boundary(text, following):
            following += 1
        used += limit.length(text[end:following])
        if used > room and end > start:
            return end
        if used > room:  # one "character" longer than a whole piece: nothing but breaking it is left
            return _reach_raw(text, start, limit, room)
        end = following
    return end


def _reach_raw(text: str, start: int, limit: PieceLimit, room: int) -> int:
    end = start
    while end < len(text) and limit.length(text[start : end + 1]) <= room:
        end += 1
    return max(end, start + 1)


def _near_end(text: str, start: int, end: int) -> int:
    for mark in BREAKS:
        found = text.rfind(mark, start, end)
        if found - start >= (end - start) // 2:
            return found + len(mark)
    return end


def is_boundary(text: str, at: int) -> bool:
    """Whether a text may be cut before the character at `at` without breaking what people see as one."""
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    joined = (
        JOINER in (before, after)
        or unicodedata.category(after) in EXTENDING
        or ord(after) in SKIN_TONES
        or ord(after) in TAGS
        or ord(after) in JAMO
        or (before == "\r" and after == "\n")
    )
    if joined:
        return False
    if ord(before) in FLAG_LETTERS and ord(after) in FLAG_LETTERS:
        letters, back = 0, at - 1
        while back >= 0 and ord(text[back]) in FLAG_LETTERS:
            letters, back = letters + 1, back - 1
        return letters % 2 == 0
    return True
