"""Reminders before a visit: planned with it, cancelled with it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from care.model.appointment import Appointment
from care.model.consent import Purpose
from care.model.gate import next_awake
from care.model.ids import AppointmentId, TouchpointId, new_id
from care.model.staff import SCHEDULER_READER
from care.model.touchpoint import Touchpoint, TouchpointKind, TouchpointState
from care.ports import UnitOfWork

VERSION = "1"
EVENING = time(18)  # the day before, in the member's zone: clinics call it the hour people plan tomorrow
SHORTLY = timedelta(hours=2)
NOT_WORTH_IT = timedelta(hours=3)  # somebody who booked this recently has not forgotten


def plan(appointment: Appointment, *, uow: UnitOfWork, now: datetime) -> list[Touchpoint]:
    """Plan a reminder the evening before and one two hours before; past and nightly ones are left out."""
    member = uow.members.get(appointment.member_id, by=SCHEDULER_READER, purpose=Purpose.SERVICE_CORE)
    start = appointment.slot.start_at
    local = start.astimezone(member.tz)
    evening = datetime.combine(local.date() - timedelta(days=1), EVENING, tzinfo=member.tz)
    wanted = (("visit_tomorrow", evening, start - timedelta(hours=8)), ("visit_soon", start - SHORTLY, start))
    planned = []
    for name, due, expires in wanted:
        if due - now < NOT_WORTH_IT or next_awake(due, member.tz) != due:
            continue  # at half past eight "in two hours" would be wrong; the evening before has to do
        touchpoint = Touchpoint(
            id=TouchpointId(new_id()),
            member_id=appointment.member_id,
            kind=TouchpointKind.REMINDER,
            plan=name,
            occurrence=appointment.id,
            version=VERSION,
            due_at=due,
            expires_at=expires,
            created_at=now,
            appointment_id=appointment.id,
        )
        if uow.treatments.plan(touchpoint):
            planned.append(touchpoint)
    return planned


def cancel(appointment_id: AppointmentId, *, reason: str, uow: UnitOfWork) -> None:
    """Cancel what was still planned for a visit."""
    for touchpoint in uow.treatments.waiting_for(appointment_id=appointment_id):
        touchpoint.state, touchpoint.reason = TouchpointState.CANCELLED, reason
        uow.treatments.save_touchpoint(touchpoint)
