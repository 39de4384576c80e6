"""Answers of one day read together, per treatment and for members at risk; what words tell without being asked."""

from __future__ import annotations

import pytest

from care.adapters.packs import load_pack
from care.model.answer_rules import Decision, decide_together
from care.model.answers import heard_signs
from care.model.pack import Pack
from care.settings import ROOT

Said = dict[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT / "packs" / "dental")


@pytest.mark.parametrize(
    ("kind", "day", "question", "value", "today", "level", "rule"),
    [
        ("implant", 1, "temp", "38.1", {}, "L2", "temp.fever"),
        ("implant", 1, "temp", "38.1", {"swell": ("clear",)}, "L1", "temp.with_more"),
        ("implant", 1, "temp", "38.1", {"swell": ("slight",)}, "L2", "temp.fever"),
        ("implant", 1, "temp", "38.1", {"sign": ("chills",)}, "L1", "temp.with_more"),
        ("implant", 1, "temp", "warm", {"sign": ("chills",)}, "L2", "temp.warm_chills"),
        ("extraction", 2, "open", "one", {"temp": ("38.2",)}, "L1", "open.one_fever"),
        ("extraction", 4, "open", "one", {"sign": ("swallow_pain",)}, "L1", "open.one_fever"),
        ("extraction", 4, "open", "one", {"temp": ("36.8",)}, "L2", "open.one"),
        ("implant", 2, "swell", "spread", {"sign": ("swallow_pain",)}, "L0", "swell.spread_swallow"),
        ("implant", 2, "swell", "clear", {"sign": ("cannot_swallow",)}, "L0", "swell.airway"),
        ("extraction", 1, "bleed", "red", {"sign": ("faint",)}, "L0", "bleed.faint"),
        ("perio_surgery", 2, "bleed", "red", {"sign": ("dressing_off",)}, "L2", "bleed.dressing"),
        ("root_canal", 3, "pain", "5", {"sign": ("worse_than_before",)}, "L2", "pain.root_canal_said"),
    ],
)
def test_two_answers_that_mean_more_together_do_so_whichever_came_first(
    pack: Pack, kind: str, day: int, question: str, value: str, today: Said, level: str, rule: str
) -> None:
    first = _together(pack, kind, day, question, value, today)
    assert (first.level, first.rule) == (level, rule)

    for other, (said,) in today.items():
        turned = _together(pack, kind, day, other, said, {question: (value,)}, {question: [(day, value)]})
        if first.used:
            assert (turned.level, turned.rule) == (level, rule)
            assert (question, value) in turned.used
            assert (other, said) in turned.used


def test_a_decision_says_which_answers_led_to_it(pack: Pack) -> None:
    socket = _together(
        pack, "extraction", 3, "pain", "4", {"sign": ("ear_pain",)}, {"pain": [(0, "5"), (1, "4"), (2, "3")]}
    )
    rising = _together(pack, "implant", 3, "pain", "5", {}, {"pain": [(1, "2")]})

    assert (socket.rule, socket.level) == ("pain.socket", "L2")
    assert set(socket.used) == {("sign", "ear_pain"), ("pain", "4")}
    assert (rising.rule, rising.used) == ("pain.rising", (("pain", "2"),))


@pytest.mark.parametrize(
    ("history", "today"),
    [
        ({"pain": [(1, "5")]}, {"sign": ("bad_taste",)}),  # lower than on the first day
        ({"pain": [(1, "4")]}, {}),  # as high, and nothing else
        ({"pain": [(2, "4")]}, {"sign": ("bad_taste",)}),  # nobody knows how the first day was
    ],
)
def test_pain_that_fell_or_stands_alone_is_no_dry_socket(
    pack: Pack, history: dict[str, list[tuple[int, str]]], today: Said
) -> None:
    assert _together(pack, "extraction", 3, "pain", "4", today, history).rule != "pain.socket"


def test_after_a_root_canal_more_pain_than_before_the_treatment_is_a_nurse_today(pack: Pack) -> None:
    assert _together(pack, "root_canal", 1, "pain", "5", {}, before=4).level == "L2"
    assert _together(pack, "root_canal", 1, "pain", "5", {}, before=6).verdict == "watch"
    assert _together(pack, "root_canal", 1, "pain", "5", {}).verdict == "watch"


