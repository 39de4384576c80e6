"""Times the shifts allow, from the pack and the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from care.adapters.calendar import PackCalendar, working_windows
from care.model.appointment import Opening
from care.model.errors import InvalidInput
from care.model.pack import Pack, Practitioner, Service
from care.ports import Clock

STEP = timedelta(minutes=30)  # visits begin on the hour or the half hour


class ShiftSlots:
    """The port `Slots` over a pack."""

    def __init__(self, pack: Pack, calendar: PackCalendar, clock: Clock) -> None:
        self._pack = pack
        self._calendar = calendar
        self._clock = clock

    def openings(
        self, service: str, start: datetime, end: datetime, *, practitioner: str | None, clinic: str | None
    ) -> Iterable[Opening]:
        """Yield every time the shifts allow, in order of time; see the port."""
        wanted = self._service(service)
        who = self._who(wanted, practitioner)
        if clinic is not None and clinic not in self._pack.clinics:
            raise InvalidInput("clinic", "is not in the pack")
        earliest = max(start, self._clock.now() + timedelta(hours=wanted.lead_time_hours))
        return self._walk(wanted, who, earliest, end, clinic)

    def _walk(
        self, service: Service, who: list[Practitioner], start: datetime, end: datetime, clinic: str | None
    ) -> Iterator[Opening]:
        zone = ZoneInfo(next(iter(self._pack.clinics.values())).zone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        while day <= last:
            today = sorted(
                self._of_day(service, who, day, clinic), key=lambda opening: (opening.start_at, opening.practitioner)
            )
            yield from (opening for opening in today if start <= opening.start_at < end)
            day += timedelta(days=1)

    def _of_day(self, service: Service, who: list[Practitioner], day: date, clinic: str | None) -> Iterator[Opening]:
        length = timedelta(minutes=service.minutes)
        for practitioner in who:
            for place, opens, closes in working_windows(practitioner, day, self._pack, self._calendar):
                if clinic is not None and place != clinic:
                    continue
                at = _round_up(opens)
                while at + length <= closes:
                    yield Opening(
                        service=service.code,
                        practitioner=practitioner.code,
                        clinic=place,
                        chairs=self._pack.chairs_for(place, service),
                        start_at=at,
                        end_at=at + length,
                    )
                    at += STEP

    def _service(self, code: str) -> Service:
        found = self._pack.services.get(code)
        if found is None:
            raise InvalidInput("service", "is not in the pack")
        return found

    def _who(self, service: Service, code: str | None) -> list[Practitioner]:
        able = [one for one in self._pack.practitioners.values() if self._pack.may_do(one, service)]
        if code is None:
            return able
        if code not in self._pack.practitioners:
            raise InvalidInput("practitioner", "is not in the pack")
        chosen = [one for one in able if one.code == code]
        if not chosen:
            raise InvalidInput("practitioner", "does not do this service")
        return chosen


def _round_up(at: datetime) -> datetime:
    past = timedelta(minutes=at.minute % 30, seconds=at.second, microseconds=at.microsecond)
    return at if not past else at + STEP - past
