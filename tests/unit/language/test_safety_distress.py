"""Distress in three tiers, threats, harm by others and grievances, with the idioms that mean nothing."""

from __future__ import annotations

import pytest

from care.adapters.language.safety_rules import SafetyRules
from care.model.assessment import DISTRESS, Complaint, Context, Distress, Flag, Level, Medical

ALARMING = {Level.URGENT, Level.EMERGENCY, Level.CRISIS}

LOW = [
    "心里没底",
    "越想越怕",
    "后悔做了",
    "没人管我",
    "一个人挺难受的",
    "烦死了",
    "睡不好",
    "想哭",
    "感觉被骗了",
    "怕失败",
    "钱白花了怎么办",
    "不敢照镜子",
]
SEVERE = [
    "崩溃了",
    "撑不住了",
    "整夜整夜睡不着",
    "一直哭停不下来",
    "什么都不想做",
    "觉得自己是累赘",
    "没有意义",
    "绝望",
    "惊恐发作",
    "心慌手抖",
    "好几天没吃没睡",
    "活着真累",
]
CRISIS = [
    "不想活了",
    "活着没意思",
    "睡过去别醒就好了",
    "消失算了",
    "大家没我更好",
    "想解脱",
    "活够了",
    "撑到哪天算哪天",
    "死了就不疼了",
    "没有活头",
    "唔想做人",
    "想自杀",
    "想结束这一切",
    "我写好遗书了",
    "药都准备好了",
    "站在楼顶",
    "割了",
    "吃了一整瓶",
    "最后一次跟你说话了",
    "再见了谢谢你们",
    "自鲨",
    "紫砂",
    "想4",
    "重开",
]
THREATS = ["砍死你们医生", "我要去店里闹", "同归于尽"]
IDIOMS = [
    "笑死我了",
    "饿死了",
    "困死",
    "累死",
    "忙死",
    "热死",
    "酸死了",
    "丑死了",
    "美死了",
    "想死你们了",
    "爱死",
    "吓死我了",
    "急死人",
    "冤死",
    "死活不同意",
    "死鬼",
    "死党",
    "牙神经死了",
    "这颗牙没救了",
    "杀神经",
    "把牙杀了吧",
    "根管“死髓牙”",
    "失活",
    "想跳楼价",
    "跳楼大甩卖",
    "自杀式攻击游戏",
    "不想活动",
    "不想活成那样",
    "活该",
    "安乐椅",
    "了断这事",
    "重开一单",
    "紫砂壶",
    "割肉",
    "割牙龈",
    "上吊器",
    "解脱了终于拆线了",
    "再见下周见",
]


@pytest.mark.parametrize(
    ("least", "text"),
    [
        *[(Distress.P1, text) for text in LOW],
        *[(Distress.P2, text) for text in SEVERE],
        *[(Distress.P3, text) for text in CRISIS],
    ],
)
def test_each_tier_is_seen(least: Distress, text: str, rules: SafetyRules) -> None:
    said = rules.assess(text)

    assert DISTRESS.index(said.distress) >= DISTRESS.index(least)
    assert (Flag.SELF_HARM if least is Distress.P3 else Flag.DISTRESS) in said.flags


@pytest.mark.parametrize("text", IDIOMS)
def test_an_idiom_is_no_alarm(text: str, rules: SafetyRules) -> None:
    said = rules.assess(text)

    assert said.level in {Level.NONE, Level.WATCH}


def test_pain_past_bearing_is_pain_and_distress_but_no_crisis(rules: SafetyRules) -> None:
    said = rules.assess("疼得想死的心都有了")

    assert said.medical in {Medical.L2, Medical.L1}
    assert said.distress is Distress.P2


