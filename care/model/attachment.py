"""Pictures and voices members send: what is taken, what is recognised by its first bytes, what is taken out.

Nothing is ever decoded here: sizes are read from headers, so that a small file that unfolds into gigapixels costs
nothing. What a camera writes beside the picture (place, time, device, a preview) is left out before anything is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType

from care.model.ids import ConversationId, MemberId, MessageId

AttachmentId = NewType("AttachmentId", str)
MediaKind = Literal["picture", "voice"]
SIZE_LIMIT = 10_000_000  # bytes
PIXEL_LIMIT = 50_000_000  # no phone of 2026 sends more than this to a chat
SIDE_LIMIT = 16_000  # pixels
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


class AttachmentState(StrEnum):
    """How far a file has come."""

    WANTED = "wanted"
    STORED = "stored"
    FAILED = "failed"
    TOO_BIG = "too_big"


@dataclass(slots=True)
class Attachment:
    """One file beside one message."""

    id: AttachmentId
    member_id: MemberId
    conversation_id: ConversationId
    message_id: MessageId
    channel: str
    kind: MediaKind
    vendor_id: str
    created_at: datetime
    state: AttachmentState = AttachmentState.WANTED
    mime: str | None = None
    size: int | None = None
    sha256: str | None = None
    reason: str | None = None
    attempts: int = 0
    lease: int = 0
    retry_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clean:
    """A file as it is kept."""

    mime: str
    content: bytes


class NotTaken(Exception):
    """A file that is not kept; `reason` is wrong_type, too_big, too_many_pixels or broken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sniffed(content: bytes) -> str | None:
    """Return what a file is by its first bytes, whatever its name says; None for everything that is not taken."""
    if content[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[:6] == b"#!AMR\n" or content[:9] == b"#!AMR-WB\n":
        return "audio/amr"
    return None


def fits(kind: MediaKind, mime: str | None) -> bool:
    """Whether a file is of the kind it was announced as."""
    return mime in PICTURES if kind == "picture" else mime == "audio/amr"
