"""What codes are called on the carers' page. Members never read these; what members read is in the pack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from care.model.case import Case, CaseLevel, CaseState
from care.model.errors import (
    BadCredentials,
    CareError,
    Conflict,
    HandBackTooSoon,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotTheirs,
    TooManyAttempts,
)
from care.model.message import Author, OutboxState
from care.model.staff import Role
from care.model.touchpoint import TouchpointState

LEVEL: Mapping[CaseLevel, str] = {
    CaseLevel.L0: "急症",
    CaseLevel.P3: "危机",
    CaseLevel.L1: "紧急",
    CaseLevel.K3: "红色投诉",
    CaseLevel.P2: "严重低落",
    CaseLevel.L2: "今天处理",
    CaseLevel.W2: "重点关怀",
    CaseLevel.K2: "重大投诉",
    CaseLevel.W1: "关怀",
    CaseLevel.L3: "医护答疑",
    CaseLevel.K1: "投诉",
}
#: What the first human does; clinic protocol 2026-01.
TASK: Mapping[CaseLevel, str] = {
    CaseLevel.L0: "马上打电话，确认已拨 120，同时通知值班医生",
    CaseLevel.P3: "马上接手，陪着说话，不挂断，按危机流程联系",
    CaseLevel.L1: "护士马上打电话，同时通知医生",
    CaseLevel.K3: "立即上报管理层，由一位同事统一对外",
    CaseLevel.P2: "打电话，先听，确认安全",
    CaseLevel.L2: "护士打电话，今天安排看诊",
    CaseLevel.W2: "关怀师打电话",
    CaseLevel.K2: "负责人一小时内打电话，四小时内给出处理方案",
    CaseLevel.W1: "关怀师回消息",
    CaseLevel.L3: "护士回消息，拿不准问医生",
    CaseLevel.K1: "一天内答复",
}
TONE: Mapping[CaseLevel, str] = {
    CaseLevel.L0: "alarm",
    CaseLevel.P3: "alarm",
    CaseLevel.L1: "high",
    CaseLevel.K3: "high",
    CaseLevel.P2: "high",
    CaseLevel.L2: "mid",
    CaseLevel.W2: "mid",
    CaseLevel.K2: "mid",
    CaseLevel.W1: "calm",
    CaseLevel.L3: "calm",
    CaseLevel.K1: "calm",
}
FLAG: Mapping[str, str] = {
    "bleeding": "出血",
    "fever": "发烧",
    "swelling": "肿胀",
    "severe_pain": "剧痛",
    "numbness": "麻木",
    "trismus": "张口困难",
    "breathing": "呼吸困难",
    "swallowing": "吞咽困难",
    "dry_socket": "疑似干槽症",
    "implant_loose": "种植体松动",
    "allergy": "过敏",
    "infection_pus": "化脓",
    "faint": "晕厥",
    "chest_pain": "胸痛",
    "vision": "视力异常",
    "swallowed_part": "误吞零件",
    "wire_injury": "钢丝扎伤",
    "chemical_burn": "化学灼伤",
    "sinus": "上颌窦症状",
    "wound_open": "伤口裂开",
    "medication_error": "用药差错",
    "distress": "情绪低落",
    "self_harm": "自伤风险",
    "violence": "暴力",
    "harm_by_others": "受到伤害",
    "complaint_severe": "严重投诉",
}
REASON: Mapping[str, str] = {
    "request_human": "要找真人",
    "complain": "表达不满",
    "complaint": "表达不满",
    "dialogue_down": "对话模型不可用",
    "turn_failed": "系统没能回答",
    "not_stored": "有一句话没能存下",
    "silence": "回访没有回应",
    "not_reached": "回访没能送达",
    "no_channel": "渠道不让发，需要打电话",
    "undelivered": "有话没能送到",
    "fallback": "小安没听懂",
    "ask_medication": "用药问题",
    "medication": "用药问题",
    "worry_about_result": "担心治疗结果",
    "report_low_mood": "情绪低落",
    "low_mood": "情绪低落",
    "data_request": "个人信息请求",
    "picture": "恢复期发来照片，请看一眼",
    "binding_conflict": "账号连着另一份档案，要核对是谁",
    "next_day": "昨天有过危机，今天由人回访",
}
DELIVERY: Mapping[OutboxState, str] = {
    OutboxState.QUEUED: "排队",
    OutboxState.CLAIMED: "排队",
    OutboxState.SENDING: "发送中",
    OutboxState.SENT: "已发送",
    OutboxState.UNKNOWN: "未确认",
    OutboxState.FAILED: "重试中",
    OutboxState.DEAD: "失败",
    OutboxState.WITHDRAWN: "已撤回",
    OutboxState.HELD: "等会员回话",
    OutboxState.DELIVERED: "已送达",
    OutboxState.READ: "已读",
    OutboxState.REFUSED: "没有送到",
}
WHY_NOT: Mapping[str, str] = {
    "human_owner": "同事正在对话",
    "unreachable": "渠道联系不上",
    "interrupted": "发送时中断",
    "no_answer": "渠道没有回执",
    "unknown": "渠道没有回执",
    "blocked": "会员屏蔽了账号",
    "deactivated": "会员账号已注销",
    "forbidden": "渠道不允许发送",
    "timeout": "渠道超时",
    "network": "网络不通",
    "rate_limited": "渠道限速",
    "no_channel": "没有可用渠道",
    "no_right": "渠道的发送额度用完了",
    "asks_for_word": "已发提醒，等会员回话",
    "window_closed": "会员两天没说话，渠道不让发",
    "count_spent": "渠道的发送额度用完了",
    "count_used_up": "渠道的发送额度用完了",
    "stale": "等太久，已不合时宜",
    "piece_lost": "前半段没能送到",
    "unfollowed": "会员取消了关注",
    "refuses": "会员拒收",
    "blacklisted": "会员在黑名单里",
    "bad_account": "会员账号不存在",
    "daily_quota": "渠道今日额度用完",
    "crisis": "危机未解除",
    "open_case": "有未了结的紧急事项",
    "quiet_hours": "夜间不打扰",
    "talking": "会员正在说话",
    "daily_cap": "当天已联系过",
    "too_soon": "离上次联系太近",
    "cap_72_hours": "三天内已联系够多",
    "cap_14_days": "两周内已联系够多",
    "cap_week": "这周已联系够多",
    "after_crisis": "会员很难过的那阵子，不发可有可无的",
    "unanswered": "前两次没有回，只留要紧的",
    "late": "错过时间",
    "late_enrolment": "登记时已过时间",
    "nothing_to_say": "没有要问的",
    "consent_withdrawn": "会员不希望回访",
    "consent_never_given": "会员没有同意",
    "member_report": "会员自己说的",
    "cancelled": "已取消",
    "moved": "已改期",
    "with_servicer": "同事正在企业微信里接待，请在那里回复",
    "session_ended": "会话已结束，等会员下一句话",
    "session_ending": "会话正在收回，等会员下一句话",
}
PAUSED: Mapping[str, str] = {
    "daily_quota": "今日额度用完",
    "bad_app_id": "账号配置有误",
    "bad_secret": "密钥有误",
    "bad_corp_id": "账号配置有误",
    "address_not_listed": "服务器地址不在白名单",
    "not_authorised": "账号没有这项权限",
    "account_limited": "账号被限制",
}
AUTHOR: Mapping[Author, str] = {
    Author.MEMBER: "会员",
    Author.BOT: "小安",
    Author.CHECK_IN: "定时关怀",
    Author.REMINDER: "提醒",
    Author.SAFETY: "安全提示",
    Author.CARER: "同事",
    Author.SYSTEM: "系统",
}
CHANNEL: Mapping[str, str] = {"web": "网页", "telegram": "Telegram", "wechat": "微信", "wecom_kf": "微信客服"}
ROLE: Mapping[Role, str] = {
    Role.CARER: "关怀师",
    Role.NURSE: "护士",
    Role.DOCTOR: "医生",
    Role.FRONT_DESK: "前台",
    Role.LEAD: "组长",
    Role.HEAD_NURSE: "护士长",
    Role.STORE_MANAGER: "店长",
    Role.DIRECTOR: "院长",
    Role.REGIONAL_MANAGER: "区域经理",
    Role.MEDICAL_DIRECTOR: "医疗总监",
    Role.EXECUTIVE: "集团值班",
    Role.ADMIN: "管理员",
}
TOUCHPOINT: Mapping[TouchpointState, str] = {
    TouchpointState.PLANNED: "已安排",
    TouchpointState.CLAIMED: "正在发出",
    TouchpointState.POSTPONED: "推后",
    TouchpointState.HANDED_OVER: "已发出",
    TouchpointState.SUPPRESSED: "未发出",
    TouchpointState.CANCELLED: "已取消",
    TouchpointState.REPLACED: "已替换",
    TouchpointState.EXPIRED: "已过期",
}
REMINDER: Mapping[str, str] = {"visit_tomorrow": "就诊提醒（前一天）", "visit_soon": "就诊提醒（两小时前）"}
PURPOSE: Mapping[str, str] = {
    "reminders": "就诊提醒",
    "check_ins": "术后回访",
    "surveys": "满意度调查",
    "personalisation": "个性化",
    "marketing": "营销消息",
}
RISK: Mapping[str, str] = {
    "anticoagulant": "服用抗凝药",
    "diabetes": "糖尿病",
    "pregnant": "孕期",
    "immunosuppressed": "免疫抑制",
    "smoker": "吸烟",
    "lives_alone": "独居",
    "minor": "未成年",
    "over_70": "70 岁以上",
}
FACT: Mapping[str, str] = {"bone_graft": "植骨", "sinus_lift": "上颌窦提升"}
FIELD: Mapping[str, str] = {
    "text": "消息需要 1 到 2000 个字",
    "outcome": "请用一句话写明结果和下一步",
    "next_step": "请用一句话写明下一步：谁、什么时候、做什么",
    "until": "请选七天之内的时间",
    "again_at": "请写明约好什么时候再打",
    "ended_at": "结束时间要在过去一年之内，不能晚于现在",
    "sutures_out_on": "拆线日期不能早于治疗当天",
    "kind": "请选择治疗项目",
    "practitioner": "请选择医生",
    "clinic": "请选择门店",
    "facts": "手术情况请从列表里选",
}
NOT_THEIRS: Mapping[str, str] = {
    "lead_only": "只有组长可以解除危机状态",
    "complained_about": "投诉说的就是您，要由别的同事来结",
}
CONFLICT: Mapping[str, str] = {
    "a colleague owns this conversation": "这段对话正由另一位同事处理",
    "a crisis is released by the lead first": "危机状态未解除，需要组长先解除",
    "this member has no channel to write to": "这位会员还没有可以收消息的渠道，请打电话",
    "the case is resolved": "这件事已经结案",
    "there is no crisis to release": "危机状态已经解除了",
    "a complaint is closed by the member": "投诉要会员自己说解决了才能结案",
    "this clock is never held": "这个级别不能暂停计时",
    "nothing runs that could be held": "这件事没有在计时",
    "the member has not been asked": "还没有问过会员",
}


def level_title(level: CaseLevel) -> str:
    """Return the chip of a level: `L1 紧急`."""
    return f"{level.value} {LEVEL[level]}"


def task(case: Case, now_with: str) -> str:
    """Return what has to be done, and how far the case has climbed when its promise was broken."""
    if case.state is CaseState.ASKED:
        return "已问会员是否办好，等会员答复"
    if case.state is CaseState.UNCONFIRMED:
        return "待确认关闭：会员一直没有答复"
    if case.breached_at is not None and case.assigned is not None:
        return f"超时，已升到第 {case.step} 级，现在由{now_with}负责：{TASK[case.level]}"
    return TASK[case.level]


def reason(code: str) -> str:
    """Return why a case was opened; an unknown code is shown as a plain follow-up, never as code."""
    kind, _, rest = code.partition(":")
    if kind in {"said", "flag"}:
        named = [FLAG[flag] for flag in rest.split(",") if flag in FLAG]
        return f"会员说到{'、'.join(named)}" if named else "会员的话需要关注"
    if kind == "rule":
        return "回访答案需要处理"
    return REASON.get(kind) or FLAG.get(kind) or "需要人工跟进"


def heard_by(rule: str) -> str:
    """Return what read words as a sign: a rule of the lexicon by its name, or the trained second opinion."""
    if rule.startswith("model."):
        level, _, sure = rule.removeprefix("model.").partition(" ")
        return f"第二意见：像 {level}（把握 {sure}）"
    return f"规则 {rule}"


def paused(channel: str, reason: str, until: datetime, zone: ZoneInfo) -> str:
    """Return what the carers are told about a channel on which nothing leaves for now."""
    name, why = CHANNEL.get(channel, channel), PAUSED.get(reason, "渠道拒绝服务")
    return f"{name}暂停发送到 {until.astimezone(zone):%m月%d日 %H:%M}（{why}）。消息在排队，着急的请打电话。"


def why_not(code: str | None) -> str:
    """Return why something was not said, or nothing."""
    if not code or code == "cleared":
        return ""
    return WHY_NOT.get(code, WHY_NOT.get(code.partition(":")[0], "其他原因"))


def refusal(error: CareError) -> tuple[int, str]:
    """Return the status and the sentence for a refusal of the core."""
    if isinstance(error, InvalidInput):
        return 422, FIELD.get(error.field, "填写的内容不能接受，请检查")
    if isinstance(error, NotFound):
        return 404, "没有找到，可能已经不在了"
    if isinstance(error, NotAllowed):
        return 403, "会员的选择不允许这样使用资料"
    if isinstance(error, BadCredentials):
        return 401, "登录已失效，请重新登录"
    if isinstance(error, TooManyAttempts):
        return 429, "连续输错太多次，请过几分钟再试"
    if isinstance(error, NotTheirs):
        return 403, NOT_THEIRS.get(error.reason, "这件事不能由您来决定")
    if isinstance(error, HandBackTooSoon):
        level = level_title(CaseLevel(error.level))
        if error.level == CaseLevel.P3:
            return 409, f"「{level}」还不满 24 小时，要由同事陪着，不能交还给小安"
        return 409, f"「{level}」还不满 24 小时，要由同事陪着；组长写明理由可以提前交还"
    if isinstance(error, Conflict):
        return 409, CONFLICT.get(str(error), "情况已经变化，请看最新内容后再试")
    return 400, "没能完成，请再试一次"
