"""What we keep about a vendor's side of things: how far its log was read, and whose a session is over there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from care.model.ids import CaseId, IdentityId

SERVICER = "wecom"  # owns a conversation that somebody we do not know by name holds in the vendor's own desk


@dataclass(slots=True)
class Cursor:
    """How far a vendor's log was read. One reader at a time: `lease` fences one that comes back late."""

    source: str
    position: str = ""  # the vendor's own mark; empty before the first reading
    caught_up: bool = False  # whether the end was reached once; before that, what is old is not answered
    lease: int = 0
    lease_until: datetime | None = None
    moved_at: datetime | None = None


class ServiceState(IntEnum):
    """Who serves a customer at the vendor's desk (微信客服 `service_state`)."""

    NEW = 0
    ASSISTANT = 1
    POOL = 2
    SERVICER = 3
    ENDED = 4


WITH_HUMANS = frozenset({ServiceState.POOL, ServiceState.SERVICER})


@dataclass(slots=True)
class VendorSession:
    """A customer's session at the vendor's desk as we last knew it."""

    identity_id: IdentityId
    state: ServiceState = ServiceState.NEW
    epoch: int | None = None  # of the conversation: up to this change of owner the vendor is told
    servicer: str | None = None  # the vendor's name for the colleague
    attempts: int = 0
    retry_at: datetime | None = None
    problem: str | None = None  # a code, when the last change was refused
    asked_case: CaseId | None = None  # the wish for a human that was passed on last
