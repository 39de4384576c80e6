"""Whose trouble it is, when it was and whether it is real: what sets a phrase aside, and what must not."""

from __future__ import annotations

import pytest

from care.adapters.language.safety_rules import SafetyRules
from care.model.assessment import MEDICAL, Context, Level, Medical

ALARMING = {Level.URGENT, Level.EMERGENCY, Level.CRISIS}


@pytest.mark.parametrize(
    "text",
    [
        "电影里那个人喘不上气就死了",
        "小说里女主割腕那章写得太假",
        "新闻说有人拔牙大出血",
        "我的论文题目是青少年自杀预防",
        "昨晚梦到牙齿掉光满嘴血",
    ],
)
def test_what_is_only_a_story_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize(
    "text", ["电影里演的那种，我现在就喘不上气", "看完那部小说里的结局，我也不想活了", "看电影看到一半突然喘不上气"]
)
def test_a_story_hides_nothing_of_the_member(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize(
    "text",
    [
        "在地铁上突然喘不上气",
        "房间里坐着就喘不上气",
        "刚才补牙打了麻药就喘不上气",
        "交钱的时候直接晕过去了",
        "他不喘气了",
    ],
)
def test_where_it_happens_hides_nothing(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is Level.EMERGENCY


@pytest.mark.parametrize(
    "text", ["村头老李种完牙脸肿成猪头", "楼上的阿姨拔牙血止不住", "我同桌拔完牙烧到40度", "对面老王喝了酒又吃头孢"]
)
def test_the_neighbours_trouble_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize("text", ["我是老李，拔完牙血止不住", "同事聚会喝了两瓶啤酒，才想起在吃头孢"])
def test_who_says_who_they_are_or_where_is_meant_themselves(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize(
    "text",
    [
        "三年前拔的那回发过高烧 这次要不要提前说",
        "去年拔牙那次流血流了一晚上，这次想换个医生",
        "十年前做的那颗，当时疼得死去活来",
        "我姐生完孩子大出血过，现在很健康，帮她约洗牙",
    ],
)
def test_what_was_long_ago_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize("text", ["十年前做的那颗，现在疼得死去活来", "三年前种的牙，今天突然大出血"])
def test_an_old_treatment_may_hurt_today(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize("text", ["万一晚上出血打哪个电话", "种牙要是掉了能免费重做吗", "会不会第三天发烧呀"])
def test_a_supposition_may_reach_into_the_phrase(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize(
    "text", ["听说会不会发烧，我第三天了还发烧", "人都要崩溃了嘛，哭都哭不出来", "哎呀妈呀烧到三十九了"]
)
def test_what_only_looks_like_a_question_or_a_relative_counts(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize(
    ("text", "day", "level"),
    [
        ("脸还是挺肿的，没再变大", 4, Medical.WATCH),
        ("还肿着呢，跟昨天一样", 4, Medical.WATCH),
        ("脸还肿着", 6, Medical.L2),
        ("比昨天更肿了", 2, Medical.WATCH),
        ("比昨天更肿了", 4, Medical.L2),
        ("消了又肿起来了", 5, Medical.L2),
        ("嘴只能张一指", 1, Medical.WATCH),
        ("嘴只能张一指", 3, Medical.L2),
        ("嘴越张越小", 1, Medical.L2),
        ("比昨天疼，往耳朵窜", 1, Medical.WATCH),
        ("比昨天疼，往耳朵窜", 3, Medical.L2),
        ("38度2", 1, Medical.L2),
        ("38度2", 3, Medical.L1),
        ("洞还敞着没长口", 3, Medical.NONE),
        ("洞还敞着没长口", 8, Medical.L2),
    ],
)
def test_after_a_wisdom_tooth_the_day_decides(text: str, day: int, level: Medical, rules: SafetyRules) -> None:
    assert rules.assess(text, Context(treatment="wisdom", day=day)).medical is level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("拔牙当天，麻药还没过，嘴唇木的", Medical.NONE),
        ("昨天拔的，麻药到现在还没过", Medical.L2),
    ],
)
def test_the_member_may_name_the_day(text: str, level: Medical, rules: SafetyRules) -> None:
    assert rules.assess(text).medical is level


@pytest.mark.parametrize(
    ("text", "asked", "level"),
    [
        ("10分，真的受不住了", None, Medical.L1),
        ("你问几分 我说九点五分", None, Medical.L1),
        ("打分的话8分，咬都不能咬", None, Medical.L2),
        ("9.5……打字的手都在抖", "checkin.pain", Medical.L1),
        ("昨天四分今天七分", None, Medical.L2),
    ],
)
def test_a_score_counts_without_being_asked_for(
    text: str, asked: str | None, level: Medical, rules: SafetyRules
) -> None:
    assert rules.assess(text, Context(asked=asked, treatment="root_canal", day=2)).medical is level


@pytest.mark.parametrize("text", ["给医生打10分", "从0到10的话我选8，停车不方便", "考了9分，哭了"])
def test_a_mark_for_something_else_is_no_pain(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


def test_a_measured_temperature_counts_for_more_than_the_word(rules: SafetyRules) -> None:
    assert rules.assess("量了37.7，感觉有点发热").medical is Medical.WATCH


def test_a_third_digit_is_a_tenth(rules: SafetyRules) -> None:
    assert rules.assess("体温385度").medical is Medical.L1


@pytest.mark.parametrize("text", ["38.2度，一阵一阵发冷", "流黄水有臭味，还怕冷打哆嗦"])
def test_chills_make_it_urgent(text: str, rules: SafetyRules) -> None:
    assert MEDICAL.index(rules.assess(text, Context(treatment="extraction", day=2)).medical) >= MEDICAL.index(
        Medical.L1
    )


@pytest.mark.parametrize(
    "text",
    [
        "I can't breathe after the pill",
        "can not swallow 口水",
        "i took a double dose by mistake",
        "I don't want to live anymore",
        "my husband hit me again",
    ],
)
def test_english_among_the_chinese_is_read(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level in ALARMING


@pytest.mark.parametrize(
    "text", ["万一回家又流血怎么处理", "有没有活人，来个喘气的", "漂白做一次多少钱", "麻药还没反应过来牙就出来了"]
)
def test_words_of_danger_that_speak_of_something_else_raise_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize(
    ("text", "day", "level"),
    [
        ("昨天疼2分，今天疼5分", 3, Medical.L2),
        ("昨天疼2分，今天疼5分", 1, Medical.WATCH),
        ("昨天疼5分，今天疼6分", 3, Medical.WATCH),
        ("从5分降到2分", 3, Medical.NONE),
        ("昨天等了2个小时，今天等了6个小时，不疼", 3, Medical.NONE),
    ],
)
def test_pain_that_went_up_by_three_since_an_earlier_day_is_seen_the_same_day(
    text: str, day: int, level: Medical, rules: SafetyRules
) -> None:
    assert rules.assess(text, Context(asked="checkin.pain", day=day)).medical is level


@pytest.mark.parametrize(
    "text",
    [
        "想死那家的小笼包了",
        "排队慢得要死",
        "花呗都大出血了",
        "抽完烟才想起来要忌口",
        "我要消失两个星期，提醒先停",
        "写封感谢信给护士",
        "办公室里都在发烧，我改天再来",
        "想到钻牙头皮发麻",
    ],
)
def test_figures_of_speech_about_pleasure_money_and_others_raise_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


def test_whoever_compares_a_pain_with_childbirth_speaks_of_their_own(rules: SafetyRules) -> None:
    assert rules.assess("比生孩子还疼，打9分").medical is Medical.L1


@pytest.mark.parametrize("text", ["还在渗血 压了四十分钟了", "还在出血压着也没用", "一直冒血压不住"])
def test_blood_that_is_pressed_on_is_no_blood_pressure(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).medical is Medical.L1


def test_blood_pressure_is_no_bleeding(rules: SafetyRules) -> None:
    assert rules.assess("我血压高，能拔牙吗").medical not in {Medical.L0, Medical.L1, Medical.L2}
