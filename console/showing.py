"""What the page is sent: plain JSON with words for every code. Names of keys are the script's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from care.model.case import ALARM, Case, CaseState
from care.model.consent import NECESSARY, Purpose, allowed
from care.model.conversation import BOT, Conversation
from care.model.member import Member
from care.model.message import Author, Message, OutboxItem, OutboxState
from care.model.pack import Pack
from care.model.protocol import Protocol
from care.model.staff import Role, Staff
from care.model.touchpoint import WAITING, Answer, Touchpoint, TouchpointKind, TouchpointState
from care.model.treatment import Treatment
from care.services.desk import Card, Surroundings, Thread
from console import words
from console.curve import pain_curve

Json = dict[str, Any]
VISITOR = "访客"
LAST_LIMIT = 80  # characters of the last line in the list
COMING_SHOWN, GONE_SHOWN = 6, 6
GONE_OUT = frozenset({OutboxState.SENDING, OutboxState.SENT, OutboxState.DELIVERED, OutboxState.READ})


class Colleagues:
    """Names of colleagues by id, as one of them sees them."""

    def __init__(self, everyone: Sequence[Staff], me: Staff) -> None:
        self._names: dict[str, str] = {staff.id: staff.name for staff in everyone}
        self.me = me

    def name(self, staff_id: str | None) -> str:
        """Return a name, or 同事 for somebody unknown."""
        return self._names.get(staff_id or "", "同事")

    def owner(self, owner: str | None) -> Json | None:
        """Return who holds something: the bot, me, or a colleague; None for nobody."""
        if owner is None:
            return None
        if owner == BOT:
            return {"kind": "bot", "name": words.AUTHOR[Author.BOT]}
        kind = "me" if owner == self.me.id else "colleague"
        return {"kind": kind, "name": self.name(owner)}


def list_page(cards: Sequence[Card], total: int, who: Colleagues, now: datetime) -> Json:
    """Return the list with its counts and the alarms."""
    entries = [_card(card, who) for card in cards]
    alarms = [
        _case(case, who) | {"conversation": card.row.conversation_id, "name": card.name or VISITOR}
        for card in cards
        for case in card.cases
        if case.alarm
    ]
    needs, mine = sum(entry["needs"] for entry in entries), sum(entry["mine"] for entry in entries)
    return {
        "now": now.isoformat(),
        "entries": entries,
        "counts": {"needs": needs, "mine": mine, "all": total},
        "alarms": alarms,
    }


def _card(card: Card, who: Colleagues) -> Json:
    last = card.last
    return {
        "id": card.row.conversation_id,
        "member": card.row.member_id,
        "name": card.name or VISITOR,
        "known": card.name is not None,
        "owner": who.owner(card.row.owner),
        "crisis": card.row.crisis,
        "needs": card.needs_human or (card.row.crisis and card.row.owner == BOT),
        "waiting_since": card.waiting_since.isoformat() if card.waiting_since else None,
        "mine": card.belongs_to(who.me),
        "cases": [_case(case, who) for case in card.cases],
        "last": _last(last, who) if last else None,
        "member_seq": card.row.member_seq,
    }


def _last(message: Message, who: Colleagues) -> Json:
    text = " ".join(message.text.split())[:LAST_LIMIT]
    return {"who": _author(message, who), "author": message.author.value, "text": text, "at": message.at.isoformat()}


def _author(message: Message, who: Colleagues) -> str:
    if message.author is Author.CARER:
        return "我" if message.carer_id == who.me.id else who.name(message.carer_id)
    return words.AUTHOR[message.author]


def _case(case: Case, who: Colleagues) -> Json:
    return {
        "id": case.id,
        "level": case.level.value,
        "title": words.level_title(case.level),
        "tone": words.TONE[case.level],
        "task": words.task(case, who.name(case.assigned)),
        "assigned": who.owner(case.assigned),
        "step": case.step,
        "warned": case.warned_at is not None,
        "reason": words.reason(case.reason),
        "summary": case.summary,
        "state": case.state.value,
        "alarm": case.alarm,
        "loud": case.level in ALARM,
        "opened_at": case.opened_at.isoformat(),
        "due_at": case.due_at.isoformat(),
        "breached": case.breached_at is not None,
        "owner": who.owner(case.owner),
        "outcome": case.outcome,
        "taken_at": case.taken_at.isoformat() if case.taken_at else None,
        "resolved_at": case.resolved_at.isoformat() if case.resolved_at else None,
        "message": case.message_id,
        "waiting": case.state is CaseState.OPEN,
    }


def thread_page(thread: Thread, name: str | None, who: Colleagues, now: datetime) -> Json:
    """Return a stretch of a conversation."""
    return {
        "now": now.isoformat(),
        "conversation": conversation(thread.conversation, who) | {"name": name or VISITOR},
        "messages": [_message(one, thread.deliveries.get(one.id), who) for one in thread.messages],
        "older": thread.older,
    }


def conversation(one: Conversation, who: Colleagues) -> Json:
    """Return who holds a conversation and what this colleague may do in it."""
    return {
        "id": one.id,
        "member": one.member_id,
        "owner": who.owner(one.owner),
        "epoch": one.epoch,
        "crisis": one.crisis,
        "reachable": one.reply_to is not None,
        "may_release": one.crisis and who.me.role is Role.LEAD,
        "may_override": who.me.role is Role.LEAD,
    }


def _message(message: Message, delivery: OutboxItem | None, who: Colleagues) -> Json:
    kind = "note" if message.note else message.author.value
    return {
        "id": message.id,
        "seq": message.seq,
        "kind": kind,
        "label": f"内部备注 · {_author(message, who)}" if message.note else _author(message, who),
        "mine": message.author is Author.CARER and message.carer_id == who.me.id,
        "at": message.at.isoformat(),
        "parts": marked(message.text, message.assessment),
        "buttons": [button.title for button in message.buttons],
        "tapped": message.author is Author.MEMBER and message.payload is not None,
        "channel": words.CHANNEL.get(message.channel or "", message.channel or ""),
        "alert": alert(message.assessment),
        "delivery": _delivery(delivery),
    }


def _delivery(item: OutboxItem | None) -> Json | None:
    if item is None:
        return None
    reason = "" if item.state in GONE_OUT else words.why_not(item.reason)
    return {"state": item.state.value, "words": words.DELIVERY[item.state], "reason": reason}


def alert(assessment: Mapping[str, object] | None) -> Json | None:
    """Return what the safety reading said of a message, if it is worth a carer's eye."""
    if not assessment:
        return None
    tones = {"watch": "calm", "urgent": "high", "emergency": "alarm", "crisis": "alarm"}
    titles = {"watch": "留意", "urgent": "紧急", "emergency": "急症", "crisis": "危机"}
    level = str(assessment.get("level", "none"))
    if level not in tones:
        return None
    flags = assessment.get("flags")
    named = [words.FLAG.get(str(flag), "") for flag in flags] if isinstance(flags, list | tuple) else []
    return {
        "tone": tones[level],
        "title": titles[level],
        "flags": [name for name in named if name],
        "why": _reasons(assessment.get("why")),
    }


