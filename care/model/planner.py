"""What comes next for one member in recovery: history in, next actions out. No clock, no database, no channel.

    care = CarePlan(protocols, Table.of(rules), curves, explore=True, seed="2026")
    for action in next_actions(history, now, care):
        ...carry it out...
        history = record(history, action, now)

Ask at 09:00, 12:00, 16:00 and 19:00 where the member lives, after every message or answer, and at the earliest
`look_again_at`. Order of decisions: who needs a human; what is said back in a talk; whether anybody may be written
to; what was promised; what is due for safety; who stayed silent; and only then what kindness could be added.
A strictly worse answer never leads to a later next contact, nor to fewer or lower calls for a human: tests hold that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

from care.model.history import History
from care.model.human_help import SECOND_CHANNEL_AFTER, needs, recheck_due_at, second_channel_due
from care.model.kindness import kindness
from care.model.moment import SILENT_AFTER, Moment, at_time, nothing
from care.model.next_action import Action, ActionKind, CarePlan
from care.model.owed import check_in, recheck, second_channel, second_look
from care.model.replies import reply

POINTS = (time(9), time(12), time(16), time(19))  # when we decide; clinic protocol 2026-01


def next_actions(history: History, now: datetime, care: CarePlan) -> list[Action]:
    """Decide what happens now.

    Args:
        history: everything known, without anything later than `now`.
        now: aware.
        care: the clinic's protocols, rules and curves.

    Returns:
        At least one action; `nothing` says why nothing happens. Every action says when to decide again.
    """
    moment = Moment(history, now, care)
    found = list(for_humans(moment))
    found += reply(moment)
    bot = _proactive(moment)
    if bot.kind is not ActionKind.NOTHING or not found:
        found.append(bot)
    again = look_again(moment)
    return [replace(action, look_again_at=again) for action in found]


def for_humans(moment: Moment) -> Iterator[Action]:
    """Yield what carers, nurses and doctors are asked for now."""
    for need in needs(moment):
        yield Action(
            need.kind,
            need.reason_zh,
            moment.now,
            code=need.rule,
            level=need.level,
            supportive=need.supportive,
            why={"rule": need.rule},
        )


def _proactive(moment: Moment) -> Action:
    """Return the one contact that leaves now without being asked for, or nothing with its reason."""
    if moment.history.owner != "bot":
        return nothing(moment, "human")
    if moment.blocked_by_case:
        return nothing(moment, "open_case")
    if moment.wish == "stop":
        return nothing(moment, "stopped")
    again = recheck(moment)
    safety = moment.safety_due
    if safety is not None:
        return check_in(moment, safety, also=again.report.question if again else None)
    if again is not None:
        return second_look(moment, again)
    if not moment.awake:
        return nothing(moment, "quiet")
    if second_channel_due(moment):
        return second_channel(moment)
    return kindness(moment)


def look_again(moment: Moment) -> datetime:
    """Return when to decide again if nothing is heard before: a point of the day, a window, a promise, a silence."""
    now, zone = moment.now, moment.zone
    moments = [at_time(moment.today, point, zone) for point in POINTS]
    moments.append(at_time(moment.today + timedelta(days=1), POINTS[0], zone))
    moments += [slot.opens for slot in moment.slots if slot.day in (moment.day, moment.day + 1)]
    moments += [recheck_due_at(one, moment) for one in moment.judgements if one.recheck is not None]
    for one in moment.unheard:
        if one.safety:
            moments += [one.at + SECOND_CHANNEL_AFTER, one.at + SILENT_AFTER]
    return min(at for at in moments if at > now)
