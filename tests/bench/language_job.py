"""One reader of intents, taught or asked in a process of its own, so that its time and memory can be told.

`python -m tests.bench.language_job train|answer FOLDER`: the folder holds `job.json` (which reader, how it is made, what
it learns) and `asked.json` (what it is asked); `train.json` and `answer.json` are written beside them. A reader of ours
runs in the application's environment, a pipeline of Rasa in Rasa's; the same file serves both.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
Job = Mapping[str, Any]
Ranked = Sequence[tuple[str, float]]
MIB = 1024  # KiB
WARM_UP = 10  # messages asked before the clock runs


class Reader(Protocol):
    """Something that can be taught, and asked when it was."""

    def train(self, job: Job, folder: Path) -> None:
        """Learn the job's lines and store what was learned below the folder."""

    def load(self, job: Job, folder: Path) -> Callable[[Mapping[str, Any]], Ranked]:
        """Return what answers one message (`text`, `asked`, `flags`) with every intent, the likeliest first."""


class Ours:
    """The reader of `care/adapters/language/intents.py`, with any mixture of its three kinds of features."""

    def __init__(self) -> None:
        from care.adapters.language import categoriser, intents

        self._categoriser, self._intents = categoriser, intents

    def train(self, job: Job, folder: Path) -> None:
        fit = self._categoriser.Fit(weights=job["weights"], hardness=job["hardness"])
        texts = [self._intents.plain(text) for text, _ in job["lines"]]
        asked = {self._intents.QUESTION: ([intent for _, intent in job["lines"]], fit)}
        self._categoriser.Categoriser.train(texts, asked).save(folder / "model")

    def load(self, job: Job, folder: Path) -> Callable[[Mapping[str, Any]], Ranked]:
        reader = self._intents.IntentReader.load(folder / "model")

        def answer(message: Mapping[str, Any]) -> Ranked:
            flags = message["flags"] if job.get("flags") else ()
            return reader.read(message["text"], message["asked"], flags).ranking

        return answer


def main() -> None:
    """Do one half of a job and write down what it took."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    reader = _reader(job["kind"])
    imported = _memory("VmRSS")
    if what == "train":
        begun = time.monotonic()
        reader.train(job, folder)
        told: dict[str, Any] = {"seconds": time.monotonic() - begun}
    else:
        told = _answers(reader.load(job, folder), json.loads((folder / "asked.json").read_text(encoding="utf-8")))
    told |= {"imported_mib": imported, "peak_mib": max(_memory("VmHWM") - imported, 0.0)}
    (folder / f"{what}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _reader(kind: str) -> Reader:
    if kind == "rasa":
        from tests.bench.language_rasa import Pipeline

        return Pipeline()
    return Ours()


def _answers(answer: Callable[[Mapping[str, Any]], Ranked], asked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    for message in asked[:WARM_UP]:
        answer(message)
    rankings, spent = [], []
    for message in asked:
        begun = time.perf_counter()
        rankings.append(answer(message))
        spent.append((time.perf_counter() - begun) * 1000)
    return {"rankings": rankings, "milliseconds": spent}


def _memory(field: str) -> float:
    """Return VmRSS (now) or VmHWM (the most so far) of this process in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field))) / MIB


if __name__ == "__main__":
    main()
