"""The REST interface `/api/v1` for the practice system. Thin: one service call an endpoint."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AwareDatetime

from api import bodies as b
from care.bootstrap import House
from care.model.appointment import Appointment
from care.model.case import Case
from care.model.consent import Purpose
from care.model.ids import AppointmentId, CaseId, MemberId, TreatmentId
from care.model.member import Member
from care.model.message import Message, OutboxItem
from care.model.staff import Reader
from care.model.treatment import Episode, Treatment
from care.ports import UnitOfWork
from care.services import booking, conversations, members, recovery

PRACTICE = Reader("practice", "")
SPAN_LIMIT = timedelta(days=62)  # of one question for free times
PAGE = 200

bearer = HTTPBearer(auto_error=False, description="The token of ANXIN_API_TOKEN.")


def routes(house: House) -> APIRouter:
    """Return the interface over a house. Without a configured token every call is refused."""
    token = house.settings.api_token.get_secret_value()

    def known(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        offered = given.credentials if given else ""
        if not token or not hmac.compare_digest(offered.encode(), token.encode()):
            raise HTTPException(401, "a valid token is needed", {"WWW-Authenticate": "Bearer"})

    router = APIRouter(prefix="/api/v1", dependencies=[Depends(known)])
    _member_routes(router, house)
    _book_routes(router, house)
    _care_routes(router, house)
    return router


def _member_routes(router: APIRouter, house: House) -> None:
    @router.post("/members", status_code=201, tags=["members"])
    def register_member(body: b.MemberIn, response: Response) -> b.MemberOut:
        """Register a member. The same `external_ref` again returns the one registered before, with 200."""
        with house.unit_of_work() as uow:
            member, new = members.register(**body.model_dump(), by=PRACTICE, uow=uow, clock=house.clock)
            uow.commit()
        response.status_code = 201 if new else 200
        return _member(member)

    @router.get("/members", tags=["members"])
    def list_members(
        phone: str | None = None,
        external_ref: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
    ) -> list[b.MemberOut]:
        """Find members by phone or reference, or page through all of them."""
        with house.unit_of_work() as uow:
            who, why = PRACTICE, Purpose.ADMINISTRATION
            if phone is not None:
                one = uow.members.find_by_phone(phone, by=who, purpose=why)
                found = [one] if one else []
            elif external_ref is not None:
                one = uow.members.find_by_ref(external_ref, by=who, purpose=why)
                found = [one] if one else []
            else:
                found = uow.members.page(by=who, purpose=why, after=MemberId(after) if after else None, limit=limit)
            uow.commit()
        return [_member(member) for member in found]

    @router.get("/members/{member_id}", tags=["members"])
    def show_member(member_id: str) -> b.MemberOut:
        """Return one member."""
        with house.unit_of_work() as uow:
            member = uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.ADMINISTRATION)
            uow.commit()
        return _member(member)

    @router.patch("/members/{member_id}", tags=["members"])
    def correct_member(member_id: str, body: b.MemberPatch) -> b.MemberOut:
        """Change what is given."""
        with house.unit_of_work() as uow:
            member = members.correct(MemberId(member_id), by=PRACTICE, uow=uow, **body.model_dump(exclude_unset=True))
            uow.commit()
        return _member(member)

    @router.post("/members/{member_id}/identities", status_code=204, tags=["members"])
    def bind_identity(member_id: str, body: b.IdentityIn) -> None:
        """Bind a channel account to the member; 409 if it is somebody else's."""
        with house.unit_of_work() as uow:
            member = uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.ADMINISTRATION)
            conversations.add_identity(member.id, body.channel, body.external_id, uow=uow, now=house.clock.now())
            uow.commit()

    @router.get("/members/{member_id}/messages", tags=["members"])
    def list_messages(
        member_id: str,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
    ) -> b.ConversationOut:
        """Return what was said, oldest first, with what became of each message of ours."""
        with house.unit_of_work() as uow:
            said = conversations.history(
                MemberId(member_id), by=PRACTICE, purpose=Purpose.CARE, uow=uow, after=after, limit=limit
            )
            conversation = uow.conversations.of_member(MemberId(member_id))
            deliveries = uow.outbox.for_messages([message.id for message in said])
            uow.commit()
        return b.ConversationOut(
            member_id=member_id,
            owner=conversation.owner if conversation else "bot",
            epoch=conversation.epoch if conversation else 0,
            messages=[_message(message, deliveries.get(message.id)) for message in said],
        )


