"""What nobody must send: a word on a low evening, a routine greeting, or leaving the member in peace.

The protocol's days of care are moved, left out or added to by what is believed about the member's course. Each
contact over the usual number of a course must be worth more than the one before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zlib import crc32

from care.model.case import CaseLevel
from care.model.moment import ASK_AT_MOST, COURSE, EVENING, SLOT_FROM, WRITE_FROM, Moment, nothing, percent
from care.model.next_action import Action, ActionKind
from care.model.windows import Slot

CARER_FROM = 0.60
BUDGET = 4.5  # contacts of a course from which on every further one must be worth more
DEARER = 0.10  # by so much for each contact over it
WITHHELD = 0.10  # share of optional contacts that chance withholds
CARER_PAUSE = timedelta(hours=72)
AFTER_A_BILL = timedelta(hours=2)


def kindness(moment: Moment) -> Action:
    """Return what is added of our own accord at this moment, or nothing with its reason."""
    if moment.wish == "less":
        return nothing(moment, "less_but_safety")
    if moment.contacted_today:
        return nothing(moment, "today")
    if any(slot.plan.safety and slot.day == moment.day for slot in moment.to_come):
        return nothing(moment, "not_now")
    evening = EVENING[0] <= moment.local.time() < EVENING[1]
    slot = _routine(moment)
    if not evening and slot is None:
        return nothing(moment, "not_now")
    if moment.history.billed_at is not None and moment.now - moment.history.billed_at < AFTER_A_BILL:
        return nothing(moment, "bill")
    if moment.unanswered >= 2:
        return nothing(moment, "unanswered", 次=moment.unanswered)
    if not moment.room:
        return nothing(moment, "capped")
    if moment.day > COURSE:
        return _greeting(moment, slot, 0.0) if slot else nothing(moment, "not_now")
    chance = moment.curve.cautious_probability(moment.day)
    if slot is not None and not evening:
        return _routine_or_peace(moment, slot, chance)
    return _evening(moment, slot, chance)


def _routine(moment: Moment) -> Slot | None:
    """Return today's contact that is neither for safety nor a day of care, if it is open."""
    return next(
        (
            slot
            for slot in moment.to_come
            if slot.day == moment.day and slot.opens <= moment.now and not slot.plan.safety and not slot.plan.support
        ),
        None,
    )


def _routine_or_peace(moment: Moment, slot: Slot, chance: float) -> Action:
    quiet = chance < SLOT_FROM and moment.curve.cautious_probability(moment.day + 1) < SLOT_FROM
    if quiet and moment.well:
        return nothing(moment, "well", 百分=percent(chance))
    if moment.foreseen + 1 > BUDGET and chance < _threshold(moment, SLOT_FROM):
        return nothing(moment, "capped")
    return _greeting(moment, slot, chance)


def _evening(moment: Moment, routine: Slot | None, chance: float) -> Action:
    if moment.supported_today:
        return nothing(moment, "today")
    slot = _day_of_care(moment)
    own_day = slot is not None and slot.day == moment.day
    threshold = _threshold(moment, SLOT_FROM if own_day else WRITE_FROM)
    if chance < threshold:
        if routine is not None:
            return _routine_or_peace(moment, routine, chance)
        return nothing(moment, "unlikely", 百分=percent(chance))
    if chance >= CARER_FROM and moment.low_lately and not moment.carer_since(CARER_PAUSE):
        return _carer(moment, chance)
    if _chance_withholds(moment, chance):
        withheld = nothing(moment, "withheld")
        return replace(
            withheld, why={"rule": "withheld", "probability": round(chance, 3), "propensity": 1 - WITHHELD}
        )
    plan = slot.plan if slot else (routine.plan if routine else None)
    ask = plan.ask if plan else ("mood",)
    return Action(
        ActionKind.SUPPORT,
        moment.care.curves.reason("support_slot" if own_day else "support", 百分=percent(chance)),
        moment.now,
        code=plan.code if plan else f"S{moment.day}",
        theme=moment.theme,
        ask=moment.with_symptoms(ask),
        supportive=True,
        proactive=True,
        why={"rule": "low_day", "probability": round(chance, 3), "threshold": round(threshold, 3)}
        | ({"propensity": 1 - WITHHELD} if moment.care.explore else {}),
    )


def _threshold(moment: Moment, lowest: float) -> float:
    return lowest + DEARER * max(0, moment.foreseen + 1 - BUDGET)


def _day_of_care(moment: Moment) -> Slot | None:
    """Return the protocol's own day of care that this evening may stand for: today's, or one within its leeway."""
    near = [
        slot
        for slot in moment.slots
        if slot.plan.support
        and not slot.plan.safety
        and slot.plan.code not in moment.gone
        and abs(slot.day - moment.day) <= slot.plan.movable_days
    ]
    return min(near, key=lambda slot: abs(slot.day - moment.day), default=None)


def _greeting(moment: Moment, slot: Slot, chance: float) -> Action:
    ask = slot.plan.ask if "mood" in slot.plan.ask or len(slot.plan.ask) >= ASK_AT_MOST else (*slot.plan.ask, "mood")
    return Action(
        ActionKind.CHECK_IN,
        moment.care.curves.reason("neutral", 日=moment.day),
        moment.now,
        code=slot.plan.code,
        ask=ask,
        proactive=True,
        supportive=False,
        why={"rule": "routine", "probability": round(chance, 3)},
    )


def _carer(moment: Moment, chance: float) -> Action:
    return Action(
        ActionKind.CARER_MESSAGE,
        moment.care.curves.reason("carer_likely", 百分=percent(chance)),
        moment.now,
        code=f"S{moment.day}",
        theme=moment.theme,
        level=CaseLevel.W1,
        supportive=True,
        proactive=True,
        why={"rule": "likely_low", "probability": round(chance, 3)},
    )


def _chance_withholds(moment: Moment, chance: float) -> bool:
    """Whether chance keeps one optional contact in ten back. Nobody who told of a low mood is part of that."""
    care = moment.care
    if not care.explore or moment.low_lately or chance >= CARER_FROM:
        return False
    return crc32(f"{care.seed}|{moment.subject.member_id}|{moment.day}".encode()) % 1000 < WITHHELD * 1000
