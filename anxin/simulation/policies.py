"""Policies to compare: what was done before, what the protocol alone would do, and ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

from care.model import planner
from care.model.history import History
from care.model.human_help import second_channel_due
from care.model.moment import COURSE, Moment
from care.model.next_action import Action, ActionKind, CarePlan
from care.model.owed import recheck, second_channel, second_look
from care.model.replies import reply

Policy = Callable[[History, datetime, CarePlan], list[Action]]
NOON, EVENING = time(12), time(18, 30)


def ours(history: History, now: datetime, care: CarePlan) -> list[Action]:
    """The adaptive policy."""
    return planner.next_actions(history, now, care)


def two_messages(history: History, now: datetime, care: CarePlan) -> list[Action]:
    """One plain message a day after and one a week after; what members write is read by people."""
    moment = Moment(history, now, care)
    found = list(planner.for_humans(moment))
    code = f"SMS{moment.day}"
    if moment.day in (1, 7) and moment.local.time() >= NOON and code not in moment.gone:
        found.append(_contact(now, ActionKind.CHECK_IN, code))
    return found + reply(moment)


def daily(history: History, now: datetime, care: CarePlan) -> list[Action]:
    """A warm word every evening that asks for mood and pain."""
    moment = Moment(history, now, care)
    found = list(planner.for_humans(moment)) + reply(moment)
    code = f"DAY{moment.day}"
    if moment.day <= COURSE and moment.local.time() >= EVENING and code not in moment.gone and moment.wish != "stop":
        found.append(_contact(now, ActionKind.SUPPORT, code, ask=("mood", "pain"), supportive=True))
    return found


def fixed(history: History, now: datetime, care: CarePlan) -> list[Action]:
    """The protocol as it stands, with its rules, second looks, second channel and calls, and nothing added."""
    return _protocol(history, now, care, reacts=False)


def fixed_and_reaction(history: History, now: datetime, care: CarePlan) -> list[Action]:
    """The protocol, and a word the next evening when somebody told of a low mood."""
    return _protocol(history, now, care, reacts=True)


POLICIES: dict[str, Policy] = {
    "两条短信": two_messages,
    "固定方案": fixed,
    "固定方案＋反应": fixed_and_reaction,
    "每天一条": daily,
    "我们": ours,
}


def _protocol(history: History, now: datetime, care: CarePlan, *, reacts: bool) -> list[Action]:
    moment = Moment(history, now, care)
    found = list(planner.for_humans(moment)) + reply(moment, follow_up=False)
    if moment.wish == "stop" or moment.blocked_by_case:
        return found
    again = recheck(moment)
    if again is not None and again.report.question != "mood":
        return [*found, second_look(moment, again)]
    if not moment.awake:
        return found
    for slot in moment.slots:
        if slot.day == moment.day and slot.opens <= now and slot.plan.code not in moment.gone:
            plan = slot.plan
            if plan.safety or moment.wish != "less":
                one = _contact(now, ActionKind.CHECK_IN, plan.code, ask=plan.ask, supportive=plan.support)
                return [*found, _safe(one) if plan.safety else one]
    if second_channel_due(moment):
        return [*found, second_channel(moment)]
    low = any(
        one.question == "mood" and one.value in {"1", "2"} and now - one.at < timedelta(hours=26)
        for one in history.reports
    )
    if reacts and low and moment.local.time() >= EVENING and not moment.contacted_today and moment.wish != "less":
        found.append(_contact(now, ActionKind.SUPPORT, f"S{moment.day}", ask=("mood",), supportive=True))
    return found


def _contact(
    now: datetime, kind: ActionKind, code: str, *, ask: tuple[str, ...] = (), supportive: bool = False
) -> Action:
    return Action(kind, "", now, code=code, ask=ask, supportive=supportive, proactive=True)


def _safe(action: Action) -> Action:
    return Action(
        action.kind,
        "",
        action.look_again_at,
        code=action.code,
        ask=action.ask,
        supportive=action.supportive,
        proactive=True,
        safety=True,
    )
