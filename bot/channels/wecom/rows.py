"""What one row of a service account's log leads to, inside the transaction that reads it.

A customer's words become a message to be answered; a colleague's words and the system's events never do. Before the
log was read to its end for the first time, what is older than a few minutes is kept for the carers' eyes and not
answered: somebody else has, or nobody waits any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.channels.wecom.parse import CHANNEL, Origin, Row, inbound, words
from bot.inbound import clean
from care.bootstrap import House
from care.model.message import InboxState
from care.ports import UnitOfWork
from care.services import channel_events, conversations, servicers
from care.services.conversations import Recorded
from care.services.servicers import Account

logger = logging.getLogger(__name__)

WELCOME_WITHIN = timedelta(seconds=20)  # the vendor's; counted from when it happened
#: `fail_type` of a message that was taken and not delivered, in our words.
FAILED = {
    1: "account_gone",
    2: "app_closed",
    4: "window_closed",
    5: "session_ended",
    6: "count_spent",
    8: "not_verified",
    10: "refuses",
    11: "nobody_logged_in",
    12: "kind_forbidden",
    13: "security",
}
TAKEN, PASSED_ON, ENDED, TAKEN_AGAIN = 1, 2, 3, 4  # `change_type` of a session


@dataclass(frozen=True, slots=True)
class Welcome:
    """Somebody opened the session and may be greeted once."""

    external_id: str
    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What has to be told to others after the commit."""

    recorded: Recorded | None = None
    welcome: Welcome | None = None


NOTHING = Taken()


@dataclass(frozen=True, slots=True)
class _At:
    """A clock that stands where the row was written: rights run from there, not from when it was read."""

    at: datetime

    def now(self) -> datetime:
        """Return that moment."""
        return self.at


def take(one: Row, house: House, *, uow: UnitOfWork, cold: bool) -> Taken:
    """Keep what a row says. A row that was kept before changes nothing.

    Args:
        one: the row.
        house: for its clock and settings.
        uow: open; committed by the caller together with the mark.
        cold: whether the log was never read to its end before.
    """
    now = house.clock.now()
    old = cold and now - one.at > house.settings.wecom_cold_start
    if one.origin == Origin.CUSTOMER and one.customer:
        return _customer(one, old, uow=uow, now=now)
    if one.origin == Origin.SERVICER and one.customer:
        servicers.carer_wrote(
            Account(CHANNEL, one.external_id),
            clean(words(one)),
            vendor_id=one.vendor_id,
            servicer=one.servicer,
            at=min(one.at, now),
            holds=not old,
            uow=uow,
            now=now,
        )
        return NOTHING
    if one.origin == Origin.SYSTEM and one.kind == "event" and not old:
        return _event(one, house, uow=uow, now=now)
    if not old:
        logger.info("row of no use", extra={"channel": CHANNEL, "code": f"origin_{one.origin}"})
    return NOTHING


def _customer(one: Row, old: bool, *, uow: UnitOfWork, now: datetime) -> Taken:
    said = inbound(one)
    recorded = conversations.record_inbound(
        replace(said, text=clean(said.text)), uow=uow, clock=_At(min(one.at, now))
    )
    if recorded.inbox_id is None:
        return NOTHING
    if old:
        item = uow.inbox.get(recorded.inbox_id)
        item.state, item.reason = InboxState.DONE, "before_start"
        uow.inbox.save(item)
        return NOTHING
    identity = uow.members.identity(CHANNEL, one.external_id)
    if identity is not None:
        servicers.came_back(identity, uow=uow)
    return Taken(recorded=recorded)


def _event(one: Row, house: House, *, uow: UnitOfWork, now: datetime) -> Taken:
    kind = str(one.body.get("event_type", ""))
    if kind == "enter_session" and one.customer:
        return _entered(one, house, uow=uow, now=now)
    if kind == "msg_send_fail":
        failed = one.body.get("fail_type")
        reason = FAILED.get(failed, "unknown") if isinstance(failed, int) else "unknown"
        channel_events.receipt(
            CHANNEL, str(one.body.get("fail_msgid", "")), "refused", reason, uow=uow, clock=house.clock
        )
        return NOTHING
    handle = _HANDLERS.get(kind)
    if handle is None or not one.customer:
        logger.info("event of no use", extra={"channel": CHANNEL, "code": kind[:40]})
    elif channel_events.first_time(CHANNEL, one.vendor_id, uow=uow, clock=house.clock):
        handle(one, uow, now)
    return NOTHING


def _entered(one: Row, house: House, *, uow: UnitOfWork, now: datetime) -> Taken:
    code = str(one.body.get("welcome_code") or "")
    until = one.at + WELCOME_WITHIN
    recorded = channel_events.entered(CHANNEL, one.external_id, one.vendor_id, uow=uow, clock=house.clock)
    if not code or now >= until or not recorded:
        return NOTHING
    return Taken(welcome=Welcome(one.external_id, code, until))


def _session(one: Row, uow: UnitOfWork, now: datetime) -> None:
    account, change = Account(CHANNEL, one.external_id), one.body.get("change_type")
    if change == ENDED:
        servicers.ended(account, uow=uow, now=now)
    elif change in {TAKEN, PASSED_ON, TAKEN_AGAIN}:
        servicers.accepted(account, str(one.body.get("new_servicer_userid") or ""), uow=uow, now=now)


def _recalled_by_member(one: Row, uow: UnitOfWork, now: datetime) -> None:
    servicers.note(Account(CHANNEL, one.external_id), "会员在微信里撤回了一条消息。", uow=uow, now=now)


def _recalled_by_colleague(one: Row, uow: UnitOfWork, now: datetime) -> None:
    servicers.note(Account(CHANNEL, one.external_id), "同事在企业微信里撤回了一条消息。", uow=uow, now=now)


def _refusal(one: Row, uow: UnitOfWork, now: datetime) -> None:
    refuses = one.body.get("reject_switch") == 1
    text = "这位会员在企业微信里被设为拒收，收不到对方的消息了。" if refuses else "企业微信里已取消对这位会员的拒收。"
    servicers.note(Account(CHANNEL, one.external_id), text, uow=uow, now=now)


_HANDLERS: dict[str, Callable[[Row, UnitOfWork, datetime], None]] = {
    "session_status_change": _session,
    "user_recall_msg": _recalled_by_member,
    "servicer_recall_msg": _recalled_by_colleague,
    "reject_customer_msg_switch_change": _refusal,
}
