"""Booking, moving and cancelling visits.

A time that is offered is only held once the member has chosen it; a hold lapses by itself. The old visit of a move
is kept until the new one is booked, in the same transaction. Whether a time is free is decided by the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from care.model.appointment import Appointment, AppointmentStatus, Hold, Opening, Slot
from care.model.errors import Conflict, HoldExpired, NotFound, SlotTaken, SlotUnavailable
from care.model.ids import AppointmentId, HoldId, MemberId, new_id
from care.model.timespan import TimeSpan
from care.ports import Clock, Slots, UnitOfWork
from care.services import reminders

HORIZON = timedelta(days=60)  # how far ahead the book is open
NOTE_LIMIT = 300  # characters of a visit's note
OFFERED = 3  # a choice of three is read in one glance


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants, as far as they have said it."""

    service: str
    practitioner: str | None = None
    clinic: str | None = None
    time: TimeSpan | None = None
    for_whom: str | None = None
    moves: AppointmentId | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Times to choose from. `fits` is false when nothing was free in the wished time and these are the nearest."""

    slots: tuple[Slot, ...]
    fits: bool
    exact: bool = False  # one slot, starting exactly when the member said


def offer(wish: Wish, *, uow: UnitOfWork, slots: Slots, clock: Clock, count: int = OFFERED) -> Offer:
    """Find the nearest free times for a wish.

    Args:
        wish: the service is needed, everything else narrows the choice.
        uow: open; nothing is changed.
        slots: the shifts.
        clock: the present.
        count: how many times at most, each with another start.

    Returns:
        Free times in order. If the wished time is full, the nearest ones around it, with `fits` false.

    Raises:
        InvalidInput: if service, practitioner or clinic is unknown or they do not go together.
    """
    now = clock.now()
    start, end = now, now + HORIZON
    if wish.time is not None:
        start, end = max(wish.time.start, now), wish.time.end
    if wish.time is not None and wish.time.grain in {"minute", "hour"}:
        within = list(_free(wish, start, end, uow=uow, slots=slots, now=now))
        exact = next((slot for slot in within if slot.start_at == wish.time.start), None)
        if exact is not None:
            return Offer((exact,), fits=True, exact=True)
        chosen = _distinct(within, count)
    else:
        chosen = _distinct(_free(wish, start, end, uow=uow, slots=slots, now=now), count)
    if chosen or wish.time is None:
        return Offer(chosen, fits=bool(chosen))
    around = list(_free(wish, now, now + HORIZON, uow=uow, slots=slots, now=now))
    nearest = sorted(around, key=lambda slot: abs(slot.start_at - start))
    instead = [*_at_the_same_hours(around, wish.time)[: count - 1], *nearest]
    return Offer(tuple(sorted(_distinct(instead, count), key=lambda slot: slot.start_at)), fits=False)


def free_times(wish: Wish, *, uow: UnitOfWork, slots: Slots, clock: Clock) -> Iterator[Slot]:
    """Yield every free time for a wish from now on, in order; what is not taken is never looked for.

    Raises:
        InvalidInput: if service, practitioner or clinic is unknown or they do not go together.
    """
    now = clock.now()
    return _free(wish, now, now + HORIZON, uow=uow, slots=slots, now=now)


def hold(member_id: MemberId, slot: Slot, *, wish: Wish, uow: UnitOfWork, clock: Clock, lasts: timedelta) -> Hold:
    """Keep a time for a member for some minutes; whatever was held for them before is let go.

    Raises:
        SlotTaken: somebody else was first.
        SlotUnavailable: the time is in the past.
    """
    now = clock.now()
    if slot.start_at <= now:
        raise SlotUnavailable("this time is over")
    uow.appointments.release_expired(now)
    kept = Hold(
        id=HoldId(new_id()),
        member_id=member_id,
        slot=slot,
        expires_at=now + lasts,
        for_whom=wish.for_whom,
        moves=wish.moves,
    )
    uow.appointments.hold(kept)
    return kept


def confirm(member_id: MemberId, *, key: str, uow: UnitOfWork, clock: Clock) -> Appointment:
    """Book what is held for the member, and only then let go of the visit it replaces.

    Safe to repeat: the same key returns the visit it made the first time.

    Raises:
        HoldExpired: nothing is held any more.
    """
    done = uow.appointments.by_key(key)
    if done is not None:
        return done
    now = clock.now()
    held = uow.appointments.hold_of(member_id, now)
    if held is None:
        raise HoldExpired("nothing is held for this member")
    appointment = Appointment(
        id=AppointmentId(new_id()),
        member_id=member_id,
        slot=held.slot,
        created_at=now,
        for_whom=held.for_whom,
        moved_from=held.moves,
        key=key,
    )
    uow.appointments.turn_into_visit(held, appointment)
    if held.moves is not None:
        _leave(uow.appointments.get(held.moves), AppointmentStatus.MOVED, uow=uow, now=now)
    reminders.plan(appointment, uow=uow, now=now)
    return appointment


def book(
    member_id: MemberId,
    wish: Wish,
    start_at: datetime,
    *,
    key: str | None,
    uow: UnitOfWork,
    slots: Slots,
    clock: Clock,
) -> Appointment:
    """Book a stated time at once, as the practice system does.

    Raises:
        SlotUnavailable: nobody who can do this works then, or it is too soon or in the past.
        SlotTaken: it is booked or held already.
        InvalidInput: service, practitioner or clinic is unknown.
    """
    if key is not None:
        done = uow.appointments.by_key(key)
        if done is not None:
            return done
    now = clock.now()
    openings = [
        opening
        for opening in slots.openings(
            wish.service,
            start_at,
            start_at + timedelta(minutes=1),
            practitioner=wish.practitioner,
            clinic=wish.clinic,
        )
        if opening.start_at == start_at
    ]
    if start_at <= now or not openings:
        raise SlotUnavailable("nobody offers this service at this time")
    uow.appointments.release_expired(now)
    slot = _first_free(openings, uow=uow, now=now)
    if slot is None:
        raise SlotTaken("this time is taken")
    appointment = Appointment(
        id=AppointmentId(new_id()),
        member_id=member_id,
        slot=slot,
        created_at=now,
        for_whom=wish.for_whom,
        key=key,
    )
    try:
        uow.appointments.add(appointment)
    except (SlotTaken, Conflict):  # perhaps by this very request, sent twice at one instant
        done = uow.appointments.by_key(key) if key is not None else None
        if done is None:
            raise
        return done
    reminders.plan(appointment, uow=uow, now=now)
    return appointment


def cancel(member_id: MemberId, appointment_id: AppointmentId, *, uow: UnitOfWork, clock: Clock) -> Appointment:
    """Drop a visit and everything planned around it. Safe to repeat.

    Raises:
        NotFound: this member has no such visit.
        Conflict: it is over or was moved.
    """
    appointment = uow.appointments.get(appointment_id)
    if appointment.member_id != member_id:
        raise NotFound("appointment", appointment_id)
    if appointment.status is AppointmentStatus.CANCELLED:
        return appointment
    if appointment.status is not AppointmentStatus.BOOKED:
        raise Conflict(f"the visit is {appointment.status}")
    now = clock.now()
    if appointment.slot.start_at <= now:
        raise Conflict("the visit is over")
    _leave(appointment, AppointmentStatus.CANCELLED, uow=uow, now=now)
    return appointment


def note(member_id: MemberId, words: str, *, uow: UnitOfWork, clock: Clock) -> Appointment | None:
    """Write what whoever treats the member should know onto their next visit; None if there is no visit to come."""
    visits = coming(member_id, uow=uow, clock=clock)
    if not visits:
        return None
    visit = visits[0]
    if words not in (visit.note or ""):
        visit.note = "；".join(filter(None, (visit.note, words)))[-NOTE_LIMIT:]
        uow.appointments.annotate(visit)
    return visit


def coming(member_id: MemberId, *, uow: UnitOfWork, clock: Clock) -> list[Appointment]:
    """Return the member's visits that are still to come, the next one first."""
    return uow.appointments.of_member(member_id, after=clock.now())


