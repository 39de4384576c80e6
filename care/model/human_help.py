"""When a human is needed, which one and how: from answers, messages, silence and the member's own word.

Nothing is asked for twice: what a human was asked to look at within the same talk, or the same complaint at the same
level within a day, is with that human already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from care.model.case import TRACK_OF, URGENCY, CaseLevel, Track
from care.model.gate import next_awake
from care.model.judging import Judgement
from care.model.moment import SAME_TALK, SILENT_AFTER, Moment
from care.model.next_action import ActionKind
from care.model.windows import too_late_to_write

RANK = {level.value: len(URGENCY) - place for place, level in enumerate(URGENCY)}
SAME_COMPLAINT = timedelta(hours=24)
FRESH = timedelta(hours=24)  # what is older was decided on when it was fresh
SECOND_CHANNEL_AFTER = timedelta(hours=3)
CALLS_UNTIL_DAY = 3  # after an operation; later silence is no reason to phone
AGAIN = timedelta(hours=72)  # a second P1 within this is one for a carer


@dataclass(frozen=True, slots=True)
class Need:
    """A human who is needed: level and reason, before it becomes an action."""

    kind: ActionKind
    level: CaseLevel
    rule: str
    reason_zh: str
    supportive: bool = False


def needs(moment: Moment) -> Iterator[Need]:
    """Yield what humans must be asked for at this moment, each once."""
    yield from _late_surgery(moment)
    raised: list[tuple[str, str, datetime]] = [(note.level, note.reason, note.at) for note in moment.history.cases]
    for found in (*_from_messages(moment, raised), *_from_answers(moment, raised)):
        raised.append((found.level.value, found.rule, moment.now))
        yield found
    if silence := _from_silence(moment):
        yield silence
    if stopped := _from_stop(moment):
        yield stopped


def _from_answers(moment: Moment, raised: list[tuple[str, str, datetime]]) -> Iterator[Need]:
    words = moment.care.curves
    for one in moment.judgements:
        if one.level is None or moment.now - one.report.at > FRESH or _known(one, raised):
            continue
        reason = words.reason("answer", 回答=one.report.value, 原因=one.reason)
        yield _need(moment, one.level, f"rule:{one.rule}", reason)


def _known(one: Judgement, raised: list[tuple[str, str, datetime]]) -> bool:
    if one.level is None:
        return True
    track, rank, at = one.level.value[0], RANK[one.level.value], one.report.at
    family = f"rule:{one.report.question}."
    for level, reason, when in raised:
        if level[0] != track or RANK.get(level, 0) < rank:
            continue
        if when >= at or at - when <= SAME_TALK:
            return True
        if at - when <= SAME_COMPLAINT and (track == "W" or reason.startswith(family)):
            return True
    return False


def _from_messages(moment: Moment, raised: list[tuple[str, str, datetime]]) -> Iterator[Need]:
    words = moment.care.curves
    first_signs = [one for one in moment.history.inbound if one.level == "P1"]
    for one in moment.history.inbound:
        if moment.now - one.at > FRESH or one.level == "none":
            continue
        level = one.level
        if level == "P1":
            again = any(timedelta(0) < one.at - earlier.at <= AGAIN for earlier in first_signs)
            if not (again or moment.subject.alone):
                continue
            level = "W1"
        if level not in RANK or any(
            other[0] == level[0]
            and RANK.get(other, 0) >= RANK[level]
            and (when >= one.at or one.at - when <= SAME_TALK)
            for other, _, when in raised
        ):
            continue
        reason = words.reason("carer_distress") if level == "W1" else words.reason("message", 级别=level)
        yield _need(moment, CaseLevel(level), f"message:{one.level}", reason)


def _from_silence(moment: Moment) -> Need | None:
    """A carer phones when contacts for safety stayed unanswered for half a day, in the first days after an operation.

    Whatever was asked again, on another channel or because the next contact was due, gets three waking hours first.
    One call answers for every contact before it.
    """
    if not moment.protocol.surgery or moment.day > CALLS_UNTIL_DAY or not moment.awake or moment.blocked_by_case:
        return None
    if moment.wish == "stop" or moment.history.owner != "bot" or moment.safety_due is not None:
        return None
    silent = [one for one in moment.unheard if one.safety]
    called = [note.at for note in moment.history.cases if note.reason.startswith("silence:")]
    silent = [one for one in silent if not called or one.at > called[-1]]
    if not silent or moment.now - silent[0].at < SILENT_AFTER:
        return None
    tries = [one.at for one in moment.history.sent if one.safety and one.at >= silent[0].at]
    if moment.now - tries[-1] < SECOND_CHANNEL_AFTER or (moment.subject.channels > 1 and len(tries) == 1):
        return None
    hours = int((moment.now - silent[0].at).total_seconds() // 3600)
    return Need(
        ActionKind.CARER_CALL,
        CaseLevel.W1,
        f"silence:{silent[-1].code}",
        moment.care.curves.reason("silence_call", 小时=hours),
        supportive=True,
    )


def _from_stop(moment: Moment) -> Need | None:
    """Somebody who wants no more messages in the first days after an operation: a human decides what happens."""
    wishes = moment.history.wishes
    if moment.wish != "stop" or not moment.protocol.surgery or moment.day_of(wishes[-1].at) > CALLS_UNTIL_DAY:
        return None
    if any(note.reason == "stop" for note in moment.history.cases):
        return None
    return Need(ActionKind.CARER_CALL, CaseLevel.W1, "stop", moment.care.curves.reason("stopped_early"))


def _late_surgery(moment: Moment) -> Iterator[Need]:
    """After an operation that ended too late for a message a nurse phones the same evening."""
    if moment.day != 0 or not moment.protocol.surgery or not too_late_to_write(moment.subject.ended_at, moment.zone):
        return
    if any(note.reason == "late_surgery" for note in moment.history.cases):
        return
    yield Need(ActionKind.CASE, CaseLevel.L2, "late_surgery", moment.care.curves.reason("late_surgery"))


def _need(moment: Moment, level: CaseLevel, rule: str, reason_zh: str) -> Need:
    kinds = {CaseLevel.W1: ActionKind.CARER_MESSAGE, CaseLevel.W2: ActionKind.CARER_CALL}
    care = TRACK_OF[level.value[0]] is Track.CARE
    return Need(kinds.get(level, ActionKind.CASE), level, rule, reason_zh, supportive=care)


def second_channel_due(moment: Moment) -> bool:
    """Whether a contact for safety has waited three hours for an answer and another account was not tried yet."""
    silent = [one for one in moment.unheard if one.safety]
    if not silent or moment.subject.channels < 2:
        return False
    last = silent[-1]
    tried = any(one.second_channel and one.at >= last.at for one in moment.history.sent)
    return not tried and SECOND_CHANNEL_AFTER <= moment.now - last.at < FRESH


def recheck_due_at(one: Judgement, moment: Moment) -> datetime:
    """Return when the member was told we look again; more than an hour ahead moves past the night."""
    due = one.report.at + (one.recheck or timedelta(0))
    if one.recheck is not None and one.recheck > timedelta(hours=1):
        return next_awake(due, moment.zone)
    return due