def _reasons(why: object) -> list[Json]:
    """Return which words led to a verdict, and whether a rule or the second opinion said so."""
    found: dict[tuple[str, str], Json] = {}
    for one in why if isinstance(why, list | tuple) else ():
        if isinstance(one, Mapping):
            rule, said = str(one.get("rule", "")), str(one.get("words", ""))
            found.setdefault((said, rule), {"words": said, "by": words.heard_by(rule)})
    return list(found.values())


def marked(text: str, assessment: Mapping[str, object] | None) -> list[list[object]]:
    """Return the text in pieces, each with whether its words raised the alarm. Offsets count characters."""
    hits = [False] * len(text)
    why = assessment.get("why") if assessment else None
    for span in why if isinstance(why, list | tuple) else ():
        start, end = _span(span)
        for place in range(max(0, start), min(end, len(text))):
            hits[place] = True
    pieces: list[list[object]] = []
    for character, hit in zip(text, hits, strict=True):
        if pieces and pieces[-1][1] == hit:
            pieces[-1][0] = f"{pieces[-1][0]}{character}"
        else:
            pieces.append([character, hit])
    return pieces


def _span(span: object) -> tuple[int, int]:
    if isinstance(span, Mapping):
        start, end = span.get("start"), span.get("end")
        if isinstance(start, int) and isinstance(end, int):
            return start, end
    return 0, 0


