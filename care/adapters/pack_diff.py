"""What changed between two versions of a pack, in sentences for whoever reviews it: no programmer needed.

Each line says one change: what it was and what it is. Order: the pack itself, protocols with their contacts,
questions, rules, leaflets, wording, then everything else by file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, time
from typing import Any

from care.model.pack import Leaflet, LeafletEntry, Pack
from care.model.protocol import AnswerRule, Beside, PriorChange, Protocol, Question, Stop, TouchpointPlan

ANCHORS = {"treatment": "治疗当天", "sutures_out": "拆线日", "crown": "戴冠日"}
VERDICTS = {"ok": "没事", "watch": "复查", "escalate": "找人"}
PLAN_WORDS = {
    "day": "的日子",
    "anchor": "从哪天算起",
    "window": "的时间",
    "hours_after": "治疗后几小时问",
    "opening": "的开场白",
    "plain": "的备用开场白",
    "ask": "问的问题",
    "safety": "是不是安全回访",
    "support": "是不是关怀日",
    "movable_days": "前后能挪几天",
    "only_with": "只给哪些情况",
    "never_with": "不给哪些情况",
    "phone": "高风险会员要不要打电话",
}
PROTOCOL_WORDS = {
    "name": "名称",
    "version": "版本",
    "approved_by": "批准人",
    "approved_on": "批准日期",
    "surgery": "算不算手术",
    "prior_pain": "通常的疼痛曲线",
    "prior_changes": "疼痛曲线的调整",
}
STOP_WORDS = {
    "words": "结束条件的说明",
    "last_day": "最晚到第几天",
    "sutures_out": "要不要线已拆",
    "last_two_ok": "要不要最近两次都好",
    "no_open_case": "要不要没有未了的事",
    "from_day": "最早从第几天",
    "pain_at_most": "疼痛最多几分",
    "next_visit_booked": "要不要下次已约好",
    "keep": "结束后还留下的关怀点",
}
QUESTION_WORDS = {"short": "简称", "wording": "问法", "kind": "类型", "options": "选项", "says": "听得懂的说法"}
PACK_WORDS = {
    "version": "内容包版本",
    "approved_by": "内容包批准人",
    "brand": "品牌",
    "duty_name": "值班人",
    "duty_title": "值班岗位",
    "duty_phone": "值班电话",
    "silence": "没有回音时怎么办",
    "closures": "休息日",
}


def differences(old: Pack, new: Pack) -> list[str]:
    """Return every difference between two packs, one sentence each; empty if they say the same."""
    return [
        *_fields(old, new, PACK_WORDS, ""),
        *_protocols(old, new),
        *_questions(old, new),
        *_rules(old.rules, new.rules),
        *_leaflets(old, new),
        *_wording(old.wording, new.wording),
        *_things("门店", old.clinics, new.clinics),
        *_things("医护", old.practitioners, new.practitioners),
        *_things("服务", old.services, new.services),
        *_things("门店问答", old.knowledge, new.knowledge),
    ]


def _protocols(old: Pack, new: Pack) -> Iterator[str]:
    for code, protocol in old.protocols.items():
        if code not in new.protocols:
            yield f"删掉了方案“{protocol.name}”；已经在恢复的会员不再按它回访"
    for code, protocol in new.protocols.items():
        before = old.protocols.get(code)
        if before is None:
            codes = "、".join(plan.code for plan in protocol.touchpoints)
            yield f"新增了方案“{protocol.name}”：{codes}"
            continue
        changes = [
            *_fields(before, protocol, {k: v for k, v in PROTOCOL_WORDS.items() if k != "version"}, ""),
            *_fields(before.stop, protocol.stop, STOP_WORDS, ""),
            *_plans(before, protocol),
        ]
        if before.version != protocol.version:
            yield f"{protocol.name}：版本从 {before.version} 改成 {protocol.version}；还没发的回访按新版重新安排"
        elif changes:
            yield f"{protocol.name}：内容改了，版本还是 {protocol.version}。要改成更高的版本，正在恢复的会员才会用上"
        yield from (f"{protocol.name}：{change}" for change in changes)


def _plans(old: Protocol, new: Protocol) -> Iterator[str]:
    before = {plan.code: plan for plan in old.touchpoints}
    after = {plan.code: plan for plan in new.touchpoints}
    for code, plan in before.items():
        if code not in after:
            kind = "安全回访" if plan.safety else "关怀点"
            yield f"删掉了{kind} {code}（{_day(plan)}，{_value(plan.window)}）"
    for code, plan in after.items():
        if code not in before:
            kind = "安全回访" if plan.safety else "关怀点"
            asks = f"问{_value(plan.ask)}，开场白“{plan.opening}”"
            yield f"新增了{kind} {code}：{_day(plan)}，{_value(plan.window)}，{asks}"
        else:
            yield from _fields(before[code], plan, PLAN_WORDS, f"{code} ")


def _questions(old: Pack, new: Pack) -> Iterator[str]:
    for code, question in old.questions.items():
        if code not in new.questions:
            yield f"删掉了问题“{question.short}”"
    for code, question in new.questions.items():
        before = old.questions.get(code)
        if before is None:
            yield f"新增了问题“{question.short}”：{question.wording}"
        else:
            yield from _question(before, question)


def _question(old: Question, new: Question) -> Iterator[str]:
    named = f"问题“{old.short}”"
    for field in ("short", "wording", "kind"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield f"{named}的{QUESTION_WORDS[field]}从“{before}”改成“{after}”"
    labels = {one.value: one.label for one in old.options}, {one.value: one.label for one in new.options}
    yield from (f"{named}删掉了选项“{label}”" for value, label in labels[0].items() if value not in labels[1])
    for value, label in labels[1].items():
        if value not in labels[0]:
            yield f"{named}新增了选项“{label}”"
        elif labels[0][value] != label:
            yield f"{named}的选项从“{labels[0][value]}”改成“{label}”"
    for value in dict.fromkeys([*old.says, *new.says]):
        gone = [one for one in old.says.get(value, ()) if one not in new.says.get(value, ())]
        added = [one for one in new.says.get(value, ()) if one not in old.says.get(value, ())]
        meaning = labels[1].get(value) or labels[0].get(value) or value
        if added:
            yield f"{named}：“{'、'.join(added)}”现在听成“{meaning}”"
        if gone:
            yield f"{named}：“{'、'.join(gone)}”不再听成“{meaning}”"


def _rules(old: tuple[AnswerRule, ...], new: tuple[AnswerRule, ...]) -> Iterator[str]:
    before, after = {rule.id: rule for rule in old}, {rule.id: rule for rule in new}
    for code, rule in before.items():
        if code not in after:
            yield f"删掉了规则 {code}（{rule.reason}）：原来是{_then(rule)}"
    for code, rule in after.items():
        if code not in before:
            yield f"新增了规则 {code}（{rule.reason}）：{_when(rule)}，{_then(rule)}"
            continue
        was = before[code]
        if _when(was) != _when(rule):
            yield f"规则 {code}（{rule.reason}）的条件从“{_when(was)}”改成“{_when(rule)}”"
        if _then(was) != _then(rule):
            yield f"规则 {code}（{rule.reason}）从{_then(was)}改成{_then(rule)}"
        if was.reason != rule.reason:
            yield f"规则 {code} 的说明从“{was.reason}”改成“{rule.reason}”"
    kept = [rule.id for rule in old if rule.id in after]
    if kept != [rule.id for rule in new if rule.id in before]:
        yield "规则的先后顺序变了；同一个问题的规则里，先写的先算"


def _when(rule: AnswerRule) -> str:
    """Return a row's conditions as people say them."""
    parts: list[str] = [f"问题 {rule.question}"]
    told: tuple[tuple[object, str], ...] = (
        (rule.values, f"回答是 {_value(rule.values)}"),
        (rule.words, f"话里有 {_value(rule.words)}"),
        (rule.at_least, f"至少 {rule.at_least}"),
        (rule.below, f"低于 {rule.below}"),
        (rule.above_prior, f"比通常高 {rule.above_prior} 以上"),
        (rule.above_before or None, "比治疗前高"),
        (rule.rise, f"比上次多 {rule.rise}"),
        (rule.fall, f"比上次少 {rule.fall}"),
        (rule.no_fall_since or None, "没有比第一次轻"),
        (rule.not_below_day, f"没有比第 {rule.not_below_day} 天轻"),
        (rule.was, f"上次是 {_value(rule.was)}"),
        (rule.was_days, f"上次在 {rule.was_days} 天内"),
        (rule.beside, f"当天还有 {' 或 '.join(_beside(part) for part in rule.beside)}"),
        (rule.from_day, f"从第 {rule.from_day} 天"),
        (rule.to_day, f"到第 {rule.to_day} 天"),
        (rule.from_hours, f"过了 {rule.from_hours} 小时"),
        (rule.facts, f"情况是 {_value(rule.facts)}"),
        (rule.without_facts, f"不是 {_value(rule.without_facts)}"),
        (rule.treatments, f"方案 {_value(rule.treatments)}"),
        (rule.plans, f"关怀点 {_value(rule.plans)}"),
    )
    parts += [words for given, words in told if given is not None and given != ()]
    return "，".join(parts)


