"""The assessment of a message: the rules, a second opinion that may only raise, and the feeling that speaks from it.

The rules need no model. Where none was trained, or one is damaged, they stand alone and the lexicon's few words say
what the message feels like; `missing` names what is not there, so that health can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from care.adapters.language.categoriser import Trained
from care.adapters.language.emotion_model import EmotionModel
from care.adapters.language.safety_model import FLAGS, Grave, SafetyModel
from care.adapters.language.safety_rules import NO_CONTEXT, SafetyRules
from care.model.assessment import (
    COMPLAINT,
    DISTRESS,
    MEDICAL,
    Assessment,
    Context,
    Distress,
    Emotion,
    Flag,
    Level,
    Medical,
    worst,
)

ORDERS: Mapping[str, Sequence[Grave]] = {"medical": MEDICAL, "distress": DISTRESS, "complaint": COMPLAINT}
#: Nobody whose message is this grave is glad or relieved, whatever one of its words is like.
IN_TROUBLE = frozenset((Level.URGENT, Level.EMERGENCY, Level.CRISIS))
DESPAIR = -0.9  # at this valence the rules know better: somebody speaks of dying


class Assessor:
    """Two independent detectors of danger, the worse of each track counts, and a reader of feelings."""

    def __init__(self, rules: SafetyRules, second: Trained[SafetyModel], feelings: Trained[EmotionModel]) -> None:
        self._rules, self._second, self._feelings = rules, second, feelings

    def assess(self, text: str, context: Context = NO_CONTEXT) -> Assessment:
        """Return what the text says about the member now; never raises on any text."""
        verdict = self._rules.assess(text, context)
        second = self._second.get()
        if second is not None:
            raised = _what_it_raises(verdict, self._second_opinion(second, text, context, verdict))
            verdict = worst(verdict, raised) if raised.why else verdict
        return replace(verdict, emotion=self._felt(text, verdict))

    def _second_opinion(self, second: SafetyModel, text: str, context: Context, verdict: Assessment) -> Assessment:
        """Ask the trained reader; what it takes for a wish to die must not rest on an idiom."""
        heard = second.assess(text, context, _known(verdict))
        if heard.distress is Distress.NONE:
            return heard
        bare = self._rules.without_idioms(text)
        if bare == text or second.assess(bare, context, _known(verdict)).distress is heard.distress:
            return heard
        others = tuple(why for why in heard.why if why.track != "distress")
        return replace(heard, distress=Distress.NONE, why=others)

    def missing(self) -> tuple[str, ...]:
        """Return the names of what was not trained or cannot be read; reads it if it was not yet."""
        there = {"safety": self._second.get() is not None, "emotion": self._feelings.get() is not None}
        return tuple(name for name, is_there in there.items() if not is_there)

    def _felt(self, text: str, verdict: Assessment) -> Emotion:
        feelings = self._feelings.get()
        if feelings is None or verdict.emotion.valence <= DESPAIR:
            return verdict.emotion
        return feelings.read(text, glad=verdict.level not in IN_TROUBLE)


def _known(by_rules: Assessment) -> Medical:
    """Return the level of bleeding alone: how heavy it is, the rules tell better than likeness does."""
    return by_rules.medical if by_rules.flags == (Flag.BLEEDING,) else Medical.NONE


def _what_it_raises(by_rules: Assessment, by_model: Assessment) -> Assessment:
    """Keep of the second opinion only the tracks it makes worse, so that nothing else is told as a reason."""
    kept: dict[str, Grave] = {}
    for track, order in ORDERS.items():
        heard: Grave = getattr(by_model, track)
        if order.index(heard) > order.index(getattr(by_rules, track)):
            kept[track] = heard
    return replace(
        Assessment(**kept),  # type: ignore[arg-type]
        flags=tuple(FLAGS[level] for level in kept.values() if level in FLAGS),
        why=tuple(why for why in by_model.why if why.track in kept),
        emotion=by_rules.emotion,
    )