def context_page(found: Surroundings, who: Colleagues, pack: Pack, now: datetime) -> Json:
    """Return what a carer has to know about the member. The phone is masked; showing it is a request of its own."""
    member = found.member
    return {
        "now": now.isoformat(),
        "member": {
            "id": member.id,
            "name": member.name or VISITOR,
            "known": member.name is not None,
            "salutation": member.salutation if member.name else "",
            "phone": f"{member.phone[:3]}****{member.phone_tail}" if member.phone else None,
            "risks": [words.RISK.get(fact, fact) for fact in sorted(member.risk_facts)],
            "since": member.created_at.isoformat(),
            "level": member.level,
        },
        "channels": [
            {"name": words.CHANNEL.get(one.channel, one.channel), "reachable": one.reachable}
            for one in found.identities
        ],
        "consents": _consents(member, now),
        "cases": [_case(case, who) for case in found.cases],
        "resolved": [_case(case, who) for case in found.resolved],
        "treatment": _recovery(found, pack, now),
        "earlier": [
            _treatment(one, pack)
            for one in found.treatments
            if found.treatment is None or one.id != found.treatment.id
        ],
        "coming": [_touchpoint(one, found, pack) for one in found.touchpoints if one.state in WAITING][:COMING_SHOWN],
        "gone": [
            _touchpoint(one, found, pack)
            for one in reversed(found.touchpoints)
            if one.state not in WAITING and one.state is not TouchpointState.CLAIMED
        ][:GONE_SHOWN],
        "appointments": [
            {
                "at": one.slot.start_at.isoformat(),
                "service": pack.services[one.slot.service].name if one.slot.service in pack.services else "就诊",
                "practitioner": _practitioner(one.slot.practitioner, pack),
                "clinic": _clinic(one.slot.clinic, pack),
                "for_whom": one.for_whom,
            }
            for one in found.appointments
        ],
    }


def _consents(member: Member, now: datetime) -> list[Json]:
    shown = [purpose for purpose in Purpose if purpose not in NECESSARY and purpose.value in words.PURPOSE]
    return [{"name": words.PURPOSE[purpose.value], "given": bool(allowed(member, purpose, now))} for purpose in shown]


def _practitioner(code: str, pack: Pack) -> str:
    return pack.practitioners[code].name if code in pack.practitioners else ""


def _clinic(code: str, pack: Pack) -> str:
    return pack.clinics[code].name if code in pack.clinics else ""


def _kind(code: str, pack: Pack) -> str:
    if code in pack.protocols:
        return pack.protocols[code].name
    return pack.services[code].name if code in pack.services else "治疗"


def _treatment(treatment: Treatment, pack: Pack) -> Json:
    return {
        "name": _kind(treatment.kind, pack),
        "practitioner": _practitioner(treatment.practitioner, pack),
        "clinic": _clinic(treatment.clinic, pack),
        "ended_at": treatment.ended_at.isoformat(),
        "sutures": treatment.sutures_out_on.isoformat() if treatment.sutures_out_on else None,
        "facts": [words.FACT.get(fact, fact) for fact in sorted(treatment.facts)],
    }