def _then(rule: AnswerRule) -> str:
    found = VERDICTS[rule.verdict] + (f" {rule.level}" if rule.level else "")
    if rule.recheck_minutes is not None:
        asks = f"问{_value(rule.recheck_ask)}" if rule.recheck_ask else ""
        found += f"（{_span(rule.recheck_minutes)}后再看{asks}）"
    return found + (f"，说“{rule.say}”" if rule.say else "")


def _beside(part: Beside) -> str:
    limit = f"至少 {part.at_least}" if part.at_least is not None else ""
    return f"{part.question} {_value(part.values) if part.values else ''}{limit}"


def _leaflets(old: Pack, new: Pack) -> Iterator[str]:
    for code, leaflet in old.leaflets.items():
        if code not in new.leaflets:
            yield f"删掉了《{leaflet.title}》"
    for code, leaflet in new.leaflets.items():
        before = old.leaflets.get(code)
        if before is None:
            yield f"新增了《{leaflet.title}》，共 {len(leaflet.entries)} 条"
        else:
            yield from _leaflet(before, leaflet)


def _leaflet(old: Leaflet, new: Leaflet) -> Iterator[str]:
    for field, word in (("title", "标题"), ("version", "版本"), ("signed_by", "签字人")):
        if getattr(old, field) != getattr(new, field):
            yield f"《{old.title}》的{word}从“{getattr(old, field)}”改成“{getattr(new, field)}”"
    before, after = {one.code: one for one in old.entries}, {one.code: one for one in new.entries}
    yield from (f"《{new.title}》删掉了一条：{one.text}" for code, one in before.items() if code not in after)
    for code, one in after.items():
        if code not in before:
            yield f"《{new.title}》新增了一条（{_days(one)}）：{one.text}"
            continue
        was = before[code]
        if was.text != one.text:
            yield f"《{new.title}》从“{was.text}”改成“{one.text}”"
        if _days(was) != _days(one):
            yield f"《{new.title}》“{one.text}”从{_days(was)}改成{_days(one)}有效"
        if set(was.keywords) != set(one.keywords):
            yield f"《{new.title}》“{one.text}”的问法从{_value(was.keywords)}改成{_value(one.keywords)}"


