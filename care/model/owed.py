"""What is owed: a second look that was promised, a contact for safety, a second channel for who stayed silent."""

from __future__ import annotations

from datetime import timedelta

from care.model.human_help import recheck_due_at
from care.model.judging import Judgement
from care.model.moment import ASK_AT_MOST, COURSE, EVENING, SLOT_FROM, Moment, percent
from care.model.next_action import Action, ActionKind
from care.model.windows import Slot

GIVES_WAY = ("med", "worry")  # what a contact for safety leaves out so that the mood is asked in the evening
RECHECK_LASTS = timedelta(hours=14)
SEEN_TO = frozenset({"L0", "L1", "L2"})  # a human looks at these, nobody is asked again
GOOD = frozenset({"4", "5"})
PRESSING = frozenset({"bleed", "temp"})  # silence on a second look at these is followed up
MOOD_RECHECKS = 2  # a week


def recheck(moment: Moment) -> Judgement | None:
    """Return the most pressing promise to look again that is due and was not kept yet."""
    due = []
    latest = {one.report.question: one for one in moment.judgements}
    for one in latest.values():
        if one.recheck is None or (one.level is not None and one.level.value in SEEN_TO):
            continue
        at = recheck_due_at(one, moment)
        mood = one.report.question == "mood"
        early = (
            timedelta(hours=3) if mood else timedelta(0)
        )  # the evening of the next day keeps a promise of the evening
        if moment.now < at - early or moment.now > at + RECHECK_LASTS:
            continue
        half = one.report.at + one.recheck / 2
        if any(one.report.question in sent.ask and sent.at >= half for sent in moment.history.sent):
            continue
        if not moment.awake and one.recheck > timedelta(hours=1):
            continue
        if mood and not _mood_promise_stands(moment, one):
            continue
        due.append((mood, at, one))
    return min(due, key=lambda item: item[:2])[2] if due else None


def _mood_promise_stands(moment: Moment, one: Judgement) -> bool:
    """A mood is asked again on its own at most twice a week; a contact that comes anyway today asks it too.

    A mood that fell and is still good is asked again on its own only when the day may be a low one.
    """
    if one.report.value in GOOD and moment.curve.cautious_probability(moment.day) < SLOT_FROM:
        return False
    if moment.wish == "less" or moment.unanswered >= 2 or not moment.room:
        return False
    week = moment.now - timedelta(days=7)
    if sum(1 for one in moment.history.sent if one.code == "recheck_mood" and one.at >= week) >= MOOD_RECHECKS:
        return False
    return not any(slot.plan.safety and slot.day == moment.day for slot in moment.to_come)


def second_look(moment: Moment, one: Judgement) -> Action:
    """Return the second look that was promised; one at the mood is a word of care as well."""
    question = one.report.question
    mood = question == "mood"
    words = moment.care.curves
    return Action(
        ActionKind.CHECK_IN,
        words.reason("recheck_mood") if mood else words.reason("recheck", 原因=one.reason),
        moment.now,
        code=f"recheck_{question}",
        theme=moment.theme if mood else None,
        ask=moment.with_symptoms(("mood",)) if mood else one.recheck_ask,
        safety=question in PRESSING,
        supportive=mood,
        proactive=mood,
        why={"rule": f"recheck:{one.rule}"},
    )


def check_in(moment: Moment, slot: Slot, *, also: str | None) -> Action:
    """Return a contact for safety; on what may be a low day it opens with care and asks the mood too.

    Args:
        moment: the present.
        slot: the protocol's contact.
        also: a question that is due for a second look and is asked along.
    """
    chance = moment.curve.trough_probability(moment.day) if moment.day <= COURSE else 0.0
    warm = moment.wish != "less" and chance >= SLOT_FROM
    ask = _with_mood(slot.plan.ask, moment) if warm else slot.plan.ask
    if also is not None and also not in ask:
        ask = (*ask[: ASK_AT_MOST - 1], also)
    reason = "safety_support" if warm else "safety"
    if moment.wish == "less":
        reason = "less_but_safety"
    return Action(
        ActionKind.CHECK_IN,
        moment.care.curves.reason(reason, 日=moment.day, 百分=percent(chance)),
        moment.now,
        code=slot.plan.code,
        theme=moment.theme if warm else None,
        ask=ask,
        safety=True,
        supportive=warm,
        proactive=True,
        second_channel=moment.subject.channels > 1 and bool(moment.unheard),
        why={"rule": "safety", "probability": round(chance, 3)},
    )


def _with_mood(ask: tuple[str, ...], moment: Moment) -> tuple[str, ...]:
    """Ask the mood too where there is room, or where a question for which there is another day gives way to it."""
    if "mood" in ask:
        return ask
    if len(ask) < ASK_AT_MOST:
        return (*ask, "mood")
    if moment.local.time() < EVENING[0]:
        return ask
    kept = next((ask[:place] + ask[place + 1 :] for place in range(len(ask)) if ask[place] in GIVES_WAY), None)
    return (*kept, "mood") if kept is not None else ask


def second_channel(moment: Moment) -> Action:
    """Return the last contact for safety once more, where the member was not asked yet."""
    last = [one for one in moment.unheard if one.safety][-1]
    hours = int((moment.now - last.at).total_seconds() // 3600)
    return Action(
        ActionKind.CHECK_IN,
        moment.care.curves.reason("second_channel", 小时=hours),
        moment.now,
        code=last.code,
        ask=last.ask,
        safety=True,
        supportive=last.supportive,
        second_channel=True,
        why={"rule": "silence:second_channel"},
    )
