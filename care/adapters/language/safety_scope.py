"""Whether a phrase that stands in a message is true of the member now.

A symptom can be named without being there: denied (没有发烧), over (昨天流血今天好了), supposed (要是发烧怎么办),
asked about (牙龈发白正常吗), told (小说里的人), or somebody else's (我朋友). Each kind has its words in the lexicon
and a reach in the text; a phrase with 不 or 没 inside (止不住) is not denied by its own words. What is not clearly
one of these holds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from care.adapters.language.normalise import MARKS, Normalised

DENIAL_REACH = 14  # characters before a phrase in which a negation and its fillers stand
CLAUSE_REACH = 24  # characters before a phrase in which a word of time, supposition or person governs it
END_REACH = 60  # characters after a phrase within which the text may still say that it is over
RENEWED_REACH = 9  # characters after “gone” in which 又 takes it back
STILL_REACH = 6  # characters after a phrase in which the same clause may say that it goes on
TOLD_REACH = 10  # characters after a phrase in which the same clause may say that it was only a story
#: With one of these before them, others only stand beside what happens to the member: 跟同事喝了酒, 被同学打.
#: Or the member says who they are: 我是村头老张.
BESIDE = ("跟", "和", "陪", "与", "被", "让", "给", "对", "问", "请", "叫", "我是", "我就是")
_MARK = re.compile(f"[{MARKS}]")
_STRONG_MARK = re.compile("[。？！；]")


class Standing(StrEnum):
    """How a phrase stands in the text."""

    HOLDS = "holds"
    DENIED = "denied"
    OVER = "over"
    SUPPOSED = "supposed"
    ASKED = "asked"
    TOLD = "told"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """The lexicon's words of scope as regular expressions; see `scopes` in the pack for what each holds."""

    denial: re.Pattern[str]
    denied_list: re.Pattern[str]
    not_negators: re.Pattern[str]
    absent: re.Pattern[str]
    joined: re.Pattern[str]
    far_past: re.Pattern[str]
    long_ago: re.Pattern[str]
    still: re.Pattern[str]
    renewed: re.Pattern[str]
    recent: re.Pattern[str]
    supposing: re.Pattern[str]
    conditional: re.Pattern[str]
    asking_after: re.Pattern[str]
    asking_normal: re.Pattern[str]
    others: re.Pattern[str]
    told: re.Pattern[str]
    told_after: re.Pattern[str]
    family: re.Pattern[str]
    care: re.Pattern[str]
    self: re.Pattern[str]
    now: re.Pattern[str]
    over_void_before: re.Pattern[str]
    over_void_after: re.Pattern[str]
    over: Mapping[str, re.Pattern[str]]

    @classmethod
    def of(cls, scopes: Mapping[str, str], over: Mapping[str, re.Pattern[str]]) -> ScopeWords:
        """Build the expressions from the lexicon's alternatives."""
        negators, fillers, nouns, joins = (scopes[name] for name in ("negators", "fillers", "nouns", "joins"))
        plain = {
            name: re.compile(scopes[name])
            for name in (
                "far_past",
                "long_ago",
                "still",
                "renewed",
                "recent",
                "supposing",
                "conditional",
                "others",
                "told",
                "told_after",
                "family",
                "care",
                "self",
                "now",
            )
        }
        return cls(
            denial=re.compile(rf"{negators}{fillers}{{0,3}}\Z"),
            denied_list=re.compile(rf"{negators}{fillers}{{0,2}}(?:{nouns}{joins}?){{1,6}}"),
            not_negators=re.compile(rf"{scopes['not_negators']}\Z"),
            absent=re.compile(rf"\A{scopes['absent']}"),
            joined=re.compile(rf"\A{joins}\Z"),
            asking_after=re.compile(rf"\A{scopes['asking_after']}"),
            asking_normal=re.compile(rf"\A{scopes['asking_normal']}"),
            over_void_before=re.compile(rf"{scopes['over_void_before']}\Z"),
            over_void_after=re.compile(rf"\A{scopes['over_void_after']}"),
            over=over,
            **plain,
        )


