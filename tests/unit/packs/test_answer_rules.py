"""The clinic's table, row by row: fine, look again, or a human."""

from __future__ import annotations

import pytest

from care.adapters.packs import load_pack
from care.model.answer_rules import Decision, decide
from care.model.answers import read_answer, says_more
from care.model.pack import Pack
from care.settings import ROOT


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT / "packs" / "dental")


@pytest.mark.parametrize(
    ("question", "value", "day", "history", "verdict", "level"),
    [
        ("pain", "3", 0, [], "ok", None),
        ("pain", "5", 0, [], "watch", None),
        ("pain", "6", 2, [], "watch", None),
        ("pain", "7", 0, [], "watch", None),
        ("pain", "7", 1, [], "escalate", "L2"),
        ("pain", "8", 3, [], "escalate", "L2"),
        ("pain", "9", 0, [], "escalate", "L1"),
        ("pain", "10", 5, [], "escalate", "L1"),
        ("pain", "5", 3, [(1, "2")], "escalate", "L2"),
        ("pain", "5", 1, [(0, "2")], "watch", None),
        ("pain", "4", 2, [(1, "2")], "watch", None),
        ("pain", "3", 3, [(0, "3")], "watch", None),
        ("pain", "2", 3, [(0, "4")], "ok", None),
        ("pain", "4", 5, [(3, "4")], "watch", None),
        ("pain", "0", 7, [], "ok", None),
        ("swell", "none", 2, [], "ok", None),
        ("swell", "clear", 2, [], "ok", None),
        ("swell", "clear", 3, [], "ok", None),
        ("swell", "clear", 5, [], "watch", None),
        ("swell", "more", 2, [], "watch", None),
        ("swell", "more", 4, [], "escalate", "L2"),
        ("swell", "clear", 6, [(4, "slight")], "escalate", "L2"),
        ("bleed", "none", 0, [], "ok", None),
        ("bleed", "pink", 1, [], "ok", None),
        ("bleed", "red", 0, [], "watch", None),
        ("bleed", "flowing", 0, [], "escalate", "L1"),
        ("bleed", "red", 5, [], "escalate", "L2"),
        ("temp", "36.8", 1, [], "ok", None),
        ("temp", "37.4", 1, [], "ok", None),
        ("temp", "37.5", 1, [], "watch", None),
        ("temp", "37.9", 1, [], "watch", None),
        ("temp", "38.0", 1, [], "escalate", "L2"),
        ("temp", "38.4", 2, [], "escalate", "L2"),
        ("temp", "38.5", 1, [], "escalate", "L1"),
        ("temp", "38.1", 3, [], "escalate", "L1"),
        ("temp", "warm", 1, [], "watch", None),
        ("numb", "none", 1, [], "ok", None),
        ("numb", "fading", 2, [], "watch", None),
        ("numb", "same", 2, [], "escalate", "L2"),
        ("open", "two", 3, [], "ok", None),
        ("open", "two", 6, [], "watch", None),
        ("open", "one", 3, [], "escalate", "L2"),
        ("open", "one", 2, [(1, "two")], "escalate", "L2"),
        ("mood", "5", 2, [], "ok", None),
        ("mood", "3", 2, [], "watch", None),
        ("mood", "2", 2, [], "escalate", "W1"),
        ("mood", "2", 3, [(2, "2")], "escalate", "W2"),
        ("mood", "1", 2, [], "escalate", "W2"),
        ("worry", "none", 5, [], "ok", None),
        ("worry", "怕长不上", 5, [], "escalate", "L3"),
        ("worry", "一个人在家闷得慌", 5, [], "escalate", "W1"),
        ("swell", "spread", 2, [], "escalate", "L1"),
        ("bleed", "clots", 1, [], "escalate", "L1"),
        ("bleed", "gushing", 0, [], "escalate", "L0"),
        ("med", "no_relief", 1, [], "escalate", "L2"),
        ("med", "vomited", 1, [], "escalate", "L2"),
        ("med", "wrong", 1, [], "escalate", "L1"),
        ("numb", "fading", 5, [], "escalate", "L3"),
        ("open", "two", 4, [(3, "normal")], "escalate", "L2"),
        ("mood", "4", 3, [(2, "5")], "watch", None),
        ("mood", "4", 3, [(2, "4")], "ok", None),
        ("mood", "2", 6, [(2, "2")], "escalate", "W1"),
        ("sens", "3", 30, [], "escalate", "L3"),
        ("med", "done", 1, [], "ok", None),
        ("med", "missed", 1, [], "ok", None),
        ("med", "question", 1, [], "escalate", "L2"),
        ("appl", "loose", 30, [], "escalate", "L2"),
    ],
)
def test_after_an_implant_each_answer_means_what_the_clinic_decided(
    pack: Pack, question: str, value: str, day: int, history: list[tuple[int, str]], verdict: str, level: str | None
) -> None:
    decision = _decide(pack, question, value, day, history)

    assert (decision.verdict, decision.level) == (verdict, level)
    assert decision.verdict == "ok" or decision.reason


def test_red_spit_is_looked_at_again_in_thirty_five_minutes(pack: Pack) -> None:
    decision = _decide(pack, "bleed", "red", 0, [])

    assert decision.recheck is not None
    assert decision.recheck.total_seconds() == 35 * 60


def test_after_a_bone_graft_a_clearly_swollen_face_on_day_four_is_expected(pack: Pack) -> None:
    assert _decide(pack, "swell", "clear", 4, [], {"bone_graft"}).verdict == "ok"
    assert _decide(pack, "swell", "clear", 4, []).verdict == "watch"


