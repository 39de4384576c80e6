"""What is said back in a talk the member is in: it costs no contact, and comes at any hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from care.model.history import Inbound
from care.model.moment import COURSE, REPLY_TO_MOOD, WRITE_FROM, Moment
from care.model.next_action import Action, ActionKind

REPLY_WITHIN = timedelta(hours=12)
LOW_VALENCE, CHEERFUL = -0.25, 0.2
SPOKEN_FOR = frozenset({"L0", "L1", "L2", "P2", "P3", "K1", "K2", "K3"})  # fixed words answer these


def reply(moment: Moment, *, follow_up: bool = True) -> list[Action]:
    """Answer what the member has just said; at any hour, since they are here."""
    history, now = moment.history, moment.now
    if history.owner != "bot" or moment.blocked_by_case:
        return []
    since = max((one.at for one in history.sent if one.kind == ActionKind.REPLY), default=None)

    def new(at: datetime) -> bool:
        return now - at <= REPLY_WITHIN and (since is None or at > since)

    words, told = moment.care.curves, history.inbound[-1] if history.inbound else None
    if told and new(told.at) and told.level not in SPOKEN_FOR and _needs_warmth(moment, told):
        theme = told.theme or words.theme(moment.subject.treatment, moment.subject.facts, moment.day)
        return [_said(moment, "reply", "message", theme=theme)]
    low = [one for one in moment.judgements if one.report.question == "mood" and one.verdict != "ok"]
    if low and new(low[-1].report.at):
        return [_said(moment, REPLY_TO_MOOD, low[-1].rule, theme=moment.theme)]
    if follow_up and _may_ask_mood(moment):
        asked = _said(moment, "follow_up", "follow_up", theme=None)
        return [replace(asked, code="follow_up", ask=("mood",), supportive=False)]
    return []


def _needs_warmth(moment: Moment, told: Inbound) -> bool:
    """Whether a message is answered with care: it sounds low, or comes without cheer on what may be a low day."""
    if told.valence <= LOW_VALENCE or told.level == "P1":
        return True
    return (
        told.valence < CHEERFUL and moment.day <= COURSE and moment.curve.trough_probability(moment.day) >= WRITE_FROM
    )


def _said(moment: Moment, reason: str, rule: str, *, theme: str | None) -> Action:
    text = moment.care.curves.reason(reason)
    return Action(ActionKind.REPLY, text, moment.now, code=reason, theme=theme, supportive=True, why={"rule": rule})


def _may_ask_mood(moment: Moment) -> bool:
    """Whether a contact for safety was just answered that had no room for the mood: then it is asked in the talk."""
    reports = moment.history.reports
    if not reports or moment.now - reports[-1].at > timedelta(hours=1) or moment.day > COURSE:
        return False
    last = next((one for one in reversed(moment.history.sent) if one.code == reports[-1].plan and one.ask), None)
    if last is None or not last.safety or "mood" in last.ask or last.code.startswith("recheck_"):
        return False
    if any(one.level is not None for one in moment.judgements if one.report.at >= last.at):
        return False  # something graver is being seen to
    asked = any("mood" in one.ask and moment.day_of(one.at) == moment.day for one in moment.history.sent[-4:])
    answered = {one.question for one in reports if one.at >= last.at}
    return not asked and set(last.ask) <= answered