@dataclass(slots=True)
class Scopes:
    """One message, ready to be asked how its phrases stand."""

    message: Normalised
    words: ScopeWords
    marks: list[int] = field(init=False)
    denied_spans: list[tuple[int, int]] = field(init=False)
    ends: dict[str, list[tuple[int, int]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        text = self.message.text
        self.marks = [match.start() for match in _MARK.finditer(text)]
        self.denied_spans = [
            match.span() for match in self.words.denied_list.finditer(text) if not self._undone(match.start())
        ]

    def standing(self, start: int, end: int, subject: str, *, own_care: bool = False) -> Standing:
        """Return how the phrase `text[start:end]`, which speaks of `subject`, stands."""
        if self.denied(start, end):
            return Standing.DENIED
        if self._told(start, end):
            return Standing.TOLD
        if self._elsewhere(start, own_care=own_care):
            return Standing.ELSEWHERE
        if self._supposed(start, end):
            return Standing.SUPPOSED
        if self._asks(self.words.asking_normal, start, end):
            return Standing.ASKED
        if self._over(start, end, subject):
            return Standing.OVER
        return Standing.HOLDS

    def is_recent(self, start: int) -> bool:
        """Whether what is over was so a short while ago."""
        return self.words.recent.search(self._clause_before(start, 2)) is not None

    def denied(self, start: int, end: int) -> bool:
        """Whether the text says that it is not so."""
        text = self.message.text
        if any(first <= start < last and first < start for first, last in self.denied_spans):
            return True
        before = text[max(0, start - DENIAL_REACH) : start]
        found = self.words.denial.search(before)
        if found and not self._undone(start - len(before) + found.start()):
            negation_end = start - len(before) + found.end()
            broken = any(place in self.message.breaks for place in range(start - len(found[0]) + 1, start + 1))
            if not (broken and end - start > 3) and negation_end == start:
                return True
        after = text[end : end + 12]
        if self.words.absent.match(after):
            return True
        return self._asked_either_way(start, end)

    def _undone(self, place: int) -> bool:
        """Whether what looks like a negation at `place` is none: 不是没, 是不是, 有没有人."""
        return self.words.not_negators.search(self.message.text[max(0, place - 4) : place]) is not None

    def _asked_either_way(self, start: int, end: int) -> bool:
        """肿不肿, 出血不出血."""
        text = self.message.text
        if text[end : end + 1] not in ("不", "没"):
            return False
        return any(
            size <= end - start and text[end + 1 : end + 1 + size] == text[end - size : end] != "" for size in (1, 2)
        )

    # -- somebody else's

    def _elsewhere(self, start: int, *, own_care: bool) -> bool:
        sentence = self._sentence_before(start)
        found = _last(self.words.others, sentence)
        by_the_way = found is not None and sentence[: found.start()].endswith(BESIDE)
        if found is not None and not by_the_way and not self.words.self.search(sentence[found.end() :]):
            return True
        if not own_care:
            return False
        kin = _last(self.words.family, sentence)
        return kin is not None and not self.words.care.search(self.message.text)

    def _told(self, start: int, end: int) -> bool:
        """Whether it happens in a film, a book, the news: told of before it in the sentence or right behind it."""
        sentence = self._sentence_before(start)
        found = _last(self.words.told, sentence)
        if found is not None:
            return "我" not in sentence[found.end() :]
        return self.words.told_after.match(self._clause_after(end, TOLD_REACH)) is not None

    # -- supposed

    def _supposed(self, start: int, end: int) -> bool:
        clause = self._clause_before(start, 1)
        # 万一晚上出血: the word that supposes it may share a character with the phrase (一晚上出血).
        found = _last(self.words.supposing, clause + self.message.text[start : min(start + 1, end - 1)])
        if found is not None and not self.words.now.search(clause[found.end() :]):
            return True
        if self.words.conditional.search(self.message.text, start, end):
            return True
        return self._asks(self.words.asking_after, start, end)

    def _asks(self, pattern: re.Pattern[str], start: int, end: int) -> bool:
        """Whether a question follows that says nothing of now."""
        if not pattern.match(self.message.text[end : end + 16]):
            return False
        return not self.words.now.search(self._clause_before(start, 1) + self.message.text[start:end])

    # -- over

    def _over(self, start: int, end: int, subject: str) -> bool:
        text = self.message.text
        clause = self._clause_before(start, 1)
        found = _last(self.words.far_past, clause)
        if found is not None:
            since = clause[found.end() :] + text[start:end] + self._clause_after(end, STILL_REACH)
            if not self.words.still.search(since):
                return True
        found = _last(self.words.long_ago, self._sentence_before(start))
        if found is not None and not self.words.still.search(self._since(start, end, found.end())):
            return True
        if self.words.renewed.search(text[max(0, start - 2) : end]):
            return False
        recent = self.words.recent.search(self._clause_before(start, 2)) is not None
        if any(end < last <= end + END_REACH for _, last in self._ends_of(subject)):
            return True
        ends = [first for first, _ in self._ends_of("any") if end <= first <= end + END_REACH]
        return any(recent or self._near(end, first) for first in ends)

    def _near(self, end: int, place: int) -> bool:
        between = self.message.text[end:place]
        return place - end <= CLAUSE_REACH and len(_MARK.findall(between)) <= 1

    def _ends_of(self, subject: str) -> list[tuple[int, int]]:
        """Return where the text says that this is over."""
        if subject not in self.ends:
            pattern = self.words.over.get(subject)
            matches = pattern.finditer(self.message.text) if pattern else ()
            self.ends[subject] = [match.span() for match in matches if self._is_end(match)]
        return self.ends[subject]

    def _is_end(self, match: re.Match[str]) -> bool:
        text = self.message.text
        before, after = (
            text[max(0, match.start() - 6) : match.start()],
            text[match.end() : match.end() + RENEWED_REACH],
        )
        return not self.words.over_void_before.search(before) and not self.words.over_void_after.match(after)

    # -- pieces of the text

    def _clause_before(self, start: int, clauses: int) -> str:
        """Return what stands before `start`, back over so many clauses, within reach."""
        place = bisect_right(self.marks, start - 1) - clauses
        first = self.marks[place] + 1 if place >= 0 else 0
        return self.message.text[max(first, start - CLAUSE_REACH * clauses) : start]

    def _since(self, start: int, end: int, place: int) -> str:
        """Return what stands between `place` in the sentence before the phrase and the end of the phrase's clause."""
        return (
            self._sentence_before(start)[place:] + self.message.text[start:end] + self._clause_after(end, STILL_REACH)
        )

    def _clause_after(self, end: int, reach: int) -> str:
        """Return what still stands in the same clause after `end`, within reach; a gap ends it as a mark does."""
        text, breaks = self.message.text, self.message.breaks
        furthest = min(end + reach, len(text))
        ends = (place for place in range(end, furthest) if text[place] in MARKS or place in breaks)
        return text[end : next(ends, furthest)]

    def _sentence_before(self, start: int) -> str:
        before = self.message.text[max(0, start - 2 * CLAUSE_REACH) : start]
        return _STRONG_MARK.split(before)[-1]


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for match in pattern.finditer(text):
        found = match
    return found
