"""How late the moments of cases happen: 10,000 open cases, one scheduler, the real database, the real clock.

Cases are opened in memory of the clock as if over the last minutes, so that their moments fall due evenly over the next
ones; the scheduler beats as in life. Lateness is measured from the moment a row says to the commit that dealt with it.

Run `make bench-sla`, or `python -m tests.bench.sla --cases 10000 --seconds 60`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from sqlalchemy import text

from care.bootstrap import House, SystemClock
from care.model.case import CaseLevel
from care.model.deadline import DeadlineKind
from care.model.staff import Role
from care.services import cases
from care.testing import a_colleague, a_member
from scheduler import ticks
from tests.days import a_care_house

LEVELS = (CaseLevel.L1, CaseLevel.L2, CaseLevel.W1, CaseLevel.K2, CaseLevel.P2)
PULSE_S = 2.0


def filled(house: House, count: int, seconds: int) -> None:
    """Open cases and let the breach of every tenth fall due within the next `seconds`, evenly."""
    with house.unit_of_work() as uow:
        for role in (Role.NURSE, Role.CARER, Role.LEAD, Role.STORE_MANAGER):
            a_colleague(uow, now=house.clock.now(), name=role.value, role=role)
        uow.commit()
    for start in range(0, count, 500):
        with house.unit_of_work() as uow:
            for number in range(start, min(start + 500, count)):
                member = a_member(uow, now=house.clock.now(), phone=f"139{number:08d}")
                level = LEVELS[number % len(LEVELS)]
                cases.open_case(
                    member.id, level, "request_human", uow=uow, now=house.clock.now(), zone=house.zone, summary="原话"
                )
            uow.commit()
    begin = datetime.now(UTC) + timedelta(seconds=3)
    later = begin + timedelta(days=1)
    with house.unit_of_work() as uow:
        due_soon = [case for number, case in enumerate(uow.cases.unresolved()) if number % 10 == 0]
        db = uow._db  # type: ignore[attr-defined]
        stamp = f"{later:%Y-%m-%d %H:%M:%S.%f}"
        db.execute(text("UPDATE case_deadline SET due_at = :at"), {"at": stamp})
        db.execute(text("UPDATE care_case SET due_at = :at"), {"at": stamp})
        for number, case in enumerate(due_soon):
            moment = begin + timedelta(seconds=seconds * number / len(due_soon))
            for deadline in uow.deadlines.waiting(case.id):
                if deadline.kind is DeadlineKind.BREACH:
                    deadline.due_at = case.due_at = moment
                    uow.deadlines.save(deadline)
                    uow.cases.save(case)
        uow.commit()


def measured(house: House, seconds: int) -> list[float]:
    """Beat until everything that falls due was dealt with; return how late each was, in seconds."""
    until = time.monotonic() + seconds + 15
    while time.monotonic() < until:
        began = time.monotonic()
        ticks.tell_breaches(house)
        time.sleep(max(0.0, PULSE_S - (time.monotonic() - began)))
    with house.engine.connect() as db:
        rows = db.execute(
            text("SELECT due_at, done_at FROM case_deadline WHERE outcome = 'done' AND kind = 'breach'")
        )
        return [(datetime.fromisoformat(done) - datetime.fromisoformat(due)).total_seconds() for due, done in rows]


def main() -> None:
    """Fill, beat, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, a_care_house(Path(folder)) as house:
        house.clock = SystemClock()
        began = time.monotonic()
        filled(house, chosen.cases, chosen.seconds)
        print(f"{chosen.cases} open cases in {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        ticks.tell_breaches(house)
        print(f"an idle tick: {(time.monotonic() - began) * 1000:.1f} ms")
        late = measured(house, chosen.seconds)
    cuts = quantiles(late, n=100)
    print(f"{len(late)} broken promises told: p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, latest {max(late):.2f} s")


if __name__ == "__main__":
    main()
