"""Loading a pack: YAML in, a validated `Pack` out, or every problem with its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from care.adapters import pack_files
from care.adapters.pack_checks import cross_checks
from care.adapters.pack_files import PackError, PackProblem
from care.model.pack import Clinic, KnowledgeEntry, Leaflet, LeafletEntry, Pack, Practitioner, Service, Shift
from care.model.protocol import (
    AnswerRule,
    Beside,
    Option,
    PriorChange,
    Protocol,
    Question,
    Silence,
    Stop,
    TouchpointPlan,
)

__all__ = [
    "PackError",
    "PackProblem",
    "clinic_names",
    "load_pack",
    "make_strict",
    "practitioner_names",
    "service_names",
]

OPENING_LIMIT = pack_files.OPENING_LIMIT
_File = pack_files.File
_read, _style, _in_chinese = pack_files.read, pack_files.style, pack_files.in_chinese
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
    *(AnswerRule, Beside, Clinic, KnowledgeEntry, Leaflet, LeafletEntry, Option, Pack, Practitioner),
    *(PriorChange, Protocol, Question, Service, Shift, Silence, Stop, TouchpointPlan),
)
COLLECTIONS = ("clinics", "practitioners", "services", "protocols", "questions", "knowledge")
WITH = "with"  # what the pack calls `beside`, which Python has no name for


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
    raw["rules"] = [_with_name(row) for row in files["rules"].data or []]
    raw["leaflets"] = _by_code(files["leaflets"], problems, key="treatment")
    raw["wording"] = _flat(files["wording"].data or {})
    raw["closures"] = (files["holidays"].data or {}).get("closures") or {}
    try:
        pack = _adapter().validate_python(raw)
    except ValidationError as wrong:
        problems += [_located(item, files) for item in wrong.errors(include_url=False)]
        raise PackError(pack_files.in_order(problems)) from None
    problems += cross_checks(pack, files)
    if problems:
        raise PackError(pack_files.in_order(problems))
    return pack


def _with_name(row: Any) -> Any:
    if not isinstance(row, dict) or WITH not in row:
        return row
    return {key: value for key, value in row.items() if key != WITH} | {"beside": row[WITH]}


def service_names(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Return every name a service goes by, for the reader of entities."""
    return {one.code: (one.name, *one.aliases) for one in pack.services.values()}


def practitioner_names(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Return every name a practitioner goes by."""
    return {one.code: (one.name, *one.aliases) for one in pack.practitioners.values()}


def clinic_names(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Return every name a branch goes by."""
    return {one.code: (one.name, *one.aliases) for one in pack.clinics.values()}


def make_strict() -> None:
    """Have every noun of a pack refuse fields it does not know; the model itself knows no pydantic."""
    for kind in STRICT:
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010


@cache
def _adapter() -> TypeAdapter[Pack]:
    make_strict()
    return TypeAdapter(Pack)


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
        path = tuple(WITH if part == "beside" else part for part in rest) if section in files else (section, *rest)
    what = ".".join(str(part) for part in (*rest,)) or str(section)
    return PackProblem(file.name, file.line(path), f"{what}：{_in_chinese(item)}")
