"""How well the trained model understands messages written apart from its examples and never trained on."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from anxin.understand import own_rasa
from care.settings import ROOT, load_settings

LINES = (Path(__file__).parent / "dev_a.jsonl", Path(__file__).parent / "dev_b.jsonl")
AT_LEAST = 0.70  # share of lines understood
ENOUGH = 20  # lines of one intent; with fewer its F1 says little
ASKING_AT_ONCE = 4  # the model works on one at a time; more only wait
UNSURE = "nlu_fallback"  # what the model says when no intent is likely enough


@dataclass(frozen=True, slots=True)
class Line:
    """What a member wrote and what they wanted; `asked` is the question before it, if the answer depends on one."""

    text: str
    intent: str
    asked: str | None
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was wanted against what was understood: pairs of (wanted, understood)."""

    pairs: Sequence[tuple[str, str]]

    def accuracy(self) -> float:
        return sum(wanted == understood for wanted, understood in self.pairs) / len(self.pairs)

    def f1(self) -> Mapping[str, float]:
        """Return the F1 of every intent that was wanted at least once."""
        hit = Counter(wanted for wanted, understood in self.pairs if wanted == understood)
        wanted_often = Counter(wanted for wanted, _ in self.pairs)
        understood_often = Counter(understood for _, understood in self.pairs)
        return {
            intent: 2 * hit[intent] / (often + understood_often[intent]) for intent, often in wanted_often.items()
        }

    def macro_f1(self) -> float:
        """Return the mean F1, every intent weighing the same; an intent nobody wanted only costs the others."""
        each = self.f1()
        return sum(each.values()) / len(each)

    def confusions(self, most: int) -> Sequence[tuple[tuple[str, str], int]]:
        """Return the commonest (wanted, understood) that differ, the worst first; being unsure confuses nobody."""
        wrong = Counter(pair for pair in self.pairs if pair[0] != pair[1] and pair[1] != UNSURE)
        return wrong.most_common(most)


def dev_lines() -> list[Line]:
    lines: list[Line] = []
    for path in LINES:
        for row in path.read_text(encoding="utf-8").splitlines():
            given = json.loads(row)
            asked = (given.get("context") or {}).get("asked")
            lines.append(Line(given["text"], given["intent"], asked, tuple(given.get("also") or ())))
    return lines


def table(lines: Sequence[Line], rankings: Sequence[Sequence[str]], seconds: float) -> str:
    """Return the figures as a short table for people; a ranking is the intents of one line, the likeliest first."""
    figures = Figures(pairs(lines, rankings))
    alone = Figures([pair for line, pair in zip(lines, figures.pairs, strict=True) if line.asked is None])
    unsure = [(line, rest) for line, (first, *rest) in zip(lines, rankings, strict=True) if first == UNSURE]
    right_next = sum(line.intent in rest[:1] for line, rest in unsure)
    rows = [
        "",
        f"{len(lines)} lines in {seconds:.1f} s",
        f"accuracy {figures.accuracy():.3f}   macro-F1 {figures.macro_f1():.3f}",
        f"accuracy {alone.accuracy():.3f} on the {len(alone.pairs)} lines that need no question before them",
        f"unsure of {len(unsure)}, {right_next} of them with the right intent next in line",
        "lowest F1: " + ", ".join(f"{intent} {f1:.2f}" for intent, f1 in weakest(figures, 5)),
        "worst confusions",
    ]
    for pair, often in figures.confusions(10):
        example = lines[figures.pairs.index(pair)].text
        rows.append(f"{often:4d}  {pair[0]} -> {pair[1]}   {example}")
    return "\n".join(rows) + "\n"


def pairs(lines: Sequence[Line], rankings: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    return [(line.intent, ranking[0]) for line, ranking in zip(lines, rankings, strict=True)]


def weakest(figures: Figures, most: int) -> Sequence[tuple[str, float]]:
    return sorted(figures.f1().items(), key=lambda item: item[1])[:most]


@pytest.mark.rasa
def test_seven_of_ten_messages_it_never_learned_are_understood() -> None:
    lines = dev_lines()

    with own_rasa(load_settings()) as nlu:
        began = time.monotonic()
        with ThreadPoolExecutor(ASKING_AT_ONCE) as pool:
            answers = list(pool.map(nlu.parse, (line.text for line in lines)))
        seconds = time.monotonic() - began

    rankings = [[intent for intent, _ in answer] or [UNSURE] for answer in answers]
    sys.stdout.write(table(lines, rankings, seconds))
    # Compared as plain numbers: a failure would otherwise print every pair.
    accuracy = Figures(pairs(lines, rankings)).accuracy()
    assert accuracy >= AT_LEAST


def test_the_lines_carry_only_intents_the_dialogue_knows() -> None:
    domain = YAML(typ="safe").load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    known = {next(iter(intent)) if isinstance(intent, dict) else intent for intent in domain["intents"]}

    carried = {name for line in dev_lines() for name in (line.intent, *line.also)}

    assert carried <= known


def test_every_intent_has_lines_enough_to_be_judged() -> None:
    often = Counter(line.intent for line in dev_lines())

    assert {intent for intent, lines in often.items() if lines < ENOUGH} == set()


def test_no_message_is_in_the_lines_twice() -> None:
    often = Counter((line.text, line.asked) for line in dev_lines())

    assert [text for text, times in often.items() if times > 1] == []


def test_figures_weigh_every_intent_the_same_and_name_the_worst_confusion() -> None:
    right = [("greet", "greet")] * 6 + [("thank", "thank")]
    wrong = [("thank", "greet")] * 2 + [("stop", UNSURE)]

    figures = Figures(right + wrong)

    assert figures.accuracy() == pytest.approx(0.7)
    assert figures.f1() == pytest.approx({"greet": 12 / 14, "thank": 0.5, "stop": 0.0})
    assert figures.macro_f1() == pytest.approx((12 / 14 + 0.5) / 3)
    assert figures.confusions(10) == [(("thank", "greet"), 2)]
