"""Recoveries that end by themselves: the protocol's conditions, held against what the database knows, reason kept."""

from __future__ import annotations

from care.model.answer_rules import as_number
from care.model.case import CaseLevel
from care.model.errors import Conflict
from care.model.ids import EpisodeId
from care.model.pack import Pack
from care.model.stopping import Ending, Standing, ending
from care.model.touchpoint import WAITING, Answer, Touchpoint, TouchpointKind, TouchpointState
from care.model.treatment import EpisodeStatus
from care.ports import Clock, UnitOfWork
from care.services import cases, verdicts
from care.services.verdicts import SKIP, Course

NOT_WELL = "not_well"  # the case for a nurse, once a recovery


def end_if_over(episode_id: EpisodeId, *, uow: UnitOfWork, clock: Clock, pack: Pack) -> Ending | None:
    """End a recovery whose time has come, in one transaction. Safe to repeat.

    What still waits is cancelled with the reason, except contacts the protocol keeps; while one of those waits the
    recovery stays open. At the end of patience with a last answer that was not good, a nurse is asked to look first.

    Returns:
        How it ended, or None while it goes on.

    Raises:
        Conflict: a contact was claimed meanwhile; the next tick looks again.
    """
    now = clock.now()
    uow.conversations.of_member(uow.treatments.episode(episode_id).member_id, lock=True)
    course = verdicts.course_of(episode_id, uow=uow, pack=pack)
    if course.episode.status is not EpisodeStatus.OPEN or course.protocol is None:
        return None
    contacts = [one for one in uow.treatments.touchpoints_of(course.member.id) if one.episode_id == episode_id]
    stop = course.protocol.stop
    found = ending(stop, _standing(course, contacts, uow=uow, clock=clock))
    if found is None:
        return None
    if found is Ending.NOT_WELL:
        reason = f"{NOT_WELL}:{episode_id}"
        cases.open_case(course.member.id, CaseLevel.L3, reason, uow=uow, now=now, zone=course.member.tz)
        return found
    waiting = [one for one in contacts if one.state in WAITING]
    for contact in [one for one in waiting if one.plan not in stop.keep]:
        contact.state, contact.reason = TouchpointState.CANCELLED, found.value
        uow.treatments.save_touchpoint(contact)
    if any(one.plan in stop.keep for one in waiting):
        return None if len([one for one in waiting if one.plan not in stop.keep]) == 0 else found
    course.episode.status, course.episode.closed_at = EpisodeStatus.CLOSED, now
    course.episode.closed_reason = found.value
    uow.treatments.save_episode(course.episode)
    return found


def _standing(course: Course, contacts: list[Touchpoint], *, uow: UnitOfWork, clock: Clock) -> Standing:
    now = clock.now()
    said = [one for one in uow.treatments.answers(course.episode.id) if one.value != SKIP]
    pains = [one.value for one in said if one.question == "pain"]
    if any(one.state is TouchpointState.CLAIMED for one in contacts):
        raise Conflict("a contact is being made at this moment")
    ahead = any(
        (one.state in WAITING and (one.safety or one.kind is TouchpointKind.RECHECK)) or one.open_question is not None
        for one in contacts
    )
    seen = {case.reason for case in uow.cases.of_member(course.member.id)}
    return Standing(
        day=course.day(now),
        today=now.astimezone(course.member.tz).date(),
        sutures_out_on=course.treatment.sutures_out_on,
        contacts=_by_contact(said),
        last_pain=as_number(pains[-1]) if pains else None,
        case_open=bool(uow.cases.open_of(course.member.id)),
        visit_booked=bool(uow.appointments.of_member(course.member.id, after=now)),
        safety_ahead=ahead,
        waiting=tuple(one.plan for one in contacts if one.state in WAITING),
        looked_at=f"{NOT_WELL}:{course.episode.id}" in seen,
    )


def _by_contact(said: list[Answer]) -> list[list[str]]:
    """Return the verdicts of each contact, in the order of its first answer; a second answer replaces the first."""
    found: dict[str, dict[str, str]] = {}
    for one in said:
        found.setdefault(one.touchpoint_id or one.id, {})[one.question] = one.verdict
    return [list(verdicts_of.values()) for verdicts_of in found.values()]
