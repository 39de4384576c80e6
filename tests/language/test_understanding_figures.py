"""How well the trained models understand messages written apart from their examples and never trained on."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from ruamel.yaml import YAML

from care.model.assessment import Level
from care.settings import ROOT
from tests.language.figures import (
    ALL,
    HERE,
    Figure,
    Line,
    Measured,
    calibration_error,
    entity_f1,
    figures,
    line_of,
    macro_f1,
    measured,
    provenance,
    wilson,
)
from tests.language.report_goals import GOALS, falls_back

ENOUGH = 20  # lines of one intent; with fewer its F1 says little
CALM: Mapping[str, Any] = {"label": "calm", "valence": 0.1, "words": ""}


def _rows() -> list[dict[str, Any]]:
    return [
        json.loads(row)
        for path in sorted(HERE.glob("dev_*.jsonl"))
        for row in path.read_text(encoding="utf-8").splitlines()
    ]


def _table(found: Measured) -> str:
    """Return the figures as a table for people, every set with its provenance."""
    rows = [f"\n{name}: {len(found.of(name))} lines, {provenance(name)}" for name in found.sets]
    rows.append(f"{'':20}{'floor':>7}{'goal':>7}" + "".join(f"{name:>26}" for name in (ALL, *found.sets)))
    for key, row in found.table().items():
        goal = GOALS[key]
        rows.append(
            f"{key:20}{goal.floor:7.2f}{goal.goal:7.2f}" + "".join(f"{_told(one):>26}" for one in row.values())
        )
    return "\n".join(rows) + "\n"


def _told(figure: Figure | None) -> str:
    return f"{figure.value:.3f} ({figure.low:.2f}-{figure.high:.2f}) {figure.of:5g}" if figure else "-"


def a_line(text: str = "约个洗牙", *, said: Mapping[str, Any] | None = None, **labels: Any) -> Line:
    """Return a fully labelled message with what was understood; right in everything unless told otherwise."""
    row = {"text": text, "intent": "book_appointment", "entities": [], "medical": "none", "emotion": "calm", **labels}
    found = {"intent": row["intent"], "confidence": 0.9, "also": [], "entities": [], "emotion": CALM}
    return line_of("canned", row, {**found, "safety": {"level": "none", "why": []}, **(said or {})})


@pytest.mark.rasa
def test_messages_that_were_never_learned_are_understood_well_enough() -> None:
    found = measured()

    sys.stdout.write(_table(found))

    assert not found.missing
    reached = {key: row[ALL] for key, row in found.table().items()}
    low = {key: one.value if one else None for key, one in reached.items() if one is None or falls_back(key, one)}
    assert low == {}


def test_the_lines_carry_only_intents_the_dialogue_knows() -> None:
    domain = YAML(typ="safe").load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    known = {next(iter(intent)) if isinstance(intent, dict) else intent for intent in domain["intents"]}

    carried = {name for row in _rows() for name in (row["intent"], *row.get("also", ()), *row.get("accept", ()))}

    assert carried <= known


def test_every_intent_has_lines_enough_to_be_judged() -> None:
    often = Counter(row["intent"] for row in _rows())

    assert {intent for intent, lines in often.items() if lines < ENOUGH} == set()


def test_no_set_has_a_message_twice() -> None:
    often = Counter(
        (path.stem, row)
        for path in HERE.glob("dev_*.jsonl")
        for row in (
            (given["text"], (given.get("context") or {}).get("asked"))
            for given in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        )
    )

    assert [row for row, times in often.items() if times > 1] == []


def test_every_set_says_where_it_comes_from() -> None:
    assert [path.stem for path in HERE.glob("dev_*.jsonl") if "unknown" in provenance(path.stem)] == []


def test_every_figure_has_a_floor_and_a_goal_that_is_no_lower() -> None:
    found = figures([a_line()], frozenset(), 0.35)

    assert found.keys() == GOALS.keys()
    assert all((one.goal <= one.floor) if one.of_faults else (one.goal >= one.floor) for one in GOALS.values())


def test_another_acceptable_reading_counts_as_right_and_every_intent_weighs_the_same() -> None:
    lines = [a_line(intent="greet") for _ in range(6)]
    lines += [a_line(intent="thank", accept=["praise"], said={"intent": "praise"})]
    lines += [a_line(intent="thank", said={"intent": "greet"}), a_line(intent="stop", said={"intent": "greet"})]

    found = figures(lines, frozenset(), 0.35)

    assert found["intent"] == pytest.approx(wilson(7, 9))
    assert macro_f1(lines) == pytest.approx((12 / 14 + 2 / 3 + 0) / 3)


def test_the_worst_intent_is_named_only_if_there_are_enough_messages_of_it() -> None:
    lines = [a_line(intent="greet")] * 10 + [a_line(intent="thank", said={"intent": "greet"})] * 9

    worst = figures(lines, frozenset(), 0.35)["worst_intent"]

    assert worst is not None
    assert (worst.note, worst.value) == ("greet", 1.0)


def test_idle_talk_that_sets_something_going_counts_only_above_the_fallback() -> None:
    acts = {"intent": "delete_data", "confidence": 0.5}
    lines = [a_line(intent="chitchat", said=acts), a_line(intent="chitchat", said=acts | {"confidence": 0.2})]
    lines += [a_line(intent="out_of_scope", said={"intent": "greet"}), a_line(said=acts)]

    astray = figures(lines, frozenset(), 0.35)["out_of_scope_acted"]

    assert astray == wilson(1, 3)


def test_an_entity_needs_its_words_and_its_value_and_pieces_of_a_symptom_count_once() -> None:
    named = [{"entity": "service", "text": "洗牙", "value": "scaling"}, {"entity": "symptom", "text": "又肿又疼"}]
    text = "又肿又疼，约个洗牙"
    pieces = [
        {"entity": "symptom", "start": 1, "end": 2, "value": "肿"},
        {"entity": "symptom", "start": 3, "end": 4, "value": "疼"},
    ]
    wrong = [{"entity": "service", "start": 7, "end": 9, "value": "filling"}]

    line = a_line(text, entities=named, said={"entities": pieces + wrong})

    assert entity_f1([line], "symptom") == wilson(1, 1)
    assert entity_f1([line], "service") == wilson(0, 1)
    assert entity_f1([line], "temperature") is None


def test_a_second_wish_is_found_whichever_of_the_two_came_first() -> None:
    line = a_line(also=["ask_price"], said={"intent": "ask_price", "also": ["book_appointment", "praise"]})

    found = figures([line], frozenset(), 0.35)

    assert found["also_recall"] == wilson(1, 1)
    assert found["also_precision"] == wilson(1, 2)


def test_an_emergency_that_is_only_urgent_to_us_is_missed_and_a_watch_is_no_false_alarm() -> None:
    urgent, watch = [{"safety": {"level": level, "why": list[Any]()}} for level in ("urgent", "watch")]
    lines = [a_line(medical="L0", said=urgent), a_line(medical="L1", said=urgent), a_line(medical="L2", said=watch)]
    lines += [a_line(said=urgent), a_line(said=watch), a_line(medical="watch", said=urgent)]

    found = figures(lines, frozenset(), 0.35)

    assert lines[0].level is Level.EMERGENCY
    assert found["emergency_missed"] == wilson(1, 1)
    assert found["urgent_missed"] == wilson(1, 2)
    assert found["false_alarms"] == wilson(1, 2)


def test_honest_confidence_has_no_calibration_error() -> None:
    right, wrong = a_line(said={"confidence": 0.75}), a_line(said={"intent": "greet", "confidence": 0.75})

    assert calibration_error([right, right, right, wrong]) == pytest.approx(0)
    assert calibration_error([wrong]) == pytest.approx(0.75)


def test_an_interval_holds_the_share_and_grows_with_fewer_messages() -> None:
    many, few = wilson(90, 100), wilson(9, 10)

    assert many.low < 0.9 < many.high
    assert (round(many.low, 3), round(many.high, 3)) == (0.826, 0.945)
    assert few.low < many.low
    assert wilson(0, 20).low == 0


def test_a_model_that_is_not_there_has_no_figures_and_the_rules_keep_theirs() -> None:
    found = figures([a_line(medical="L0")], frozenset({"intents", "emotion"}), 0.35)

    assert found["intent"] is None
    assert found["emotion"] is None
    assert found["emergency_missed"] == wilson(1, 1)


def test_a_set_that_names_no_danger_tells_nothing_about_it() -> None:
    bare = line_of("dev_a", {"text": "你好", "intent": "greet"}, a_line(intent="greet").found)

    found = figures([bare], frozenset(), 0.35)

    assert found["intent"] == wilson(1, 1)
    assert {found[name] for name in ("emergency_missed", "false_alarms", "emotion", "also_recall")} == {None}