def as_held(slot: Slot, *, uow: UnitOfWork, slots: Slots, clock: Clock) -> Slot:
    """Return a slot read back from a button with a chair that is free now.

    Raises:
        SlotTaken: it was taken since it was offered.
        SlotUnavailable: the shifts no longer allow it.
        InvalidInput: the button names something unknown.
    """
    openings = [
        opening
        for opening in slots.openings(
            slot.service,
            slot.start_at,
            slot.start_at + timedelta(minutes=1),
            practitioner=slot.practitioner,
            clinic=slot.clinic,
        )
        if opening.start_at == slot.start_at
    ]
    if not openings:
        raise SlotUnavailable("the shifts no longer allow this time")
    free = _first_free(openings, uow=uow, now=clock.now())
    if free is None:
        raise SlotTaken("this time was taken meanwhile")
    return free


def _free(
    wish: Wish, start: datetime, end: datetime, *, uow: UnitOfWork, slots: Slots, now: datetime
) -> Iterator[Slot]:
    if end <= start:
        return
    taken = uow.appointments.taken(start - timedelta(hours=1), end + timedelta(hours=8), now)
    openings = slots.openings(wish.service, start, end, practitioner=wish.practitioner, clinic=wish.clinic)
    for opening in openings:
        slot = opening.slot(taken)
        if slot is not None:
            yield slot


def _at_the_same_hours(free: list[Slot], time: TimeSpan) -> list[Slot]:
    """Return the first free time of each later day within the wished hours: who asks for an evening works by day."""
    begins, ends = time.start.timetz().replace(tzinfo=None), time.end.timetz().replace(tzinfo=None)
    if time.end - time.start >= timedelta(hours=20) or ends <= begins:
        return []
    found: dict[date, Slot] = {}
    for slot in free:
        local = slot.start_at.astimezone(time.start.tzinfo)
        if slot.start_at >= time.end and begins <= local.time() < ends:
            found.setdefault(local.date(), slot)
    return list(found.values())


def _first_free(openings: list[Opening], *, uow: UnitOfWork, now: datetime) -> Slot | None:
    taken = uow.appointments.taken(openings[0].start_at - timedelta(hours=1), openings[-1].end_at, now)
    return next((slot for opening in openings if (slot := opening.slot(taken)) is not None), None)


def _distinct(free: Iterable[Slot], count: int) -> tuple[Slot, ...]:
    """Take the first `count` slots with different starts."""
    chosen: dict[datetime, Slot] = {}
    for slot in free:
        if slot.start_at not in chosen:
            chosen[slot.start_at] = slot
        if len(chosen) == count:
            break
    return tuple(chosen.values())


def _leave(appointment: Appointment, status: AppointmentStatus, *, uow: UnitOfWork, now: datetime) -> None:
    appointment.status, appointment.closed_at = status, now
    uow.appointments.close(appointment)
    reminders.cancel(appointment.id, reason=f"visit_{status.value}", uow=uow)