def _book_routes(router: APIRouter, house: House) -> None:
    @router.get("/practitioners", tags=["clinic"])
    def list_practitioners() -> list[b.PractitionerOut]:
        """Return the practitioners of the pack."""
        return [
            b.PractitionerOut(
                code=one.code,
                name=one.name,
                title=one.title,
                services=[s.code for s in house.pack.services.values() if house.pack.may_do(one, s)],
                languages=list(one.languages),
                good_at=list(one.good_at),
            )
            for one in house.pack.practitioners.values()
        ]

    @router.get("/services", tags=["clinic"])
    def list_services() -> list[b.ServiceOut]:
        """Return the services of the pack."""
        return [
            b.ServiceOut(
                code=one.code,
                name=one.name,
                minutes=one.minutes,
                price_low=one.price_low,
                price_high=one.price_high,
                preparation=one.preparation,
            )
            for one in house.pack.services.values()
        ]

    @router.get("/availability", tags=["appointments"])
    def list_free_times(
        service: str,
        start: AwareDatetime,
        end: AwareDatetime,
        practitioner: str | None = None,
        clinic: str | None = None,
    ) -> list[b.SlotOut]:
        """Return free times of a service between two instants, at most 62 days apart and 200 times."""
        if end <= start or end - start > SPAN_LIMIT:
            raise HTTPException(422, "end must lie after start, by at most 62 days")
        with house.unit_of_work() as uow:
            taken = uow.appointments.taken(start - timedelta(hours=1), end + timedelta(hours=8), house.clock.now())
        found: list[b.SlotOut] = []
        for opening in house.slots.openings(service, start, end, practitioner=practitioner, clinic=clinic):
            slot = opening.slot(taken)
            if slot is not None:
                found.append(b.SlotOut.model_validate(slot, from_attributes=True))
            if len(found) == PAGE:
                break
        return found

    @router.post("/appointments", status_code=201, tags=["appointments"])
    def book_appointment(body: b.AppointmentIn) -> b.AppointmentOut:
        """Book a stated time; 409 if it is taken or nobody works then."""
        with house.unit_of_work() as uow:
            member = uow.members.get(MemberId(body.member_id), by=PRACTICE, purpose=Purpose.SERVICE_CORE)
            key = f"api:{member.id}:{body.idempotency_key}" if body.idempotency_key else None
            appointment = booking.book(
                member.id,
                booking.Wish(
                    body.service, practitioner=body.practitioner, clinic=body.clinic, for_whom=body.for_whom
                ),
                body.start_at,
                key=key,
                uow=uow,
                slots=house.slots,
                clock=house.clock,
            )
            uow.commit()
        return _appointment(appointment)

    @router.get("/appointments", tags=["appointments"])
    def list_appointments(
        member_id: str | None = None, start: AwareDatetime | None = None, end: AwareDatetime | None = None
    ) -> list[b.AppointmentOut]:
        """Return booked visits of a member, or of a span of at most 62 days."""
        with house.unit_of_work() as uow:
            if member_id is not None:
                uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.SERVICE_CORE)
                found = uow.appointments.of_member(MemberId(member_id))
            elif start is not None and end is not None and start < end <= start + SPAN_LIMIT:
                found = uow.appointments.between(start, end)
            else:
                raise HTTPException(422, "give member_id, or start and end at most 62 days apart")
            uow.commit()
        return [_appointment(appointment) for appointment in found]

    @router.get("/appointments/{appointment_id}", tags=["appointments"])
    def show_appointment(appointment_id: str) -> b.AppointmentOut:
        """Return one visit, also a cancelled one."""
        with house.unit_of_work() as uow:
            appointment = uow.appointments.get(AppointmentId(appointment_id))
            uow.members.get(appointment.member_id, by=PRACTICE, purpose=Purpose.SERVICE_CORE)
            uow.commit()
        return _appointment(appointment)

    @router.post("/appointments/{appointment_id}/cancel", tags=["appointments"])
    def cancel_appointment(appointment_id: str) -> b.AppointmentOut:
        """Drop a visit; again changes nothing."""
        with house.unit_of_work() as uow:
            found = uow.appointments.get(AppointmentId(appointment_id))
            appointment = booking.cancel(found.member_id, found.id, uow=uow, clock=house.clock)
            uow.commit()
        return _appointment(appointment)


