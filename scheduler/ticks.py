"""What one tick does. Each opens its own transactions, so that a locked database costs one tick and no more."""

from __future__ import annotations

import logging
from datetime import timedelta

from care.bootstrap import House
from care.model.errors import CareError, DialogueUnavailable
from care.model.gate import Verdict
from care.services import cases, touchpoints

logger = logging.getLogger(__name__)

BATCH = 50  # contacts claimed at once
LEASE = timedelta(seconds=60)
ROUNDS = 20  # batches a tick works through before it lets the next tick breathe


def send_due(house: House) -> int:
    """Take every due contact through the gate; return how many were handed over."""
    handed_over = 0
    for _ in range(ROUNDS):
        with house.unit_of_work() as uow:
            now = house.clock.now()
            due = uow.treatments.claim_due(now, now + LEASE, BATCH)
            uow.commit()
        for touchpoint in due:
            try:
                with house.unit_of_work() as uow:
                    decision = touchpoints.hand_over(
                        touchpoint, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone
                    )
                    uow.commit()
            except CareError as refused:
                logger.error("touchpoint failed", extra={"touchpoint_id": touchpoint.id, "code": refused.code})
                continue
            logger.info(
                "touchpoint decided",
                extra={"touchpoint_id": touchpoint.id, "state": decision.verdict, "reason": decision.reason},
            )
            if decision.verdict is Verdict.CLEARED:
                handed_over += 1
                _tell_dialogue(house, touchpoint.member_id, touchpoint.id)
        if len(due) < BATCH:
            break
    return handed_over


def chase_silence(house: House) -> int:
    """Look at unanswered contacts; return how many led to something."""
    moved = 0
    with house.unit_of_work() as uow:
        silent = uow.treatments.unanswered(house.clock.now() - touchpoints.SECOND_CHANNEL_AFTER, 500)
    for touchpoint in silent:
        with house.unit_of_work() as uow:
            fresh = uow.treatments.touchpoint(touchpoint.id, lock=True)
            if fresh.open_question is None:
                continue
            step = touchpoints.chase(fresh, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone)
            uow.commit()
        moved += step != "waiting"
    return moved


def tell_breaches(house: House) -> int:
    """Tell members whose promise was just broken; return how many."""
    with house.unit_of_work() as uow:
        late = cases.tell_breaches(uow=uow, clock=house.clock, pack=house.pack, zone=house.zone)
        uow.commit()
    for case in late:
        logger.warning("case breached", extra={"case_id": case.id, "level": case.level})
    return len(late)


def release_holds(house: House) -> int:
    """Let go of times nobody confirmed; return how many."""
    with house.unit_of_work() as uow:
        released = uow.appointments.release_expired(house.clock.now())
        uow.commit()
    return released


def _tell_dialogue(house: House, member_id: str, touchpoint_id: str) -> None:
    """Let the dialogue leave whatever it was doing; a check-in works without it too."""
    with house.unit_of_work() as uow:
        conversation = uow.conversations.of_member(member_id)  # type: ignore[arg-type]
    if conversation is None:
        return
    try:
        house.dialogue.trigger(conversation.tracker_id, "EXTERNAL_check_in", {"touchpoint_id": touchpoint_id})
    except DialogueUnavailable as down:
        logger.warning("dialogue not told", extra={"touchpoint_id": touchpoint_id, "reason": down.reason})
