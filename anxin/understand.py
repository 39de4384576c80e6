"""What a message means, as one JSON object a line: intent, entities, time, safety and emotion."""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from anxin.train import QUIET
from anxin.up import MODEL, CannotStart, rasa_python
from care.adapters.rasa import as_words
from care.bootstrap import Reading
from care.model.assessment import Context
from care.settings import ROOT, Settings, inherited_environment

STARTS_WITHIN_S = 120
ALSO_FROM = 0.6  # a second wish counts when its clause alone is this clear
SHORTEST_CLAUSE = 3  # characters
INPUT_LIMIT = 20_000  # characters of one line
FIRST_YEAR, LAST_YEAR = 1970, 2099  # of a moment that a line may bring


class BadLine(Exception):
    """One input line cannot be read; the others go on. `given` is what could be read of it."""

    def __init__(self, message: str, given: object = None) -> None:
        super().__init__(message)
        self.given = given


class Nlu:
    """Rasa's understanding, asked over its parse endpoint."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)

    def parse(self, text: str) -> list[tuple[str, float]]:
        """Return intents with confidences, the likeliest first."""
        answer = self._http.post("/model/parse", json={"text": as_words(text)}).raise_for_status().json()
        ranking = answer.get("intent_ranking") or []
        return [(item["name"], round(float(item["confidence"]), 4)) for item in ranking]

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


@contextmanager
def own_rasa(settings: Settings) -> Iterator[Nlu]:
    """Start a Rasa of our own on a free loopback port for as long as it is needed.

    Raises:
        CannotStart: without an environment or a model, or if it does not come up.
    """
    model = settings.model_dir / MODEL
    if not model.exists():
        raise CannotStart("还没有训练好的对话模型。请运行：make train")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(rasa_python().with_name("rasa")), "run", "--enable-api", "--model", str(model)]
    command += ["--interface", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=inherited_environment() | QUIET,
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}/status")
        with closing(Nlu(f"http://127.0.0.1:{port}")) as nlu:
            yield nlu
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def lines_of(file: Path | None) -> Iterator[str]:
    """Yield the lines of a file, or of standard input; what is no UTF-8 becomes the sign for unreadable bytes."""
    if file is None:
        yield from io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
        return
    with file.open(encoding="utf-8", errors="replace") as opened:
        yield from opened


def understand(
    lines: Iterable[str], reading: Reading, *, nlu: Nlu | None, only: str | None, now: datetime
) -> Iterator[dict[str, Any]]:
    """Yield one result a line, in order. A line that cannot be read yields an `error` and the next goes on."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _one(line.rstrip("\r\n"), reading, nlu=nlu, only=only, now=now)
        except BadLine as bad:
            known = {"id": bad.given["id"]} if isinstance(bad.given, dict) and "id" in bad.given else {}
            yield known | {"error": f"第 {number} 行：{bad}"}


def _one(line: str, reading: Reading, *, nlu: Nlu | None, only: str | None, now: datetime) -> dict[str, Any]:
    given = _given(line)
    text: str = given["text"]
    context = given.get("context") or {}
    at = _moment(given, now)
    asked = context.get("asked")
    seen = Context(asked=asked, treatment=context.get("treatment"), day=context.get("day"))
    result: dict[str, Any] = {"id": given["id"]} if "id" in given else {}
    result["text"] = text
    span = reading.times.read(text, at, asked).named if only in {None, "time"} else None
    if only == "time":
        return result | {"time": span.as_json() if span else None}
    assessment = reading.safety.assess(text, seen)
    if only == "safety":
        return result | {"safety": assessment.as_json(), "emotion": _emotion(assessment)}
    ranking = nlu.parse(text) if nlu else []
    intent, confidence = ranking[0] if ranking else ("out_of_scope", 0.0)
    return result | {
        "intent": intent,
        "confidence": confidence,
        "alternatives": [list(pair) for pair in ranking[1:4]],
        "also": _also(text, intent, nlu),
        "entities": [
            {"entity": e.entity, "text": e.text, "start": e.start, "end": e.end, "value": _value(e.value)}
            for e in reading.entities.read(text, at, asked)
        ],
        "time": span.as_json() if span else None,
        "safety": assessment.as_json(),
        "emotion": _emotion(assessment),
    }


def _given(line: str) -> dict[str, Any]:
    if len(line) > INPUT_LIMIT:
        raise BadLine(f"超过 {INPUT_LIMIT} 个字符")
    if not line.lstrip().startswith("{"):
        return {"text": line}
    try:
        given = json.loads(line, object_hook=_whole)
    except (ValueError, RecursionError):
        return {"text": line}
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise BadLine("JSON 里需要有文字字段 text", given)
    context = given.get("context") or {}
    if not isinstance(context, dict):
        raise BadLine("context 应该是一个对象", given)
    if any(not isinstance(context.get(name) or "", str) for name in ("asked", "treatment")):
        raise BadLine("context 里的 asked 和 treatment 应该是文字", given)
    if type(context.get("day") or 0) is not int:
        raise BadLine("context 里的 day 应该是整数", given)
    return given


def _whole(part: dict[str, Any]) -> dict[str, Any]:
    """Put a sign where half of a character stands (one of a surrogate pair): it could not be written out again."""
    return {
        name: value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value
        for name, value in part.items()
    }


def _moment(given: dict[str, Any], now: datetime) -> datetime:
    if given.get("now") is None:
        return now
    try:
        at = datetime.fromisoformat(str(given["now"]))
    except ValueError as wrong:
        raise BadLine("now 不是一个时间，例如 2026-11-23T10:00:00+08:00", given) from wrong
    if at.tzinfo is None:
        raise BadLine("now 需要带时区", given)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise BadLine(f"now 的年份应该在 {FIRST_YEAR} 到 {LAST_YEAR} 之间", given)
    return at


def _also(text: str, intent: str, nlu: Nlu | None) -> list[str]:
    """Return what the clauses of a message say beside its main intent."""
    clauses = [clause for clause in re.split(r"[，。！？；,.!?;\n]+", text) if len(clause.strip()) >= SHORTEST_CLAUSE]
    if nlu is None or len(clauses) < 2:
        return []
    found: list[str] = []
    for clause in clauses[:6]:
        ranking = nlu.parse(clause)
        if (
            ranking
            and ranking[0][1] >= ALSO_FROM
            and ranking[0][0] not in {intent, "inform", "affirm", "greet", *found}
        ):
            found.append(ranking[0][0])
    return found


def _emotion(assessment: Any) -> dict[str, object]:
    return {"label": str(assessment.emotion.label), "valence": assessment.emotion.valence}


def _value(value: object) -> object:
    as_json = getattr(value, "as_json", None)
    return as_json() if callable(as_json) else value


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotStart("Rasa 没能启动；请先运行 make train，再试一次")
        try:
            if httpx.get(url, timeout=1, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise CannotStart("Rasa 两分钟内没有就绪")
