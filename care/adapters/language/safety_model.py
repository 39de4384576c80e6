"""The second opinion on danger: a categoriser taught with our own lines, beside the rules and never instead of them.

It hears wishes and alarms that no phrase of the lexicon foresaw; what becomes of its opinion stands in `assessor`. It
knows no scope and no day of recovery; those are the rules' business. Figures beside other ways:
docs/decisions/0006-a-second-opinion-on-danger.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from care.adapters.language.categoriser import Categoriser, Fit, ModelDamaged
from care.adapters.language.normalise import MARKS, Normalised, normalise
from care.adapters.language.safety_rules import NO_CONTEXT
from care.model.assessment import (
    COMPLAINT,
    DISTRESS,
    MEDICAL,
    Assessment,
    Complaint,
    Context,
    Distress,
    Flag,
    Medical,
    Why,
)

Grave = Medical | Distress | Complaint
#: One question a level: is it at least this bad? The gravest first.
LEVELS: tuple[Grave, ...] = (Medical.L0, Medical.L1, Medical.L2, Distress.P3, Distress.P2, Complaint.K3)
FLAGS: Mapping[Grave, Flag] = {
    Distress.P3: Flag.SELF_HARM,
    Distress.P2: Flag.DISTRESS,
    Complaint.K3: Flag.COMPLAINT_SEVERE,
}
TRACKS: Mapping[type[Grave], str] = {Medical: "medical", Distress: "distress", Complaint: "complaint"}
FIT = Fit(weights={"characters": 0.55, "likeness": 0.45}, hardness={"characters": 20.0})
#: Share of the lines below a level that may sound like it, of those that were written to sound alike and of everyday
#: messages; the stricter of the two decides. Chosen on a development set so that of everyday messages one in a
#: hundred is looked at in vain.
ALIKE_MAY_SOUND_LIKE_IT, EVERYDAY_MAY = 0.018, 0.0025
VERY_CERTAIN = 0.75  # that what the rules take for urgent is an emergency
LEAST_CERTAIN = 0.5  # of a red alert; about the body and about life doubt goes up instead
ABOUT_A_VISIT, MILDER = "booking.", (Medical.L2, Distress.P2)
SHORTEST = 4  # characters; a bare value or two words are like many things, and the rules know the grave ones
WHOLE, PIECE = 120, 60  # characters that are judged together; a longer text is judged piece by piece
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Line:
    """A message as a member wrote it, and what is true of it."""

    text: str
    medical: Medical = Medical.NONE
    distress: Distress = Distress.NONE
    complaint: Complaint = Complaint.NONE
    everyday: bool = False  # not written to sound like danger

    def at_least(self, level: Grave) -> bool:
        """Whether it is as bad as that, on the level's own track."""
        if isinstance(level, Medical):
            return MEDICAL.index(self.medical) >= MEDICAL.index(level)
        if isinstance(level, Distress):
            return DISTRESS.index(self.distress) >= DISTRESS.index(level)
        return COMPLAINT.index(self.complaint) >= COMPLAINT.index(level)


class SafetyModel:
    """The trained categoriser. Safe to share between threads."""

    def __init__(self, categoriser: Categoriser, certain: Mapping[str, float]) -> None:
        self._categoriser, self._certain = categoriser, certain

    @classmethod
    def train(cls, lines: Sequence[Line]) -> SafetyModel:
        """Learn from lines; how sure it must be is measured on lines held out. The same lines give the same model."""
        texts = [normalise(line.text).text or "。" for line in lines]
        asked = {level.value: ([YES if line.at_least(level) else NO for line in lines], FIT) for level in LEVELS}
        categoriser = Categoriser.train(texts, asked)
        everyday = np.asarray([line.everyday for line in lines])
        certain = {}
        for name, chances in categoriser.held_out(texts, asked).items():
            harmless = np.asarray(asked[name][0]) == NO
            certain[name] = max(
                LEAST_CERTAIN if name == Complaint.K3.value else 0.0,
                *(
                    float(np.quantile(chances[harmless & (everyday == which), 1], 1 - may))
                    for which, may in ((False, ALIKE_MAY_SOUND_LIKE_IT), (True, EVERYDAY_MAY))
                    if (harmless & (everyday == which)).any()
                ),
            )
        return cls(categoriser, certain)

    @classmethod
    def load(cls, folder: Path) -> SafetyModel:
        """Return the trained model.

        Raises:
            ModelDamaged: if none was trained or it cannot be read.
        """
        try:
            certain = json.loads((folder / "certain.json").read_text(encoding="utf-8"))
            levels = {level.value: float(certain[level.value]) for level in LEVELS}
        except (OSError, ValueError, KeyError, TypeError) as damaged:
            raise ModelDamaged(f"{folder}: {damaged}") from damaged
        return cls(Categoriser.load(folder), levels)

    def save(self, folder: Path) -> None:
        """Write what was learned."""
        self._categoriser.save(folder)
        (folder / "certain.json").write_text(json.dumps(self._certain), encoding="utf-8")

    def assess(self, text: str, context: Context = NO_CONTEXT, known: Medical = Medical.NONE) -> Assessment:
        """Return what the text sounds like; never raises on any text.

        The answer to a question about a visit (我也不知道该做什么) must sound more surely of milder dangers. What the
        rules have `known` for urgent must sound very surely of an emergency to become one.
        """
        about_a_visit = (context.asked or "").startswith(ABOUT_A_VISIT)
        message = normalise(text)
        pieces = list(_pieces(message.text))
        if len(message.text) < SHORTEST:
            return Assessment()
        chances = self._categoriser.chances([message.text[start:end] for start, end in pieces])
        heard: dict[str, Why] = {}
        levels: dict[str, Grave] = {}
        for level in LEVELS:  # the gravest first: of a track only that one is told
            sure, track = chances[level.value][:, 1], TRACKS[type(level)]
            loudest = int(sure.argmax())
            certain = self._certain[level.value]
            if about_a_visit and level in MILDER:
                certain = 1 - (1 - certain) / 3
            if level is Medical.L0 and known is Medical.L1:
                certain = max(certain, VERY_CERTAIN)
            if track not in levels and sure[loudest] >= certain:
                levels[track] = level
                heard[track] = self._why(level, text, message, pieces[loudest], float(sure[loudest]))
        return Assessment(
            **levels,  # type: ignore[arg-type]
            flags=tuple(FLAGS[level] for level in levels.values() if level in FLAGS),
            why=tuple(heard.values()),
        )

    def _why(self, level: Grave, text: str, message: Normalised, piece: tuple[int, int], sure: float) -> Why:
        first, last = self._categoriser.words_for(message.text[slice(*piece)], level.value, YES)
        start, end = message.original_span(piece[0] + first, piece[0] + last)
        return Why(TRACKS[type(level)], text[start:end], f"model.{level.value} {sure:.2f}", start, end)


def read_lines(files: Iterable[Path]) -> Iterator[Line]:
    """Yield the training lines of JSON files with `text`, `medical`, `distress` and `complaint`.

    Raises:
        ValueError: if a line has no text or an unknown level.
    """
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                given = json.loads(line)
                levels = Medical(given["medical"]), Distress(given["distress"]), Complaint(given["complaint"])
                yield Line(str(given["text"]), *levels)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans that together are the text: all of a short one, else pieces, cut at marks where it has some."""
    if 0 < len(text) <= WHOLE:
        yield 0, len(text)
        return
    start = 0
    while start < len(text):
        end = min(start + PIECE, len(text))
        if end < len(text):
            end = next((place + 1 for place in range(end - 1, start, -1) if text[place] in MARKS), end)
        yield start, end
        start = end
