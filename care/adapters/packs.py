"""Loading a pack: YAML in, a validated `Pack` out, or every problem with its file and line."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from care.model.member import RISK_FACTS
from care.model.pack import Clinic, KnowledgeEntry, Leaflet, LeafletEntry, Pack, Practitioner, Service, Shift
from care.model.protocol import AnswerRule, Option, Protocol, Question, TouchpointPlan

OPENING_LIMIT = 60  # characters before the question; style test of the clinic
PUSHY = ("亲，", "亲~", "优惠", "活动价", "点击领取", "秒杀")
#: Sentences the core says; a pack without one of them is not complete.
NEEDED = [
    "ai.disclosure",
    "ai.signature",
    "checkin.already",
    "checkin.close",
    "checkin.close_next",
    "checkin.ok",
    "checkin.passed_on",
    "checkin.reask",
    "checkin.recheck",
    "checkin.second_channel",
    "checkin.unclear",
    "checkin.watch",
    "checkin.watch_bleed",
    "complaint.k2",
    "complaint.k3",
    "dialogue.down",
    "input.empty",
    "owner.handed_back",
    "owner.taken_over",
    "reminder.visit_soon",
    "reminder.visit_tomorrow",
    "report.no_episode",
    "report.thanks",
    "safety.l0",
    "safety.l1_l2",
    "safety.l1_l2_no_phone",
    "safety.p2",
    "safety.p3",
    "safety.presence",
    "sla.breach",
    "sla.received",
    "button.nurse_call",
    "button.no",
    "button.human",
    "word.doctor",
    "word.often",
    "wecom.welcome",
    "wecom.contact",
    "wecom.nobody_there",
    "fear.sound",
    "fear.needle",
    "fear.unknown",
    "fear.other",
    "held.name",
    "held.phone",
    "held.messages",
    "held.visits",
    "held.treatments",
    "held.facts",
    "held.cases",
    "held.choices",
    "look.staff",
    "look.practice",
    "purpose.reminders",
    "purpose.check_ins",
    "purpose.surveys",
]
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
    ]
)
FILES = [
    "pack",
    "clinics",
    "practitioners",
    "services",
    "protocols",
    "questions",
    "rules",
    "leaflets",
    "knowledge",
    "wording",
    "holidays",
]
STRICT = (
    *(AnswerRule, Clinic, KnowledgeEntry, Leaflet, LeafletEntry, Option, Pack),
    *(Practitioner, Protocol, Question, Service, Shift, TouchpointPlan),
)
COLLECTIONS = ("clinics", "practitioners", "services", "protocols", "questions", "knowledge")


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
class _File:
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


def load_pack(folder: Path) -> Pack:
    """Read and check a pack.

    Raises:
        PackError: listing every problem with file and line.
    """
    files = {name: _read(folder / f"{name}.yml") for name in FILES}
    problems: list[PackProblem] = []
    raw: dict[str, Any] = dict(files["pack"].data or {})
    for name in COLLECTIONS:
        raw[name] = _by_code(files[name], problems)
    raw["rules"] = files["rules"].data or []
    raw["leaflets"] = _by_code(files["leaflets"], problems, key="treatment")
    raw["wording"] = _flat(files["wording"].data or {})
    raw["closures"] = (files["holidays"].data or {}).get("closures") or {}
    try:
        pack = _adapter().validate_python(raw)
    except ValidationError as wrong:
        problems += [_located(item, files) for item in wrong.errors(include_url=False)]
        raise PackError(_sorted(problems)) from None
    problems += _cross_checks(pack, files)
    if problems:
        raise PackError(_sorted(problems))
    return pack


def service_names(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Return every name a service goes by, for the reader of entities."""
    return {one.code: (one.name, *one.aliases) for one in pack.services.values()}


def practitioner_names(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Return every name a practitioner goes by."""
    return {one.code: (one.name, *one.aliases) for one in pack.practitioners.values()}


def clinic_names(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Return every name a branch goes by."""
    return {one.code: (one.name, *one.aliases) for one in pack.clinics.values()}


@cache
def _adapter() -> TypeAdapter[Pack]:
    for kind in STRICT:
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - the model knows no pydantic
    return TypeAdapter(Pack)


def _read(path: Path) -> _File:
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
    return _File(name, node, data)


def _child(node: Node, part: int | str) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(part, int):
        found: Node | None = node.value[part] if part < len(node.value) else None
        return found
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if str(key.value) == str(part)), None)
    return None


def _by_code(file: _File, problems: list[PackProblem], key: str = "code") -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not isinstance(file.data, list):
        problems.append(PackProblem(file.name, 1, f"应该是一个列表，每一项有 {key}"))
        return found
    for number, item in enumerate(file.data):
        code = item.get(key) if isinstance(item, dict) else None
        if not isinstance(code, str):
            problems.append(PackProblem(file.name, file.line((number,)), f"这一项缺少 {key}"))
        elif code in found:
            problems.append(PackProblem(file.name, file.line((number, key)), f"{key} {code} 重复了"))
        else:
            found[code] = item
    return found


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _located(item: Any, files: Mapping[str, _File]) -> PackProblem:
    section, *rest = item["loc"]
    name = section if section in files else "pack"
    file = files[name]
    if section == "closures":
        file, path = files["holidays"], ("closures", *rest)
    elif section in (*COLLECTIONS, "leaflets") and rest:
        key = "treatment" if section == "leaflets" else "code"
        number = next((n for n, one in enumerate(file.data) if one.get(key) == rest[0]), 0)
        path = (number, *rest[1:])
    elif section == "wording":
        path = tuple(str(rest[0]).split(".")) if rest else ()
    else:
        path = tuple(rest) if section in files else (section,)
    what = ".".join(str(part) for part in (*rest,)) or str(section)
    return PackProblem(file.name, file.line(path), f"{what}：{_in_chinese(item)}")


