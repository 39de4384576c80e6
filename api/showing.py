"""How care's nouns are shown over the interface."""

from __future__ import annotations

from api import bodies as b
from care.model.appointment import Appointment, Slot
from care.model.case import Case
from care.model.member import Member
from care.model.message import Message, OutboxItem
from care.model.touchpoint import Touchpoint
from care.model.treatment import Episode, Treatment
from care.ports import UnitOfWork


def member(one: Member) -> b.MemberOut:
    """Return a member as the practice system sees them."""
    return b.MemberOut(
        id=one.id,
        name=one.name,
        phone=one.phone,
        title=one.title,
        zone=one.zone,
        level=one.level,
        risk_facts=sorted(one.risk_facts),
        external_ref=one.external_ref,
        created_at=one.created_at,
    )


def slot(one: Slot) -> b.SlotOut:
    """Return a free time."""
    return b.SlotOut.model_validate(one, from_attributes=True)


def appointment(one: Appointment) -> b.AppointmentOut:
    """Return a visit."""
    return b.AppointmentOut(
        id=one.id,
        member_id=one.member_id,
        service=one.slot.service,
        practitioner=one.slot.practitioner,
        clinic=one.slot.clinic,
        chair=one.slot.chair,
        start_at=one.slot.start_at,
        end_at=one.slot.end_at,
        status=one.status.value,
        for_whom=one.for_whom,
        moved_from=one.moved_from,
    )


def message(one: Message, delivery: OutboxItem | None) -> b.MessageOut:
    """Return one thing said, with what became of it."""
    return b.MessageOut(
        id=one.id,
        seq=one.seq,
        author=one.author.value,
        text=one.text,
        at=one.at,
        channel=one.channel,
        buttons=[button.title for button in one.buttons],
        delivery=delivery.state.value if delivery else None,
        assessment=dict(one.assessment) if one.assessment else None,
    )


def case(one: Case) -> b.CaseOut:
    """Return what a human owes a member."""
    return b.CaseOut(
        id=one.id,
        member_id=one.member_id,
        level=one.level.value,
        track=one.track.value,
        reason=one.reason,
        state=one.state.value,
        summary=one.summary,
        opened_at=one.opened_at,
        due_at=one.due_at,
        owner=one.owner,
        taken_at=one.taken_at,
        breached_at=one.breached_at,
        resolved_at=one.resolved_at,
        outcome=one.outcome,
    )


def treatment(one: Treatment, episode: Episode | None, uow: UnitOfWork) -> b.TreatmentOut:
    """Return a treatment with its recovery: planned contacts and answers."""
    contacts = uow.treatments.touchpoints_of(one.member_id) if episode else []
    answers = uow.treatments.answers(episode.id) if episode else []
    return b.TreatmentOut(
        id=one.id,
        member_id=one.member_id,
        kind=one.kind,
        practitioner=one.practitioner,
        clinic=one.clinic,
        ended_at=one.ended_at,
        facts=sorted(one.facts),
        sutures_out_on=one.sutures_out_on,
        external_ref=one.external_ref,
        episode_id=episode.id if episode else None,
        episode_status=episode.status.value if episode else None,
        touchpoints=[_contact(contact) for contact in contacts if episode and contact.episode_id == episode.id],
        answers=[b.AnswerOut.model_validate(answer, from_attributes=True) for answer in answers],
    )


def _contact(one: Touchpoint) -> b.TouchpointOut:
    return b.TouchpointOut(
        id=one.id,
        plan=one.plan,
        kind=one.kind.value,
        due_at=one.due_at,
        expires_at=one.expires_at,
        handed_over_at=one.handed_over_at,
        state=one.state.value,
        reason=one.reason,
        safety=one.safety,
        ask=list(one.ask),
        answered=list(one.answered),
    )
