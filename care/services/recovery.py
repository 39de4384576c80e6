"""Opening, finding and ending a recovery."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from care.model.answer_rules import ALONE_AFTER_SEDATION
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.errors import Conflict, InvalidInput
from care.model.ids import EpisodeId, MemberId, TreatmentId, new_id
from care.model.member import RISK_FACTS
from care.model.pack import Pack
from care.model.staff import SCHEDULER_READER, Reader
from care.model.touchpoint import WAITING, TouchpointState
from care.model.treatment import Episode, EpisodeStatus, Treatment
from care.ports import Clock, UnitOfWork
from care.services import cases, planning

CLOCK_SKEW = timedelta(minutes=5)  # how far ahead of ours a practice system's clock may run
OLDEST = timedelta(days=365)  # a treatment longer ago opens no recovery
STILL_COUNTS = timedelta(days=30)  # so long a recovery that ended well is still what a question is about
INSTRUCTIONS_LIMIT = 60  # characters, so that a message stays short
NEXT_STEP_LIMIT = 30
WORST_PAIN = 10
LEAVING = frozenset({*WAITING, TouchpointState.CLAIMED})


def record_treatment(
    member_id: MemberId,
    *,
    kind: str,
    practitioner: str,
    clinic: str,
    ended_at: datetime,
    uow: UnitOfWork,
    clock: Clock,
    pack: Pack,
    facts: frozenset[str] = frozenset(),
    sutures_out_on: date | None = None,
    external_ref: str | None = None,
    instructions: str | None = None,
    next_step: str | None = None,
    pain_before: float | None = None,
    by: Reader = SCHEDULER_READER,
    zone: ZoneInfo | None = None,
) -> tuple[Treatment, Episode | None]:
    """Record a treatment and open its recovery if the pack has a protocol for it.

    Safe to repeat with the same `external_ref`: the first recording stands.

    Args:
        member_id: whose it is.
        kind: a protocol code of the pack, or a service: its protocol is followed with what the service tells about
            it; a service without one is stored without a recovery.
        practitioner: a code of the pack.
        clinic: a code of the pack.
        ended_at: aware; when the treatment ended.
        uow: open; committed by the caller.
        clock: the present.
        pack: protocols, practitioners and clinics.
        facts: what about it changes the after-care, e.g. `bone_graft`.
        sutures_out_on: the day the sutures come out, in the member's calendar.
        external_ref: the practice system's own id.
        instructions: the doctor's own words to the member, at most 60 characters; repeated, never added to.
        next_step: what the plan of treatment has next, at most 30 characters.
        pain_before: 0-10, before the treatment.
        by: who records it, for the access log.
        zone: the clinic's, for what the nurse is asked after a late operation; the member's if not given.

    Raises:
        NotFound: no such member.
        InvalidInput: a treatment in the future or over a year ago, an unknown code, sutures before the treatment.
        Conflict: the reference stands for a treatment of somebody else.
    """
    now = clock.now()
    member = uow.members.get(member_id, by=by, purpose=Purpose.CARE)
    if external_ref is not None:
        known = uow.treatments.by_ref(external_ref)
        if known is not None and known.member_id != member_id:
            raise Conflict("this reference stands for a treatment of another member")
        if known is not None:
            return known, uow.treatments.episode_of(known.id)
    _refuse_nonsense(kind, practitioner, clinic, ended_at, now, pack)
    unknown = facts - known_facts(pack)
    if unknown:
        raise InvalidInput("facts", f"unknown: {', '.join(sorted(unknown))}")
    _refuse_long("instructions", instructions, INSTRUCTIONS_LIMIT)
    _refuse_long("next_step", next_step, NEXT_STEP_LIMIT)
    if pain_before is not None and not 0 <= pain_before <= WORST_PAIN:
        raise InvalidInput("pain_before", "must be between 0 and 10")
    service = pack.services.get(kind)
    if kind not in pack.protocols and service is not None and service.protocol is not None:
        kind, facts = service.protocol, facts | frozenset(service.facts)
    if sutures_out_on is not None and sutures_out_on < ended_at.astimezone(member.tz).date():
        raise InvalidInput("sutures_out_on", "lies before the treatment")
    treatment = Treatment(
        id=TreatmentId(new_id()),
        member_id=member_id,
        kind=kind,
        practitioner=practitioner,
        clinic=clinic,
        ended_at=ended_at,
        created_at=now,
        facts=facts,
        sutures_out_on=sutures_out_on,
        external_ref=external_ref,
        instructions=instructions,
        next_step=next_step,
        pain_before=pain_before,
    )
    try:
        uow.treatments.add_treatment(treatment)
    except Conflict:  # the same recording twice at one instant is one recording
        known = uow.treatments.by_ref(external_ref) if external_ref is not None else None
        if known is None or known.member_id != member_id:
            raise
        return known, uow.treatments.episode_of(known.id)
    protocol = pack.protocols.get(kind)
    if protocol is None:
        if service is not None and service.marks == "crown":
            _plan_after_crown(treatment, zone=member.tz, facts=member.risk_facts, uow=uow, now=now, pack=pack)
        return treatment, None
    episode = Episode(
        id=EpisodeId(new_id()),
        member_id=member_id,
        treatment_id=treatment.id,
        protocol=kind,
        version=protocol.version,
        opened_at=now,
    )
    uow.treatments.add_episode(episode)
    planned = planning.plan_episode(
        episode, treatment, protocol, zone=member.tz, uow=uow, now=now, facts=facts | member.risk_facts
    )
    for touchpoint in planned:
        if touchpoint.reason == planning.NURSE_PHONES:
            reason = f"{planning.NURSE_PHONES}:{touchpoint.plan}"
            cases.open_case(member_id, CaseLevel.L2, reason, uow=uow, now=now, zone=zone or member.tz)
    return treatment, episode


def cancel_episode(episode_id: EpisodeId, *, reason: str, uow: UnitOfWork, clock: Clock) -> Episode:
    """End a recovery that should not be looked after (recorded by mistake).

    What is planned is cancelled, also what a worker has claimed this moment; a question that was asked already is
    asked no more, and nobody is sent after its answer. Safe to repeat.
    """
    episode = uow.treatments.episode(episode_id)
    if episode.status is EpisodeStatus.OPEN:
        now = clock.now()
        episode.status, episode.closed_at = EpisodeStatus.CANCELLED, now
        episode.closed_reason = reason
        uow.treatments.save_episode(episode)
        for touchpoint in uow.treatments.touchpoints_of(episode.member_id):
            if touchpoint.episode_id != episode_id or touchpoint.closed_at is not None:
                continue
            if touchpoint.state in LEAVING:
                touchpoint.state, touchpoint.reason = TouchpointState.CANCELLED, reason
            elif touchpoint.state is TouchpointState.HANDED_OVER:
                touchpoint.closed_at = now
            else:
                continue
            uow.treatments.save_touchpoint(touchpoint)
    return episode


def known_facts(pack: Pack) -> frozenset[str]:
    """Return what may be told about a treatment: what rules, protocols or services speak of, and what of a member."""
    asked = {fact for rule in pack.rules for fact in (*rule.facts, *rule.without_facts)}
    plans = [plan for protocol in pack.protocols.values() for plan in protocol.touchpoints]
    asked |= {fact for plan in plans for fact in (*plan.only_with, *plan.never_with)}
    changes = [change for protocol in pack.protocols.values() for change in protocol.prior_changes]
    asked |= {fact for change in changes for fact in change.facts}
    asked |= {fact for service in pack.services.values() for fact in service.facts}
    return frozenset(asked) | RISK_FACTS | ALONE_AFTER_SEDATION


def current(member_id: MemberId, *, uow: UnitOfWork, now: datetime | None = None) -> tuple[Episode, Treatment] | None:
    """Return the member's latest open recovery with its treatment.

    With `now`, without an open one, also the latest that ended well within the last weeks: what was signed for it and
    what is dangerous after it holds on.
    """
    episodes = uow.treatments.open_episodes(member_id)
    if not episodes and now is not None:
        return _ended_lately(member_id, uow=uow, now=now)
    if not episodes:
        return None
    pairs = [(episode, uow.treatments.treatment(episode.treatment_id)) for episode in episodes]
    return max(pairs, key=lambda pair: pair[1].ended_at)


def _ended_lately(member_id: MemberId, *, uow: UnitOfWork, now: datetime) -> tuple[Episode, Treatment] | None:
    for treatment in uow.treatments.treatments_of(member_id):
        episode = uow.treatments.episode_of(treatment.id) if now - treatment.ended_at < STILL_COUNTS else None
        if episode is not None and episode.status is EpisodeStatus.CLOSED:
            return episode, treatment
    return None


def _plan_after_crown(
    crown: Treatment, *, zone: ZoneInfo, facts: frozenset[str], uow: UnitOfWork, now: datetime, pack: Pack
) -> None:
    """Plan what the recovery of the latest treatment that waits for a crown has for the days after it."""
    for treatment in uow.treatments.treatments_of(crown.member_id):
        protocol = pack.protocols.get(treatment.kind)
        episode = uow.treatments.episode_of(treatment.id)
        if protocol is None or episode is None or episode.status is EpisodeStatus.CANCELLED:
            continue
        waiting = tuple(plan for plan in protocol.touchpoints if plan.anchor == "crown")
        if waiting and treatment.ended_at < crown.ended_at:
            planning.plan_episode(
                episode,
                treatment,
                replace(protocol, touchpoints=waiting),
                zone=zone,
                uow=uow,
                now=now,
                facts=treatment.facts | facts,
                crown_on=crown.ended_at.astimezone(zone).date(),
            )
            return


def _refuse_long(field: str, words: str | None, limit: int) -> None:
    if words is not None and (len(words) > limit or not words.strip()):
        raise InvalidInput(field, f"must have 1 to {limit} characters")


def _refuse_nonsense(
    kind: str, practitioner: str, clinic: str, ended_at: datetime, now: datetime, pack: Pack
) -> None:
    if ended_at.tzinfo is None:
        raise InvalidInput("ended_at", "needs a time zone")
    if ended_at > now + CLOCK_SKEW:
        raise InvalidInput("ended_at", "lies in the future")
    if ended_at < now - OLDEST:
        raise InvalidInput("ended_at", "lies more than a year back")
    if kind not in pack.protocols and kind not in pack.services:
        raise InvalidInput("kind", "is neither a protocol nor a service of the pack")
    if practitioner not in pack.practitioners:
        raise InvalidInput("practitioner", "is not in the pack")
    if clinic not in pack.clinics:
        raise InvalidInput("clinic", "is not in the pack")
