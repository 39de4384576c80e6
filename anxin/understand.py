"""What a message means, as one JSON object a line: intent, entities, time, safety and emotion."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from care.adapters.language.intents import IntentReader, Meaning, clauses_of, plain
from care.adapters.language.sense import look_ahead
from care.bootstrap import Reading
from care.model.assessment import Assessment, Context, Medical

#: Wishes beside which a word of the body says how somebody is. Beside others (a price, a joke, an allergy on file)
#: it only does so when it was read as a sign of trouble.
OF_THE_BODY = frozenset(
    (
        *("report_symptom", "report_improvement", "report_low_mood", "request_human", "complain", "book_appointment"),
        *("reschedule_appointment", "ask_availability", "family_booking", "ask_recovery_guidance", "inform"),
        *("fitness_absence", "ask_medication"),
    )
)
UNTROUBLED = frozenset((Medical.NONE, Medical.L3))
TOGETHER = 64  # lines whose sentence vectors are made at once
FIRST_YEAR, LAST_YEAR = 1970, 2099  # of a moment that a line may bring


class BadLine(Exception):
    """One input line cannot be read; the others go on. `given` is what could be read of it."""

    def __init__(self, message: str, given: object = None) -> None:
        super().__init__(message)
        self.given = given


def lines_of(file: Path | None) -> Iterator[str]:
    """Yield the lines of a file, or of standard input; what is no UTF-8 becomes the sign for unreadable bytes."""
    if file is None:
        yield from io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
        return
    with file.open(encoding="utf-8", errors="replace") as opened:
        yield from opened


def understand(
    lines: Iterable[str], reading: Reading, *, intents: IntentReader | None, only: str | None, now: datetime
) -> Iterator[dict[str, Any]]:
    """Yield one result a line, in order. A line that cannot be read yields an `error` and the next goes on."""
    numbered = ((number, line.rstrip("\r\n")) for number, line in enumerate(lines, start=1) if line.strip())
    while batch := [_line(number, line) for number, line in islice(numbered, TOGETHER)]:
        if intents is not None:
            _look_ahead(batch)
        for number, given in batch:
            try:
                if isinstance(given, BadLine):
                    raise given
                yield _one(given, reading, intents=intents, only=only, now=now)
            except BadLine as bad:
                known = {"id": bad.given["id"]} if isinstance(bad.given, dict) and "id" in bad.given else {}
                yield known | {"error": f"第 {number} 行：{bad}"}


def _line(number: int, line: str) -> tuple[int, dict[str, Any] | BadLine]:
    try:
        return number, _given(line)
    except BadLine as bad:
        return number, bad


def _look_ahead(batch: Sequence[tuple[int, dict[str, Any] | BadLine]]) -> None:
    texts = [str(given["text"]) for _, given in batch if isinstance(given, dict)]
    look_ahead([plain(part) for text in texts for part in (text, *clauses_of(text))])


def _one(
    given: dict[str, Any], reading: Reading, *, intents: IntentReader | None, only: str | None, now: datetime
) -> dict[str, Any]:
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
    flags = [flag.value for flag in assessment.flags]
    meaning = intents.read(text, asked, flags) if intents else Meaning([("out_of_scope", 0.0)], [])
    intent, confidence = meaning.ranking[0]
    return result | {
        "intent": intent,
        "confidence": confidence,
        "alternatives": [list(pair) for pair in meaning.ranking[1:4]],
        "also": [wish.intent for wish in meaning.also],
        "entities": [
            {"entity": e.entity, "text": e.text, "start": e.start, "end": e.end, "value": _value(e.value)}
            for e in reading.entities.read(text, at, asked)
            if e.entity != "symptom" or intent in OF_THE_BODY or assessment.medical not in UNTROUBLED
        ],
        "time": span.as_json() if span else None,
        "safety": assessment.as_json(),
        "emotion": _emotion(assessment),
    }


def _given(line: str) -> dict[str, Any]:
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


def _emotion(assessment: Assessment) -> dict[str, object]:
    felt = assessment.emotion
    return {"label": felt.label, "valence": felt.valence, "words": felt.words}


def _value(value: object) -> object:
    as_json = getattr(value, "as_json", None)
    return as_json() if callable(as_json) else value
