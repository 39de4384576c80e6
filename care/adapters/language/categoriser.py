"""Sorts plain texts into labels by what we taught it: several simple readers of the same text, who have to agree.

One reads characters, one words, one the sense of the sentence, each by a logistic regression; one looks for the most
alike among all sentences it was taught. Their evidence is added up, each with its weight. They are kept apart because
counts drown vectors when they share one regression, and used together because they are wrong about different texts.
What is stored is numbers and words only, nothing that runs when it is loaded. Figures beside other ways:
docs/decisions/0005-what-reads-intents.md and 0006-a-second-opinion-on-danger.md.

Runs in both environments: Rasa's component reads intents with it, the application danger and feelings.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import rjieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from care.adapters.language.sense import Floats, Likeness, sense

logger = logging.getLogger(__name__)
T = TypeVar("T")
Reader = Literal["characters", "words", "sense", "likeness"]
Seen = Mapping[Reader, Any]
READERS: tuple[Reader, ...] = ("characters", "words", "sense", "likeness")
COUNTED: tuple[Reader, ...] = ("characters", "words")
BY_SENSE = frozenset(("sense", "likeness"))
FOLDS = 5  # parts of the lines, each judged by what was learned from the others
SEED = 7
LONGEST_PHRASE = 12  # characters of the words that are named as the reason
NOTHING = 1e-30  # likeness to nothing at all


class ModelDamaged(Exception):
    """What was stored of a categoriser cannot be read."""


class Trained(Generic[T]):
    """Something trained, read from its folder when first needed; nothing where it was never trained or is damaged."""

    def __init__(self, folder: Path, load: Callable[[Path], T]) -> None:
        self._folder, self._load = folder, load
        self._reading = threading.Lock()
        self._read: T | None = None
        self._tried = False

    def get(self) -> T | None:
        """Return it, or None; what is wrong is logged once."""
        with self._reading:
            if not self._tried:
                self._tried = True
                try:
                    self._read = self._load(self._folder)
                except ModelDamaged as damaged:
                    logger.error("model not usable", extra={"model": self._folder.name, "reason": str(damaged)[:200]})
            return self._read


@dataclass(frozen=True, slots=True)
class Fit:
    """How a question is learned: what each reader's word counts, and the inverse of its regularisation."""

    weights: Mapping[Reader, float]
    hardness: Mapping[Reader, float]


@dataclass(frozen=True, slots=True)
class _Head:
    """One question about a text: its possible answers, and what each reader learned about them."""

    labels: tuple[str, ...]
    weights: Mapping[Reader, float]
    lines: Mapping[Reader, tuple[Floats, Floats]]  # slope (features × labels) and start (labels)