@pytest.mark.parametrize(
    ("kind", "day", "question", "value", "facts", "verdict", "level"),
    [
        ("perio_surgery", 6, "bleed", "red", {"palatal_graft"}, "watch", None),
        ("perio_surgery", 6, "bleed", "red", set(), "escalate", "L2"),
        ("perio_surgery", 8, "bleed", "red", {"palatal_graft"}, "escalate", "L2"),
        ("perio_surgery", 3, "sign", "dressing_off", set(), "escalate", "L3"),
        ("ortho", 1, "pain", "7", set(), "watch", None),
        ("ortho", 3, "pain", "7", set(), "escalate", "L2"),
        ("ortho", 5, "appl", "lost", set(), "escalate", "L3"),
        ("ortho", 5, "appl", "swallowed", set(), "escalate", "L1"),
        ("ortho", 5, "worry", "我想拆掉，后悔了", set(), "escalate", "W1"),
        ("implant", 30, "appl", "lost", set(), "escalate", "L2"),
        ("implant", 3, "sign", "nose", set(), "escalate", "L2"),
        ("whitening", 0, "sign", "gum_white", set(), "escalate", "L2"),
        ("whitening", 2, "sign", "colour", set(), "escalate", "W1"),
        ("whitening", 0, "sens", "7", set(), "escalate", "L2"),
        ("scaling", 1, "sens", "7", set(), "escalate", "L3"),
        ("scaling", 1, "sens", "5", set(), "watch", None),
        ("scaling", 1, "sign", "loosened", set(), "escalate", "L3"),
        ("extraction", 2, "sign", "no_drinking", set(), "escalate", "L2"),
        ("root_canal", 5, "swell", "clear", set(), "escalate", "L1"),
        ("extraction", 1, "pain", "5", {"simple"}, "watch", None),
        ("extraction", 1, "pain", "4", set(), "ok", None),
        ("extraction", 2, "pain", "4", {"simple"}, "ok", None),
        ("extraction", 3, "pain", "4", {"simple"}, "watch", None),
        ("implant", 2, "pain", "4", {"bone_graft"}, "ok", None),
    ],
)
def test_each_treatment_has_rows_of_its_own(
    pack: Pack, kind: str, day: int, question: str, value: str, facts: set[str], verdict: str, level: str | None
) -> None:
    found = _together(pack, kind, day, question, value, {}, facts=facts)

    assert (found.verdict, found.level) == (verdict, level)


@pytest.mark.parametrize("fact", ["minor", "over_70", "pregnant", "immunosuppressed", "anticoagulant"])
def test_a_member_at_risk_counts_one_level_higher_and_the_second_look_stays(pack: Pack, fact: str) -> None:
    looked_at = _together(pack, "extraction", 1, "pain", "5", {}, facts={fact})
    nurse = _together(pack, "extraction", 1, "pain", "8", {}, facts={fact})
    low = _together(pack, "extraction", 1, "mood", "2", {}, facts={fact})

    assert (looked_at.level, looked_at.rule) == ("L3", "pain.five+risk")
    assert looked_at.recheck is not None
    assert (nurse.level, low.level) == ("L1", "W1")


def test_living_alone_is_a_risk_only_after_sedation(pack: Pack) -> None:
    assert _together(pack, "extraction", 1, "pain", "8", {}, facts={"lives_alone"}).level == "L2"
    assert _together(pack, "extraction", 1, "pain", "8", {}, facts={"lives_alone", "sedation"}).level == "L1"


@pytest.mark.parametrize(
    ("said", "signs"),
    [
        ("疼4分，嘴里有股怪味", ("bad_taste",)),
        ("疼往耳朵那边窜", ("ear_pain",)),
        ("没有怪味，也没往耳朵窜", ()),
        ("没什么大事，就是嘴里有怪味", ("bad_taste",)),
        ("会不会打寒战啊", ()),
        ("一阵一阵发冷，咽口水痛", ("chills", "swallow_pain")),
        ("寒战退了", ()),
        ("药不管用", ("no_relief",)),
        ("牙龈发白，火辣辣的", ("gum_white", "gum_burning")),
        ("今天挺好", ()),
    ],
)
def test_what_members_tell_without_being_asked_is_heard(pack: Pack, said: str, signs: tuple[str, ...]) -> None:
    assert heard_signs(pack.questions["sign"], said) == signs


def _together(
    pack: Pack,
    kind: str,
    day: int,
    question: str,
    value: str,
    today: Said,
    histories: dict[str, list[tuple[int, str]]] | None = None,
    *,
    facts: set[str] | None = None,
    before: float | None = None,
) -> Decision:
    return decide_together(
        question,
        value,
        hours=day * 24 + 8,
        day=day,
        histories=histories or {},
        protocol=pack.protocols[kind],
        facts=facts or set(),
        plan="X",
        rules=pack.rules,
        today=today,
        before=before,
    )
