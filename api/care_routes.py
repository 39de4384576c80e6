"""Treatments, the recoveries they open, and what humans owe members."""

from __future__ import annotations

from fastapi import APIRouter

from api import bodies as b
from api import showing
from api.reader import PRACTICE
from care.bootstrap import House
from care.model.consent import Purpose
from care.model.ids import CaseId, MemberId, TreatmentId
from care.services import recovery

CANCELLED = "cancelled_by_practice"


def care_routes(router: APIRouter, house: House) -> None:
    """Add the routes."""
    _treatment_routes(router, house)

    @router.get("/cases", tags=["cases"])
    def list_cases(member_id: b.Id | None = None) -> list[b.CaseOut]:
        """Return unresolved cases by urgency, or every case of one member."""
        with house.unit_of_work() as uow:
            if member_id is None:
                found = uow.cases.unresolved()
                for owner in {case.member_id for case in found}:
                    uow.members.get(owner, by=PRACTICE, purpose=Purpose.CARE)
            else:
                uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.CARE)
                found = uow.cases.of_member(MemberId(member_id))
            uow.commit()
        return [showing.case(case) for case in found]

    @router.get("/cases/{case_id}", tags=["cases"])
    def show_case(case_id: b.Id) -> b.CaseOut:
        """Return one case."""
        with house.unit_of_work() as uow:
            case = uow.cases.get(CaseId(case_id))
            uow.members.get(case.member_id, by=PRACTICE, purpose=Purpose.CARE)
            uow.commit()
        return showing.case(case)


def _treatment_routes(router: APIRouter, house: House) -> None:
    @router.post("/treatments", status_code=201, tags=["recovery"])
    def record_treatment(body: b.TreatmentIn) -> b.TreatmentOut:
        """Record a treatment and open its recovery. The same `external_ref` again changes nothing."""
        with house.unit_of_work() as uow:
            fields = body.model_dump() | {"facts": frozenset(body.facts), "member_id": MemberId(body.member_id)}
            treatment, episode = recovery.record_treatment(
                **fields, by=PRACTICE, uow=uow, clock=house.clock, pack=house.pack, zone=house.zone
            )
            out = showing.treatment(treatment, episode, uow)
            uow.commit()
        return out

    @router.get("/treatments", tags=["recovery"])
    def list_treatments(member_id: b.Id) -> list[b.TreatmentOut]:
        """Return a member's treatments, the latest first."""
        with house.unit_of_work() as uow:
            member = uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.CARE)
            out = [
                showing.treatment(one, uow.treatments.episode_of(one.id), uow)
                for one in uow.treatments.treatments_of(member.id)
            ]
            uow.commit()
        return out

    @router.get("/treatments/{treatment_id}", tags=["recovery"])
    def show_treatment(treatment_id: b.Id) -> b.TreatmentOut:
        """Return a treatment with its planned contacts and the answers so far."""
        with house.unit_of_work() as uow:
            treatment = uow.treatments.treatment(TreatmentId(treatment_id))
            uow.members.get(treatment.member_id, by=PRACTICE, purpose=Purpose.CARE)
            out = showing.treatment(treatment, uow.treatments.episode_of(treatment.id), uow)
            uow.commit()
        return out

    @router.post("/treatments/{treatment_id}/cancel", tags=["recovery"])
    def cancel_recovery(treatment_id: b.Id) -> b.TreatmentOut:
        """End the recovery of a treatment that was recorded by mistake; again changes nothing."""
        with house.unit_of_work() as uow:
            treatment = uow.treatments.treatment(TreatmentId(treatment_id))
            uow.members.get(treatment.member_id, by=PRACTICE, purpose=Purpose.CARE)
            episode = uow.treatments.episode_of(treatment.id)
            if episode is not None:
                episode = recovery.cancel_episode(episode.id, reason=CANCELLED, uow=uow, clock=house.clock)
            out = showing.treatment(treatment, episode, uow)
            uow.commit()
        return out
