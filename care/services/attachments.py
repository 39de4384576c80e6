"""Pictures and voices: noted with the message, fetched later, kept without what the camera wrote beside them.

What the member is told about a file is said in `media_talk`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from care.model.attachment import Attachment, AttachmentId, AttachmentState, Clean, MediaKind, NotTaken
from care.model.consent import Purpose
from care.model.errors import NotFound
from care.model.ids import new_id
from care.model.message import Message
from care.model.pictures import cleaned
from care.model.staff import Reader
from care.ports import UnitOfWork

ATTEMPTS = 6
BACKOFF_S = (5, 30, 120, 600, 1_800)  # the vendors keep files for days


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


def settle_fetched(attachment: Attachment, content: bytes, *, uow: UnitOfWork, now: datetime) -> None:
    """Keep what a vendor gave us, or say why not.

    Raises:
        Conflict: another worker has claimed it since.
    """
    fresh = _same_claim(attachment, uow=uow)
    try:
        clean = cleaned(content, fresh.kind)
    except NotTaken as refused:
        settle_failed(fresh, refused.reason, uow=uow, now=now)
        return
    _store(fresh, clean, uow=uow, now=now)


def settle_failed(attachment: Attachment, reason: str, *, uow: UnitOfWork, now: datetime) -> None:
    """Record that a file will never be had."""
    fresh = _same_claim(attachment, uow=uow)
    fresh.state = AttachmentState.TOO_BIG if reason in {"too_big", "too_many_pixels"} else AttachmentState.FAILED
    fresh.reason, fresh.settled_at, fresh.retry_at = reason[:40], now, None
    uow.attachments.save(fresh)


def settle_later(attachment: Attachment, reason: str, after_s: float, *, uow: UnitOfWork, now: datetime) -> None:
    """Plan the next try; after the last one it has failed."""
    if attachment.attempts >= ATTEMPTS:
        settle_failed(attachment, reason, uow=uow, now=now)
        return
    fresh = _same_claim(attachment, uow=uow)
    wait_s = max(after_s, BACKOFF_S[min(fresh.attempts - 1, len(BACKOFF_S) - 1)])
    fresh.reason, fresh.retry_at = reason[:40], now + timedelta(seconds=wait_s)
    uow.attachments.save(fresh)


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


def _same_claim(attachment: Attachment, *, uow: UnitOfWork) -> Attachment:
    """Return the file as it stands, under the caller's claim; its member may have become another meanwhile."""
    fresh = uow.attachments.get(attachment.id)
    fresh.lease = attachment.lease
    return fresh


def _store(attachment: Attachment, clean: Clean, *, uow: UnitOfWork, now: datetime) -> None:
    attachment.state, attachment.mime, attachment.size = AttachmentState.STORED, clean.mime, len(clean.content)
    attachment.sha256 = hashlib.sha256(clean.content).hexdigest()
    attachment.reason, attachment.retry_at, attachment.settled_at = None, None, now
    uow.attachments.save(attachment)
    uow.attachments.keep(attachment, clean)