class Categoriser:
    """Answers one or several questions about a text. Safe to share between threads."""

    def __init__(
        self, counters: Mapping[Reader, TfidfVectorizer], likeness: Likeness | None, heads: Mapping[str, _Head]
    ) -> None:
        self._counters, self._likeness, self._heads = counters, likeness, heads
        self._readers: set[Reader] = {reader for head in heads.values() for reader in head.lines}

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        questions: Mapping[str, tuple[Sequence[str], Fit]],
        weights: Sequence[float] | None = None,
    ) -> Categoriser:
        """Learn from plain texts; the same texts give the same answers.

        Args:
            texts: as `normalise` leaves them, none empty.
            questions: name of a question → the right label of every text, and how it is fitted.
            weights: what each text counts as evidence; all the same without.
        """
        wanted = {reader for _, fit in questions.values() for reader in fit.weights}
        counters: dict[Reader, TfidfVectorizer] = {
            reader: _counter(reader).fit(texts) for reader in COUNTED if reader in wanted
        }
        seen = _features(texts, counters, wanted)
        likeness = Likeness.to(seen["sense"]) if "likeness" in wanted and "sense" in seen else None
        heads = {name: _head(seen, labels, fit, weights) for name, (labels, fit) in questions.items()}
        return cls(counters, likeness, heads)

    def labels(self, question: str) -> tuple[str, ...]:
        """Return the possible answers, in the order of `chances`."""
        return self._heads[question].labels

    def chances(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return the chance of every answer to every question, as texts × labels. Texts must not be empty."""
        seen = _features(texts, self._counters, self._readers)
        if self._likeness is not None and "sense" in seen:
            seen["likeness"] = self._likeness.of(seen["sense"])
        return {name: np.exp(_log_shares(_evidence(seen, head))) for name, head in self._heads.items()}

    def held_out(self, texts: Sequence[str], questions: Mapping[str, tuple[Sequence[str], Fit]]) -> dict[str, Floats]:
        """Return the chances that texts get from what the others teach (five folds): how sure it is of strangers."""
        seen = _features(texts, self._counters, self._readers)
        found = {
            name: np.zeros((len(texts), len(set(labels))), dtype=np.float32)
            for name, (labels, _) in questions.items()
        }
        for rest, part in KFold(FOLDS, shuffle=True, random_state=SEED).split(texts):
            taught = {reader: one[rest] for reader, one in seen.items()}
            shown = {reader: one[part] for reader, one in seen.items()}
            if self._likeness is not None and "sense" in seen:
                shown["likeness"] = self._likeness.among(rest).of(shown["sense"])
            for name, (labels, fit) in questions.items():
                head = _head(taught, [labels[place] for place in rest], fit)
                found[name][part] = np.exp(_log_shares(_evidence(shown, head)))
        return found

    def words_for(self, text: str, question: str, label: str) -> tuple[int, int]:
        """Return where in a plain text the characters stand that speak most for an answer, as a half-open span."""
        counter, head = self._counters["characters"], self._heads[question]
        slope = head.lines["characters"][0][:, head.labels.index(label)]
        worth = np.zeros(len(text), dtype=np.float32)
        for size in range(counter.ngram_range[0], counter.ngram_range[1] + 1):
            for place in range(len(text) - size + 1):
                known = counter.vocabulary_.get(text[place : place + size])
                if known is not None:
                    worth[place : place + size] += slope[known] * counter.idf_[known] / size
        return _best_run(worth - max(float(worth.mean()), 0.0))

    def save(self, folder: Path) -> None:
        """Write what was learned."""
        folder.mkdir(parents=True, exist_ok=True)
        counts = {
            reader: {"terms": sorted(one.vocabulary_, key=one.vocabulary_.__getitem__), "idf": one.idf_.tolist()}
            for reader, one in self._counters.items()
        }
        heads = {
            name: {"labels": one.labels, "weights": dict(one.weights.items())} for name, one in self._heads.items()
        }
        written = json.dumps({"heads": heads, "counts": counts}, ensure_ascii=False)
        (folder / "words.json").write_text(written, encoding="utf-8")
        arrays: dict[str, Any] = {
            f"{name}/{reader}/{part}": one
            for name, head in self._heads.items()
            for reader, pair in head.lines.items()
            for part, one in zip(("slope", "start"), pair, strict=True)
        }
        if self._likeness is not None:
            arrays |= {
                "likeness/directions": self._likeness.directions,
                "likeness/learned": self._likeness.learned.astype(np.float16),
            }
        np.savez_compressed(folder / "lines.npz", **arrays)

    @classmethod
    def load(cls, folder: Path) -> Categoriser:
        """Return what was learned.

        Raises:
            ModelDamaged: if it is incomplete or cannot be read.
        """
        try:
            kept = json.loads((folder / "words.json").read_text(encoding="utf-8"))
            counters = {reader: _counter(reader, one["terms"], one["idf"]) for reader, one in kept["counts"].items()}
            with np.load(folder / "lines.npz", allow_pickle=False) as arrays:
                heads = {name: _kept_head(name, one, arrays) for name, one in kept["heads"].items()}
                likeness = None
                if "likeness/learned" in arrays and sense() is not None:
                    learned = arrays["likeness/learned"].astype(np.float32)
                    likeness = Likeness(arrays["likeness/directions"], learned)
            read = cls(counters, likeness, heads)
            read.chances(["你好"])  # so that nobody waits for what is read on first use
        except Exception as damaged:  # a damaged file fails in many ways
            raise ModelDamaged(f"{folder}: {damaged}") from damaged
        return read


def _features(
    texts: Sequence[str], counters: Mapping[Reader, TfidfVectorizer], wanted: set[Reader]
) -> dict[Reader, Any]:
    seen: dict[Reader, Any] = {reader: counters[reader].transform(texts) for reader in counters if reader in wanted}
    by_sense = sense() if wanted & BY_SENSE else None
    return seen | ({"sense": by_sense.of(texts)} if by_sense else {})


def _head(seen: Seen, labels: Sequence[str], fit: Fit, weights: Sequence[float] | None = None) -> _Head:
    answers = tuple(sorted(set(labels)))
    lines: dict[Reader, tuple[Floats, Floats]] = {}
    for reader in (one for one in READERS if one in fit.weights):
        if reader == "likeness":
            if "sense" in seen:
                lines[reader] = _alike(labels, answers, weights)
        elif reader in seen:
            lines[reader] = _regression(seen[reader], labels, fit.hardness[reader], weights)
    return _Head(answers, fit.weights, lines)


def _regression(
    features: Any, labels: Sequence[str], hardness: float, weights: Sequence[float] | None
) -> tuple[Floats, Floats]:
    two = len(set(labels)) == 2
    learned = LogisticRegression(
        C=hardness, max_iter=100, tol=1e-3, class_weight="balanced", solver="liblinear" if two else "lbfgs"
    )
    learned.fit(features, labels, sample_weight=weights)
    slope, start = learned.coef_.T, learned.intercept_
    if two:  # two answers are learned as one line; the other is its opposite
        slope, start = np.hstack([slope * 0, slope]), np.hstack([start * 0, start])
    return slope.astype(np.float32), start.astype(np.float32)


def _alike(labels: Sequence[str], answers: Sequence[str], weights: Sequence[float] | None) -> tuple[Floats, Floats]:
    """Return which answer every learned text speaks for; answers with many texts have an easier game and pay half."""
    speaks = np.zeros((len(labels), len(answers)), dtype=np.float32)
    places = np.searchsorted(answers, labels)
    speaks[np.arange(len(labels)), places] = 1.0 if weights is None else weights
    return speaks, np.asarray(-0.5 * np.log(speaks.sum(axis=0)), dtype=np.float32)


def _kept_head(name: str, kept: Mapping[str, Any], arrays: Mapping[str, Any]) -> _Head:
    lines: dict[Reader, tuple[Floats, Floats]] = {}
    for reader in READERS:
        # row by row in memory, or every sparse product would copy the whole of it first
        if f"{name}/{reader}/slope" in arrays and (reader not in BY_SENSE or sense() is not None):
            slope = np.ascontiguousarray(arrays[f"{name}/{reader}/slope"])
            lines[reader] = (slope, arrays[f"{name}/{reader}/start"])
    return _Head(tuple(kept["labels"]), kept["weights"], lines)


def _evidence(seen: Seen, head: _Head) -> Floats:
    total: Any = 0.0
    for reader, (slope, start) in head.lines.items():
        said = np.asarray(seen[reader] @ slope)
        total = total + head.weights[reader] * _log_shares(
            (np.log(said + NOTHING) if reader == "likeness" else said) + start
        )
    return np.asarray(total, dtype=np.float32)


def _log_shares(scores: Floats) -> Floats:
    """Return the logarithm of the softmax of each row."""
    lifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(lifted - np.log(np.exp(lifted).sum(axis=1, keepdims=True)), dtype=np.float32)


def _counter(reader: Reader, terms: Sequence[str] | None = None, idf: Sequence[float] = ()) -> TfidfVectorizer:
    rare = 1 if terms else 2  # what was seen once teaches little
    how: dict[str, Any] = {"sublinear_tf": True, "vocabulary": terms, "min_df": rare, "dtype": np.float32}
    if reader == "characters":
        counter = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), **how)
    else:
        counter = TfidfVectorizer(
            analyzer="word", tokenizer=rjieba.cut, token_pattern=None, ngram_range=(1, 2), **how
        )
    if terms:
        counter.idf_ = np.asarray(idf, dtype=np.float32)
    return counter


def _best_run(worth: Floats) -> tuple[int, int]:
    """Return the run of characters with the largest sum, no longer than `LONGEST_PHRASE`."""
    sums = np.concatenate([[0.0], np.cumsum(worth)])
    best, found = 0.0, (0, len(worth))
    for start in range(len(worth)):
        for end in range(start + 1, min(start + LONGEST_PHRASE, len(worth)) + 1):
            if sums[end] - sums[start] > best:
                best, found = float(sums[end] - sums[start]), (start, end)
    return found
