"""Loading what a pack says about moods: `curves.yml` in, checked `Curves` out, or all problems with file and line."""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from care.adapters.pack_files import OPENING_LIMIT, File, PackError, PackProblem, in_chinese, read, style
from care.model.curve import Course, Curves, Peak, Shape, Step, ThemeRow
from care.model.judging import Table
from care.model.next_action import CarePlan
from care.model.pack import Pack

STRICT = (Course, Curves, Peak, Shape, Step, ThemeRow)
WEIGHTED = ("shapes", "shifts", "sizes", "bases")
ROUNDING = 1e-6
#: Every reason the planner gives, with the blanks it fills.
REASONS: dict[str, frozenset[str]] = {
    "answer": frozenset({"回答", "原因"}),
    "band_low": frozenset({"日", "值"}),
    "band_low_twice": frozenset(),
    "band_pain": frozenset({"日", "值"}),
    "bill": frozenset(),
    "capped": frozenset(),
    "carer_distress": frozenset(),
    "carer_likely": frozenset({"百分"}),
    "follow_up": frozenset(),
    "human": frozenset(),
    "late_surgery": frozenset(),
    "less_but_safety": frozenset(),
    "message": frozenset({"级别"}),
    "neutral": frozenset({"日"}),
    "not_now": frozenset(),
    "open_case": frozenset(),
    "quiet": frozenset(),
    "recheck": frozenset({"原因"}),
    "recheck_mood": frozenset(),
    "reply": frozenset(),
    "reply_mood": frozenset(),
    "safety": frozenset({"日"}),
    "safety_support": frozenset({"日", "百分"}),
    "second_channel": frozenset({"小时"}),
    "silence_call": frozenset({"小时"}),
    "stopped": frozenset(),
    "stopped_early": frozenset(),
    "support": frozenset({"百分"}),
    "support_slot": frozenset({"百分"}),
    "today": frozenset(),
    "unanswered": frozenset({"次"}),
    "unlikely": frozenset({"百分"}),
    "well": frozenset({"百分"}),
    "within": frozenset(),
    "withheld": frozenset(),
}


def load_curves(folder: Path, pack: Pack) -> Curves:
    """Read and check `curves.yml` of a pack.

    Args:
        folder: the pack's.
        pack: the rest of it; every protocol needs a course.

    Raises:
        PackError: listing every problem with file and line.
    """
    file = read(folder / "curves.yml")
    try:
        curves = _adapter().validate_python(file.data or {})
    except ValidationError as wrong:
        raise PackError(
            [
                PackProblem(
                    file.name, file.line(item["loc"]), f"{'.'.join(map(str, item['loc']))}：{in_chinese(item)}"
                )
                for item in wrong.errors(include_url=False)
            ]
        ) from None
    problems = [*_check_figures(curves, file), *_check_codes(curves, pack, file), *_check_words(curves, file)]
    if problems:
        raise PackError(sorted(problems, key=lambda problem: problem.line))
    return curves


def load_care_plan(folder: Path, pack: Pack, *, explore: bool = True, seed: str = "") -> CarePlan:
    """Return everything the planner decides by, from one pack.

    Raises:
        PackError: listing every problem with file and line.
    """
    return CarePlan(pack.protocols, Table.of(pack.rules), load_curves(folder, pack), explore=explore, seed=seed)


@cache
def _adapter() -> TypeAdapter[Curves]:
    for kind in STRICT:
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - the model knows no pydantic
    return TypeAdapter(Curves)


def _check_figures(curves: Curves, file: File) -> Iterator[PackProblem]:
    def at(message: str, *path: int | str) -> PackProblem:
        return PackProblem(file.name, file.line(path), message)

    for axis in WEIGHTED:
        values: Any = getattr(curves, axis)
        total = sum(one.weight for one in values)
        if abs(total - 1) > ROUNDING:
            yield at(f"{axis} 的权重加起来应该是 1，现在是 {total:g}", axis)
        for number, one in enumerate(values):
            if one.weight <= 0:
                yield at(f"{axis} 的权重必须大于 0", axis, number)
    for number, shape in enumerate(curves.shapes):
        if not shape.peaks or any(peak.width <= 0 for peak in shape.peaks):
            yield at(f"形状 {shape.code} 要有峰，宽度必须大于 0", "shapes", number)
    for code, course in curves.treatments.items():
        if not (0 < course.amplitude <= 10 and 0 <= course.first_day <= 10):
            yield at(f"{code} 的幅度要在 0 到 10 之间", "treatments", code)


def _check_codes(curves: Curves, pack: Pack, file: File) -> Iterator[PackProblem]:
    def at(message: str, *path: int | str) -> PackProblem:
        return PackProblem(file.name, file.line(path), message)

    for missing in sorted(set(pack.protocols) - set(curves.treatments)):
        yield at(f"缺少 {missing} 的心情曲线", "treatments")
    for unknown in sorted(set(curves.treatments) - set(pack.protocols)):
        yield at(f"没有 {unknown} 这个恢复方案", "treatments", unknown)
    for number, row in enumerate(curves.themes):
        if row.theme not in curves.support:
            yield at(f"主题 {row.theme} 没有话术", "themes", number)
        for unknown in sorted(set(row.treatments) - set(pack.protocols)):
            yield at(f"没有 {unknown} 这个恢复方案", "themes", number)
    last = curves.themes[-1] if curves.themes else None
    if last is None or last.treatments or last.facts or last.from_day > 0:
        yield at("themes 的最后一行要对谁都合适", "themes")


def _check_words(curves: Curves, file: File) -> Iterator[PackProblem]:
    for theme, text in curves.support.items():
        yield from style(text, file.name, file.line(("support", theme)), OPENING_LIMIT)
    for key in sorted(set(REASONS) - set(curves.reasons)):
        yield PackProblem(file.name, file.line(("reasons",)), f"缺少理由 {key}")
    for key, text in curves.reasons.items():
        line = file.line(("reasons", key))
        try:
            blanks = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except ValueError:
            yield PackProblem(file.name, line, "花括号没有成对")
            continue
        for unknown in sorted(blanks - REASONS.get(key, frozenset())):
            yield PackProblem(file.name, line, f"理由 {key} 里没有 {{{unknown}}} 这个占位")
