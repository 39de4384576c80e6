"""Members, their channel accounts and what was said."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api import bodies as b
from api import showing
from api.reader import PAGE, PRACTICE
from care.bootstrap import House
from care.model.consent import Purpose
from care.model.ids import MemberId
from care.model.member import clean_phone
from care.services import conversations, members


def member_routes(router: APIRouter, house: House) -> None:
    """Add the routes."""

    @router.post(
        "/members",
        status_code=201,
        tags=["members"],
        responses={200: {"model": b.MemberOut, "description": "Registered before under this `external_ref`."}},
    )
    def register_member(body: b.MemberIn, response: Response) -> b.MemberOut:
        """Register a member. The same `external_ref` again returns the one registered before, with 200."""
        with house.unit_of_work() as uow:
            member, new = members.register(**body.model_dump(), by=PRACTICE, uow=uow, clock=house.clock)
            uow.commit()
        response.status_code = 201 if new else 200
        return showing.member(member)

    @router.get("/members", tags=["members"])
    def list_members(
        phone: b.Text | None = None,
        external_ref: b.Text | None = None,
        after: b.Id | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
    ) -> list[b.MemberOut]:
        """Find members by phone or reference, or page through all of them."""
        with house.unit_of_work() as uow:
            who, why = PRACTICE, Purpose.ADMINISTRATION
            if phone is not None:
                one = uow.members.find_by_phone(clean_phone(phone), by=who, purpose=why)
                found = [one] if one else []
            elif external_ref is not None:
                one = uow.members.find_by_ref(external_ref, by=who, purpose=why)
                found = [one] if one else []
            else:
                found = uow.members.page(by=who, purpose=why, after=MemberId(after) if after else None, limit=limit)
            uow.commit()
        return [showing.member(member) for member in found]

    @router.get("/members/{member_id}", tags=["members"])
    def show_member(member_id: b.Id) -> b.MemberOut:
        """Return one member."""
        with house.unit_of_work() as uow:
            member = uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.ADMINISTRATION)
            uow.commit()
        return showing.member(member)

    @router.patch("/members/{member_id}", tags=["members"])
    def correct_member(member_id: b.Id, body: b.MemberPatch) -> b.MemberOut:
        """Change what is given; what is not given stays."""
        with house.unit_of_work() as uow:
            member = members.correct(MemberId(member_id), by=PRACTICE, uow=uow, **body.model_dump(exclude_unset=True))
            uow.commit()
        return showing.member(member)

    @router.post("/members/{member_id}/identities", status_code=204, tags=["members"])
    def bind_identity(member_id: b.Id, body: b.IdentityIn) -> None:
        """Bind a channel account to the member; 409 if it is somebody else's."""
        with house.unit_of_work() as uow:
            member = uow.members.get(MemberId(member_id), by=PRACTICE, purpose=Purpose.ADMINISTRATION)
            conversations.add_identity(member.id, body.channel, body.external_id, uow=uow, now=house.clock.now())
            uow.commit()

    @router.get("/members/{member_id}/messages", tags=["members"])
    def list_messages(
        member_id: b.Id,
        after: Annotated[int, Query(ge=0, le=b.LARGEST)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
    ) -> b.ConversationOut:
        """Return what was said, oldest first, with what became of each message of ours.

        Without `after` these are the newest ones; with it those that follow that `seq`.
        """
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
            messages=[showing.message(message, deliveries.get(message.id)) for message in said],
        )
