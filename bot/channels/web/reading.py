"""What a member sees of their own conversation on the web page.

A message of ours is visible once its delivery is recorded as sent. One still on its way holds the cursor back, so
that a page which asks "what came after" never steps over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from care.bootstrap import House
from care.model.consent import Purpose
from care.model.conversation import BOT, Conversation
from care.model.errors import NotFound
from care.model.ids import MemberId, StaffId
from care.model.message import Author, Message, OutboxState
from care.model.staff import Reader
from care.ports import UnitOfWork
from care.services.conversations import button_token

CHANNEL = "web"
PAGE = 50
ON_ITS_WAY = frozenset({OutboxState.QUEUED, OutboxState.CLAIMED, OutboxState.SENDING, OutboxState.FAILED})

ARRIVED = frozenset({OutboxState.SENT, OutboxState.DELIVERED, OutboxState.READ})

Line = dict[str, object]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of a conversation, in words a page understands.

    `cursor` is where to go on reading later, `first` where older messages end, `more` whether there are further
    ones in the direction that was asked for.
    """

    member_id: MemberId | None = None
    lines: list[Line] = field(default_factory=list)
    cursor: int = 0
    first: int | None = None
    more: bool = False
    owner: Line | None = None

    def as_json(self) -> Line:
        """Return what the page gets."""
        return {
            "messages": self.lines,
            "cursor": self.cursor,
            "first": self.first,
            "more": self.more,
            "owner": self.owner,
        }


def read(
    house: House, account: str, *, after: int | None = None, before: int | None = None, to_end: bool = False
) -> Excerpt:
    """Return messages after a cursor, before one, or the newest; logged as a reading by the member.

    An account that never wrote has no conversation yet: the excerpt is empty and names no member.

    Args:
        house: open.
        account: the browser's account, see `visitor.account`.
        after: only messages later than this cursor; 0 is the very start.
        before: only messages earlier than this sequence number.
        to_end: with `after`, read on until nothing is left instead of stopping after a page.
    """
    with house.unit_of_work() as uow:
        identity = uow.members.identity(CHANNEL, account)
        conversation = uow.conversations.of_member(identity.member_id) if identity else None
        if identity is None or conversation is None:
            return Excerpt()
        start = 0 if after is None else (after or -1)  # the store takes 0 for "the newest"
        raw = uow.conversations.history(conversation.id, after=start, before=before, limit=PAGE)
        full = len(raw) == PAGE
        while full and to_end:
            page = uow.conversations.history(conversation.id, after=raw[-1].seq, limit=PAGE)
            raw += page
            full = len(page) == PAGE
        lines, waiting = _visible(raw, uow=uow)
        if lines:
            reader = Reader("member", identity.member_id)
            uow.members.get(identity.member_id, by=reader, purpose=Purpose.SERVICE_CORE)
            uow.commit()
        owner = _owner(conversation, uow=uow)
    last = raw[-1].seq if raw else (after or 0)
    return Excerpt(
        member_id=identity.member_id,
        lines=lines,
        cursor=last if waiting is None else waiting - 1,
        first=raw[0].seq if raw else None,
        more=full,
        owner=owner,
    )


def _visible(messages: list[Message], *, uow: UnitOfWork) -> tuple[list[Line], int | None]:
    """Return the lines to show, and the sequence number of the first one still on its way."""
    deliveries = uow.outbox.for_messages([message.id for message in messages])
    lines: list[Line] = []
    waiting: int | None = None
    for message in messages:
        if message.note:
            continue
        delivery = deliveries.get(message.id)
        if delivery is not None and delivery.state in ON_ITS_WAY:
            waiting = message.seq if waiting is None else waiting
        elif delivery is None or delivery.state in ARRIVED:
            lines.append(_line(message, uow=uow))
    return lines, waiting


def _line(message: Message, *, uow: UnitOfWork) -> Line:
    line: Line = {
        "id": message.id,
        "seq": message.seq,
        "author": message.author.value,
        "text": message.text,
        "at": message.at.isoformat(timespec="seconds"),
        "buttons": [
            {"title": button.title, "token": button_token(message, index)}
            for index, button in enumerate(message.buttons)
        ],
    }
    if message.author is Author.CARER and message.carer_id:
        line["name"] = _name(StaffId(message.carer_id), uow=uow)
    return line


def _owner(conversation: Conversation, *, uow: UnitOfWork) -> Line | None:
    if conversation.owner == BOT:
        return None
    try:
        staff = uow.staff.get(StaffId(conversation.owner))
    except NotFound:
        return {"name": "", "title": ""}
    return {"name": staff.name, "title": staff.job_title}


def _name(staff_id: StaffId, *, uow: UnitOfWork) -> str:
    try:
        return uow.staff.get(staff_id).name
    except NotFound:
        return ""
