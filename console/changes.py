"""What a carer does at the desk: take over, write, note, hand back, and everything about cases and treatments."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from care.bootstrap import House
from care.model.case import CaseState
from care.model.errors import InvalidInput
from care.model.ids import CaseId, ConversationId, MemberId
from care.model.staff import Reader
from care.services import cases, complaints, conversations, crisis, desk, recovery
from console import bodies as b
from console import words
from console.door import Door, Once

NOTE_LIMIT = 2_000  # characters


def change_routes(router: APIRouter, house: House, door: Door) -> None:
    """Add the requests that change something; each is one transaction."""
    _writing_routes(router, house, door)
    _owner_routes(router, house, door)
    _case_routes(router, house, door)
    _member_routes(router, house, door)


def _writing_routes(router: APIRouter, house: House, door: Door) -> None:
    once = Once()

    @router.post("/conversations/{conversation_id}/messages")
    def write(request: Request, conversation_id: str, body: b.Words) -> Response:
        """Send a message to the member; the same key again sends nothing."""
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            found = desk.guarded_conversation(ConversationId(conversation_id), by=Reader("staff", staff.id), uow=uow)
            message = conversations.write_as_carer(
                found.id, staff.id, body.text, key=body.key, uow=uow, clock=house.clock
            )
            uow.commit()
        return JSONResponse({"message": message.id if message else None})

    @router.post("/conversations/{conversation_id}/notes")
    def note(request: Request, conversation_id: str, body: b.Words) -> Response:
        """Keep an internal note; the same key again keeps nothing."""
        text = body.text.strip()
        if not 0 < len(text) <= NOTE_LIMIT:
            raise InvalidInput("text", f"must have 1 to {NOTE_LIMIT} characters")
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            found = desk.guarded_conversation(ConversationId(conversation_id), by=Reader("staff", staff.id), uow=uow)
            key = f"{staff.id}:{body.key}"
            if once.first(key):
                try:
                    conversations.write_note(found, text, staff_id=staff.id, uow=uow, now=house.clock.now())
                    uow.commit()
                except Exception:
                    once.forget(key)
                    raise
        return JSONResponse({})


def _owner_routes(router: APIRouter, house: House, door: Door) -> None:

    @router.post("/conversations/{conversation_id}/take-over")
    def take_over(request: Request, conversation_id: str, _body: b.Nothing) -> Response:
        """Take the conversation and whatever of the member's cases nobody has: a human is there now."""
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            found = desk.guarded_conversation(ConversationId(conversation_id), by=Reader("staff", staff.id), uow=uow)
            conversations.take_over(found.id, staff.id, uow=uow, clock=house.clock, pack=house.pack)
            for case in uow.cases.open_of(found.member_id):
                if case.state is CaseState.OPEN:
                    cases.take(case.id, staff.id, uow=uow, clock=house.clock)
            uow.commit()
        return JSONResponse({})

    @router.post("/conversations/{conversation_id}/hand-back")
    def hand_back(request: Request, conversation_id: str, body: b.HandBack) -> Response:
        """Give the conversation back to the bot with one line on the outcome."""
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            found = desk.guarded_conversation(ConversationId(conversation_id), by=Reader("staff", staff.id), uow=uow)
            conversations.hand_back(
                found.id,
                staff.id,
                outcome=body.outcome,
                next_step=body.next_step,
                because=body.because,
                may_mention=body.may_mention,
                uow=uow,
                clock=house.clock,
                pack=house.pack,
            )
            uow.commit()
        return JSONResponse({})

    @router.post("/conversations/{conversation_id}/release")
    def release(request: Request, conversation_id: str, body: b.Release) -> Response:
        """Let automation speak to a member again after a crisis; the lead alone, and in writing."""
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            found = desk.guarded_conversation(ConversationId(conversation_id), by=Reader("staff", staff.id), uow=uow)
            crisis.release(found.id, staff.id, body.outcome, uow=uow, clock=house.clock)
            uow.commit()
        return JSONResponse({})


def _case_routes(router: APIRouter, house: House, door: Door) -> None:
    @router.post("/cases/{case_id}/take")
    def take(request: Request, case_id: str, _body: b.Nothing) -> Response:
        """Make a case one's own."""
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            case = desk.guarded_case(CaseId(case_id), by=Reader("staff", staff.id), uow=uow)
            cases.take(case.id, staff.id, uow=uow, clock=house.clock)
            uow.commit()
        return JSONResponse({})

    @router.post("/cases/{case_id}/acknowledge")
    def acknowledge(request: Request, case_id: str, _body: b.Nothing) -> Response:
        """Silence an alarm: somebody has seen it."""
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            case = desk.guarded_case(CaseId(case_id), by=Reader("staff", staff.id), uow=uow)
            cases.acknowledge(case.id, uow=uow, clock=house.clock)
            uow.commit()
        return JSONResponse({})

    @router.post("/cases/{case_id}/resolve")
    def resolve(request: Request, case_id: str, body: b.Resolve) -> Response:
        """Close a case with one line on what was done; of a complaint, ask its member whether it is solved."""
        outcome = _outcome(body.outcome)
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            case = desk.guarded_case(CaseId(case_id), by=Reader("staff", staff.id), uow=uow)
            if cases.is_complaint(case):
                complaints.call_solved(case.id, staff.id, outcome, uow=uow, clock=house.clock, pack=house.pack)
            else:
                cases.resolve(case.id, staff.id, outcome, uow=uow, clock=house.clock)
            uow.commit()
        return JSONResponse({})


def _member_routes(router: APIRouter, house: House, door: Door) -> None:
    @router.post("/members/{member_id}/phone")
    def show_phone(request: Request, member_id: str, _body: b.Nothing) -> Response:
        """Return the whole number; a line of its own in the access log."""
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            number = desk.phone(MemberId(member_id), by=Reader("staff", staff.id), uow=uow, now=house.clock.now())
            uow.commit()
        return JSONResponse({"phone": number})

    @router.post("/members/{member_id}/treatments")
    def record_treatment(request: Request, member_id: str, body: b.NewTreatment) -> Response:
        """Record a treatment, which opens its recovery; the same key again changes nothing."""
        if body.ended_at.tzinfo is not None:
            raise InvalidInput("ended_at", "is wall time of the clinic")
        if not set(body.facts) <= set(words.FACT):
            raise InvalidInput("facts", "holds a code nobody knows")
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            by = Reader("staff", staff.id)
            member = desk.surroundings(MemberId(member_id), by=by, uow=uow, now=house.clock.now()).member
            _, episode = recovery.record_treatment(
                member.id,
                kind=body.kind,
                practitioner=body.practitioner,
                clinic=body.clinic,
                ended_at=body.ended_at.replace(tzinfo=house.zone),
                sutures_out_on=body.sutures_out_on,
                facts=frozenset(body.facts),
                external_ref=f"console:{staff.id}:{body.key}",
                uow=uow,
                clock=house.clock,
                pack=house.pack,
            )
            uow.commit()
        return JSONResponse({"episode": episode.id if episode else None})


def _outcome(given: str) -> str:
    outcome = given.strip()
    if not outcome:
        raise InvalidInput("outcome", "say in one line what was done")
    return outcome
