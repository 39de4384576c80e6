"""The clinic, free times and visits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse

from api import bodies as b
from api import showing
from api.problems import problem
from api.reader import PAGE, PRACTICE
from care.bootstrap import House
from care.model.consent import Purpose
from care.model.errors import SlotTaken, SlotUnavailable
from care.model.ids import AppointmentId, MemberId
from care.model.timespan import TimeSpan
from care.services import booking, recovery

SPAN_LIMIT = timedelta(days=62)  # of one question for free times or visits


def book_routes(router: APIRouter, house: House) -> None:
    """Add the routes."""
    _clinic_routes(router, house)
    _visit_routes(router, house)

    @router.get("/availability", tags=["appointments"])
    def list_free_times(
        service: b.Code,
        start: b.Moment,
        end: b.Moment,
        practitioner: b.Code | None = None,
        clinic: b.Code | None = None,
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
                found.append(showing.slot(slot))
            if len(found) == PAGE:
                break
        return found


def _clinic_routes(router: APIRouter, house: House) -> None:
    @router.get("/clinics", tags=["clinic"])
    def list_clinics() -> list[b.ClinicOut]:
        """Return the branches of the pack."""
        found = house.pack.clinics.values()
        return [b.ClinicOut(code=one.code, name=one.name, address=one.address) for one in found]

    @router.get("/protocols", tags=["clinic"])
    def list_protocols() -> list[b.ProtocolOut]:
        """Return the kinds of treatment that open a recovery, and what may be told about a treatment."""
        facts = sorted(recovery.known_facts(house.pack))
        return [
            b.ProtocolOut(code=one.code, name=one.name, version=one.version, approved_by=one.approved_by, facts=facts)
            for one in house.pack.protocols.values()
        ]

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


def _visit_routes(router: APIRouter, house: House) -> None:
    @router.post("/appointments", status_code=201, tags=["appointments"], response_model=b.AppointmentOut)
    def book_appointment(body: b.AppointmentIn) -> b.AppointmentOut | JSONResponse:
        """Book a stated time; 409 with the nearest free times if it is taken or nobody works then.

        The same `idempotency_key` for the same member again returns the visit booked the first time.
        """
        wish = booking.Wish(body.service, practitioner=body.practitioner, clinic=body.clinic, for_whom=body.for_whom)
        try:
            with house.unit_of_work() as uow:
                member = uow.members.get(MemberId(body.member_id), by=PRACTICE, purpose=Purpose.SERVICE_CORE)
                key = f"api:{member.id}:{body.idempotency_key}" if body.idempotency_key else None
                visit = booking.book(
                    member.id, wish, body.start_at, key=key, uow=uow, slots=house.slots, clock=house.clock
                )
                uow.commit()
        except (SlotTaken, SlotUnavailable) as refused:
            nearest = _nearest(house, wish, body.start_at)
            return problem(409, refused.code, str(refused), alternatives=nearest)
        return showing.appointment(visit)

    @router.get("/appointments", tags=["appointments"])
    def list_appointments(
        member_id: b.Id | None = None, start: b.Moment | None = None, end: b.Moment | None = None
    ) -> list[b.AppointmentOut]:
        """Return booked visits of a member, or of a span of at most 62 days."""
        with house.unit_of_work() as uow:
            if member_id is not None:
                uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.SERVICE_CORE)
                found = uow.appointments.of_member(MemberId(member_id))
            elif start is not None and end is not None and start < end <= start + SPAN_LIMIT:
                found = uow.appointments.between(start, end)
                for owner in {visit.member_id for visit in found}:
                    uow.members.get(owner, by=PRACTICE, purpose=Purpose.SERVICE_CORE)
            else:
                raise HTTPException(422, "give member_id, or start and end at most 62 days apart")
            uow.commit()
        return [showing.appointment(visit) for visit in found]

    @router.get("/appointments/{appointment_id}", tags=["appointments"])
    def show_appointment(appointment_id: b.Id) -> b.AppointmentOut:
        """Return one visit, also a cancelled one."""
        with house.unit_of_work() as uow:
            visit = uow.appointments.get(AppointmentId(appointment_id))
            uow.members.get(visit.member_id, by=PRACTICE, purpose=Purpose.SERVICE_CORE)
            uow.commit()
        return showing.appointment(visit)

    @router.post("/appointments/{appointment_id}/cancel", tags=["appointments"])
    def cancel_appointment(appointment_id: b.Id) -> b.AppointmentOut:
        """Drop a visit that is still to come; again changes nothing."""
        with house.unit_of_work() as uow:
            found = uow.appointments.get(AppointmentId(appointment_id))
            uow.members.get(found.member_id, by=PRACTICE, purpose=Purpose.SERVICE_CORE)
            visit = booking.cancel(found.member_id, found.id, uow=uow, clock=house.clock)
            uow.commit()
        return showing.appointment(visit)


def _nearest(house: House, wish: booking.Wish, start_at: datetime) -> list[dict[str, Any]]:
    """Return the free times nearest to one that could not be booked."""
    wished = TimeSpan("", start_at, start_at + timedelta(minutes=1), "minute")
    near = booking.Wish(wish.service, practitioner=wish.practitioner, clinic=wish.clinic, time=wished)
    with house.unit_of_work() as uow:
        found = booking.offer(near, uow=uow, slots=house.slots, clock=house.clock)
    return [showing.slot(slot).model_dump(mode="json") for slot in found.slots]
