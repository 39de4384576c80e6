"""What the files of a pack share: YAML with its lines, problems with file and line, how texts must sound."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

OPENING_LIMIT = 60  # characters before the question; style test of the clinic
PUSHY = ("优惠", "活动价", "促销", "点击领取", "秒杀", "限时", "抢购", "打折", "立减", "名额有限")
DEAR = re.compile(r"(?<![父母双])亲[，,~～！!]|亲爱的")
BLANKS = frozenset(
    [
        "称呼",
        "医生",
        "护士",
        "关怀师",
        "姓名",
        "岗位",
        "上级姓名",
        "机构",
        "时间",
        "分钟",
        "电话",
        "尾号",
        "链接",
        "N",
        "项目",
        "门店",
        "地址",
        "准备",
        "价格",
        "内容",
        "数",
        "医嘱原话",
        "下次内容",
    ]
)


@dataclass(frozen=True, slots=True)
class PackProblem:
    """One thing that is wrong, and where."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class PackError(Exception):
    """The pack cannot be used; every problem is listed."""

    def __init__(self, problems: list[PackProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class File:
    """A file of a pack as it was read, which knows the line of everything in it."""

    name: str
    node: Node | None
    data: Any

    def line(self, path: tuple[int | str, ...]) -> int:
        """Return the line of the deepest part of `path` that exists."""
        node, line = self.node, 1
        while node is not None:
            line = node.start_mark.line + 1
            if not path:
                break
            node, path = _child(node, path[0]), path[1:]
        return line


def read(path: Path) -> File:
    """Read a YAML file.

    Raises:
        PackError: there is none, or it cannot be read.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PackError([PackProblem(name, 1, "没有这个文件")]) from None
    except UnicodeDecodeError:
        raise PackError([PackProblem(name, 1, "不是 UTF-8 编码")]) from None
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise PackError([PackProblem(name, line, f"YAML 写法有误：{wrong.problem}")]) from None
    data = SafeConstructor(preserve_quotes=None, loader=yaml).construct_document(node) if node else None
    return File(name, node, data)


def _child(node: Node, part: int | str) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(part, int):
        found: Node | None = node.value[part] if part < len(node.value) else None
        return found
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if str(key.value) == str(part)), None)
    return None


def in_chinese(item: Any) -> str:
    """Return what is wrong with a value, for somebody who is no programmer."""
    kind, given = item["type"], item.get("input")
    words = {
        "missing": "缺少这一项",
        "extra_forbidden": "没有这个字段，是不是写错了",
        "unexpected_keyword_argument": "没有这个字段，是不是写错了",
        "int_parsing": f"应该是整数，现在是 {given!r}",
        "int_type": f"应该是整数，现在是 {given!r}",
        "string_type": f"应该是文字，现在是 {given!r}",
        "literal_error": f"只能是 {item.get('ctx', {}).get('expected', '')}，现在是 {given!r}",
    }
    return words.get(kind, f"{item['msg']}，现在是 {str(given)[:40]!r}")


def style(text: str, name: str, line: int, limit: int | None) -> Iterator[PackProblem]:
    """Yield what is wrong with a text members read: too long, pushy, blanks nobody fills."""
    if limit is not None and len(text) > limit:
        yield PackProblem(name, line, f"太长了：{len(text)} 个字，最多 {limit} 个")
    for word in PUSHY:
        if word in text:
            yield PackProblem(name, line, f"关怀的话里不要出现“{word}”")
    if found := DEAR.search(text):
        yield PackProblem(name, line, f"关怀的话里不要出现“{found.group()}”")
    if len(re.findall(r"[\U0001F300-\U0001FAFF]", text)) > 1:
        yield PackProblem(name, line, "表情最多一个")
    try:
        blanks = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    except ValueError:
        yield PackProblem(name, line, "花括号没有成对")
        return
    for unknown in sorted(blanks - BLANKS):
        yield PackProblem(name, line, f"没有 {{{unknown}}} 这个占位")


def in_order(problems: list[PackProblem]) -> list[PackProblem]:
    """Return problems by file and line."""
    return sorted(problems, key=lambda problem: (problem.file, problem.line))
