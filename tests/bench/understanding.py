"""What each reader of danger hears and costs, and how many lines a second are understood. `make bench-understanding`.

The rules alone, the trained reader alone and both together read every `tests/language/safety_*.jsonl`; then the sets of
everyday messages go through all readers as `anxin understand` sends them, from a file. Run it alone: it is about time.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from anxin.understand import lines_of, understand
from care.adapters.language.categoriser import Trained
from care.adapters.language.safety_model import SafetyModel
from care.adapters.language.safety_rules import SafetyRules
from care.bootstrap import SAFETY_FOLDER, Reading, build_reading
from care.model.assessment import Assessment, Complaint, Context, Distress, Level, Medical
from care.settings import Settings, load_settings
from tests.language.figures import HERE, NOW

ALARMS: Final = frozenset((Level.URGENT, Level.EMERGENCY, Level.CRISIS))
HARMLESS: Final = (
    frozenset((Medical.NONE, Medical.WATCH, Medical.L3)),
    frozenset((Distress.NONE, Distress.P1)),
    frozenset((Complaint.NONE, Complaint.K1, Complaint.K2)),
)
Assess = Callable[[str, Context], Assessment]
Row = Mapping[str, Any]


def main() -> None:
    """Measure and print."""
    settings = load_settings()
    reading = build_reading(settings)
    if reading.safety.missing() or reading.intents.get() is None:
        raise SystemExit("what was trained is not there: run make train")
    _hearing(settings, reading)
    _pace(reading)


def _hearing(settings: Settings, reading: Reading) -> None:
    rules = SafetyRules.load(settings.pack / "safety.yml")
    second = Trained(settings.model_dir / SAFETY_FOLDER, SafetyModel.load).get()
    assert second is not None
    readers: Mapping[str, Assess] = {
        "rules": rules.assess,
        "trained": second.assess,
        "both, and the feeling": reading.safety.assess,
    }
    print(f"{'':12}{'reader':24}{'urgent missed':>16}{'false alarms':>16}{'p50 ms':>9}{'p95 ms':>9}")
    for path in sorted(HERE.glob("safety_*.jsonl")):
        rows = _rows(path)
        for name, assess in readers.items():
            missed, urgent, cried, harmless, spent = _heard(rows, assess)
            shares = f"{missed}/{urgent}", f"{cried}/{harmless}"
            times = f"{statistics.median(spent):.2f}", f"{sorted(spent)[int(len(spent) * 0.95)]:.2f}"
            print(f"{path.stem:12}{name:24}{shares[0]:>16}{shares[1]:>16}{times[0]:>9}{times[1]:>9}")


def _heard(rows: Sequence[Row], assess: Assess) -> tuple[int, int, int, int, list[float]]:
    missed = urgent = cried = harmless = 0
    spent = []
    for row in rows:
        began = time.perf_counter()
        alarmed = assess(row["text"], Context(**(row.get("context") or {}))).level in ALARMS
        spent.append((time.perf_counter() - began) * 1000)
        if _is_harmless(row):
            harmless += 1
            cried += alarmed
        else:
            urgent += 1
            missed += not alarmed
    return missed, urgent, cried, harmless, spent


def _is_harmless(row: Row) -> bool:
    given = Medical(row["medical"]), Distress(row["distress"]), Complaint(row["complaint"])
    return all(level in kept for level, kept in zip(given, HARMLESS, strict=True))


def _pace(reading: Reading) -> None:
    now = datetime.fromisoformat(NOW)
    for path in sorted(HERE.glob("dev_*.jsonl")):
        began = time.perf_counter()
        lines = sum(1 for _ in understand(lines_of(path), reading, intents=reading.intents.get(), only=None, now=now))
        print(f"{path.stem:12}{lines} lines understood, {lines / (time.perf_counter() - began):.0f} a second")


def _rows(path: Path) -> list[Row]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines() if row]


if __name__ == "__main__":
    main()
