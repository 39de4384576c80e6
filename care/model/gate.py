"""The send gate: whether a planned contact may leave at this moment, and if not, why.

Rules only. Everything planned passes here right before it would leave; whatever was true when it was planned
does not count. The order of the rules is the order of what matters: the member's word, a human's presence, danger,
then the hour, then how much has been said already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from care.model.caps import Said, over
from care.model.case import Case, CaseLevel
from care.model.consent import Purpose, allowed
from care.model.conversation import Conversation
from care.model.errors import NaiveDatetime
from care.model.member import Member
from care.model.rights import ChannelRight
from care.model.touchpoint import Touchpoint, TouchpointKind

QUIET = (time(21), time(8, 30))  # nobody is written to at night; clinic protocol 2026-01
LATE_SURGERY_UNTIL = time(21, 31)  # the evening after a late operation, 21:30 included; clinic protocol 2026-01
SAME_TALK = timedelta(minutes=75)  # a re-check promised within the hour belongs to the talk that asked for it
TALKING = timedelta(minutes=3)  # a conversation this fresh is not interrupted
WAIT_FOR_HUMAN = timedelta(minutes=30)
ASKS_FOR_WORD = "asks_for_word"  # cleared, but only a notice may go; the words wait for the member's
SERIOUS = frozenset({CaseLevel.L0, CaseLevel.L1, CaseLevel.P2, CaseLevel.P3})


class Verdict(StrEnum):
    """What the gate says."""

    CLEARED = "cleared"
    POSTPONED = "postponed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class GateDecision:
    """The gate's word, its reason, and when to ask again."""

    verdict: Verdict
    reason: str
    until: datetime | None = None


PURPOSE = {
    TouchpointKind.CHECK_IN: Purpose.CHECK_INS,
    TouchpointKind.RECHECK: Purpose.CARE,  # promised to the member in their own conversation
    TouchpointKind.REMINDER: Purpose.REMINDERS,
}


def decide(
    touchpoint: Touchpoint,
    *,
    member: Member,
    conversation: Conversation | None,
    open_cases: list[Case],
    said: Sequence[Said],
    reachable: bool,
    now: datetime,
    right: ChannelRight = ChannelRight.OPEN,
    day: int | None = None,
    quiet_until: datetime | None = None,
) -> GateDecision:
    """Decide on one planned contact.

    Args:
        touchpoint: what should leave.
        member: with their choices and zone.
        conversation: theirs, if there is one.
        open_cases: what humans owe them.
        said: check-ins already handed over in all programmes, those for safety included, the oldest first.
        reachable: whether any channel account can be written to.
        now: aware.
        right: what the vendors let us send to this member now.
        day: of the treatment the contact belongs to; None if it belongs to none.
        quiet_until: after severe distress nothing optional goes out before this moment.

    Returns:
        One verdict with one reason code; a postponement says until when.
    """
    permission = allowed(member, PURPOSE[touchpoint.kind], now)
    if not permission:
        return GateDecision(Verdict.SUPPRESSED, f"consent_{permission.reason}")
    if now >= touchpoint.expires_at:
        return GateDecision(Verdict.EXPIRED, touchpoint.reason or "late")
    if conversation is None or not reachable:
        return GateDecision(Verdict.SUPPRESSED, "no_channel")
    if conversation.crisis:
        return GateDecision(Verdict.SUPPRESSED, "crisis")
    if any(case.level in SERIOUS for case in open_cases) and touchpoint.kind is not TouchpointKind.REMINDER:
        return GateDecision(Verdict.SUPPRESSED, "open_case")
    if not conversation.owned_by_bot:
        return _later(touchpoint, now + WAIT_FOR_HUMAN, "human_owner")
    first_evening = touchpoint.safety and touchpoint.plan.endswith("0")
    awake = next_awake(now, member.tz, late=LATE_SURGERY_UNTIL if first_evening else QUIET[0])
    if awake > now and not _continues_a_talk(touchpoint, now):
        return _later(touchpoint, awake, "quiet_hours")
    if conversation.last_member_at is not None and now - conversation.last_member_at < TALKING:
        return _later(touchpoint, conversation.last_member_at + TALKING, "talking")
    if touchpoint.kind is TouchpointKind.CHECK_IN and not touchpoint.safety:
        if quiet_until is not None and now < quiet_until:
            return GateDecision(Verdict.SUPPRESSED, "after_crisis")
        cap = over(said, now=now, zone=member.tz, day=day, last_member_at=conversation.last_member_at)
        if cap is not None:
            return GateDecision(Verdict.SUPPRESSED, cap)
    if right is ChannelRight.NONE:
        return GateDecision(Verdict.SUPPRESSED, "no_right")
    return GateDecision(Verdict.CLEARED, "cleared" if right is ChannelRight.OPEN else ASKS_FOR_WORD)


def next_awake(at: datetime, zone: ZoneInfo, *, late: time = QUIET[0]) -> datetime:
    """Return the first moment at or after `at` outside the member's quiet hours.

    Args:
        at: aware, in any zone.
        zone: where the member lives; decides what 21:00 means, daylight saving included.
        late: when the evening ends.

    Returns:
        Aware; equal to `at` when that is outside quiet hours already.

    Raises:
        NaiveDatetime: if `at` carries no zone.

    Source:
        21:00-08:30: clinic protocol 2026-01.
    """
    if at.tzinfo is None:
        raise NaiveDatetime("quiet hours need a zone")
    local = at.astimezone(zone)
    if QUIET[1] <= local.time() < late:
        return at
    day = local.date() if local.time() < QUIET[1] else local.date() + timedelta(days=1)
    return datetime.combine(day, QUIET[1], tzinfo=zone).astimezone(at.tzinfo)


def _continues_a_talk(touchpoint: Touchpoint, now: datetime) -> bool:
    """Whether the member was told a little while ago that we look again at this very moment (35 min for bleeding)."""
    return touchpoint.kind is TouchpointKind.RECHECK and now - touchpoint.created_at <= SAME_TALK


def _later(touchpoint: Touchpoint, until: datetime, reason: str) -> GateDecision:
    if until < touchpoint.expires_at:
        return GateDecision(Verdict.POSTPONED, reason, until)
    return GateDecision(Verdict.SUPPRESSED, reason)
