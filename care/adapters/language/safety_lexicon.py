"""The safety lexicon of a pack: read, checked and compiled, or refused with file and line.

The file is `safety.yml`, written for nurses. This module knows its shape, not its content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from care.adapters.language.safety_patterns import PatternError, Phrase, compile_any, compile_phrase
from care.model.assessment import Complaint, Distress, Flag, Medical

Level = Medical | Distress | Complaint
LEVELS: dict[str, Level] = {
    one.value: one for kind in (Medical, Distress, Complaint) for one in kind if one.value != "none"
}
#: A row may also say that under some condition there is nothing to report.
NOTHING = Medical.NONE
#: Why a phrase that stands in the text may not be true of the member now.
STANDINGS = ("denied", "over", "supposed", "asked", "told", "elsewhere")
SCOPES = (
    *(
        "negators",
        "fillers",
        "not_negators",
        "nouns",
        "joins",
        "absent",
        "far_past",
        "long_ago",
        "still",
        "renewed",
        "recent",
        "supposing",
    ),
    *(
        "asking_after",
        "asking_normal",
        "others",
        "told",
        "told_after",
        "conditional",
        "family",
        "care",
        "self",
        "over_void_before",
    ),
    *("over_void_after", "now"),
)
_RULE_KEYS = {
    *("id", "flag", "sign", "level", "says", "near", "reach", "except", "unless", "treatments", "asked", "when"),
    *("ignores", "softened", "own_care", "implied", "felt"),
}
_WHEN_KEYS = {"treatments", "days", "level"}
_DAYS = re.compile(r"(\d*)-(\d*)")


class LexiconError(Exception):
    """The lexicon cannot be used; every problem is listed with file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class When:
    """A condition on the latest treatment and its day, and the level it gives."""

    level: Level
    treatments: frozenset[str]
    first_day: int
    last_day: int
    needs_day: bool

    def holds(self, treatment: str | None, day: int | None) -> bool:
        """Whether the condition is known to hold; what is not known does not."""
        if self.treatments and treatment not in self.treatments:
            return False
        return not self.needs_day or (day is not None and self.first_day <= day <= self.last_day)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the lexicon.

    Attributes:
        near: if given, one of these must stand within `reach` characters of the phrase.
        implied: treatments and questions under which `near` goes without saying; with any of them given, a message
            that is little more than the phrase needs no `near` either.
        excepted: a phrase that overlaps one of these does not count.
        unless: if one of these stands anywhere in the message, the row is silent.
        ignores: standings this row does not heed.
        softened: the level that remains when the phrase stands but does not hold.
        own_care: of a family member, counts only if the message speaks of dental care.
        felt: only how it feels; a measured temperature below 38 degrees counts for more.
    """

    code: str
    flag: Flag | None
    sign: str | None
    level: Level
    says: tuple[Phrase, ...]
    near: tuple[Phrase, ...]
    implied: frozenset[str]
    reach: int
    excepted: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]
    treatments: frozenset[str]
    asked: frozenset[str]
    when: tuple[When, ...]
    ignores: frozenset[str]
    softened: Mapping[str, Level]
    own_care: bool
    felt: bool

    @property
    def subject(self) -> str:
        """What the row is about: its flag or its sign."""
        return self.flag.value if self.flag else self.sign or self.code

    def level_for(self, treatment: str | None, day: int | None) -> Level:
        """Return the level under what is known of the latest treatment."""
        return next((one.level for one in self.when if one.holds(treatment, day)), self.level)


@dataclass(frozen=True, slots=True)
class Together:
    """Findings that mean more together: every group must be met by one of its subjects."""

    code: str
    groups: tuple[frozenset[str], ...]
    least: Mapping[str, Level]
    flag: Flag
    level: Level


@dataclass(frozen=True, slots=True)
class Feeling:
    """Words for one emotion."""

    label: str
    valence: float
    says: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The whole lexicon, compiled."""

    version: str
    rules: tuple[Rule, ...]
    idioms: tuple[Phrase, ...]
    scopes: Mapping[str, str]
    over: Mapping[str, re.Pattern[str]]
    together: tuple[Together, ...]
    feelings: tuple[Feeling, ...]


