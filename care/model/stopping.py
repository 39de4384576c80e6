"""When a recovery is over: the clinic's conditions, held against where it stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from care.model.protocol import Stop

LAST_TWO = 2


class Ending(StrEnum):
    """How a recovery may end by itself."""

    STOP = "stop"  # every condition of the protocol holds
    OVER = "over"  # the last day has passed, nothing waits, nothing is open
    NOT_WELL = "not_well"  # the last day has passed, but the last we heard was not good: a nurse looks first


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a recovery stands at one moment.

    `contacts` holds the verdicts of every contact that was answered, the latest last. `safety_ahead` is whether a
    safety contact or a promised second look has still to go out, or a question is waiting for its answer.
    """

    day: int
    today: date
    sutures_out_on: date | None
    contacts: Sequence[Sequence[str]]
    last_pain: float | None
    case_open: bool
    visit_booked: bool
    safety_ahead: bool
    waiting: tuple[str, ...] = ()  # codes of contacts still to come
    looked_at: bool = False  # whether a nurse was asked to look at the end of it already


def ending(stop: Stop, at: Standing) -> Ending | None:
    """Return how a recovery ends now, or None while it goes on."""
    if at.safety_ahead:
        return None
    if not unmet(stop, at):
        return Ending.STOP
    left = [code for code in at.waiting if code not in stop.keep]
    if at.day < stop.last_day or left or at.case_open:
        return None
    return Ending.OVER if at.looked_at or not _unwell(stop, at) else Ending.NOT_WELL


def unmet(stop: Stop, at: Standing) -> list[str]:
    """Return which conditions do not hold yet, by the names they have in the pack."""
    last_two = [*at.contacts][-LAST_TWO:]
    held = {
        "from_day": at.day >= stop.from_day,
        "sutures_out": not stop.sutures_out or (at.sutures_out_on is not None and at.sutures_out_on < at.today),
        "last_two_ok": not stop.last_two_ok or (len(last_two) == LAST_TWO and all(_fine(one) for one in last_two)),
        "no_open_case": not (stop.no_open_case and at.case_open),
        "pain_at_most": stop.pain_at_most is None or (at.last_pain is not None and at.last_pain <= stop.pain_at_most),
        "next_visit_booked": at.visit_booked or not stop.next_visit_booked,
    }
    return [name for name, holds in held.items() if not holds]


def _unwell(stop: Stop, at: Standing) -> bool:
    hurting = stop.pain_at_most is not None and at.last_pain is not None and at.last_pain > stop.pain_at_most
    return hurting or bool(at.contacts and not _fine(at.contacts[-1]))


def _fine(verdicts: Sequence[str]) -> bool:
    return all(verdict == "ok" for verdict in verdicts)
