"""Tasks of colleagues that follow from a case: given once, done once."""

from __future__ import annotations

from datetime import datetime

from care.model.ids import CaseId, MemberId, StaffId, new_id
from care.model.staff import Role
from care.model.tasks import CarerTask, TaskKind
from care.ports import Clock, UnitOfWork


def give(
    member_id: MemberId,
    kind: TaskKind,
    role: Role,
    *,
    key: str,
    due_at: datetime,
    uow: UnitOfWork,
    now: datetime,
    case_id: CaseId | None = None,
    assigned: StaffId | None = None,
) -> bool:
    """Give a role, or one colleague, something to do for a member; False if it was given before under this key."""
    return uow.tasks.add(
        CarerTask(
            id=new_id(),
            key=key,
            member_id=member_id,
            kind=kind,
            role=role,
            opened_at=now,
            due_at=due_at,
            case_id=case_id,
            assigned=assigned,
        )
    )


def done(task_id: str, staff_id: StaffId, note: str, *, uow: UnitOfWork, clock: Clock) -> CarerTask:
    """Record that a task was done, with one line on it. Safe to repeat: the first one stands."""
    task = uow.tasks.get(task_id, lock=True)
    if task.done_at is None:
        task.done_at, task.done_by, task.note = clock.now(), staff_id, note.strip()
        uow.tasks.save(task)
    return task