def load_lexicon(path: Path) -> Lexicon:
    """Read and check the lexicon.

    Raises:
        LexiconError: listing every problem with file and line.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        source = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LexiconError([f"{name}:1: 没有这个文件"]) from None
    except UnicodeDecodeError:
        raise LexiconError([f"{name}:1: 不是 UTF-8 编码"]) from None
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(source)
        data = SafeConstructor(preserve_quotes=None, loader=yaml).construct_document(node) if node else None
    except MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise LexiconError([f"{name}:{line}: YAML 写法有误：{wrong.problem}"]) from None
    builder = _Builder(name, node, data)
    lexicon = builder.lexicon()
    if builder.problems:
        raise LexiconError([text for _, text in sorted(builder.problems)])
    return lexicon


class _Builder:
    """Turns the parsed file into a lexicon and collects what is wrong with it."""

    def __init__(self, name: str, node: Node | None, data: Any) -> None:
        self.name, self.node = name, node
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.problems: list[tuple[int, str]] = []
        self.words: dict[str, list[str]] = {}
        if not isinstance(data, dict):
            self.wrong((), "应该有 words、idioms、scopes、over、rules、together、feelings 几部分")

    def wrong(self, path: tuple[int | str, ...], message: str) -> None:
        line = _line(self.node, path)
        self.problems.append((line, f"{self.name}:{line}: {message}"))

    def lexicon(self) -> Lexicon:
        self._read_words()
        scopes = {name: self._any(("scopes", name)) for name in SCOPES}
        over = {name: re.compile(self._any(("over", name))) for name in self._mapping(("over",))}
        for name in over:
            if name != "any" and name not in set(Flag):
                self.wrong(("over", name), f"没有 {name} 这个标志")
        rules = [self._rule(number, item) for number, item in enumerate(self._rows("rules"))]
        seen: set[str] = set()
        for number, rule in enumerate(rules):
            if rule is not None and rule.code in seen:
                self.wrong(("rules", number, "id"), f"id {rule.code} 重复了")
            seen.update([rule.code] if rule else [])
        subjects = {rule.subject for rule in rules if rule}
        together = [self._together(n, item, subjects) for n, item in enumerate(self._rows("together"))]
        feelings = [self._feeling(n, item) for n, item in enumerate(self._rows("feelings"))]
        return Lexicon(
            version=str(self.data.get("version", "")),
            rules=tuple(rule for rule in rules if rule),
            idioms=self._phrases(("idioms",), self.data.get("idioms")),
            scopes=scopes,
            over=over,
            together=tuple(one for one in together if one),
            feelings=tuple(one for one in feelings if one),
        )

    def _read_words(self) -> None:
        for name, entries in self._mapping(("words",)).items():
            if isinstance(entries, list) and entries and all(isinstance(one, str) for one in entries):
                self.words[str(name)] = entries
            else:
                self.wrong(("words", name), f"词表 {name} 应该是几个词")
        for name, entries in self.words.items():
            for place, entry in enumerate(entries):
                self._compiled(("words", name, place), entry)

    def _mapping(self, path: tuple[str]) -> dict[str, Any]:
        found = self.data.get(path[0])
        if isinstance(found, dict):
            return found
        self.wrong(path, f"缺少 {path[0]} 这一部分")
        return {}

    def _rows(self, part: str) -> list[Any]:
        found = self.data.get(part)
        if isinstance(found, list):
            return found
        self.wrong((part,), f"{part} 应该是一个列表")
        return []

    def _any(self, path: tuple[str, str]) -> str:
        found = (self.data.get(path[0]) or {}).get(path[1])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self.wrong(path, f"缺少 {path[0]} 里的 {path[1]}")
            return "(?!)"
        good = [one for place, one in enumerate(found) if self._compiled((*path, place), one)]
        return compile_any(good, self.words)

    def _compiled(self, path: tuple[int | str, ...], source: object) -> Phrase | None:
        if not isinstance(source, str):
            self.wrong(path, f"{source} 应该写成文字，加上引号")
            return None
        try:
            return compile_phrase(source, self.words)
        except PatternError as wrong:
            self.wrong(path, str(wrong))
            return None

    def _phrases(self, path: tuple[int | str, ...], sources: object) -> tuple[Phrase, ...]:
        if sources is None:
            return ()
        if not isinstance(sources, list):
            self.wrong(path, f"{path[-1]} 应该是一个列表")
            return ()
        made = [self._compiled((*path, place), one) for place, one in enumerate(sources)]
        return tuple(one for one in made if one)

    def _level(self, path: tuple[int | str, ...], value: object) -> Level:
        if value == "none":
            return NOTHING
        if value not in LEVELS:
            self.wrong(path, f"没有 {value} 这个级别；可以写 {'、'.join(LEVELS)}")
        return LEVELS.get(str(value), NOTHING)

    def _flag(self, path: tuple[int | str, ...], value: object) -> Flag | None:
        if value is None:
            return None
        if value not in set(Flag):
            self.wrong(path, f"没有 {value} 这个标志")
            return None
        return Flag(str(value))

    def _rule(self, number: int, item: Any) -> Rule | None:
        at: tuple[int | str, ...] = ("rules", number)
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            self.wrong(at, "这一条缺少 id")
            return None
        for key in set(item) - _RULE_KEYS:
            self.wrong((*at, key), f"不认识 {key}")
        if "level" not in item and "sign" not in item:
            self.wrong(at, f"{item['id']} 缺少 level")
        says = self._phrases((*at, "says"), item.get("says"))
        if not says:
            self.wrong((*at, "says"), f"{item['id']} 缺少 says")
        ignores = frozenset(item.get("ignores") or ())
        for key in (ignores | set(item.get("softened") or ())) - set(STANDINGS):
            self.wrong((*at, "ignores"), f"不认识 {key}；可以写 {'、'.join(STANDINGS)}")
        return Rule(
            code=item["id"],
            flag=self._flag((*at, "flag"), item.get("flag")),
            sign=item.get("sign"),
            level=self._level((*at, "level"), item.get("level", "none")),
            says=says,
            near=self._phrases((*at, "near"), item.get("near")),
            implied=frozenset(item.get("implied") or ()),
            reach=int(item.get("reach", 20)),
            excepted=self._phrases((*at, "except"), item.get("except")),
            unless=self._phrases((*at, "unless"), item.get("unless")),
            treatments=frozenset(item.get("treatments") or ()),
            asked=frozenset(item.get("asked") or ()),
            when=tuple(self._when((*at, "when", n), one) for n, one in enumerate(item.get("when") or ())),
            ignores=ignores,
            softened={
                str(key): self._level((*at, "softened", key), value)
                for key, value in (item.get("softened") or {}).items()
            },
            own_care=bool(item.get("own_care")),
            felt=bool(item.get("felt")),
        )

    def _when(self, at: tuple[int | str, ...], item: Any) -> When:
        for key in set(item) - _WHEN_KEYS:
            self.wrong((*at, key), f"不认识 {key}")
        days = str(item.get("days", "-"))
        span = _DAYS.fullmatch(days) or _DAYS.fullmatch(f"{days}-{days}")
        if span is None:
            self.wrong((*at, "days"), f"{days} 不是天数；写成 4- 或 0-3")
        first, last = (span[1], span[2]) if span else ("", "")
        return When(
            level=self._level((*at, "level"), item.get("level")),
            treatments=frozenset(item.get("treatments") or ()),
            first_day=int(first or 0),
            last_day=int(last or 10_000),
            needs_day="days" in item,
        )

    def _together(self, number: int, item: Any, subjects: set[str]) -> Together | None:
        at: tuple[int | str, ...] = ("together", number)
        flag = self._flag((*at, "flag"), item.get("flag"))
        groups = tuple(frozenset(str(group).split("|")) for group in item.get("all") or ())
        unknown = {one for group in groups for one in group} - subjects - set(Flag)
        if flag is None or len(groups) < 2 or unknown:
            self.wrong(at, f"这一条要有 flag，all 里至少两项，并且都存在：{'、'.join(sorted(unknown))}")
            return None
        level = self._level((*at, "level"), item.get("level"))
        least = {str(k): self._level((*at, "least", k), v) for k, v in (item.get("least") or {}).items()}
        return Together(str(item.get("id")), groups, least, flag, level)

    def _feeling(self, number: int, item: Any) -> Feeling | None:
        at: tuple[int | str, ...] = ("feelings", number)
        if not isinstance(item, dict) or not isinstance(item.get("valence"), int | float):
            self.wrong(at, "这一条要有 label、valence、says")
            return None
        says = self._phrases((*at, "says"), item.get("says"))
        return Feeling(str(item.get("label")), float(item["valence"]), says)


def _line(node: Node | None, path: tuple[int | str, ...]) -> int:
    line = 1
    while node is not None:
        line = node.start_mark.line + 1
        if not path:
            break
        node, path = _child(node, path[0]), path[1:]
    return line


def _child(node: Node, part: int | str) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(part, int):
        found: Node | None = node.value[part] if part < len(node.value) else None
        return found
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if str(key.value) == str(part)), None)
    return None
