"""Readers of intents side by side: how well, how honestly, how fast, how large, how long to teach. `make bench-language`.

Rasa's stock recipe, DIET and logistic regression in Rasa with and without sentence vectors, the shipped reader with each
mixture of its features, inside Rasa and beside DIET; and the shipped reader's learning curve. Everybody learns the
same lines and is asked the same labelled messages (`tests/language/dev_*.jsonl`, acceptable readings count as right), in
a process of their own, on a cache of their own. DIET learns for `EPOCHS` rounds: its customary 100 to 300 would take
hours on two cores, so that its figures are the least it can do. Run it alone: latency and time suffer from company.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from anxin.train import QUIET, examples
from anxin.up import CannotStart, rasa_python
from care.adapters.language.categoriser import Reader
from care.adapters.language.intents import FIT
from care.adapters.language.safety_rules import SafetyRules
from care.model.assessment import Context
from care.settings import ROOT, inherited_environment, load_settings
from tests.language.figures import HERE, calibration_error, line_of, macro_f1, share

RESULTS: Final = ROOT / "var" / "reports" / "language-bench.json"
EPOCHS: Final = 8
LEAN_EPOCHS: Final = 20
QUICK_SHARE: Final = 0.25  # of the lines of each intent
QUICK_ASKED: Final = 0.5  # of the messages
CURVE: Final = (0.25, 0.5, 1.0)
ALL_OF_IT: Final = "ours: all"
SHIPPED: Final = f"{ALL_OF_IT} (shipped)"
PARTNER: Final = "Rasa: DIET + vectors"
TOGETHER: Final = "shipped x DIET + vectors"
SEED: Final = 7

WORDS: Final = [{"name": "JiebaTokenizer"}]
SENSE: Final = [{"name": "tests.bench.language_rasa.Sense"}]
COUNTS: Final[list[dict[str, Any]]] = [
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
]
STOCK: Final = [*WORDS, {"name": "RegexFeaturizer"}, {"name": "LexicalSyntacticFeaturizer"}, *COUNTS]
DIET: Final[dict[str, Any]] = {
    **{"name": "DIETClassifier", "epochs": EPOCHS, "constrain_similarities": True},
    **{"ranking_length": 0, "random_seed": SEED},
}
#: DIET for intents alone: few features, no transformer, therefore more rounds in the same time.
LEAN_COUNTS: Final = [
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 2, "min_df": 2}
]
LEAN: Final = DIET | {
    **{"epochs": LEAN_EPOCHS, "number_of_transformer_layers": 0, "entity_recognition": False},
    **{"learning_rate": 0.005, "batch_size": [32, 64], "connection_density": 1.0},
}
REGRESSION: Final[dict[str, Any]] = {"name": "LogisticRegressionClassifier", "ranking_length": 0}


@dataclass(frozen=True, slots=True)
class Variant:
    """A reader to be measured."""

    name: str
    job: Mapping[str, Any]
    learns: float = 1.0  # share of the lines


@dataclass(frozen=True, slots=True)
class Score:
    """What one reader reached. Memory is what it took above what importing its libraries took."""

    name: str
    accuracy: float
    low: float
    high: float
    alone: float  # accuracy on messages that need no question before them
    macro_f1: float
    calibration_error: float
    p50_ms: float
    p95_ms: float
    import_mib: float
    answer_mib: float
    train_mib: float
    train_s: float
    lines: int


def mixture(*readers: Reader) -> dict[str, Any]:
    """Return the job of a reader of ours with some of its features; one alone speaks at its full weight."""
    whole = sum(FIT.weights[reader] for reader in readers)
    stretch = 1.0 if len(readers) == 1 else sum(FIT.weights.values())
    weights = {reader: FIT.weights[reader] / whole * stretch for reader in readers}
    return {"kind": "ours", "weights": weights, "hardness": dict(FIT.hardness)}


def variants() -> list[Variant]:
    """Return everybody, in the order of the table."""
    lr_sense = REGRESSION | {"C": 20.0}
    rasa = {
        "Rasa: stock recipe, DIET": [*STOCK, DIET],
        "Rasa: lean DIET + vectors": [*WORDS, *LEAN_COUNTS, *SENSE, LEAN],
        PARTNER: [*STOCK, *SENSE, DIET],
        "Rasa: logistic regression, counts": [*WORDS, *COUNTS, REGRESSION],
        "Rasa: logistic regression, vectors": [*WORDS, *SENSE, lr_sense],
        "Rasa: the shipped component": [{"name": "rasa_components.intents.Intents"}],
    }
    everything = mixture(*FIT.weights)
    return [
        *(Variant(name, {"kind": "rasa", "pipeline": pipeline}) for name, pipeline in rasa.items()),
        *(Variant(f"ours: {reader}", mixture(reader)) for reader in FIT.weights),
        Variant("ours: characters + words", mixture("characters", "words")),
        Variant("ours: characters + sense", mixture("characters", "sense")),
        Variant("ours: characters + likeness", mixture("characters", "likeness")),
        Variant("ours: words + sense", mixture("words", "sense")),
        *(
            Variant(f"ours: without {left}", mixture(*(one for one in FIT.weights if one != left)))
            for left in FIT.weights
        ),
        *(Variant(f"{ALL_OF_IT}, {part:.0%}", everything, part) for part in CURVE if part < 1),
        Variant(SHIPPED, everything),
        Variant(f"{ALL_OF_IT} + flags of danger", everything | {"flags": True}),
    ]


def main() -> None:
    """Measure, print the table, write it down."""
    given = _arguments()
    lines = some(list(examples()), QUICK_SHARE if given.quick else 1.0)
    rows = _rows(given.asked or (QUICK_ASKED if given.quick else 1.0))
    asked = _asked(rows)
    scores: list[Score] = []
    kept: dict[str, Mapping[str, Any]] = {}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as raw:
        for number, variant in enumerate(one for one in variants() if given.only in one.name):
            told = _measure(Path(raw) / str(number), variant, lines, asked)
            if told is not None:
                kept[variant.name] = told
                scores.append(_score(variant.name, rows, told, int(len(lines) * variant.learns)))
    if SHIPPED in kept and PARTNER in kept:
        scores.append(_score(TOGETHER, rows, together(kept[SHIPPED], kept[PARTNER]), len(lines)))
    spent = time.monotonic() - begun
    print(table(scores))
    print(f"{len(lines)} lines learned, {len(rows)} messages asked, DIET {EPOCHS} epochs, {spent / 60:.1f} minutes")
    _write(given.out, scores, lines=len(lines), rows=rows, quick=given.quick)


def some(lines: Sequence[tuple[str, str]], part: float) -> list[tuple[str, str]]:
    """Return the same share of every intent's lines, at least two; a smaller share lies within a larger one."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    for text, intent in lines:
        by_intent[intent].append(text)
    chosen: list[tuple[str, str]] = []
    for intent, texts in by_intent.items():
        random.Random(f"{SEED} {intent}").shuffle(texts)
        chosen += [(text, intent) for text in texts[: max(2, math.ceil(len(texts) * part))]]
    return chosen


