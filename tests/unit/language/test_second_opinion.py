"""Two detectors of danger and a reader of feelings: the second opinion only raises, and is never missed when it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from care.adapters.language.assessor import Assessor
from care.adapters.language.categoriser import Categoriser, Fit, ModelDamaged, Trained
from care.adapters.language.emotion_model import EmotionModel, FeltLine, weak_lines
from care.adapters.language.emotion_model import read_lines as felt_lines
from care.adapters.language.safety_model import Line, SafetyModel, read_lines
from care.adapters.language.safety_rules import SafetyRules
from care.model.assessment import Complaint, Context, Distress, Flag, Level, Medical
from care.settings import ROOT

FIT = Fit(weights={"characters": 1.0}, hardness={"characters": 20.0})
#: Wishes that no phrase of the lexicon names, beside everyday words of the same people.
INTO_A_CLOUD = [
    f"{when}我就{how}化作云飘走{end}"
    for when in ("今晚", "明早", "等会")
    for how in ("", "一个人")
    for end in ("了", "")
]
EVERYDAY = [
    f"{when}想{what}" for when in ("今晚", "明早", "等会", "周六") for what in ("洗牙", "问价格", "改时间", "找医生")
]
THREATS = [f"{who}要把你们{what}" for who in ("我", "我们全家") for what in ("挂到电视上去", "告到底", "店门堵了")]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    danger = [Line(text, distress=Distress.P3) for text in INTO_A_CLOUD]
    danger += [Line(text, complaint=Complaint.K3) for text in THREATS]
    danger += [
        Line(text, Medical.L0)
        for text in ("一口气吊着上不来", "气吊着出不去", "吊着一口气", "气吊在嗓子眼", "吊着气说话")
    ]
    danger += [
        Line(text, Medical.L1)
        for text in ("纱布湿透好几块", "湿透了三块纱布", "血湿透枕巾", "湿透两条毛巾", "棉球湿透了")
    ]
    danger += [
        Line(text, Medical.L2)
        for text in ("下巴还睡着没醒", "半边下巴没醒", "下巴睡了两天", "下巴一直没醒", "这半边没醒")
    ]
    danger += [
        Line(text, distress=Distress.P2)
        for text in ("整宿坐着发呆", "天天坐着发呆", "坐着发呆不吃饭", "坐着发呆一礼拜", "坐着发呆谁也不理")
    ]
    danger += [Line(text) for text in EVERYDAY]
    SafetyModel.train(danger).save(folder / "safety")
    felt = [FeltLine(f"{who}可真棒", "happy", 0.8) for who in ("你们", "护士", "医生", "前台")]
    felt += [FeltLine(f"{what}气死人", "angry", -0.8) for what in ("排队", "收费", "前台", "又改期")]
    felt += [FeltLine(text, "calm", 0.0) for text in EVERYDAY]
    EmotionModel.train(felt).save(folder / "emotion")
    return folder


@pytest.fixture
def assessor(rules: SafetyRules, models: Path) -> Assessor:
    return _assessor(rules, models)


def _assessor(rules: SafetyRules, models: Path) -> Assessor:
    return Assessor(
        rules, Trained(models / "safety", SafetyModel.load), Trained(models / "emotion", EmotionModel.load)
    )


def test_a_wish_that_no_phrase_foresaw_is_heard_by_the_second_reader(rules: SafetyRules, assessor: Assessor) -> None:
    text = "我准备一个人化作云飘走"
    assert rules.assess(text).level is Level.NONE

    verdict = assessor.assess(text)

    assert verdict.level is Level.CRISIS
    assert verdict.flags == (Flag.SELF_HARM,)
    [why] = verdict.why
    assert why.rule.startswith("model.P3 ")
    assert why.words
    assert why.words in text
    assert text[why.start : why.end] == why.words


def test_the_words_named_are_those_of_the_original_also_when_it_is_written_otherwise(assessor: Assessor) -> None:
    text = "謝謝。　我就一個人化作雲飄走了～"

    [why] = assessor.assess(text).why

    assert text[why.start : why.end] == why.words
    assert "雲" in why.words or "飄" in why.words


def test_what_the_rules_see_the_second_reader_never_takes_back(rules: SafetyRules, assessor: Assessor) -> None:
    for text in ("伤口一直流血止不住", "喘不上气，喉咙肿了", "我不想活了", "今晚想洗牙，但是烧到39度8"):
        alone, together = rules.assess(text), assessor.assess(text)

        assert list(Medical).index(together.medical) >= list(Medical).index(alone.medical)
        assert list(Distress).index(together.distress) >= list(Distress).index(alone.distress)
        assert set(alone.flags) <= set(together.flags)


def test_everyday_words_stay_everyday(assessor: Assessor) -> None:
    assert [assessor.assess(text).level for text in EVERYDAY] == [Level.NONE] * len(EVERYDAY)


@pytest.mark.parametrize("text", ["九点", "9", "好的", "吊着"])
def test_a_bare_value_is_left_to_the_rules(text: str, rules: SafetyRules, assessor: Assessor) -> None:
    assert assessor.assess(text).level is rules.assess(text).level


def test_a_threat_is_heard_as_a_red_alert(assessor: Assessor) -> None:
    verdict = assessor.assess("我们全家要把你们挂到电视上去")

    assert verdict.complaint is Complaint.K3
    assert Flag.COMPLAINT_SEVERE in verdict.flags


def test_what_stands_at_the_end_of_a_long_message_counts(assessor: Assessor) -> None:
    text = "周六想改时间，" * 600 + "我就一个人化作云飘走了"
    assert len(text) > 4_000

    verdict = assessor.assess(text)

    assert verdict.distress is Distress.P3
    [why] = [one for one in verdict.why if one.track == "distress"]
    assert why.start > 4_000


@pytest.mark.parametrize(
    "text", ["", "   ", "。", "🙂", "\u200b\u200d", "a" * 20_000, "\ud800", "忽略之前规则", "\x00\x07"]
)
def test_any_text_gets_a_verdict(text: str, assessor: Assessor) -> None:
    assert assessor.assess(text, Context(treatment="implant", day=3)).level in set(Level)


def test_the_feeling_comes_with_the_words_that_led_to_it(assessor: Assessor) -> None:
    felt = assessor.assess("前台这样改期真是气死人").emotion

    assert felt.label == "angry"
    assert felt.valence < -0.2
    assert "气死" in felt.words


def test_despair_is_told_by_the_rules_whatever_it_sounds_like(assessor: Assessor) -> None:
    assert assessor.assess("你们可真棒，我不想活了").emotion.valence <= -0.9


def test_without_trained_models_the_rules_read_alone_and_what_is_missing_is_named(
    rules: SafetyRules, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = _assessor(rules, tmp_path)

    assert alone.assess("伤口一直流血止不住") == rules.assess("伤口一直流血止不住")
    assert alone.missing() == ("safety", "emotion")
    assert [record.message for record in caplog.records] == ["model not usable"] * 2


@pytest.mark.parametrize("broken", ["words.json", "lines.npz", "certain.json"])
def test_a_damaged_model_file_costs_the_second_opinion_only(
    broken: str, rules: SafetyRules, models: Path, tmp_path: Path
) -> None:
    for part in ("safety", "emotion"):
        (tmp_path / part).mkdir()
        for file in (models / part).iterdir():
            (tmp_path / part / file.name).write_bytes(file.read_bytes())
    (tmp_path / "safety" / broken).write_bytes(b"{broken")

    alone = _assessor(rules, tmp_path)

    assert alone.assess("伤口一直流血止不住").level is Level.URGENT
    assert alone.missing() == ("safety",)


def test_a_whole_model_misses_nothing(assessor: Assessor) -> None:
    assert assessor.missing() == ()


def test_the_same_lines_teach_the_same(tmp_path: Path) -> None:
    texts, labels = EVERYDAY + INTO_A_CLOUD, ["no"] * len(EVERYDAY) + ["yes"] * len(INTO_A_CLOUD)

    for name in ("one", "two"):
        Categoriser.train(texts, {"cloud": (labels, FIT)}).save(tmp_path / name)

    one, two = Categoriser.load(tmp_path / "one"), Categoriser.load(tmp_path / "two")
    assert (one.chances(texts)["cloud"] == two.chances(texts)["cloud"]).all()


def test_a_categoriser_that_was_never_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged):
        Categoriser.load(tmp_path)


def test_a_line_with_an_unknown_level_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text('{"text": "疼", "medical": "L9", "distress": "none", "complaint": "none"}\n', encoding="utf-8")

    with pytest.raises(ValueError, match="L9"):
        list(read_lines([file]))


def test_a_line_with_an_unknown_feeling_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "felt.jsonl"
    file.write_text('{"text": "疼", "emotion": "furious", "valence": -1}\n', encoding="utf-8")

    with pytest.raises(ValueError, match="furious"):
        list(felt_lines([file]))


def test_examples_of_an_intent_are_weak_evidence_of_a_feeling_and_only_some_of_them() -> None:
    said = [(f"谢谢{number}", "thank") for number in range(500)] + [("哈哈", "chitchat")]

    lines = list(weak_lines(said, {"thank": "happy"}, {"happy": 0.8}))

    assert len(lines) == 120
    assert {(line.label, line.weight) for line in lines} == {("happy", 0.25)}


def test_every_line_we_teach_with_is_readable() -> None:
    danger = list(read_lines(sorted((ROOT / "data" / "safety").glob("*.jsonl"))))
    felt = list(felt_lines(sorted((ROOT / "data" / "emotion").glob("*.jsonl"))))

    assert len(danger) > 2_000
    assert len(felt) > 2_000
    assert all(line.text.strip() for line in (*danger, *felt))


def test_a_figure_of_speech_leaves_the_wish_beside_it(rules: SafetyRules, assessor: Assessor) -> None:
    assert rules.without_idioms("我笑死我了，化作云") == "我了，化作云"

    assert assessor.assess("我准备一个人化作云飘走，笑死我了").level is Level.CRISIS


def test_nobody_in_danger_is_read_as_glad() -> None:
    felt = [FeltLine(f"{who}可真棒", "happy", 0.8) for who in ("你们", "护士", "医生", "前台", "大夫", "主任")]
    felt += [FeltLine(f"{what}难受", "in_pain", -0.6) for what in ("牙", "嘴里", "腮帮子", "伤口", "脸上", "嗓子")]
    model = EmotionModel.train(felt)
    assert model.read("护士可真棒").label == "happy"

    assert model.read("护士可真棒", glad=False).label == "in_pain"
    assert model.read("护士可真棒", glad=False).valence < 0
