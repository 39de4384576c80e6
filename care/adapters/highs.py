"""Loading the highs of a pack: `highs.yml` in, checked `Highs` out, or every problem with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from care.adapters.pack_files import File, PackError, PackProblem, in_chinese, in_order, read, style
from care.model.highs import High, Highs
from care.model.pack import Pack

STRICT = (High, Highs)
WORDS_LIMIT = 80  # characters; a high is one breath
A_MONTH_AT_MOST = 1  # clinic protocol 2026-11
PERSUADING = ("转发", "朋友圈", "晒一晒", "分享给朋友", "推荐给", "点赞")


def load_highs(folder: Path, pack: Pack) -> Highs:
    """Read and check `highs.yml` of a pack.

    Raises:
        PackError: listing every problem with file and line.
    """
    file = read(folder / "highs.yml")
    try:
        highs = _adapter().validate_python(file.data or {})
    except ValidationError as wrong:
        raise PackError(
            [
                PackProblem(
                    file.name, file.line(item["loc"]), f"{'.'.join(map(str, item['loc']))}：{in_chinese(item)}"
                )
                for item in wrong.errors(include_url=False)
            ]
        ) from None
    problems = list(_problems(highs, pack, file))
    if problems:
        raise PackError(in_order(problems))
    return highs


@cache
def _adapter() -> TypeAdapter[Highs]:
    for kind in STRICT:
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - the model knows no pydantic
    return TypeAdapter(Highs)


def _problems(highs: Highs, pack: Pack, file: File) -> Iterator[PackProblem]:
    if not highs.approved_by.strip():
        yield PackProblem(file.name, file.line(("approved_by",)), "没有写由谁批准")
    if not 0 <= highs.a_month <= A_MONTH_AT_MOST:
        yield PackProblem(file.name, file.line(("a_month",)), f"治疗之外每月最多 {A_MONTH_AT_MOST} 次")
    seen: set[str] = set()
    for number, high in enumerate(highs.moments):
        line = file.line(("moments", number))
        if high.code in seen:
            yield PackProblem(file.name, line, f"{high.code} 重复了")
        seen.add(high.code)
        for unknown in sorted(set(high.treatments) - set(pack.protocols)):
            yield PackProblem(file.name, line, f"{high.code} 用了没有的恢复方案 {unknown}")
        words = file.line(("moments", number, "wording"))
        yield from style(high.wording, file.name, words, WORDS_LIMIT)
        for word in PERSUADING:
            if word in high.wording:
                yield PackProblem(file.name, words, f"高光时刻不请人转发或推荐：“{word}”")