def _in_chinese(item: Any) -> str:
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


def _cross_checks(pack: Pack, files: Mapping[str, _File]) -> Iterator[PackProblem]:
    yield from _check_services(pack, files["services"])
    yield from _check_people(pack, files["practitioners"])
    yield from _check_protocols(pack, files["protocols"], files["leaflets"])
    yield from _check_rules(pack, files["rules"])
    yield from _check_wording(pack, files["wording"])


def _check_services(pack: Pack, file: _File) -> Iterator[PackProblem]:
    for number, service in enumerate(pack.services.values()):

        def at(field: str, message: str, row: int = number) -> PackProblem:
            return PackProblem(file.name, file.line((row, field)), message)

        if service.minutes <= 0 or service.minutes % 15:
            yield at("minutes", f"服务 {service.code} 的 minutes 必须是 15 的正倍数，现在是 {service.minutes}")
        if not 0 <= service.price_low <= service.price_high:
            yield at("price_low", f"服务 {service.code} 的价格区间不成立")
        if service.protocol is not None and service.protocol not in pack.protocols:
            yield at("protocol", f"没有 {service.protocol} 这个恢复方案")
        if not any(pack.may_do(one, service) for one in pack.practitioners.values()):
            yield at("speciality", f"没有人能做服务 {service.code}")
        if not any(pack.chairs_for(clinic, service) for clinic in pack.clinics):
            yield at("chair", f"没有一家门店有适合 {service.code} 的椅位")


def _check_people(pack: Pack, file: _File) -> Iterator[PackProblem]:
    for number, one in enumerate(pack.practitioners.values()):
        for row, shift in enumerate(one.shifts):
            line = file.line((number, "shifts", row))
            clinic = pack.clinics.get(shift.clinic)
            if clinic is None:
                yield PackProblem(file.name, line, f"{one.name} 的排班里没有 {shift.clinic} 这家门店")
                continue
            hours = clinic.hours.get(shift.weekday)
            if shift.start >= shift.end:
                yield PackProblem(file.name, line, f"{one.name} 的排班结束早于开始")
            elif hours is None or shift.start < hours[0] or shift.end > hours[1]:
                yield PackProblem(file.name, line, f"{one.name} 的排班超出了{clinic.name}的营业时间")


def _check_protocols(pack: Pack, file: _File, leaflets: _File) -> Iterator[PackProblem]:
    for number, protocol in enumerate(pack.protocols.values()):
        if protocol.code not in pack.leaflets:
            yield PackProblem(leaflets.name, 1, f"缺少 {protocol.code} 的术后须知")
        for row, plan in enumerate(protocol.touchpoints):
            path = (number, "touchpoints", row)
            if plan.window[0] >= plan.window[1]:
                yield PackProblem(file.name, file.line((*path, "window")), f"{plan.code} 的时间窗结束早于开始")
            if not 1 <= len(plan.ask) <= 4:
                yield PackProblem(file.name, file.line((*path, "ask")), f"{plan.code} 要问 1 到 4 个问题")
            for unknown in [code for code in plan.ask if code not in pack.questions]:
                yield PackProblem(file.name, file.line((*path, "ask")), f"{plan.code} 问了没有的问题 {unknown}")
            yield from _style(plan.opening, file.name, file.line((*path, "opening")), OPENING_LIMIT)


def _check_rules(pack: Pack, file: _File) -> Iterator[PackProblem]:
    for number, rule in enumerate(pack.rules):
        line = file.line((number,))
        question = pack.questions.get(rule.question)
        if question is None:
            yield PackProblem(file.name, line, f"规则 {rule.id} 用了没有的问题 {rule.question}")
        elif question.kind == "choice":
            for unknown in set(rule.values) - {option.value for option in question.options}:
                yield PackProblem(file.name, line, f"规则 {rule.id} 用了没有的回答 {unknown}")
        if rule.verdict == "escalate" and rule.level is None:
            yield PackProblem(file.name, line, f"规则 {rule.id} 要升级，却没有写级别")
        if rule.verdict == "watch" and rule.recheck_minutes is None:
            yield PackProblem(file.name, line, f"规则 {rule.id} 要复查，却没有写多久以后")


def _check_wording(pack: Pack, file: _File) -> Iterator[PackProblem]:
    for key in NEEDED:
        if key not in pack.wording:
            yield PackProblem(file.name, 1, f"缺少话术 {key}")
    for fact in sorted(RISK_FACTS):
        if f"fact.{fact}" not in pack.wording:
            yield PackProblem(file.name, 1, f"缺少话术 fact.{fact}")
    for key, text in pack.wording.items():
        yield from _style(text, file.name, file.line(tuple(key.split("."))), None)


def _style(text: str, name: str, line: int, limit: int | None) -> Iterator[PackProblem]:
    if limit is not None and len(text) > limit:
        yield PackProblem(name, line, f"太长了：{len(text)} 个字，最多 {limit} 个")
    for word in PUSHY:
        if word in text:
            yield PackProblem(name, line, f"关怀的话里不要出现“{word}”")
    if len(re.findall(r"[\U0001F300-\U0001FAFF]", text)) > 1:
        yield PackProblem(name, line, "表情最多一个")
    try:
        blanks = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    except ValueError:
        yield PackProblem(name, line, "花括号没有成对")
        return
    for unknown in sorted(blanks - BLANKS):
        yield PackProblem(name, line, f"没有 {{{unknown}}} 这个占位")


def _sorted(problems: list[PackProblem]) -> list[PackProblem]:
    return sorted(problems, key=lambda problem: (problem.file, problem.line))
