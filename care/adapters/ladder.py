"""Loading the ladder of a pack: `ladder.yml` in, a validated `Ladder` out, or every problem with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from care.adapters import packs
from care.adapters.calendar import PackCalendar
from care.adapters.packs import PackError, PackProblem
from care.model.case import URGENCY
from care.model.ladder import BreachStep, DayKind, Ladder, LevelRule, Promises
from care.model.pack import Pack

STRICT = (BreachStep, Ladder, LevelRule)
SLOWEST_MINUTES = 60 * 24 * 7  # a promise later than a week is a slip of the pen
TOLD_AT_MOST = 60  # minutes; somebody whose promise was just broken is not told to wait for hours


def load_ladder(folder: Path, pack: Pack) -> Ladder:
    """Read and check `ladder.yml` of a pack.

    Args:
        folder: the pack's.
        pack: the rest of it; every sentence a rung says must be there.

    Raises:
        PackError: listing every problem with file and line.
    """
    file = packs._read(folder / "ladder.yml")
    try:
        ladder = _adapter().validate_python(file.data or {})
    except ValidationError as wrong:
        raise PackError(
            [
                PackProblem(
                    file.name, file.line(item["loc"]), f"{'.'.join(map(str, item['loc']))}：{packs._in_chinese(item)}"
                )
                for item in wrong.errors(include_url=False)
            ]
        ) from None
    problems = [
        PackProblem(file.name, file.line(path), message)
        for path, message in [*_whole(ladder), *_levels(ladder, pack)]
    ]
    if problems:
        raise PackError(sorted(problems, key=lambda problem: problem.line))
    return ladder


def load_promises(folder: Path, pack: Pack, calendar: PackCalendar | None = None) -> Promises:
    """Return a pack's ladder on its calendar.

    Raises:
        PackError: listing every problem with file and line.
    """
    ladder = load_ladder(folder, pack)
    days = calendar or PackCalendar(folder, pack)

    def kind(day: date) -> DayKind:
        if days.is_make_up_workday(day) and day not in pack.closures:
            return "made_up"
        return "holiday" if days.is_festival(day) or day in pack.closures else "plain"

    return Promises(ladder, kind)


@cache
def _adapter() -> TypeAdapter[Ladder]:
    for kind in STRICT:
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - the model knows no pydantic
    return TypeAdapter(Ladder)


Found = Iterator[tuple[tuple[int | str, ...], str]]


def _whole(ladder: Ladder) -> Found:
    if not ladder.approved_by.strip():
        yield ("approved_by",), "缺少批准人"
    if ladder.hours[0] >= ladder.hours[1]:
        yield ("hours",), "上班时间结束早于开始"
    for name in ("rest_days", "legal_rest_days"):
        days: frozenset[int] = getattr(ladder, name)
        for day in sorted(days - set(range(1, 8))):
            yield (name,), f"没有星期 {day}，只能是 1（周一）到 7（周日）"
        if len(days) == 7:
            yield (name,), "一周七天都休息，就没有人答复了"
    if len(set(ladder.command)) < len(ladder.command):
        yield ("command",), "同一个角色出现了两次"
    if not 0 < ladder.legal_days <= ladder.legal_days_several:
        yield ("legal_days",), "多科室的法定期限不能比一般的短"
    for name in ("repeat_within_days", "ask_after_hours", "close_after_hours", "severe_in_a_row"):
        if getattr(ladder, name) <= 0:
            yield (name,), f"{name} 必须大于 0"
    for level in URGENCY:
        if level not in ladder.levels:
            yield ("levels",), f"缺少级别 {level.value}"


def _levels(ladder: Ladder, pack: Pack) -> Found:
    for level, rule in ladder.levels.items():
        path = ("levels", level.value)
        spans = [("in_hours", rule.in_hours)]
        if not isinstance(rule.on_call, time):
            spans.append(("on_call", rule.on_call))
        for name, minutes in spans:
            if not 0 < minutes <= SLOWEST_MINUTES:
                yield (*path, name), f"{level.value} 的 {name} 要在 1 到 {SLOWEST_MINUTES} 分钟之间"
        if isinstance(rule.on_call, time) and rule.counts != "always":
            yield (*path, "on_call"), f"{level.value} 按工作时间计时，就不能再写第二天几点"
        if not 0 < rule.warn_at < 1:
            yield (*path, "warn_at"), f"{level.value} 的提醒要在期限之前：warn_at 在 0 和 1 之间"
        if not rule.first:
            yield (*path, "first"), f"{level.value} 没有写第一个处理的人"
        yield from _steps(level.value, rule, ladder, pack)
        for name in ("received", "night"):
            key = getattr(rule, name)
            if (key or name == "received") and key not in pack.wording:
                yield (*path, name), f"没有 {key} 这句话术"


def _steps(level: str, rule: LevelRule, ladder: Ladder, pack: Pack) -> Found:
    path = ("levels", level, "steps")
    if not rule.steps or rule.steps[0].at != 1:
        yield path, f"{level} 的第一级必须在期限当时（at: 1）"
    before = 0.0
    for number, step in enumerate(rule.steps):
        if step.at <= before:
            yield (*path, number), f"{level} 的各级要一级晚于一级"
        if step.to not in ladder.command:
            yield (*path, number, "to"), f"{step.to.value} 不在 command 里，没有人可以接"
        if step.says and step.says not in pack.wording:
            yield (*path, number, "says"), f"没有 {step.says} 这句话术"
        if number == 0 and not step.says:
            yield (*path, number), f"{level} 到期时必须告诉会员"
        if not 0 < step.minutes <= TOLD_AT_MOST:
            yield (*path, number, "minutes"), f"{level} 答应会员的分钟数要在 1 到 {TOLD_AT_MOST} 之间"
        before = step.at
