"""How long a human stays with a member after something grave, before the bot may have the conversation again."""

from __future__ import annotations

from datetime import datetime, timedelta

from care.model.case import CaseLevel
from care.model.errors import HandBackTooSoon
from care.model.ids import MemberId
from care.model.staff import Role, Staff
from care.ports import UnitOfWork

STAYS = timedelta(hours=24)  # clinic protocol 2026-01
GRAVE = frozenset({CaseLevel.L0, CaseLevel.L1, CaseLevel.P2, CaseLevel.P3, CaseLevel.K2, CaseLevel.K3})


def refuse_too_soon(member_id: MemberId, colleague: Staff, because: str, *, uow: UnitOfWork, now: datetime) -> None:
    """Refuse to leave a member with the bot within a day of something grave, whether it is resolved or not.

    Args:
        member_id: whose conversation it is.
        colleague: who wants to hand it back. A lead may, with a reason, except after a crisis.
        because: the reason.
        uow: open.
        now: aware.

    Raises:
        HandBackTooSoon: naming the level and from when on it is possible.
    """
    until = {
        case.level: (case.raised_at or case.opened_at) + STAYS
        for case in reversed(uow.cases.of_member(member_id))
        if case.level in GRAVE and (case.raised_at or case.opened_at) + STAYS > now
    }
    lead_decides = colleague.role is Role.LEAD and because.strip() and CaseLevel.P3 not in until
    if until and not lead_decides:
        level = CaseLevel.P3 if CaseLevel.P3 in until else max(until, key=lambda one: until[one])
        raise HandBackTooSoon(level.value, until[level])
