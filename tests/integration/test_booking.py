"""The appointment book keeps its promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from care.model.appointment import AppointmentStatus, Slot
from care.model.errors import CareError, Conflict, HoldExpired, NotFound, SlotTaken, SlotUnavailable
from care.model.ids import MemberId
from care.model.touchpoint import TouchpointState
from care.services import booking
from care.services.booking import Wish
from care.testing import Book, EveryHalfHour, a_member

LASTS = timedelta(minutes=10)
NINE = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)  # Friday 09:00 in Shanghai
ELEVEN = NINE + timedelta(hours=2)


def test_an_offer_names_the_three_nearest_free_times(book: Book) -> None:
    with book.unit_of_work() as uow:
        found = booking.offer(Wish("scaling"), uow=uow, slots=EveryHalfHour(), clock=book.clock)

    starts = [slot.start_at for slot in found.slots]
    assert starts == sorted(set(starts))
    assert len(starts) == 3
    assert starts[0] == book.clock.now()


def test_what_is_held_for_one_member_is_not_offered_to_another(book: Book) -> None:
    slots = EveryHalfHour()
    one = _member(book)
    with book.unit_of_work() as uow:
        first = booking.offer(Wish("scaling"), uow=uow, slots=slots, clock=book.clock).slots[1]
        booking.hold(one, first, wish=Wish("scaling"), uow=uow, clock=book.clock, lasts=LASTS)
        uow.commit()

    with book.unit_of_work() as uow:
        offered = booking.offer(Wish("scaling"), uow=uow, slots=slots, clock=book.clock, count=10).slots

    assert all(slot.end_at <= first.start_at or slot.start_at >= first.end_at for slot in offered)


def test_a_hold_lapses_and_the_time_is_free_again(book: Book) -> None:
    one, other = _member(book), _member(book)
    slot = _slot(NINE)
    with book.unit_of_work() as uow:
        booking.hold(one, slot, wish=Wish("scaling"), uow=uow, clock=book.clock, lasts=LASTS)
        uow.commit()
    with book.unit_of_work() as uow, pytest.raises(SlotTaken):
        booking.hold(other, slot, wish=Wish("scaling"), uow=uow, clock=book.clock, lasts=LASTS)

    book.clock.move(minutes=11)

    with book.unit_of_work() as uow:
        booking.hold(other, slot, wish=Wish("scaling"), uow=uow, clock=book.clock, lasts=LASTS)
        visit = booking.confirm(other, key="t1", uow=uow, clock=book.clock)
        uow.commit()
    with book.unit_of_work() as uow, pytest.raises(HoldExpired):
        booking.confirm(one, key="t2", uow=uow, clock=book.clock)
    assert visit.member_id == other


def test_confirming_the_same_turn_twice_books_once(book: Book) -> None:
    member = _member(book)
    with book.unit_of_work() as uow:
        booking.hold(member, _slot(NINE), wish=Wish("scaling"), uow=uow, clock=book.clock, lasts=LASTS)
        first = booking.confirm(member, key="turn-1", uow=uow, clock=book.clock)
        uow.commit()

    with book.unit_of_work() as uow:
        again = booking.confirm(member, key="turn-1", uow=uow, clock=book.clock)
        visits = booking.coming(member, uow=uow, clock=book.clock)

    assert again.id == first.id
    assert [visit.id for visit in visits] == [first.id]


def test_of_two_people_who_book_one_time_at_the_same_instant_exactly_one_wins(book: Book) -> None:
    people = [_member(book) for _ in range(12)]

    def try_it(member: MemberId) -> str:
        try:
            with book.unit_of_work() as uow:
                booking.book(
                    member, Wish("scaling"), NINE, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock
                )
                uow.commit()
        except SlotTaken as refused:
            return refused.code
        return "booked"

    with ThreadPoolExecutor(12) as crowd:
        results = list(crowd.map(try_it, people))

    assert results.count("booked") == 1
    assert results.count("slot_taken") == 11
    with book.unit_of_work() as uow:
        assert len(uow.appointments.between(NINE, NINE + timedelta(minutes=1))) == 1


def test_two_chairs_take_two_practitioners_but_not_one_twice(book: Book) -> None:
    slots = EveryHalfHour(practitioners=("wang", "li"), chairs=2)
    with book.unit_of_work() as uow:
        for _ in range(2):
            member = a_member(uow, now=book.clock.now())
            booking.book(member.id, Wish("scaling"), NINE, key=None, uow=uow, slots=slots, clock=book.clock)
        third = a_member(uow, now=book.clock.now())
        with pytest.raises(SlotTaken):
            booking.book(third.id, Wish("scaling"), NINE, key=None, uow=uow, slots=slots, clock=book.clock)

        taken = uow.appointments.between(NINE, NINE + timedelta(minutes=1))

    assert {visit.slot.practitioner for visit in taken} == {"wang", "li"}
    assert {visit.slot.chair for visit in taken} == {"c1", "c2"}


def test_moving_keeps_the_old_visit_until_the_new_one_is_booked(book: Book) -> None:
    member = _member(book)
    with book.unit_of_work() as uow:
        old = booking.book(member, Wish("scaling"), NINE, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock)
        later = _slot(NINE + timedelta(hours=3))
        booking.hold(member, later, wish=Wish("scaling", moves=old.id), uow=uow, clock=book.clock, lasts=LASTS)
        uow.commit()
    with book.unit_of_work() as uow:
        assert [visit.id for visit in booking.coming(member, uow=uow, clock=book.clock)] == [old.id]

        new = booking.confirm(member, key="move", uow=uow, clock=book.clock)
        uow.commit()

    with book.unit_of_work() as uow:
        assert [visit.id for visit in booking.coming(member, uow=uow, clock=book.clock)] == [new.id]
        assert uow.appointments.get(old.id).status is AppointmentStatus.MOVED
        assert new.moved_from == old.id


def test_a_cancelled_visit_frees_its_time_and_its_reminders(book: Book) -> None:
    member, other = _member(book), _member(book)
    with book.unit_of_work() as uow:
        visit = booking.book(
            member, Wish("scaling"), ELEVEN, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock
        )
        uow.commit()
    with book.unit_of_work() as uow:
        planned = uow.treatments.touchpoints_of(member)
        assert {touchpoint.plan for touchpoint in planned} == {"visit_tomorrow", "visit_soon"}

        booking.cancel(member, visit.id, uow=uow, clock=book.clock)
        booking.cancel(member, visit.id, uow=uow, clock=book.clock)
        booking.book(other, Wish("scaling"), ELEVEN, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock)

        states = {touchpoint.state for touchpoint in uow.treatments.touchpoints_of(member)}
    assert states == {TouchpointState.CANCELLED}


def test_a_visit_early_in_the_morning_is_remembered_the_evening_before_and_not_in_the_night(book: Book) -> None:
    member = _member(book)

    with book.unit_of_work() as uow:
        booking.book(member, Wish("scaling"), NINE, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock)

        planned = uow.treatments.touchpoints_of(member)

    assert [touchpoint.plan for touchpoint in planned] == ["visit_tomorrow"]


def test_a_visit_that_is_over_cannot_be_cancelled(book: Book) -> None:
    member = _member(book)
    with book.unit_of_work() as uow:
        visit = booking.book(
            member, Wish("scaling"), NINE, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock
        )
        book.clock.set(NINE)

        with pytest.raises(Conflict):
            booking.cancel(member, visit.id, uow=uow, clock=book.clock)


def test_nobody_cancels_a_strangers_visit(book: Book) -> None:
    member, stranger = _member(book), _member(book)
    with book.unit_of_work() as uow:
        visit = booking.book(
            member, Wish("scaling"), NINE, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock
        )

        with pytest.raises(NotFound):
            booking.cancel(stranger, visit.id, uow=uow, clock=book.clock)


@pytest.mark.parametrize(
    ("start", "refusal"),
    [(NINE - timedelta(days=30), SlotUnavailable), (NINE + timedelta(minutes=7), SlotUnavailable)],
)
def test_a_time_that_was_never_offered_cannot_be_booked(
    book: Book, start: datetime, refusal: type[CareError]
) -> None:
    member = _member(book)

    with book.unit_of_work() as uow, pytest.raises(refusal):
        booking.book(member, Wish("scaling"), start, key=None, uow=uow, slots=EveryHalfHour(), clock=book.clock)


def test_a_full_afternoon_is_said_and_the_nearest_times_around_it_are_offered(book: Book) -> None:
    from care.model.timespan import TimeSpan

    slots = EveryHalfHour()
    with book.unit_of_work() as uow:
        for hour in range(4):
            member = a_member(uow, now=book.clock.now())
            booking.book(
                member.id,
                Wish("scaling"),
                NINE + timedelta(hours=hour),
                key=None,
                uow=uow,
                slots=slots,
                clock=book.clock,
            )
        wish = Wish("scaling", time=TimeSpan("上午", NINE, NINE + timedelta(hours=3), "part"))

        found = booking.offer(wish, uow=uow, slots=slots, clock=book.clock)

    assert not found.fits
    assert found.slots
    near = [slot for slot in found.slots if abs(slot.start_at - NINE) <= timedelta(hours=4)]
    another_morning = [slot for slot in found.slots if NINE.time() <= slot.start_at.time() < ELEVEN.time()]
    assert near
    assert {*near, *another_morning} == set(found.slots)


def _member(book: Book) -> MemberId:
    with book.unit_of_work() as uow:
        member = a_member(uow, now=book.clock.now())
        uow.commit()
    return member.id


def _slot(start: datetime) -> Slot:
    return Slot("scaling", "wang", "main", "c1", start, start + timedelta(hours=1))
