"""What the core needs from its database about cases: their moments, tasks that follow from them, and calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from care.model.deadline import Deadline, DeadlineKind
from care.model.ids import CaseId, MemberId
from care.model.tasks import CarerTask, PhoneCall


class Deadlines(Protocol):
    """Moments at which something has to happen about a case."""

    def add(self, deadline: Deadline) -> None:
        """Store a moment."""

    def get(self, deadline_id: str, *, lock: bool = False) -> Deadline:
        """Return one."""

    def save(self, deadline: Deadline) -> None:
        """Store what became of it."""

    def waiting(self, case_id: CaseId) -> list[Deadline]:
        """Return the moments of a case that have not come yet, earliest first."""

    def let_go(self, case_id: CaseId, kinds: frozenset[DeadlineKind], outcome: str, at: datetime) -> None:
        """End waiting moments of these kinds without anything happening."""

    def claim_due(self, now: datetime, lease_until: datetime, limit: int) -> list[Deadline]:
        """Lease moments that have come, the earliest first; two schedulers never share one while a lease lasts."""


class Tasks(Protocol):
    """Tasks of colleagues, and calls they made."""

    def add(self, task: CarerTask) -> bool:
        """Store a task; False if one with this key was stored before."""

    def get(self, task_id: str, *, lock: bool = False) -> CarerTask:
        """Return one."""

    def save(self, task: CarerTask) -> None:
        """Store changed fields."""

    def open(self) -> list[CarerTask]:
        """Return tasks nobody has done yet, what is due first first."""

    def of_member(self, member_id: MemberId) -> list[CarerTask]:
        """Return a member's tasks, newest first."""

    def write_call(self, call: PhoneCall) -> None:
        """Append a call."""

    def calls(self, about: Sequence[str]) -> list[PhoneCall]:
        """Return the calls about these cases and tasks, the latest first."""
