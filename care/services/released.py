"""What a member's word let go: a check-in that waited for a right to be sent now asks its question."""

from __future__ import annotations

from care.model.assessment import Assessment
from care.model.message import Author, InboxItem, Message
from care.ports import UnitOfWork

SIGN = 2  # characters, as in the "1" a notice asks for


def question(item: InboxItem, *, uow: UnitOfWork) -> str | None:
    """Return what the planned contact asks that this very word let go: empty if nothing; None if there was none."""
    let_go = uow.outbox.released_since(item.conversation_id, item.received_at)
    if not any(one.author in {Author.CHECK_IN, Author.REMINDER} for one in let_go):
        return None
    touchpoint = uow.treatments.open_check_in(item.member_id)
    open_question = touchpoint.open_question if touchpoint else None
    return f"checkin.{open_question}" if open_question else ""


def is_only_a_sign(message: Message, assessment: Assessment) -> bool:
    """Whether a message says no more than "I am here": a character or two, and nothing of danger."""
    return len(message.text.strip()) <= SIGN and not message.payload and not assessment.flags
