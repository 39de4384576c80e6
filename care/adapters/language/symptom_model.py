"""Which words of a message name a symptom: a tagger taught with our own lines, that knows what the rules found.

A line of `data/entities/symptoms.jsonl` is a message and its `spans`, in the order of the text. One convention: the
shortest phrase that names the complaint a nurse would write down (疼, 流血, 线掉了, 张不开嘴); no word of degree, and
no place unless the phrase means nothing without it (嘴歪, 脸大了); every complaint that is so of now, of the member
or of the family they write for; a word that is said again only where it is first so. What is asked about, feared,
denied, over, told of strangers or a figure of speech is none; nor is a bare number, a heavy heart or a lost part that
was swallowed.

The tagger (conditional random fields) judges every character by what `symptom_signs` tells of it, and by how much the
whole message sounds like one that names something. Figures: docs/decisions/0007-symptoms-are-tagged.md.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pycrfsuite

from care.adapters.language import entity_symptoms
from care.adapters.language.categoriser import Categoriser, Fit, ModelDamaged
from care.adapters.language.entity_symptoms import Finding
from care.adapters.language.entity_text import Found, PlainText
from care.adapters.language.normalise import Normalised, normalise
from care.adapters.language.symptom_signs import signs

TAGGER, SEAL, SOUNDS = "tagger.crf", "tagger.sha256", "sounds"
BEGINS, INSIDE, OUTSIDE = "B", "I", "O"
SETTINGS: Final = {"c1": 0.5, "c2": 0.1, "max_iterations": 60, "feature.possible_transitions": True}
QUESTION, YES, NO = "symptom", "yes", "no"
FIT: Final = Fit(weights={"characters": 1.0}, hardness={"characters": 20.0})
CERTAIN, CLEAR = 0.2, 0.4  # chance of a character to belong to a symptom, and of its surest one
READ_LIMIT = 400  # characters that are tagged; what is named later the rules find alone


@dataclass(frozen=True, slots=True)
class SymptomLine:
    """A message as a member wrote it, and which of its words name a symptom."""

    text: str
    spans: tuple[str, ...]


class SymptomModel:
    """The trained tagger. Safe to share between threads."""

    def __init__(self, tagger: bytes, sounds: Categoriser) -> None:
        self._stored, self._sounds = tagger, sounds
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(tagger)
        self._one_at_a_time = threading.Lock()

    @classmethod
    def train(cls, lines: Sequence[SymptomLine]) -> SymptomModel:
        """Learn from lines. How much each sounds like a symptom is told by what the others teach."""
        read = [(PlainText.of(plain, None), plain, line) for line in lines if (plain := normalise(line.text)).text]
        texts = [prepared.text for prepared, _, _ in read]
        asked = {QUESTION: ([YES if line.spans else NO for _, _, line in read], FIT)}
        sounds = Categoriser.train(texts, asked)
        held_out = sounds.held_out(texts, asked)[QUESTION][:, 1]
        trainer = pycrfsuite.Trainer(algorithm="lbfgs", params=SETTINGS, verbose=False)
        for (prepared, plain, line), chance in zip(read, held_out, strict=True):
            findings = entity_symptoms.findings(prepared)
            trainer.append(signs(prepared.text, findings, float(chance)), _labels(plain, line, findings))
        with tempfile.TemporaryDirectory() as folder:
            trainer.train(str(Path(folder) / TAGGER))
            return cls((Path(folder) / TAGGER).read_bytes(), sounds)

    @classmethod
    def load(cls, folder: Path) -> SymptomModel:
        """Return the trained model.

        Raises:
            ModelDamaged: if none was trained or it cannot be read; the tagger is opened only if its seal is whole.
        """
        try:
            tagger, seal = (folder / TAGGER).read_bytes(), (folder / SEAL).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as damaged:
            raise ModelDamaged(f"{folder}: {damaged}") from damaged
        if hashlib.sha256(tagger).hexdigest() != seal:
            raise ModelDamaged(f"{folder}: the seal of {TAGGER} is broken")
        return cls(tagger, Categoriser.load(folder / SOUNDS))

    def save(self, folder: Path) -> None:
        """Write what was learned."""
        self._sounds.save(folder / SOUNDS)
        (folder / TAGGER).write_bytes(self._stored)
        (folder / SEAL).write_text(hashlib.sha256(self._stored).hexdigest(), encoding="ascii")

    def read(self, plain: PlainText) -> Iterator[Found]:
        """Yield the symptoms of a message, each word once; never raises on any text."""
        findings = entity_symptoms.findings(plain)
        said: set[str] = set()
        for start, end in (*self._tagged(plain.text[:READ_LIMIT], findings), *_late(findings)):
            word = plain.text[start:end]
            if word not in said:
                said.add(word)
                yield Found("symptom", start, end, word)

    def _tagged(self, text: str, findings: Sequence[Finding]) -> Iterator[tuple[int, int]]:
        if not text:
            return
        chance = float(self._sounds.chances([text])[QUESTION][0][1])
        seen = pycrfsuite.ItemSequence(signs(text, [one for one in findings if one.end <= len(text)], chance))
        with self._one_at_a_time:
            self._tagger.set(seen)
            begins, inside = (
                np.asarray([self._tagger.marginal(label, place) for place in range(len(text))])
                for label in (BEGINS, INSIDE)
            )
        yield from _runs(begins, inside)


def read_lines(files: Iterable[Path]) -> Iterator[SymptomLine]:
    """Yield the training lines of JSON files with `text` and `spans`.

    Raises:
        ValueError: if a span does not stand in its text after the one before it.
    """
    for path in files:
        for row in path.read_text(encoding="utf-8").splitlines():
            given = json.loads(row)
            line = SymptomLine(str(given["text"]), tuple(given["spans"]))
            _places(line)
            yield line


def _places(line: SymptomLine) -> list[tuple[int, int]]:
    places, at = [], 0
    for span in line.spans:
        start = line.text.find(span, at)
        if start < 0 or not span:
            raise ValueError(f"{span} does not stand in {line.text}")
        at = start + len(span)
        places.append((start, at))
    return places


def _labels(plain: Normalised, line: SymptomLine, findings: Sequence[Finding]) -> list[str]:
    """Return what every character is; a labelled word that is said and asserted again is the same symptom."""
    labels = [OUTSIDE] * len(plain.text)
    said = set()
    for start, end in _places(line):
        covered = [place for place, (first, last) in enumerate(plain.offsets) if first < end and start < last]
        if covered:
            _mark(labels, covered[0], covered[-1] + 1)
            said.add(plain.text[covered[0] : covered[-1] + 1])
    for one in findings:
        if one.asserted and plain.text[one.start : one.end] in said and OUTSIDE in labels[one.start : one.end]:
            _mark(labels, one.start, one.end)
    return labels


def _mark(labels: list[str], start: int, end: int) -> None:
    labels[start:end] = [BEGINS] + [INSIDE] * (end - start - 1)


def _runs(begins: Any, inside: Any) -> Iterator[tuple[int, int]]:
    """Yield runs of characters that may belong to a symptom, of which at least one clearly does."""
    there = np.append(begins + inside >= CERTAIN, False)
    start = -1
    for place in range(len(there)):
        starts = there[place] and (start < 0 or begins[place] > inside[place])
        if start >= 0 and (starts or not there[place]):
            if (begins + inside)[start:place].max() >= CLEAR:
                yield start, place
            start = -1
        if starts:
            start = place


def _late(findings: Sequence[Finding]) -> Iterator[tuple[int, int]]:
    yield from ((one.start, one.end) for one in findings if one.asserted and one.end > READ_LIMIT)
