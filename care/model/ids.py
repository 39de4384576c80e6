"""Identifiers. Random, so that none of them tells anything about a member."""

from __future__ import annotations

from typing import NewType
from uuid import uuid4

MemberId = NewType("MemberId", str)
IdentityId = NewType("IdentityId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
InboxId = NewType("InboxId", str)
OutboxId = NewType("OutboxId", str)
AppointmentId = NewType("AppointmentId", str)
HoldId = NewType("HoldId", str)
TreatmentId = NewType("TreatmentId", str)
EpisodeId = NewType("EpisodeId", str)
TouchpointId = NewType("TouchpointId", str)
CaseId = NewType("CaseId", str)
StaffId = NewType("StaffId", str)


def new_id() -> str:
    """Return 32 hexadecimal characters nobody can guess."""
    return uuid4().hex