def _wording(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for key in dict.fromkeys([*old, *new]):
        if key not in new:
            yield f"删掉了话术 {key}：“{old[key]}”"
        elif key not in old:
            yield f"新增了话术 {key}：“{new[key]}”"
        elif old[key] != new[key]:
            yield f"话术 {key} 从“{old[key]}”改成“{new[key]}”"


def _things(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for code, one in old.items():
        if code not in new:
            yield f"删掉了{kind}“{getattr(one, 'name', code)}”"
    for code, one in new.items():
        name = getattr(one, "name", code)
        if code not in old:
            yield f"新增了{kind}“{name}”"
            continue
        for field in fields(one):
            before, after = getattr(old[code], field.name), getattr(one, field.name)
            if before != after:
                yield f"{kind}“{name}”的 {field.name} 从“{_value(before)}”改成“{_value(after)}”"


def _fields(old: Any, new: Any, words: Mapping[str, str], before: str) -> Iterator[str]:
    for field, word in words.items():
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            quoted = isinstance(was, str) and isinstance(now, str)
            said = (f"“{was}”", f"“{now}”") if quoted else (_value(was), _value(now))
            yield (
                f"{before}{word}从 {said[0]} 改成 {said[1]}"
                if not quoted
                else f"{before}{word}从{said[0]}改成{said[1]}"
            )


def _day(plan: TouchpointPlan) -> str:
    if plan.anchor == "treatment":
        return f"第 {plan.day} 天"
    return f"{ANCHORS[plan.anchor]}{'前' if plan.day < 0 else '后'} {abs(plan.day)} 天"


def _days(entry: LeafletEntry) -> str:
    return f"第 {entry.from_day} 到 {entry.to_day} 天"


def _span(minutes: int) -> str:
    if minutes % 1440 == 0:
        return f"{minutes // 1440} 天"
    return f"{minutes // 60} 小时" if minutes % 60 == 0 else f"{minutes} 分钟"


def _value(value: Any) -> str:
    """Return a value as people write it."""
    match value:
        case None | () | "":
            return "没有"
        case bool():
            return "是" if value else "否"
        case (time() as start, time() as end):
            return f"{start:%H:%M}–{end:%H:%M}"
        case time():
            return f"{value:%H:%M}"
        case date():
            return f"{value:%Y-%m-%d}"
        case PriorChange():
            return f"{_value(value.facts)} 时 ×{value.times:g} +{value.plus:g}（到第 {value.to_day} 天）"
        case Stop() | AnswerRule() | TouchpointPlan():
            return str(value)
        case tuple() | list():
            return "、".join(_value(one) for one in value)
        case dict():
            return "，".join(f"{_value(key)}：{_value(one)}" for key, one in value.items())
    return ANCHORS.get(value, str(value)) if isinstance(value, str) else f"{value}"