@pytest.mark.parametrize(
    "text", ["我女儿说她不想活了", "我室友要自杀，我该怎么办", "我妈说活够了要去跳河", "同學說他活不下去了"]
)
def test_self_harm_of_another_counts(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is Level.CRISIS


@pytest.mark.parametrize("text", ["没事，我不会自杀的", "我没有想死的念头", "你放心，从没想过自杀"])
def test_a_denied_wish_is_no_crisis(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is not Level.CRISIS


@pytest.mark.parametrize(
    "text", ["这牙还能活吗，神经是不是死了", "把神经杀死疼不疼", "这颗牙活不了了吧", "让这颗烂牙去死吧"]
)
def test_a_tooth_may_die(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is not Level.CRISIS


@pytest.mark.parametrize("text", THREATS)
def test_a_threat_is_a_red_alert(text: str, rules: SafetyRules) -> None:
    said = rules.assess(text)

    assert said.complaint is Complaint.K3
    assert Flag.VIOLENCE in said.flags


@pytest.mark.parametrize("text", ["我老公打我，把门牙打断了", "在学校被同学围着打，嘴都破了", "爸爸喝醉了就打我"])
def test_harm_by_others_is_urgent(text: str, rules: SafetyRules) -> None:
    said = rules.assess(text)

    assert Flag.HARM_BY_OTHERS in said.flags
    assert said.level is Level.URGENT


@pytest.mark.parametrize("text", ["打球被撞掉了门牙", "我给你们打电话没人接", "医生打麻药不疼"])
def test_an_accident_or_a_telephone_harms_nobody(text: str, rules: SafetyRules) -> None:
    assert Flag.HARM_BY_OTHERS not in rules.assess(text).flags


@pytest.mark.parametrize(
    ("tier", "text"),
    [
        (Complaint.K1, "前台态度太差了"),
        (Complaint.K1, "等了一个小时没人管"),
        (Complaint.K2, "乱收费，给我退钱"),
        (Complaint.K2, "再不处理我就打12315"),
        (Complaint.K3, "我已经找律师了，要起诉你们"),
        (Complaint.K3, "你们把我的牙治坏了"),
        (Complaint.K3, "我的病历被你们泄露出去了"),
        (Complaint.K3, "我要去卫健委举报"),
    ],
)
def test_grievances_have_three_tiers(tier: Complaint, text: str, rules: SafetyRules) -> None:
    said = rules.assess(text)

    assert said.complaint is tier
    assert (Flag.COMPLAINT_SEVERE in said.flags) == (tier is Complaint.K3)


def test_a_symptom_inside_a_complaint_runs_both_tracks(rules: SafetyRules) -> None:
    said = rules.assess("你们什么破医院，我要起诉，血止不住你们也不管")

    assert said.complaint is Complaint.K3
    assert said.medical is Medical.L1


@pytest.mark.parametrize(("mood", "tier"), [("1", Distress.P2), ("2", Distress.P1), ("4", Distress.NONE)])
def test_a_bare_answer_about_mood_counts(mood: str, tier: Distress, rules: SafetyRules) -> None:
    assert rules.assess(mood, Context(asked="checkin.mood")).distress is tier


@pytest.mark.parametrize(
    "text",
    [
        "猫送我姐了，她问我去哪，我说去一个不用回来的地方",
        "孩子托付给我妈了，我可以放心走了",
        "以后不会再打扰你们，我就走了",
        "坐在楼顶边上，好想往下跳",
    ],
)
def test_parting_words_mean_more_together(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is Level.CRISIS


@pytest.mark.parametrize(
    "text",
    [
        "猫送我姐家了，周五来洗牙",
        "孩子托付给我妈了，下午准时到",
        "最后跟你们说声谢谢，服务很好",
        "我坐在阳台上晒太阳",
        "搬家了，以后不用再提醒我",
        "今晚谁也别拦我打游戏",
        "笑不活了",
        "高兴得两宿没合眼",
    ],
)
def test_half_of_it_alone_is_everyday_talk(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING


@pytest.mark.parametrize(
    "text",
    [
        "要是有辆车撞上来就好了",
        "想睡个不会醒的觉",
        "老伴走了三年，我也想去找他",
        "这条命留着也没用",
        "没有勇气活下去了",
        "爸说他活够本了，我怕他做傻事",
        "农药我摆床头了",
    ],
)
def test_quiet_wishes_to_be_gone_are_heard(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is Level.CRISIS


@pytest.mark.parametrize("text", ["老公还动手推我，我躲在楼梯间", "他又喝醉了掐我", "男朋友揪着我头发往墙上撞"])
def test_violence_at_home_gets_a_human(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level is not Level.NONE
    assert Flag.HARM_BY_OTHERS in rules.assess(text).flags
