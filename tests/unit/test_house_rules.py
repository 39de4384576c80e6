"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("care", "bot", "actions", "scheduler", "console", "api", "anxin")
CODE = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
ENTRANCES = {"care/settings.py"}
CLOCKS = {"care/bootstrap.py", "care/logs.py", "care/testing.py"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_the_environment_and_the_clock_are_read_in_one_place_each(path: Path) -> None:
    text = path.read_text()

    if _name(path) not in ENTRANCES:
        assert not re.search(r"os\.environ|os\.getenv", text)
    if _name(path) not in CLOCKS:
        assert not re.search(r"datetime\.now\(|datetime\.utcnow\(|date\.today\(", text)


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_a_module_stays_readable_in_one_sitting(path: Path) -> None:
    if "migrations" not in path.parts:
        assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize(
    "path",
    [p for p in CODE if _name(p).split("/")[0] not in {"anxin"} and "adapters/packs" not in _name(p)],
    ids=_name,
)
def test_what_members_read_is_in_the_pack_or_the_domain(path: Path) -> None:
    """Sentences to members live in data. A Chinese sentence in code is one that ends like one."""
    strings = re.findall(r'f?"((?:[^"\\\n]|\\.)*[\u4e00-\u9fff](?:[^"\\\n]|\\.)*)"', _without_docstrings(path))

    assert [text for text in strings if re.search(r"您.*[。！？]$", text)] == []


def _without_docstrings(path: Path) -> str:
    return re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL)