def together(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two readers say multiplied, at the root so that the confidence stays honest; costs add up."""
    rankings = []
    for one, other in zip(ours["rankings"], theirs["rankings"], strict=True):
        second = dict(other)
        chances = {name: math.sqrt(max(sure, 1e-6) * max(second.get(name, 0.0), 1e-6)) for name, sure in one}
        whole = sum(chances.values())
        rankings.append(sorted(((name, sure / whole) for name, sure in chances.items()), key=lambda pair: -pair[1]))
    spent = [one + other for one, other in zip(ours["milliseconds"], theirs["milliseconds"], strict=True)]
    memory = {key: ours[key] + theirs[key] for key in ("imported_mib", "peak_mib", "train_mib", "train_s")}
    return memory | {"rankings": rankings, "milliseconds": spent}


def table(scores: Sequence[Score]) -> str:
    """Return the scores as one table for people."""
    head = (
        "accuracy",
        "95 %",
        "no quest.",
        "macro-F1",
        "ECE",
        "p50 ms",
        "p95 ms",
        "import",
        "answer",
        "train MiB",
        "train s",
    )
    rows = [f"{'':38}" + "".join(f"{name:>12}" for name in head)]
    for one in scores:
        told = (
            *(f"{one.accuracy:.3f}", f"{one.low:.3f}-{one.high:.3f}", f"{one.alone:.3f}", f"{one.macro_f1:.3f}"),
            *(f"{one.calibration_error:.3f}", f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}", f"{one.import_mib:.0f}"),
            *(f"{one.answer_mib:.0f}", f"{one.train_mib:.0f}", f"{one.train_s:.0f}"),
        )
        rows.append(f"{one.name:38}" + "".join(f"{value:>12}" for value in told))
    return "\n".join(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-language", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="learn a quarter of the lines, ask half of the messages")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the table is written as JSON")
    parser.add_argument("--only", default="", help="only the readers whose name contains this")
    parser.add_argument("--asked", type=float, default=0.0, help="share of the messages that are asked")
    return parser.parse_args()


def _rows(part: float) -> list[tuple[str, dict[str, Any]]]:
    rows = [
        (path.stem, json.loads(row))
        for path in sorted(HERE.glob("dev_*.jsonl"))
        for row in path.read_text(encoding="utf-8").splitlines()
        if row
    ]
    return rows[:: max(1, round(1 / part))]


def _asked(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    rules = SafetyRules.load(load_settings().pack / "safety.yml")
    asked = []
    for _, row in rows:
        context = {name: (row.get("context") or {}).get(name) for name in ("asked", "treatment", "day")}
        flags = [str(flag) for flag in rules.assess(row["text"], Context(**context)).flags]
        asked.append({"text": row["text"], "asked": context["asked"], "flags": flags})
    return asked


def _measure(
    folder: Path, variant: Variant, lines: Sequence[tuple[str, str]], asked: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Teach one reader and ask it, each in a process of its own; None where its environment is not there."""
    folder.mkdir()
    job = {**variant.job, "lines": some(lines, variant.learns)}
    (folder / "job.json").write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")
    (folder / "asked.json").write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")
    try:
        python = rasa_python() if job["kind"] == "rasa" else Path(sys.executable)
    except CannotStart as absent:
        print(f"{variant.name}: left out, {absent}", file=sys.stderr)
        return None
    told = {}
    for what in ("train", "answer"):
        _run([str(python), "-m", "tests.bench.language_job", what, str(folder)], variant.name)
        told[what] = json.loads((folder / f"{what}.json").read_text(encoding="utf-8"))
    learned: Mapping[str, Any] = told["train"]
    print(f"{variant.name}: learned in {learned['seconds']:.0f} s", file=sys.stderr, flush=True)
    return {**told["answer"], "train_s": learned["seconds"], "train_mib": learned["peak_mib"]}


def _run(command: Sequence[str], name: str) -> None:
    fresh = {"RASA_CACHE_DIRECTORY": f"{command[-1]}/cache"}  # or Rasa takes what it learned of the same lines before
    environment = inherited_environment() | QUIET | fresh | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")


def _score(name: str, rows: Sequence[tuple[str, Mapping[str, Any]]], told: Mapping[str, Any], learned: int) -> Score:
    read = [
        line_of(
            source,
            {
                "text": row["text"],
                "intent": row["intent"],
                "accept": row.get("accept"),
                "context": row.get("context"),
            },
            {"intent": ranking[0][0], "confidence": ranking[0][1]},
        )
        for (source, row), ranking in zip(rows, told["rankings"], strict=True)
    ]
    right, alone = share(line.is_right for line in read), share(line.is_right for line in read if line.asked is None)
    assert right is not None
    spent = sorted(told["milliseconds"])
    return Score(
        name=name,
        accuracy=right.value,
        low=right.low,
        high=right.high,
        alone=alone.value if alone else math.nan,
        macro_f1=macro_f1(read),
        calibration_error=calibration_error(read),
        p50_ms=statistics.median(spent),
        p95_ms=spent[int(len(spent) * 0.95)],
        import_mib=told["imported_mib"],
        answer_mib=told["peak_mib"],
        train_mib=told["train_mib"],
        train_s=told["train_s"],
        lines=learned,
    )


def _write(
    out: Path, scores: Sequence[Score], *, lines: int, rows: Sequence[tuple[str, Mapping[str, Any]]], quick: bool
) -> None:
    curve = {f"{ALL_OF_IT}, {part:.0%}": part for part in CURVE if part < 1} | {SHIPPED: 1.0}
    told = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "quick": quick,
        "epochs": EPOCHS,
        "lines": lines,
        "messages": len(rows),
        "sets": sorted({name for name, _ in rows}),
        "scores": [asdict(one) for one in scores],
        "curve": [
            {"share": curve[one.name], "lines": one.lines, "accuracy": one.accuracy, "low": one.low, "high": one.high}
            for one in scores
            if one.name in curve
        ],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def _processor() -> str:
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in told if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
