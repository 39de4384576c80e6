"""Pictures and voices: noted with the message, fetched later, kept without what the camera wrote beside them.

What the member is told about a file is said in `media_talk`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from care.model.attachment import Attachment, AttachmentId, AttachmentState, Clean, MediaKind
from care.model.consent import Purpose
from care.model.errors import NotFound
from care.model.ids import new_id
from care.model.message import Message
from care.model.staff import Reader
from care.ports import UnitOfWork


def note(
    message: Message,
    channel: str,
    kind: MediaKind,
    vendor_id: str,
    clean: Clean | None,
    *,
    uow: UnitOfWork,
    now: datetime,
) -> Attachment:
    """Store that a message came with a file: to be fetched, or here already."""
    attachment = Attachment(
        id=AttachmentId(new_id()),
        member_id=message.member_id,
        conversation_id=message.conversation_id,
        message_id=message.id,
        channel=channel,
        kind=kind,
        vendor_id=vendor_id,
        created_at=now,
    )
    uow.attachments.add(attachment)
    if clean is not None:
        _store(attachment, clean, uow=uow, now=now)
    return attachment


def look(
    attachment_id: AttachmentId, *, by: Reader, purpose: Purpose, uow: UnitOfWork, now: datetime
) -> tuple[str, bytes]:
    """Return a stored file and what it is; that it was looked at is a line of its own in the access log.

    Raises:
        NotFound: there is none, it is not stored, or it is another member's than the one who asks.
        NotAllowed: the member's choices forbid this purpose.
    """
    attachment = uow.attachments.get(attachment_id)
    if by.kind == "member" and by.id != attachment.member_id:
        raise NotFound("attachment", attachment_id)
    if attachment.state is not AttachmentState.STORED or attachment.mime is None:
        raise NotFound("content of attachment", attachment_id)
    uow.members.get(attachment.member_id, by=by, purpose=purpose)
    uow.access.write(by=by, member_id=attachment.member_id, purpose=purpose, what=attachment.kind, at=now)
    return attachment.mime, uow.attachments.content(attachment)


def _store(attachment: Attachment, clean: Clean, *, uow: UnitOfWork, now: datetime) -> None:
    attachment.state, attachment.mime, attachment.size = AttachmentState.STORED, clean.mime, len(clean.content)
    attachment.sha256 = hashlib.sha256(clean.content).hexdigest()
    attachment.reason, attachment.retry_at, attachment.settled_at = None, None, now
    uow.attachments.save(attachment)
    uow.attachments.keep(attachment, clean)
