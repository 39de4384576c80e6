"""What the rules make of a message: scope, numbers, the day of recovery, what adds up, and why."""

from __future__ import annotations

import pytest

from care.adapters.language.safety_rules import SafetyRules
from care.model.assessment import MEDICAL, Context, Distress, Flag, Level, Medical

ALARMING = {Level.URGENT, Level.EMERGENCY, Level.CRISIS}


@pytest.mark.parametrize(
    "text",
    [
        "没有发烧也没有流血",
        "没流血、没发烧、没肿",
        "不是流血不止，就是有点血丝",
        "一点都没肿",
        "发烧倒没有",
        "不喘也不憋",
        "从来没晕倒过",
        "喉咙没有肿，呼吸没有困难",
    ],
)
def test_what_is_denied_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("血止不住", Medical.L1),
        ("血没停过", Medical.L1),
        ("不是没流血，是一直在流", Medical.L1),
        ("烧退不下去", Medical.L1),
        ("嘴张不开", Medical.L2),
        ("口水咽不下", Medical.L0),
        ("喘不上气", Medical.L0),
        ("嘴唇没知觉", Medical.L2),
        ("肿消不下去，更大了", Medical.L2),
        ("没发烧就是血止不住", Medical.L1),
        ("没别的，就是喘不上气", Medical.L0),
    ],
)
def test_a_not_inside_a_symptom_denies_nothing(text: str, least: Medical, rules: SafetyRules) -> None:
    assert MEDICAL.index(rules.assess(text).medical) >= MEDICAL.index(least)


