"""What a message wants: its intent, the second wish beside it, and what the question before it makes likely.

What was asked last counts as evidence beside the words: after a question about pain a bare 9 is a symptom, in a
survey a rating, while a booking is made an hour. It decides about a bare value and little about a sentence that says
plainly what it wants. So does what was read for danger. A second wish is looked for in the clauses of the message,
each read alone. The factors were chosen on the development sets; half or twice as much does the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from care.adapters.language.categoriser import Categoriser, Fit
from care.adapters.language.normalise import normalise
from care.adapters.language.sense import Floats

Ranking = Sequence[tuple[str, float]]

FIT: Final = Fit(
    weights={"characters": 0.8, "words": 0.4, "sense": 0.4, "likeness": 0.3},
    hardness={"characters": 40.0, "words": 12.0, "sense": 5.0},
)
QUESTION = "intent"
BEGINNING, END = 100, 100  # characters read of a long message; what is wanted stands at its beginning or its end
#: What a question makes likely, as factors on the chance of an intent; the longest fitting beginning counts.
EXPECTED: Mapping[str, Mapping[str, float]] = {
    "checkin.": {"report_symptom": 200, "report_improvement": 40, "ask_medication": 2, "give_rating": 0.0005},
    "checkin.mood": {"report_low_mood": 200, "report_improvement": 40, "give_rating": 0.0005},
    "survey.": {"give_rating": 200},
    "booking.": {"inform": 60, "stop": 10, "affirm": 3, "deny": 3},
    "booking.confirm": {"affirm": 60, "deny": 60, "stop": 10, "inform": 3},
    "booking.offer": {"affirm": 30, "deny": 30, "inform": 30, "stop": 10},
}
#: What was read for danger makes likely: a sign of the body, a heavy heart, or a grave complaint.
SIGN, SIGN_OF_HEART, SIGN_OF_COMPLAINT = {"report_symptom": 8.0}, {"report_low_mood": 8.0}, {"complain": 30.0}
OF_THE_HEART = frozenset(("distress", "self_harm"))
OF_NEITHER = frozenset(("violence", "harm_by_others", "complaint_severe"))
FIRST = 0.25  # weight of the first clause alone: of several wishes, people begin with the main one
ALSO_FROM = 0.8  # a second wish counts when its clause alone is this clear ...
ALSO_WHOLE = 0.001  # ... and the whole message does not rule it out; both chosen on the development set
AS_LIKELY = 0.1  # as main wish, that a wish of the first clause is acted on first
SHORTEST_CLAUSE = 3  # characters
CLAUSES = 8  # of one message that are looked at
#: What can be wanted beside something else. Feelings and values belong to the main wish.
WISHES = frozenset(
    (
        *("book_appointment", "reschedule_appointment", "cancel_appointment", "list_appointments", "family_booking"),
        *("ask_availability", "ask_practitioner", "ask_service", "ask_price", "ask_clinic_info", "ask_membership"),
        *("report_symptom", "ask_recovery_guidance", "ask_medication", "ask_community_report", "join_council"),
        *("request_human", "complain", "praise", "give_suggestion", "ask_data_held", "ask_data_use"),
        *("ask_profile_tags", "ask_access_log", "correct_data", "export_data", "delete_data", "opt_in"),
        *("set_personalization", "set_data_sharing", "opt_out_marketing", "opt_out_checkins"),
    )
)
#: Told rather than asked for; everything else must ask for something in its clause.
TOLD = frozenset(("praise", "report_symptom", "complain", "give_suggestion"))
#: These open the same door; one of them is enough.
SAME = (
    frozenset(("book_appointment", "ask_availability", "family_booking", "reschedule_appointment")),
    frozenset(("report_symptom", "report_improvement", "worry_about_result")),
    frozenset(("praise", "give_rating")),
)
_ASKS = re.compile(
    r"[吗嗎呢么嘛麼？?不没冇未伐啵咩]$|多少|几|幾|怎么|怎麼|怎樣|咋|哪|谁|誰|啥|什么|什麼|甚麼|点样|點樣|邊"
    r"|能不能|能否|可不可以|可以|可否|行不行|有没有|有沒有|有冇|有無|係咪|是不是|是否|要不要|用不用"
    r"|帮|幫|给我|給我|麻烦|麻煩|唔該|请|請|想|要|约|約|取消|退|删|刪|停|关掉|關|改|换|換|排|查|看看|看下|瞧|别|別|唔好"
    r"|(?<![a-z])(?:can|could|may|please|pls|want|need|book|what|when|where|how|which|who|is|are|do|does)(?![a-z])"
    r"|转|轉|找|投诉|投訴|恢复|恢復|发我|發|留"
)
_CUT = re.compile(
    r"[，,。．.！!？?；;\n、~～…]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])"
    r"|(?=顺便|顺带|顺手|順便|順帶|另外|还有就是|还想问|再问|再帮|再给|对了|對了|然后再|同埋|仲有)"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish that stands beside the main one, and the clause that says it."""

    intent: str
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """Every intent with its chance, the likeliest first; and the second wishes in the order they are said."""

    ranking: Ranking
    also: Sequence[Wish]


