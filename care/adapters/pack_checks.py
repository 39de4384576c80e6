"""What a pack must keep to beyond its form: every code known, every question read, nobody written to at night.

Each check yields every problem it finds, with file and line, in words for somebody who is no programmer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from care.adapters.pack_files import OPENING_LIMIT, File, PackProblem, style
from care.model.answer_rules import SIGN
from care.model.gate import QUIET
from care.model.member import RISK_FACTS
from care.model.pack import Pack
from care.model.protocol import AnswerRule, Protocol, TouchpointPlan

QUESTIONS_AT_MOST = 4  # a contact; clinic protocol 2026-01
HOURS_AFTER_AT_MOST = 12
RECHECK_AT_LEAST = 15  # minutes
LEVELS = ("L0", "L1", "L2", "L3", "W1", "W2")
#: Blanks that a treatment may leave empty.
MAY_BE_UNKNOWN = ("医嘱原话", "时间", "下次内容")
#: Sentences the core says; a pack without one of them is not complete.
NEEDED = [
    "ai.disclosure",
    "ai.signature",
    "checkin.already",
    "checkin.close",
    "checkin.med_missed_plain",
    "checkin.close_next",
    "checkin.ok",
    "checkin.passed_on",
    "checkin.reask",
    "checkin.recheck",
    "checkin.second_channel",
    "checkin.unclear",
    "checkin.watch",
    "checkin.watch_bleed",
    "complaint.k2",
    "complaint.k3",
    "dialogue.down",
    "input.empty",
    "owner.handed_back",
    "owner.taken_over",
    "reminder.visit_soon",
    "reminder.visit_tomorrow",
    "report.no_episode",
    "report.thanks",
    "safety.l0",
    "safety.l1_l2",
    "safety.l1_l2_no_phone",
    "safety.p2",
    "safety.p3",
    "safety.presence",
    "safety.presence_more",
    "sla.breach",
    "sla.closed",
    "sla.reopened",
    "sla.solved",
    "sla.solved_unclear",
    "button.solved",
    "button.unsolved",
    "input.courtesy",
    *(f"call.first_{card}" for card in ("L", "P", "W", "K", "silence", "solved", "next_day")),
    "call.steps",
    "call.never",
    "call.never_crisis",
    "sla.received",
    "button.nurse_call",
    "button.no",
    "button.human",
    "word.doctor",
    "word.nurse",
    "word.carer",
    "word.often",
    "right.more",
    "right.notice",
    "channel.here",
    "channel.welcome_back",
    "channel_name.other",
    *(f"binding.{name}" for name in ("bound", "already", "wrong", "paused", "conflict", "code", "ask", "yes", "no")),
    *(f"binding.{name}" for name in ("kept", "not_bound", "unbound")),
    *(f"media.{name}" for name in ("picture", "picture_care", "voice", "and_question")),
    "wecom.welcome",
    "wecom.contact",
    "wecom.nobody_there",
    "fear.sound",
    "fear.needle",
    "fear.unknown",
    "fear.other",
    "held.name",
    "held.phone",
    "held.messages",
    "held.visits",
    "held.treatments",
    "held.facts",
    "held.cases",
    "held.choices",
    "look.staff",
    "look.practice",
    "purpose.reminders",
    "purpose.check_ins",
    "purpose.surveys",
]


def cross_checks(pack: Pack, files: Mapping[str, File]) -> Iterator[PackProblem]:
    """Yield everything that is wrong with a pack whose form is right."""
    yield from _check_services(pack, files["services"])
    yield from _check_people(pack, files["practitioners"])
    yield from _check_protocols(pack, files["protocols"], files["leaflets"])
    yield from _check_rules(pack, files["rules"])
    yield from _check_wording(pack, files["wording"])


def _check_services(pack: Pack, file: File) -> Iterator[PackProblem]:
    for number, service in enumerate(pack.services.values()):

        def at(field: str, message: str, row: int = number) -> PackProblem:
            return PackProblem(file.name, file.line((row, field)), message)

        if service.minutes <= 0 or service.minutes % 15:
            yield at("minutes", f"服务 {service.code} 的 minutes 必须是 15 的正倍数，现在是 {service.minutes}")
        if not 0 <= service.price_low <= service.price_high:
            yield at("price_low", f"服务 {service.code} 的价格区间不成立")
        if service.protocol is not None and service.protocol not in pack.protocols:
            yield at("protocol", f"没有 {service.protocol} 这个恢复方案")
        if not any(pack.may_do(one, service) for one in pack.practitioners.values()):
            yield at("speciality", f"没有人能做服务 {service.code}")
        if not any(pack.chairs_for(clinic, service) for clinic in pack.clinics):
            yield at("chair", f"没有一家门店有适合 {service.code} 的椅位")


def _check_people(pack: Pack, file: File) -> Iterator[PackProblem]:
    for number, one in enumerate(pack.practitioners.values()):
        for row, shift in enumerate(one.shifts):
            line = file.line((number, "shifts", row))
            clinic = pack.clinics.get(shift.clinic)
            if clinic is None:
                yield PackProblem(file.name, line, f"{one.name} 的排班里没有 {shift.clinic} 这家门店")
                continue
            hours = clinic.hours.get(shift.weekday)
            if shift.start >= shift.end:
                yield PackProblem(file.name, line, f"{one.name} 的排班结束早于开始")
            elif hours is None or shift.start < hours[0] or shift.end > hours[1]:
                yield PackProblem(file.name, line, f"{one.name} 的排班超出了{clinic.name}的营业时间")


def _check_protocols(pack: Pack, file: File, leaflets: File) -> Iterator[PackProblem]:
    read = {rule.question for rule in pack.rules} | {part.question for rule in pack.rules for part in rule.beside}
    for number, protocol in enumerate(pack.protocols.values()):
        if protocol.code not in pack.leaflets:
            yield PackProblem(leaflets.name, 1, f"缺少 {protocol.code} 的术后须知")
        if not protocol.approved_by.strip():
            yield PackProblem(file.name, file.line((number, "approved_by")), f"{protocol.code} 没有写由谁批准")
        yield from _check_stop(protocol, file, number)
        seen: set[str] = set()
        for row, plan in enumerate(protocol.touchpoints):
            path = (number, "touchpoints", row)
            if plan.code in seen:
                yield PackProblem(file.name, file.line((*path, "code")), f"{plan.code} 重复了")
            seen.add(plan.code)
            yield from _check_window(plan, file, path)
            if not 1 <= len(plan.ask) <= QUESTIONS_AT_MOST:
                yield PackProblem(file.name, file.line((*path, "ask")), f"{plan.code} 要问 1 到 4 个问题")
            for code in plan.ask:
                question = pack.questions.get(code)
                if question is None:
                    yield PackProblem(file.name, file.line((*path, "ask")), f"{plan.code} 问了没有的问题 {code}")
                elif question.kind == SIGN:
                    yield PackProblem(file.name, file.line((*path, "ask")), f"{code} 只听不问，{plan.code} 不能问它")
                elif code not in read:
                    yield PackProblem(
                        file.name, file.line((*path, "ask")), f"{plan.code} 问了 {code}，可没有一条规则看它的回答"
                    )
            yield from _check_opening(plan, file, path)


def _check_stop(protocol: Protocol, file: File, number: int) -> Iterator[PackProblem]:
    stop = protocol.stop
    if stop.from_day > stop.last_day:
        yield PackProblem(file.name, file.line((number, "stop")), f"{protocol.code} 的 last_day 早于 from_day")
    for code in stop.keep:
        if protocol.touchpoint(code) is None:
            yield PackProblem(file.name, file.line((number, "stop", "keep")), f"没有 {code} 这个关怀点")
    for row, plan in enumerate(protocol.touchpoints):
        if plan.anchor == "treatment" and plan.day > stop.last_day and plan.code not in stop.keep:
            yield PackProblem(
                file.name,
                file.line((number, "touchpoints", row, "day")),
                f"{plan.code} 在第 {plan.day} 天，可恢复到第 {stop.last_day} 天就结束了",
            )


def _check_window(plan: TouchpointPlan, file: File, path: tuple[int | str, ...]) -> Iterator[PackProblem]:
    line = file.line((*path, "window"))
    opens, closes = plan.window
    if opens >= closes:
        yield PackProblem(file.name, line, f"{plan.code} 的时间窗结束早于开始")
    elif opens < QUIET[1] or closes > QUIET[0]:
        yield PackProblem(
            file.name,
            line,
            f"{plan.code} {opens:%H:%M}–{closes:%H:%M} 碰到了安静时间（{QUIET[0]:%H:%M}–{QUIET[1]:%H:%M}）",
        )
    if plan.hours_after is not None and not 0 <= plan.hours_after <= HOURS_AFTER_AT_MOST:
        yield PackProblem(
            file.name, file.line((*path, "hours_after")), f"{plan.code} 的 hours_after 要在 0 到 12 之间"
        )


def _check_opening(plan: TouchpointPlan, file: File, path: tuple[int | str, ...]) -> Iterator[PackProblem]:
    line = file.line((*path, "opening"))
    yield from style(plan.opening, file.name, line, OPENING_LIMIT)
    yield from style(plan.plain, file.name, file.line((*path, "plain")), OPENING_LIMIT)
    unsure = [blank for blank in MAY_BE_UNKNOWN if f"{{{blank}}}" in plan.opening]
    if unsure and not plan.plain:
        yield PackProblem(file.name, line, f"{{{unsure[0]}}} 不一定知道，{plan.code} 还要写一句 plain")
    for blank in [blank for blank in MAY_BE_UNKNOWN if f"{{{blank}}}" in plan.plain]:
        yield PackProblem(file.name, file.line((*path, "plain")), f"plain 里不能有 {{{blank}}}")


def _check_rules(pack: Pack, file: File) -> Iterator[PackProblem]:
    plans = {plan.code for protocol in pack.protocols.values() for plan in protocol.touchpoints}
    seen: set[str] = set()
    for number, rule in enumerate(pack.rules):

        def at(message: str, row: int = number) -> PackProblem:
            return PackProblem(file.name, file.line((row,)), message)

        if rule.id in seen:
            yield at(f"规则 {rule.id} 重复了")
        seen.add(rule.id)
        for code, values in ((rule.question, rule.values), *((part.question, part.values) for part in rule.beside)):
            question = pack.questions.get(code)
            if question is None:
                yield at(f"规则 {rule.id} 用了没有的问题 {code}")
            elif question.kind == "choice":
                for unknown in sorted(set(values) - {option.value for option in question.options}):
                    yield at(f"规则 {rule.id} 用了没有的回答 {unknown}")
            elif question.kind == SIGN:
                for unknown in sorted(set(values) - set(question.says)):
                    yield at(f"规则 {rule.id} 用了没有的说法 {unknown}")
        for unknown in sorted(set(rule.treatments) - set(pack.protocols)):
            yield at(f"规则 {rule.id} 用了没有的恢复方案 {unknown}")
        for unknown in sorted(set(rule.plans) - plans):
            yield at(f"规则 {rule.id} 用了没有的关怀点 {unknown}")
        for unknown in [code for code in rule.recheck_ask if code not in pack.questions]:
            yield at(f"规则 {rule.id} 复查时要问没有的问题 {unknown}")
        if rule.verdict == "escalate" and rule.level is None:
            yield at(f"规则 {rule.id} 要升级，却没有写级别")
        if rule.level is not None and rule.level not in LEVELS:
            yield at(f"规则 {rule.id} 的级别 {rule.level} 不认识，只能是 {'、'.join(LEVELS)}")
        if rule.verdict == "watch" and rule.recheck_minutes is None:
            yield at(f"规则 {rule.id} 要复查，却没有写多久以后")
        if rule.recheck_minutes is not None and rule.recheck_minutes < RECHECK_AT_LEAST:
            yield at(f"规则 {rule.id} 的复查太密了，至少隔 {RECHECK_AT_LEAST} 分钟")
        if rule.say is not None and rule.say not in pack.wording:
            yield at(f"规则 {rule.id} 要说的 {rule.say} 不在话术里")
        circle = _circle(rule, pack)
        if circle:
            yield at(f"规则 {rule.id} 的复查绕回了自己：{' → '.join(circle)}")


def _circle(rule: AnswerRule, pack: Pack) -> list[str]:
    """Return a chain of second looks that leads from a question through others back to it, or nothing."""
    trail, seen = [rule.question], {rule.question}
    waiting = [(code, trail) for code in rule.recheck_ask if code != rule.question]
    while waiting:
        code, trail = waiting.pop()
        seen.add(code)
        for other in pack.rules:
            if other.question != code:
                continue
            for following in other.recheck_ask:
                if following == rule.question:
                    return [*trail, code, following]
                if following not in seen:
                    waiting.append((following, [*trail, code]))
    return []


def _check_wording(pack: Pack, file: File) -> Iterator[PackProblem]:
    for key in NEEDED:
        if key not in pack.wording:
            yield PackProblem(file.name, 1, f"缺少话术 {key}")
    for fact in sorted(RISK_FACTS):
        if f"fact.{fact}" not in pack.wording:
            yield PackProblem(file.name, 1, f"缺少话术 fact.{fact}")
    for key, text in pack.wording.items():
        yield from style(text, file.name, file.line(tuple(key.split("."))), None)