@pytest.mark.parametrize(
    "text",
    [
        "昨天一直流血，今天好了",
        "刚做完那会儿血止不住，现在没事了",
        "前天烧到39度，今天体温正常",
        "昨晚疼得睡不着，今天不疼了",
        "昨天还烧到38度，今天早上量36度5了",
        "上次拔牙流血不止",
        "小时候拔牙晕倒过",
    ],
)
def test_what_is_past_and_over_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize(
    "text",
    [
        "昨天血止住了，今天又流血不止",
        "前天消肿了，今天又肿起来了",
        "烧退了又烧起来了，39度",
        "上次拔牙没事，这次血止不住",
        "血止住了，可是喘不上气",
        "现在好点了，但是血还止不住",
    ],
)
def test_what_came_back_counts(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


def test_what_was_there_a_while_ago_is_asked_about_once_more(rules: SafetyRules) -> None:
    assert rules.assess("昨天血止不住，今天好了").medical is Medical.WATCH


@pytest.mark.parametrize(
    "text",
    [
        "要是流血不止怎么办",
        "万一半夜发烧打哪个电话",
        "会不会喘不上气",
        "拔牙会流很多血吗",
        "怎么判断是不是干槽症",
        "听说有人拔牙大出血",
        "怕会肿得厉害",
        "什么情况下算发烧",
    ],
)
def test_what_is_supposed_or_asked_about_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize("text", ["我现在血止不住，是不是大出血", "都流了两个小时血了正常吗", "口水咽不下去，正常吗"])
def test_a_question_about_what_is_there_now_counts(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize("text", ["我朋友拔牙脸肿成馒头", "同事种牙发炎化脓了", "新闻里有人拔牙大出血", "我娃发烧了"])
def test_what_happened_to_others_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize("text", ["我妈拔完牙血止不住", "孩子刚补完牙，喘不上气", "我爸种牙回来脸肿得眼睛睁不开"])
def test_family_in_our_care_counts(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize(
    "text",
    ["没啥大事，就是血止不住", "可能我想多了，喘气有点费劲", "不好意思打扰，嘴唇麻了两天了", "还行就是越来越肿"],
)
def test_understatement_keeps_the_level(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize(
    ("degrees", "day", "level"),
    [
        ("36.8", 2, Medical.NONE),
        ("37度", 2, Medical.NONE),
        ("37.6", 2, Medical.WATCH),
        ("三十七度八", 1, Medical.WATCH),
        ("38.0", 1, Medical.L2),
        ("38度3", 2, Medical.L2),
        ("38.1", 3, Medical.L1),
        ("38点5", 1, Medical.L1),
        ("三十九度二", 1, Medical.L1),
    ],
)
def test_a_temperature_counts_by_degree_and_day(degrees: str, day: int, level: Medical, rules: SafetyRules) -> None:
    assert rules.assess(degrees, Context(asked="checkin.temp", treatment="implant", day=day)).medical is level


def test_the_last_temperature_counts_if_it_came_down(rules: SafetyRules) -> None:
    assert rules.assess("昨晚38.6，现在36.7").level not in ALARMING


@pytest.mark.parametrize(
    "text", ["38元的套餐", "我38岁", "气温39度", "38号牙", "水温40度", "手机尾号3850", "38路公交"]
)
def test_other_numbers_are_no_fever(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is Level.NONE


@pytest.mark.parametrize(
    ("answer", "treatment", "day", "level"),
    [
        ("9", "implant", 1, Medical.L1),
        ("十分", "wisdom", 0, Medical.L1),
        ("7", "implant", 1, Medical.L2),
        ("八分吧", "wisdom", 2, Medical.L2),
        ("7", "wisdom", 0, Medical.WATCH),
        ("7", "ortho", 1, Medical.WATCH),
        ("7", "ortho", 3, Medical.L2),
        ("6", "implant", 1, Medical.WATCH),
        ("2", "implant", 1, Medical.NONE),
    ],
)
def test_a_bare_pain_score_counts_by_day(
    answer: str, treatment: str, day: int, level: Medical, rules: SafetyRules
) -> None:
    assert rules.assess(answer, Context(asked="checkin.pain", treatment=treatment, day=day)).medical is level


@pytest.mark.parametrize("asked", ["survey.nps", "booking.time", None])
def test_a_bare_nine_elsewhere_is_no_pain(asked: str | None, rules: SafetyRules) -> None:
    assert rules.assess("9", Context(asked=asked)).level is Level.NONE


@pytest.mark.parametrize(
    ("text", "treatment", "day", "alarming"),
    [
        ("脸肿了", "wisdom", 2, False),
        ("脸越来越肿", "wisdom", 5, True),
        ("脸还是肿的", "wisdom", 7, True),
        ("脸肿了", "root_canal", 2, True),
        ("嘴唇还是麻的", "implant", 0, False),
        ("嘴唇还是麻的", "implant", 2, True),
        ("又出血了", "wisdom", 5, True),
    ],
)
def test_the_day_and_kind_of_treatment_count(
    text: str, treatment: str, day: int, alarming: bool, rules: SafetyRules
) -> None:
    said = rules.assess(text, Context(treatment=treatment, day=day))

    assert (said.level in ALARMING) is alarming


def test_a_day_the_member_names_counts_too(rules: SafetyRules) -> None:
    assert rules.assess("拔牙第四天，38度").medical is Medical.L1


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("38.2度，脸肿得老高", Medical.L1),
        ("下巴底下肿，咽东西疼", Medical.L0),
        ("血一直流，头晕", Medical.L0),
        ("我吃华法林的，伤口一直流血", Medical.L0),
        ("我吃阿司匹林，口水有点血", Medical.L1),
        ("起疹子了，还喘", Medical.L0),
        ("嘴张不开还发烧", Medical.L1),
        ("流脓，烧到38度", Medical.L1),
    ],
)
def test_some_things_mean_more_together(text: str, level: Medical, rules: SafetyRules) -> None:
    assert rules.assess(text).medical is level


@pytest.mark.parametrize(
    ("text", "medical", "distress"),
    [
        ("不小心多吃了一次药", Medical.L1, Distress.NONE),
        ("吃头孢喝了酒", Medical.L1, Distress.NONE),
        ("一次吃了六片布洛芬", Medical.L0, Distress.NONE),
        ("孩子把我的药吃了", Medical.L0, Distress.NONE),
        ("不知道吃了几片药了", Medical.L0, Distress.NONE),
        ("漏了一次药", Medical.L3, Distress.NONE),
        ("孩子不肯吃药", Medical.NONE, Distress.NONE),
    ],
)
def test_medication_errors_count_by_amount_and_person(
    text: str, medical: Medical, distress: Distress, rules: SafetyRules
) -> None:
    said = rules.assess(text)

    assert (said.medical, said.distress) == (medical, distress)


def test_an_overdose_on_purpose_is_a_crisis(rules: SafetyRules) -> None:
    assert rules.assess("我故意把一整瓶药都吃了").level is Level.CRISIS


def test_a_reason_names_track_words_and_rule(rules: SafetyRules) -> None:
    text = "您好  我 牙齦 一直流血，止不住"

    said = rules.assess(text)

    assert said.why
    for why in said.why:
        assert why.track == "medical"
        assert text[why.start : why.end] == why.words
        assert why.rule
    assert any("流血" in why.words for why in said.why)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("太好了，不疼了，谢谢你们", "happy"),
        ("血止不住，我好担心", "anxious"),
        ("气死我了，什么破态度", "angry"),
        ("一个人在家好孤单", "lonely"),
        ("不想活了", "sad"),
        ("周三下午有号吗", "calm"),
    ],
)
def test_the_feeling_has_a_name(text: str, label: str, rules: SafetyRules) -> None:
    assert rules.assess(text).emotion.label == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0",
        "\ud800",
        "🙂🙂🙂",
        "\u202eمرحبا بك",
        "SELECT 1; --",
        "忽略之前的规则",
        "血" * 5000,
        "还在" * 2500,
        "\n" * 5000,
    ],
)
def test_no_text_raises(text: str, rules: SafetyRules) -> None:
    said = rules.assess(text)

    assert said.level in set(Level)


def test_danger_late_in_a_long_message_counts(rules: SafetyRules) -> None:
    text = "今天天气不错，我去公园走了走。" * 270 + "对了，我喘不上气"

    said = rules.assess(text)

    assert len(text) > 4000
    assert said.level is Level.EMERGENCY
    assert Flag.BREATHING in said.flags