def test_blood_thinners_and_diabetes_turn_every_look_again_into_a_nurse_today(pack: Pack) -> None:
    assert _decide(pack, "pain", "5", 0, [], {"diabetes"}).level == "L2"
    assert _decide(pack, "bleed", "red", 0, [], {"anticoagulant"}).level == "L0"


def test_the_old_and_the_pregnant_go_one_level_up(pack: Pack) -> None:
    assert _decide(pack, "pain", "8", 2, [], {"over_70"}).level == "L1"
    assert _decide(pack, "mood", "2", 2, [], {"over_70"}).level == "W1"


def test_a_strictly_worse_pain_never_leads_to_a_milder_verdict(pack: Pack) -> None:
    rank = {"ok": 0, "watch": 1, "escalate": 2}
    for day in range(15):
        verdicts = [rank[_decide(pack, "pain", str(score), day, []).verdict] for score in range(11)]
        assert verdicts == sorted(verdicts)


@pytest.mark.parametrize(
    ("question", "said", "value"),
    [
        ("pain", "3", "3"),
        ("pain", "三分吧", "3"),
        ("pain", "大概5分左右", "5"),
        ("pain", "疼痛6分，比昨天好", "6"),
        ("pain", "五六分", "6"),
        ("pain", "4到5分", "5"),
        ("pain", "不疼了", "0"),
        ("pain", "不怎么疼", "1"),
        ("pain", "一点都不疼", "0"),
        ("pain", "疼死了", "9"),
        ("pain", "10", "10"),
        ("pain", "明天下午三点可以吗", None),
        ("pain", "我想改约到周五3点", None),
        ("pain", "能喝咖啡吗", None),
        ("pain", "20分钟前吃了药", None),
        ("pain", "不想说", "skip"),
        ("bleed", "没有了", "none"),
        ("bleed", "没血了", "none"),
        ("bleed", "口水带点粉丝", "pink"),
        ("bleed", "吐出来是红的", "red"),
        ("bleed", "咬了半个钟头还在流", "flowing"),
        ("bleed", "止不住啊", "flowing"),
        ("temp", "37.8", "37.8"),
        ("temp", "三十八度五", "38.5"),
        ("temp", "38度", "38.0"),
        ("temp", "385", "38.5"),
        ("temp", "37点9", "37.9"),
        ("temp", "没量", "unmeasured"),
        ("temp", "不热", "cool"),
        ("swell", "比昨天更肿了", "more"),
        ("swell", "有点肿", "slight"),
        ("swell", "消肿了", "none"),
        ("numb", "还是麻", "same"),
        ("numb", "不麻了", "none"),
        ("open", "只能塞一根手指", "one"),
        ("mood", "一般般吧", "3"),
        ("mood", "挺好的", "5"),
        ("mood", "不太好", "2"),
        ("worry", "没有", "none"),
        ("worry", "怕种不成功", "怕种不成功"),
        ("med", "都吃了", "done"),
        ("med", "忘了吃", "missed"),
    ],
)
def test_words_are_read_as_the_answer_they_are(pack: Pack, question: str, said: str, value: str | None) -> None:
    assert read_answer(pack.questions[question], said) == value


@pytest.mark.parametrize(
    ("question", "said", "value"),
    [
        ("pain", "疼6分，另外我能喝咖啡吗", "6"),
        ("pain", "大概3分，另外我想问一下拔了牙以后到底什么时候可以喝热的咖啡或者吃火锅呢", "3"),
        ("bleed", "没有血了，帮我把周五的复查改到下周一", "none"),
        ("worry", "没事了，帮我把周五的复查改到下周一", "none"),
        ("worry", "没有，就是有点怕它掉", "没有，就是有点怕它掉"),
        ("pain", "我能喝咖啡吗，几点可以", None),
    ],
)
def test_an_answer_is_found_among_other_wishes(pack: Pack, question: str, said: str, value: str | None) -> None:
    assert read_answer(pack.questions[question], said) == value


@pytest.mark.parametrize(
    ("question", "said", "more"),
    [
        ("pain", "6", False),
        ("pain", "大概三四分吧", False),
        ("pain", "疼6分，另外我能喝咖啡吗", True),
        ("bleed", "没有", False),
        ("bleed", "没血了 帮我约个洗牙", True),
        ("worry", "没有", False),
        ("worry", "怕种不成功", True),
    ],
)
def test_only_words_beyond_the_answer_are_looked_at_again(pack: Pack, question: str, said: str, more: bool) -> None:
    assert says_more(pack.questions[question], said) is more


@pytest.mark.parametrize(
    ("question", "said", "value"),
    [
        ("pain", "九", "9"),
        ("pain", "9分", "9"),
        ("pain", "三", "3"),
        ("pain", "九点", None),
        ("pain", "好", None),
        ("pain", "不", None),
        ("pain", "都行", None),
        ("pain", "随便", None),
        ("pain", "一般般", None),
        ("mood", "好", "4"),
        ("mood", "一般般", "3"),
        ("mood", "不", None),
        ("swell", "不", "none"),
        ("swell", "好", None),
        ("numb", "不", "none"),
        ("sens", "三", "3"),
        ("med", "好", None),
        ("temp", "不", None),
    ],
)
def test_a_word_alone_means_what_was_asked(pack: Pack, question: str, said: str, value: str | None) -> None:
    assert read_answer(pack.questions[question], said) == value


def _decide(
    pack: Pack,
    question: str,
    value: str,
    day: int,
    history: list[tuple[int, str]],
    facts: set[str] | None = None,
) -> Decision:
    return decide(
        question,
        value,
        hours=day * 24 + 8,
        day=day,
        history=history,
        protocol=pack.protocols["implant"],
        facts=facts or set(),
        plan="A0",
        rules=pack.rules,
    )
