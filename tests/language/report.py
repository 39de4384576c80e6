"""How well messages are understood, as one page for people who do not write programs: `make language-report`.

The page needs nothing but itself: no script, no other host. What is shown comes from `figures` and, for the learning
curve and the comparison of readers, from what `make bench-language` wrote down; what is missing is said in its place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruamel.yaml import YAML

from care.settings import ROOT, load_settings
from tests.language.figures import ALARMS, ALL, FEELINGS, HERE, Figure, Line, Measured, by_intent, measured
from tests.language.report_charts import calibration_curve, heat_map, learning_curve
from tests.language.report_goals import GOALS, Goal

OUT: Final = ROOT / "var" / "reports" / "language.html"
BENCH: Final = ROOT / "var" / "reports" / "language-bench.json"
TEMPLATE: Final = "report.html.j2"
WORST: Final = 12  # confusions that are shown
EXAMPLES: Final = 3  # messages of each
SHOWN: Final = 60  # messages of one list at most
Words = Mapping[str, Any]


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="make language-report", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="where the page is written")
    parser.add_argument("--bench", type=Path, default=BENCH, help="what `make bench-language` wrote down")
    given = parser.parse_args()
    made_at = datetime.now(UTC).astimezone(ZoneInfo(load_settings().zone))
    written = page(measured(), benchmark(given.bench), made_at)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(written, encoding="utf-8")
    sys.stdout.write(f"✓ 语言报告：{given.out}\n")


def benchmark(path: Path) -> dict[str, Any] | None:
    """Return what the benchmark wrote down, or None where there is nothing that can be read."""
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.get("scores") else None


def page(found: Measured, bench: Mapping[str, Any] | None, made_at: datetime) -> str:
    """Return the page.

    Args:
        found: the labelled messages and what was understood of them.
        bench: the benchmark's results, if it was run.
        made_at: the moment it was measured, in the zone it is told in.
    """
    words: Words = YAML(typ="safe", pure=True).load((HERE / "report_words.yml").read_text(encoding="utf-8"))
    intents = {name: said for group in words["groups"] for name, said in group["intents"].items()}
    table = found.table()
    reads_intents = "intents" not in found.missing
    lines = found.lines if reads_intents else []
    sizes = [len(group["intents"]) for group in words["groups"]]
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        made_at=f"{made_at:%Y-%m-%d %H:%M}",
        lines=len(found.lines),
        sets=_sets(found, words),
        missing=[words["models"].get(name, name) for name in sorted(found.missing)],
        reads_intents=reads_intents,
        feels="emotion" not in found.missing,
        verdicts=Counter(GOALS[key].verdict(row[ALL]) for key, row in table.items()),
        chapters=[
            {"name": chapter["name"], "rows": [_row(key, table[key], words, intents) for key in chapter["figures"]]}
            for chapter in words["chapters"]
        ],
        heat=heat_map(lines, intents, sizes) if lines else None,
        confusions=_confusions(lines, intents),
        missed=[_alarm(line, words) for line in found.lines if line.is_missed][:SHOWN],
        cried=[_alarm(line, words) for line in found.lines if line.is_harmless and line.alarm in ALARMS][:SHOWN],
        judged=sum(line.full for line in found.lines),
        feelings=_feelings(found.lines, words),
        calibration=calibration_curve(lines) if lines else None,
        curve=learning_curve(bench["curve"]) if bench and bench.get("curve") else None,
        bench=bench,
        groups=_groups(lines, words),
    )


def percent(share: float) -> str:
    """Return a share as people read it."""
    return f"{share * 100:.1f}%"


def _sets(found: Measured, words: Words) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "words": words["sets"].get(name, words["unknown_set"]),
            "lines": len(found.of(name)),
            "full": sum(line.full for line in found.of(name)),
        }
        for name in found.sets
    ]


def _row(key: str, figures: Mapping[str, Figure | None], words: Words, intents: Mapping[str, str]) -> dict[str, Any]:
    name, explained = words["figures"][key]
    goal, whole = GOALS[key], figures[ALL]
    each = [_said(figure) for set_name, figure in figures.items() if set_name != ALL]
    row = {"name": name, "explained": explained, "verdict": goal.verdict(whole), "each": each}
    row |= {
        "floor": percent(goal.floor),
        "goal": percent(goal.goal),
        "of_faults": goal.of_faults,
        "note": "",
        "unsure": False,
    }
    if whole is None:
        return row | {"value": "—", "interval": "", "of": "", "bar": None}
    note = f"：{intents.get(whole.note, whole.note)}" if whole.note else ""
    return row | {
        "value": percent(whole.value),
        "interval": f"{percent(whole.low)} – {percent(whole.high)}",
        "of": f"{whole.of:g} {'处' if key.startswith(('entity', 'also')) else '句'}",
        "note": note,
        "unsure": goal.holds(whole) and not goal.surely_holds(whole),
        "bar": _bar(whole, goal),
    }


def _bar(figure: Figure, goal: Goal) -> dict[str, float]:
    """Return where the marks stand, in hundredths; faults are few, so that their scale ends sooner."""
    end = max(goal.floor * 1.6, figure.high * 1.1) if goal.of_faults else 1.0
    marks = {"value": figure.value, "low": figure.low, "high": figure.high, "floor": goal.floor, "goal": goal.goal}
    placed = {name: round(100 * min(mark / end, 1.0), 2) for name, mark in marks.items()}
    return placed | {"wide": round(max(placed["high"] - placed["low"], 0.8), 2)}


def _said(figure: Figure | None) -> str:
    return percent(figure.value) if figure else "—"


def _confusions(lines: Sequence[Line], intents: Mapping[str, str]) -> list[dict[str, Any]]:
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines:
        if not line.is_right:
            pairs[line.wanted, line.understood].append(line.text)
    worst = sorted(pairs.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:WORST]
    return [
        {
            "wanted": intents.get(wanted, wanted),
            "understood": intents.get(understood, understood),
            "often": len(texts),
            "examples": sorted(texts, key=len)[len(texts) // 4 :][:EXAMPLES],
        }
        for (wanted, understood), texts in worst
    ]


def _alarm(line: Line, words: Words) -> dict[str, Any]:
    return {
        "text": line.text,
        "set": line.set,
        "wanted": words["levels"][line.level],
        "given": words["levels"][line.alarm],
        "why": [
            {"track": words["tracks"].get(why["track"], why["track"]), "words": why["words"], "rule": why["rule"]}
            for why in line.found["safety"]["why"]
        ],
    }


def _feelings(lines: Sequence[Line], words: Words) -> list[dict[str, Any]]:
    told = Counter((line.feeling, line.felt) for line in lines if line.full)
    rows = []
    for wanted in FEELINGS:
        of = sum(told[wanted, felt] for felt in FEELINGS)
        cells = [
            {
                "often": told[wanted, felt],
                "share": percent(told[wanted, felt] / of) if of else "—",
                "right": felt == wanted,
            }
            for felt in FEELINGS
        ]
        rows.append({"name": words["feelings"][wanted], "of": of, "cells": cells})
    return rows


def _groups(lines: Sequence[Line], words: Words) -> list[dict[str, Any]]:
    found = by_intent(lines)
    groups = []
    for group in words["groups"]:
        rows = [(said, found[name]) for name, said in group["intents"].items() if name in found]
        told = [
            {
                **{"name": said, "value": f"{one.value:.0%}", "of": f"{one.of:g}"},
                **{"share": round(one.value * 100, 1), "low": round(one.low * 100, 1)},
                "wide": round((one.high - one.low) * 100, 1),
            }
            for said, one in rows
        ]
        if told:
            groups.append({"name": group["name"], "rows": told})
    return groups


if __name__ == "__main__":
    main()