def _recovery(found: Surroundings, pack: Pack, now: datetime) -> Json | None:
    treatment, episode = found.treatment, found.episode
    if treatment is None or episode is None:
        return None
    zone = found.member.tz
    protocol = pack.protocols.get(episode.protocol)
    day = treatment.day(now, zone)
    pains = [
        (max(0.0, (one.at - treatment.ended_at).total_seconds() / 86_400), int(one.value))
        for one in found.answers
        if one.question == "pain" and one.value.isdecimal()
    ]
    return _treatment(treatment, pack) | {
        "title": f"{_kind(treatment.kind, pack)}{'当天' if day == 0 else f'后第 {day} 天'}",
        "day": day,
        "curve": pain_curve(pains, protocol.prior if protocol else None, day, spread=_spread(pack))
        if pains
        else None,
        "answers": answer_table(found.answers, treatment, zone, pack),
    }


def _spread(pack: Pack) -> float:
    """Return how far above the usual course pain must lie before the clinic's rules notice it."""
    return min((rule.above_prior for rule in pack.rules if rule.above_prior is not None), default=0.0)


def answer_table(answers: Sequence[Answer], treatment: Treatment, zone: ZoneInfo, pack: Pack) -> Json:
    """Return answers as a small table: a row a day, the latest first, a column a question in order of appearance."""
    asked = list(dict.fromkeys(one.question for one in answers))
    days: dict[int, dict[str, list[Json]]] = {}
    for one in answers:
        cell = days.setdefault(treatment.day(one.at, zone), {}).setdefault(one.question, [])
        cell.append(
            {
                "text": _answer_words(one, pack),
                "verdict": one.verdict,
                "reason": one.reason,
                "at": one.at.isoformat(),
            }
        )
    return {
        "columns": [pack.questions[code].short if code in pack.questions else code for code in asked],
        "rows": [
            {"day": f"D{day}", "cells": [days[day].get(code, []) for code in asked]}
            for day in sorted(days, reverse=True)
        ],
    }


def _answer_words(answer: Answer, pack: Pack) -> str:
    question = pack.questions.get(answer.question)
    if question is not None:
        for option in question.options:
            if option.value == answer.value:
                return option.label
        if question.kind == "number":
            return f"{answer.value}℃"
    return "无" if answer.value == "none" else answer.value


def _touchpoint(one: Touchpoint, found: Surroundings, pack: Pack) -> Json:
    state = words.TOUCHPOINT[one.state]
    if one.state is TouchpointState.HANDED_OVER and one.ask:
        done = sum(1 for code in one.ask if code in one.answered)
        state = "已回答" if done == len(one.ask) else f"已发出，答了 {done}/{len(one.ask)}"
    return {
        "name": _plan_name(one, found, pack),
        "due_at": one.due_at.isoformat(),
        "state": state,
        "kind": one.state.value,
        "reason": words.why_not(one.reason),
        "asks": [pack.questions[code].short for code in one.ask if code in pack.questions],
        "safety": one.safety,
    }


def _plan_name(one: Touchpoint, found: Surroundings, pack: Pack) -> str:
    if one.kind is TouchpointKind.REMINDER:
        return words.REMINDER.get(one.plan, "提醒")
    if one.kind is TouchpointKind.RECHECK:
        return "会员自述" if one.plan == "report" else "再问一次"
    protocol: Protocol | None = pack.protocols.get(found.episode.protocol) if found.episode else None
    plan = protocol.touchpoint(one.plan) if protocol else None
    if plan is None:
        return "回访"
    if plan.anchor == "sutures_out":
        if plan.day < 0:
            return f"拆线前 {-plan.day} 天回访"
        return "拆线当天回访" if plan.day == 0 else f"拆线后第 {plan.day} 天回访"
    return "当天回访" if plan.day == 0 else f"第 {plan.day} 天回访"
