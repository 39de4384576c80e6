"""A new version of a protocol in recoveries that are under way.

The rule: what was sent keeps the version it was sent under; what has not been sent is planned anew under the pack's.
Versions only go up. A contact of an older version never leaves: it is replaced before the tick that would send it,
and refused by `touchpoints.hand_over` should it be claimed in between. A process that still has the older pack leaves
newer contacts alone.
"""

from __future__ import annotations

import re
from dataclasses import replace

from care.model.errors import Conflict
from care.model.ids import EpisodeId
from care.model.pack import Pack
from care.model.touchpoint import WAITING, Touchpoint, TouchpointKind, TouchpointState
from care.model.treatment import EpisodeStatus
from care.ports import Clock, UnitOfWork
from care.services import planning, verdicts

PENDING = frozenset({*WAITING, TouchpointState.CLAIMED})
PROTOCOL_GONE = "protocol_gone"
QUESTION_GONE = "question_gone"


def is_newer(version: str, than: str) -> bool:
    """Whether a version comes after another: 2026-12 after 2026-11, 2026-11.2 after 2026-11."""
    return _key(version) > _key(than)


def renew(episode_id: EpisodeId, *, uow: UnitOfWork, clock: Clock, pack: Pack) -> list[Touchpoint]:
    """Bring an open recovery to the pack's version of its protocol, in one transaction. Safe to repeat.

    A contact whose new window is over already, but whose old one is not, keeps the old one: nothing that was still to
    come is lost. Second looks were promised to the member and stay, unless the pack no longer has their question.

    Returns:
        What is planned now instead; empty when there was nothing to do.
    """
    uow.conversations.of_member(uow.treatments.episode(episode_id).member_id, lock=True)
    course = verdicts.course_of(episode_id, uow=uow, pack=pack)
    episode, protocol, now = course.episode, course.protocol, clock.now()
    if episode.status is not EpisodeStatus.OPEN:
        return []
    mine = [one for one in uow.treatments.touchpoints_of(episode.member_id) if one.episode_id == episode_id]
    if protocol is None:
        for old in [one for one in mine if one.state in PENDING and one.kind is TouchpointKind.CHECK_IN]:
            _withdraw(old, TouchpointState.CANCELLED, PROTOCOL_GONE, uow=uow)
        return []
    if not is_newer(protocol.version, episode.version):
        return []
    check_ins = [one for one in mine if one.kind is TouchpointKind.CHECK_IN]
    pending = [one for one in check_ins if one.state in PENDING]
    settled = {one.plan for one in check_ins if one.state not in {*PENDING, TouchpointState.REPLACED}}
    for old in pending:
        _withdraw(old, TouchpointState.REPLACED, f"version:{protocol.version}"[:80], uow=uow)
    _drop_unknown_questions(mine, uow=uow, pack=pack)
    episode.version = protocol.version
    uow.treatments.save_episode(episode)
    return planning.plan_episode(
        episode,
        course.treatment,
        replace(protocol, touchpoints=tuple(plan for plan in protocol.touchpoints if plan.code not in settled)),
        zone=course.member.tz,
        facts=course.facts,
        crown_on=planning.crown_day(course.treatment, course.member.tz, uow=uow, pack=pack),
        renewing={one.plan: one for one in pending},
        uow=uow,
        now=now,
    )


def may_leave(touchpoint: Touchpoint, *, uow: UnitOfWork, clock: Clock, pack: Pack) -> bool:
    """Whether a claimed contact is of the version in force; if it is older, its recovery is renewed instead.

    Raises:
        Conflict: it is of a newer version than this process knows, which is for another process to send.
    """
    if touchpoint.kind is not TouchpointKind.CHECK_IN or touchpoint.episode_id is None:
        return True
    protocol = pack.protocols.get(uow.treatments.episode(touchpoint.episode_id).protocol)
    if protocol is not None and touchpoint.version == protocol.version:
        return True
    if protocol is not None and is_newer(touchpoint.version, protocol.version):
        raise Conflict("this contact is of a newer version of the protocol")
    renew(touchpoint.episode_id, uow=uow, clock=clock, pack=pack)
    left = uow.treatments.touchpoint(touchpoint.id)
    if left.state in PENDING:  # planned under no version that is known any more
        _withdraw(left, TouchpointState.REPLACED, "stale_version", uow=uow)
    return False


def _withdraw(touchpoint: Touchpoint, state: TouchpointState, reason: str, *, uow: UnitOfWork) -> None:
    touchpoint.state, touchpoint.reason, touchpoint.lease_until = state, reason, None
    uow.treatments.save_touchpoint(touchpoint)


def _drop_unknown_questions(mine: list[Touchpoint], *, uow: UnitOfWork, pack: Pack) -> None:
    for one in mine:
        known = tuple(code for code in one.ask if code in pack.questions)
        if known == one.ask or one.closed_at is not None:
            continue
        if one.state in PENDING and one.kind is TouchpointKind.RECHECK and not known:
            _withdraw(one, TouchpointState.CANCELLED, QUESTION_GONE, uow=uow)
        elif one.state in {*PENDING, TouchpointState.HANDED_OVER}:
            one.ask = known
            uow.treatments.save_touchpoint(one)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
