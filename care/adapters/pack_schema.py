"""A JSON schema for each file of a pack, so that an editor can complete fields and mark mistakes while one types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from care.adapters import packs
from care.model.pack import Clinic, KnowledgeEntry, Leaflet, Practitioner, Service
from care.model.protocol import AnswerRule, Protocol, Question

#: What a file holds: a list of these.
LISTS: dict[str, Any] = {
    "clinics": Clinic,
    "practitioners": Practitioner,
    "services": Service,
    "protocols": Protocol,
    "questions": Question,
    "rules": AnswerRule,
    "leaflets": Leaflet,
    "knowledge": KnowledgeEntry,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each file that has a form of its own, by the file's name."""
    packs.make_strict()
    found = {}
    for name, kind in LISTS.items():
        schema = TypeAdapter(list[kind]).json_schema()  # type: ignore[valid-type]
        found[name] = {"$schema": DIALECT, "title": f"{name}.yml"} | _as_written(schema)
    return found


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema into a folder and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _as_written(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in the words of the YAML: `with` for `beside`, `09:00` for a time."""
    rule = schema.get("$defs", {}).get("AnswerRule", {}).get("properties")
    if rule is not None:
        rule[packs.WITH] = rule.pop("beside")
    for place in _places(schema):
        if place.get("format") == "time":
            del place["format"]
            place["pattern"] = "^[0-2][0-9]:[0-5][0-9]$"
    return schema


def _places(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [place for one in node for place in _places(one)]
    if isinstance(node, dict):
        return [node, *(place for one in node.values() for place in _places(one))]
    return []
