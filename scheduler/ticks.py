"""What one tick does. Each opens its own transactions, so that a locked database costs one tick and no more."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from care.bootstrap import House
from care.model.deadline import Deadline, DeadlineKind
from care.model.errors import CareError, Conflict, DialogueUnavailable
from care.model.gate import Verdict
from care.model.touchpoint import Touchpoint, TouchpointKind
from care.services import deadlines, sending, touchpoints

logger = logging.getLogger(__name__)

BATCH = 50  # contacts claimed at once
LEASE = timedelta(seconds=60)
MOMENTS = 100  # moments of cases claimed at once
MOMENT_LEASE = timedelta(seconds=15)  # a scheduler that dies holds up a broken promise no longer
SILENT_AT_ONCE = 10_000  # unanswered contacts of a day; only those that demand something cost a transaction
ROUNDS = 20  # batches a tick works through before it lets the next tick breathe


def send_due(house: House) -> int:
    """Take every due contact through the gate; return how many were handed over."""
    handed_over = 0
    for _ in range(ROUNDS):
        with house.unit_of_work() as uow:
            now = house.clock.now()
            due = uow.treatments.claim_due(now, now + LEASE, BATCH)
            uow.commit()
        asked = [touchpoint for touchpoint in due if _hand_over(house, touchpoint)]
        handed_over += len(asked)
        _tell_dialogue(house, [one for one in asked if one.kind is not TouchpointKind.REMINDER])
        if len(due) < BATCH:
            break
    return handed_over


def _hand_over(house: House, touchpoint: Touchpoint) -> bool:
    """Return whether the contact left. One that fails, for whatever reason, does not hold up the others."""
    extra = {"touchpoint_id": touchpoint.id, "attempt": touchpoint.attempts}
    try:
        with house.unit_of_work() as uow:
            decision = touchpoints.hand_over(touchpoint, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone)
            uow.commit()
    except Conflict as lost:
        logger.info("touchpoint taken over", extra=extra | {"code": lost.code})
        return False
    except Exception as failure:
        code = failure.code if isinstance(failure, CareError) else type(failure).__name__
        logger.exception("touchpoint failed", extra=extra | {"code": code})
        _give_up(house, touchpoint)
        return False
    logger.info("touchpoint decided", extra=extra | {"state": decision.verdict, "reason": decision.reason})
    return decision.verdict is Verdict.CLEARED


def _give_up(house: House, touchpoint: Touchpoint) -> None:
    try:
        with house.unit_of_work() as uow:
            if touchpoints.give_up(touchpoint, uow=uow, clock=house.clock, zone=house.zone):
                uow.commit()
    except Exception as failure:  # the database itself; the lease lapses and the contact comes again
        logger.error("touchpoint left", extra={"touchpoint_id": touchpoint.id, "code": type(failure).__name__})


def chase_silence(house: House) -> int:
    """Look at unanswered contacts; return how many led to something."""
    moved = 0
    now = house.clock.now()
    with house.unit_of_work() as uow:
        silent = uow.treatments.unanswered(now - _first_silence(house), SILENT_AT_ONCE)
    for touchpoint in silent:
        if not touchpoints.is_chased(touchpoint, now, house.pack.silence):
            continue
        try:
            with house.unit_of_work() as uow:
                step = touchpoints.chase(touchpoint, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone)
                uow.commit()
        except Exception as failure:
            code = failure.code if isinstance(failure, CareError) else type(failure).__name__
            logger.exception("silence not chased", extra={"touchpoint_id": touchpoint.id, "code": code})
            continue
        moved += step in {"second_channel", "carer_calls", "forgotten"}
    return moved


def _first_silence(house: House) -> timedelta:
    rows = house.pack.silence
    return timedelta(minutes=min(rows.second_channel_minutes, rows.carer_call_minutes, rows.forgotten_minutes))


def tell_breaches(house: House) -> int:
    """Do what the moments of cases demand: warn, tell a broken promise, climb; return how many were just broken."""
    told = 0
    for _ in range(ROUNDS):
        with house.unit_of_work() as uow:
            now = house.clock.now()
            due = uow.deadlines.claim_due(now, now + MOMENT_LEASE, MOMENTS)
            uow.commit()
        told += sum(_fire(house, deadline) for deadline in due)
        if len(due) < MOMENTS:
            break
    return told


def _fire(house: House, deadline: Deadline) -> bool:
    """Return whether a promise was just broken. A moment that fails comes again after its lease; others go on."""
    extra = {"case_id": deadline.case_id, "action": deadline.kind.value}
    try:
        with house.unit_of_work() as uow:
            case = deadlines.fire(deadline, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone)
            uow.commit()
    except Exception as failure:
        code = failure.code if isinstance(failure, CareError) else type(failure).__name__
        logger.exception("moment of a case failed", extra=extra | {"code": code})
        return False
    if case is not None:
        logger.info("moment of a case", extra=extra | {"level": case.level, "attempt": case.step})
    return case is not None and deadline.kind is DeadlineKind.BREACH


def plan_moments(house: House) -> int:
    """Write the moments of open cases that have none yet, as after an upgrade; return how many cases had none."""
    with house.unit_of_work() as uow:
        bare = [case.id for case in uow.cases.unresolved() if not uow.deadlines.waiting(case.id)]
    for case_id in bare:
        with house.unit_of_work() as uow:
            deadlines.plan(uow.cases.get(case_id, lock=True), uow=uow, now=house.clock.now(), zone=house.zone)
            uow.commit()
    return len(bare)


def release_holds(house: House) -> int:
    """Let go of times nobody confirmed; return how many."""
    with house.unit_of_work() as uow:
        released = uow.appointments.release_expired(house.clock.now())
        uow.commit()
    return released


def expire_held(house: House) -> int:
    """Withdraw what waited for a member's word until it was too late; return how many."""
    with house.unit_of_work() as uow:
        late = sending.expire_held(uow=uow, clock=house.clock)
        uow.commit()
    return late


def _tell_dialogue(house: House, asked: Sequence[Touchpoint]) -> None:
    """Let the dialogue leave whatever it was doing; a check-in works without it, so one refusal ends the telling."""
    for touchpoint in asked:
        with house.unit_of_work() as uow:
            conversation = uow.conversations.of_member(touchpoint.member_id)
        if conversation is None:
            continue
        try:
            house.dialogue.trigger(conversation.tracker_id, "EXTERNAL_check_in", {"touchpoint_id": touchpoint.id})
        except DialogueUnavailable as down:
            logger.warning("dialogue not told", extra={"touchpoint_id": touchpoint.id, "reason": down.reason})
            return