def _care_routes(router: APIRouter, house: House) -> None:
    @router.post("/treatments", status_code=201, tags=["recovery"])
    def record_treatment(body: b.TreatmentIn) -> b.TreatmentOut:
        """Record a treatment and open its recovery. The same `external_ref` again changes nothing."""
        with house.unit_of_work() as uow:
            fields = body.model_dump() | {"facts": frozenset(body.facts), "member_id": MemberId(body.member_id)}
            treatment, episode = recovery.record_treatment(**fields, uow=uow, clock=house.clock, pack=house.pack)
            out = _treatment(treatment, episode, uow)
            uow.commit()
        return out

    @router.get("/treatments/{treatment_id}", tags=["recovery"])
    def show_treatment(treatment_id: str) -> b.TreatmentOut:
        """Return a treatment with its planned contacts and the answers so far."""
        with house.unit_of_work() as uow:
            treatment = uow.treatments.treatment(TreatmentId(treatment_id))
            uow.members.get(treatment.member_id, by=PRACTICE, purpose=Purpose.CARE)
            out = _treatment(treatment, uow.treatments.episode_of(treatment.id), uow)
            uow.commit()
        return out

    @router.get("/cases", tags=["cases"])
    def list_cases(member_id: str | None = None) -> list[b.CaseOut]:
        """Return unresolved cases by urgency, or every case of one member."""
        with house.unit_of_work() as uow:
            found = uow.cases.unresolved() if member_id is None else uow.cases.of_member(MemberId(member_id))
            for owner in {case.member_id for case in found}:
                uow.members.get(owner, by=PRACTICE, purpose=Purpose.CARE)
            uow.commit()
        return [_case(case) for case in found]

    @router.get("/cases/{case_id}", tags=["cases"])
    def show_case(case_id: str) -> b.CaseOut:
        """Return one case."""
        with house.unit_of_work() as uow:
            case = uow.cases.get(CaseId(case_id))
            uow.members.get(case.member_id, by=PRACTICE, purpose=Purpose.CARE)
            uow.commit()
        return _case(case)


def _member(member: Member) -> b.MemberOut:
    return b.MemberOut(
        id=member.id,
        name=member.name,
        phone=member.phone,
        title=member.title,
        zone=member.zone,
        level=member.level,
        risk_facts=sorted(member.risk_facts),
        external_ref=member.external_ref,
        created_at=member.created_at,
    )


def _appointment(appointment: Appointment) -> b.AppointmentOut:
    slot = appointment.slot
    return b.AppointmentOut(
        id=appointment.id,
        member_id=appointment.member_id,
        service=slot.service,
        practitioner=slot.practitioner,
        clinic=slot.clinic,
        chair=slot.chair,
        start_at=slot.start_at,
        end_at=slot.end_at,
        status=appointment.status.value,
        for_whom=appointment.for_whom,
        moved_from=appointment.moved_from,
    )


def _message(message: Message, delivery: OutboxItem | None) -> b.MessageOut:
    return b.MessageOut(
        id=message.id,
        seq=message.seq,
        author=message.author.value,
        text=message.text,
        at=message.at,
        channel=message.channel,
        buttons=[button.title for button in message.buttons],
        delivery=delivery.state.value if delivery else None,
        assessment=dict(message.assessment) if message.assessment else None,
    )


def _case(case: Case) -> b.CaseOut:
    return b.CaseOut(
        id=case.id,
        member_id=case.member_id,
        level=case.level.value,
        track=case.track.value,
        reason=case.reason,
        state=case.state.value,
        summary=case.summary,
        opened_at=case.opened_at,
        due_at=case.due_at,
        owner=case.owner,
        resolved_at=case.resolved_at,
        outcome=case.outcome,
    )


def _treatment(treatment: Treatment, episode: Episode | None, uow: UnitOfWork) -> b.TreatmentOut:
    contacts = uow.treatments.touchpoints_of(treatment.member_id) if episode else []
    answers: Iterable[object] = uow.treatments.answers(episode.id) if episode else []
    return b.TreatmentOut(
        id=treatment.id,
        member_id=treatment.member_id,
        kind=treatment.kind,
        practitioner=treatment.practitioner,
        clinic=treatment.clinic,
        ended_at=treatment.ended_at,
        facts=sorted(treatment.facts),
        sutures_out_on=treatment.sutures_out_on,
        external_ref=treatment.external_ref,
        episode_id=episode.id if episode else None,
        touchpoints=[
            b.TouchpointOut(
                id=one.id,
                plan=one.plan,
                kind=one.kind.value,
                due_at=one.due_at,
                state=one.state.value,
                reason=one.reason,
                safety=one.safety,
                ask=list(one.ask),
                answered=list(one.answered),
            )
            for one in contacts
            if episode and one.episode_id == episode.id
        ],
        answers=[b.AnswerOut.model_validate(answer, from_attributes=True) for answer in answers],
    )