class IntentReader:
    """Reads what messages want. Safe to share between threads."""

    def __init__(self, categoriser: Categoriser) -> None:
        self._categoriser = categoriser
        self._labels = categoriser.labels(QUESTION)

    @classmethod
    def train(cls, texts: Sequence[str], intents: Sequence[str]) -> IntentReader:
        """Learn from messages and what each wants."""
        return cls(Categoriser.train([plain(text) for text in texts], {QUESTION: (intents, FIT)}))

    @classmethod
    def load(cls, folder: Path) -> IntentReader:
        """Return what was learned.

        Raises:
            ModelDamaged: if it is incomplete or cannot be read.
        """
        return cls(Categoriser.load(folder))

    def save(self, folder: Path) -> None:
        """Write what was learned."""
        self._categoriser.save(folder)

    def read(self, text: str, asked: str | None = None, flags: Collection[str] = ()) -> Meaning:
        """Return what a message wants, and what beside that.

        Args:
            text: the message as it was written.
            asked: what the last question was about.
            flags: what the message was read to say about danger.
        """
        clauses = clauses_of(text)
        whole, *alone = self._categoriser.chances([plain(part) for part in (text, *clauses)])[QUESTION]
        chances = whole * self._expected(asked, flags)
        if alone:
            chances = chances * np.maximum(self._first_wish(alone), 1e-6) ** FIRST
        chances = chances / chances.sum()
        ranking = [
            (self._labels[place], round(float(chances[place]), 4)) for place in np.argsort(-chances, kind="stable")
        ]
        also = self._also(ranking[0][0], whole, clauses, alone)
        if also and also[0].text == clauses[0] and dict(ranking)[also[0].intent] >= AS_LIKELY:
            return _the_other_way_round(ranking, also, clauses)
        return Meaning(_sure_of_both(ranking, also), also)

    def _first_wish(self, alone: Sequence[Floats]) -> Floats:
        """Return what the first clause says that is more than a greeting."""
        return next((one for one in alone if self._labels[int(one.argmax())] != "greet"), alone[0])

    def _also(self, intent: str, whole: Floats, clauses: Sequence[str], alone: Sequence[Floats]) -> list[Wish]:
        found: list[Wish] = []
        taken = _door(intent)
        for clause, chances in zip(clauses, alone, strict=True):
            place = int(chances.argmax())
            name, chance = self._labels[place], float(chances[place])
            wished = name in WISHES and (name in TOLD or _ASKS.search(clause))
            if wished and chance >= ALSO_FROM and whole[place] >= ALSO_WHOLE and name not in taken:
                found.append(Wish(name, clause, round(chance, 4)))
                taken |= _door(name)
        return found

    def _expected(self, asked: str | None, flags: Collection[str]) -> Floats:
        fitting = max((start for start in EXPECTED if (asked or "").startswith(start)), key=len, default=None)
        factors = dict(EXPECTED[fitting]) if fitting else {}
        if OF_THE_HEART.intersection(flags):
            factors = _times(factors, SIGN_OF_HEART)
        if "complaint_severe" in flags:
            factors = _times(factors, SIGN_OF_COMPLAINT)
        if set(flags) - OF_THE_HEART - OF_NEITHER:
            factors = _times(factors, SIGN)
        return np.asarray([factors.get(label, 1.0) for label in self._labels], dtype=np.float32)


def plain(text: str) -> str:
    """Return the plain form of a message as its intent is read from it; of a long one its beginning and its end."""
    whole = normalise(text).text
    if len(whole) > BEGINNING + END:
        whole = whole[:BEGINNING] + whole[-END:]
    return whole or "…"


def clauses_of(text: str) -> list[str]:
    """Return the clauses of a message that may carry a wish of their own; none where there is only one."""
    clauses = [part.strip() for part in _CUT.split(text) if part and len(part.strip()) >= SHORTEST_CLAUSE]
    return clauses[:CLAUSES] if len(clauses) > 1 else []


def _the_other_way_round(ranking: Ranking, also: Sequence[Wish], clauses: Sequence[str]) -> Meaning:
    """Of two wishes that may each be the main one, the one that is said first is."""
    name, chance = ranking[0]
    first, other = also[0].intent, dict(ranking)[also[0].intent]
    turned = [(first, chance), (name, other), *(one for one in ranking[1:] if one[0] != first)]
    wishes = [*([Wish(name, clauses[-1], chance)] if name in WISHES else []), *also[1:]]
    return Meaning(_sure_of_both(turned, wishes), wishes)


def _sure_of_both(ranking: Ranking, also: Sequence[Wish]) -> Ranking:
    """Count for the main wish what speaks for a second one: both are wanted, there is nothing to choose between."""
    (name, chance), *others = ranking
    wished = {wish.intent for wish in also}
    both = chance + sum(share for other, share in others if other in wished)
    rest = [(other, 0.0 if other in wished else share) for other, share in others]
    return [(name, round(min(both, 1.0), 4)), *sorted(rest, key=lambda one: -one[1])]


def _times(factors: Mapping[str, float], more: Mapping[str, float]) -> dict[str, float]:
    return {name: factors.get(name, 1.0) * more.get(name, 1.0) for name in {*factors, *more}}


def _door(intent: str) -> frozenset[str]:
    return next((one for one in SAME if intent in one), frozenset((intent,)))
