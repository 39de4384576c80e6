"""The small language in which the safety lexicon is written, and its reading.

    {血}……止不住      a named list of words, up to eight free characters (……… is fourteen), then these words
    肿得?(像|成)…馒头   one optional character, a choice, up to three free characters
    ^(好痛|痛)$        the whole of a clause
    晕~(针|车)         not followed by; `<~(哭|打)肿` is not preceded by
    {数}天             a small number, in digits or numerals
    (都|也)*  (直)+    none to four of these, one to four of these

Free characters never cross punctuation, and never a 不, 没, 无 or 未: what is denied in between is not said.
Because the language has no unbounded repetition, matching is linear in the length of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from care.adapters.language.normalise import MARKS, fold

FREE = "[^，。？！；不没无未]"
NUMBER = "数"
_NUMBER = r"(?:\d{1,3}(?:\.\d)?|[一二两三四五六七八九十半几好]{1,3})"
#: Characters that keyboards and voice input confuse without changing the word.
_ALIKE = {"得": "得的地到", "在": "在再", "像": "像象", "做": "做作", "已": "已以", "哪": "哪那", "座": "座坐"}
#: Free characters that …, …… and ……… let stand.
_WIDTHS = (3, 8, 14)
_SPECIAL = frozenset("(){}|?*+…^$~<")
#: How often a piece may stand; bounded, so that matching stays linear.
_REPEATS = {"?": "?", "*": "{0,4}", "+": "{1,4}"}


class PatternError(ValueError):
    """A phrase of the lexicon cannot be read."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern: its regular expression, and sets of characters of each of which one must be present."""

    regex: str
    required: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled phrase; cheap to rule out by the characters a message has."""

    source: str
    regex: re.Pattern[str]
    required: tuple[frozenset[str], ...]

    def possible(self, characters: frozenset[str]) -> bool:
        """Whether a text made of these characters can match at all."""
        # Asked of every phrase for every message, and most of the time that takes: hence no generator.
        return not any(map(characters.isdisjoint, self.required))

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yield every match that is not empty."""
        return (match for match in self.regex.finditer(text) if match[0])


def compile_phrase(source: str, words: Mapping[str, Sequence[str]]) -> Phrase:
    """Compile one phrase.

    Args:
        source: the phrase, in the language of this module.
        words: the named lists; their entries are phrases themselves.

    Raises:
        PatternError: unbalanced brackets, an unknown list, or a phrase that could match nothing.
    """
    reader = _Reader(source, words, depth=0)
    piece = reader.whole()
    regex = re.compile(piece.regex)
    if regex.fullmatch("") and not source.startswith("^"):
        raise PatternError(f"“{source}” 什么都不写也算符合")
    return Phrase(source, regex, piece.required)


def compile_any(sources: Sequence[str], words: Mapping[str, Sequence[str]]) -> str:
    """Return one regular expression that matches any of the phrases, longest first."""
    pieces = [_Reader(one, words, depth=0).whole().regex for one in sorted(sources, key=len, reverse=True)]
    return "(?:" + "|".join(pieces) + ")" if pieces else "(?!)"


class _Reader:
    """Reads one phrase from left to right."""

    def __init__(self, source: str, words: Mapping[str, Sequence[str]], depth: int) -> None:
        if depth > 6:
            raise PatternError(f"“{source}” 里的词表互相引用")
        # Messages are read without their spaces; a phrase in English may be written with them all the same.
        self.source, self.words, self.depth = source.replace(" ", ""), words, depth
        self.place = 0

    def whole(self) -> Piece:
        piece = self._choice()
        if self.place < len(self.source):
            raise PatternError(f"“{self.source}” 第 {self.place + 1} 个字：括号不成对")
        return piece

    def _choice(self) -> Piece:
        options = [self._sequence()]
        while self._peek() == "|":
            self.place += 1
            options.append(self._sequence())
        return _either(options)

    def _sequence(self) -> Piece:
        pieces: list[Piece] = []
        while (char := self._peek()) and char not in "|)":
            piece = self._item()
            repeat = _REPEATS.get(self._peek())
            if repeat is not None:
                self.place += 1
                piece = Piece(f"(?:{piece.regex}){repeat}", piece.required if repeat == _REPEATS["+"] else ())
            pieces.append(piece)
        return _all(pieces)

    def _item(self) -> Piece:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "{":
            return self._list()
        if char == "…":
            wider = 0
            while wider < len(_WIDTHS) - 1 and self._peek() == "…":
                wider, self.place = wider + 1, self.place + 1
            return Piece(f"{FREE}{{0,{_WIDTHS[wider]}}}")
        if char == "^":
            return Piece("(?<![^，。？！；])")
        if char == "$":
            return Piece("(?=[，。？！；]|$)")
        if char == "~":
            self._expect("(")
            return Piece(f"(?!{self._group().regex})")
        if char == "<":
            return self._not_before()
        if char in _SPECIAL:
            raise PatternError(f"“{self.source}” 第 {self.place} 个字：这里不能写 {char}")
        return _literal(char)

    def _group(self) -> Piece:
        inner = self._choice()
        self._expect(")")
        return Piece(f"(?:{inner.regex})", inner.required)

    def _list(self) -> Piece:
        end = self.source.find("}", self.place)
        if end < 0:
            raise PatternError(f"“{self.source}” 的 {{ 没有写完")
        name = self.source[self.place : end]
        self.place = end + 1
        if name == NUMBER:
            return Piece(_NUMBER)
        if name not in self.words:
            raise PatternError(f"“{self.source}” 用了没有的词表 {{{name}}}")
        entries = sorted(self.words[name], key=len, reverse=True)
        inner = _either([_Reader(one, self.words, self.depth + 1).whole() for one in entries])
        return Piece(f"(?:{inner.regex})", inner.required)

    def _not_before(self) -> Piece:
        self._expect("~")
        self._expect("(")
        end = self.source.find(")", self.place)
        if end < 0:
            raise PatternError(f"“{self.source}” 的 <~( 没有写完")
        options = self.source[self.place : end].split("|")
        self.place = end + 1
        return Piece("".join(f"(?<!{re.escape(fold(one))})" for one in options if one))

    def _peek(self) -> str:
        return self.source[self.place] if self.place < len(self.source) else ""

    def _take(self) -> str:
        char = self._peek()
        self.place += 1
        return char

    def _expect(self, char: str) -> None:
        if self._take() != char:
            raise PatternError(f"“{self.source}” 第 {self.place} 个字：这里应该是 {char}")


def _literal(char: str) -> Piece:
    plain = char if char in MARKS else fold(char)
    alike = _ALIKE.get(plain)
    if alike:
        return Piece(f"[{alike}]", (frozenset(alike),))
    return Piece(re.escape(plain), tuple(frozenset(one) for one in dict.fromkeys(plain)))


def _either(options: list[Piece]) -> Piece:
    if len(options) == 1:
        return options[0]
    if any(not option.required for option in options):
        return Piece("|".join(option.regex for option in options))
    smallest = [min(option.required, key=len) for option in options]
    return Piece("|".join(option.regex for option in options), (frozenset[str]().union(*smallest),))


def _all(pieces: list[Piece]) -> Piece:
    sets = dict.fromkeys(one for piece in pieces for one in piece.required)
    return Piece("".join(_wrapped(piece) for piece in pieces), tuple(sorted(sets, key=len)))


def _wrapped(piece: Piece) -> str:
    return f"(?:{piece.regex})" if "|" in piece.regex and not piece.regex.startswith(("(?", "[")) else piece.regex
