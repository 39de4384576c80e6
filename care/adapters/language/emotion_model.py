"""The feeling a message carries: a categoriser taught with our own lines, and the words that led to it.

Where none was trained, the few words of the safety lexicon speak alone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np

from care.adapters.language.categoriser import Categoriser, Fit, ModelDamaged
from care.adapters.language.intents import BEGINNING, plain
from care.adapters.language.normalise import normalise
from care.model.assessment import EMOTIONS, Emotion

QUESTION = "emotion"
FIT: Final = Fit(
    weights={"characters": 0.8, "words": 0.4, "sense": 0.4, "likeness": 0.3},
    hardness={"characters": 40.0, "words": 12.0, "sense": 5.0},
)
WEAK_LINES, WEAK = 120, 0.25  # examples of an intent, and what each counts; more of either did not help
CALM, UNCLEAR = "calm", "unclear"
GLAD = frozenset(("happy", "relieved"))


@dataclass(frozen=True, slots=True)
class FeltLine:
    """A message as a member wrote it, and what speaks from it; valence −1 to 1."""

    text: str
    label: str
    valence: float
    weight: float = 1.0  # as evidence


class EmotionModel:
    """The trained categoriser. Safe to share between threads."""

    def __init__(self, categoriser: Categoriser, valences: Mapping[str, float]) -> None:
        self._categoriser, self._valences = categoriser, valences
        self._labels = categoriser.labels(QUESTION)

    @classmethod
    def train(cls, lines: Sequence[FeltLine]) -> EmotionModel:
        """Learn from lines. The same lines give the same model."""
        texts = [plain(line.text) for line in lines]
        valences: dict[str, list[float]] = defaultdict(list)
        for line in lines:
            if line.weight == 1.0:
                valences[line.label].append(line.valence)
        asked = {QUESTION: ([line.label for line in lines], FIT)}
        learned = Categoriser.train(texts, asked, [line.weight for line in lines])
        return cls(learned, {label: round(fmean(seen), 3) for label, seen in valences.items()})

    @classmethod
    def load(cls, folder: Path) -> EmotionModel:
        """Return the trained model.

        Raises:
            ModelDamaged: if none was trained or it cannot be read.
        """
        try:
            valences = json.loads((folder / "valences.json").read_text(encoding="utf-8"))
            known = {label: float(valences[label]) for label in valences if label in EMOTIONS}
        except (OSError, ValueError, TypeError) as damaged:
            raise ModelDamaged(f"{folder}: {damaged}") from damaged
        return cls(Categoriser.load(folder), known)

    def save(self, folder: Path) -> None:
        """Write what was learned."""
        self._categoriser.save(folder)
        (folder / "valences.json").write_text(json.dumps(self._valences), encoding="utf-8")

    def read(self, text: str, *, glad: bool = True) -> Emotion:
        """Return the feeling of a message; never raises on any text.

        Args:
            text: the message as it was written.
            glad: whether it can be a glad one at all.
        """
        read = plain(text)
        chances = self._categoriser.chances([read])[QUESTION][0]
        if not glad:
            chances = np.where([label in GLAD for label in self._labels], np.float32(1e-9), chances)
            chances = chances / chances.sum()
        label = self._labels[int(chances.argmax())]
        valence = sum(self._valences[name] * float(one) for name, one in zip(self._labels, chances, strict=True))
        words, message = "", normalise(text)
        if label not in {CALM, UNCLEAR} and message.text:
            first, last = self._categoriser.words_for(read, QUESTION, label)
            if read == message.text or last <= BEGINNING:
                words = text[slice(*message.original_span(first, last))]
        return Emotion(label, round(max(-1.0, min(1.0, valence)), 2), words)


def read_lines(files: Iterable[Path]) -> Iterator[FeltLine]:
    """Yield the training lines of JSON files with `text`, `emotion` and `valence`.

    Raises:
        ValueError: if a line names a feeling that the taxonomy does not.
    """
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip():
                continue
            given = json.loads(line)
            if given["emotion"] not in EMOTIONS:
                raise ValueError(f"{path.name}: {given['emotion']}")
            yield FeltLine(str(given["text"]), given["emotion"], float(given["valence"]))


def weak_lines(
    said: Iterable[tuple[str, str]], feelings: Mapping[str, str], valences: Mapping[str, float]
) -> Iterator[FeltLine]:
    """Yield what the examples of an intent mostly feel like, as weak evidence.

    Args:
        said: texts and their intents.
        feelings: intent → feeling; others are left out.
        valences: feeling → valence.
    """
    often: Counter[str] = Counter()
    for text, intent in said:
        often[intent] += 1
        if intent in feelings and often[intent] <= WEAK_LINES:
            yield FeltLine(text, feelings[intent], valences[feelings[intent]], WEAK)
