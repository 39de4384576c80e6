"""The scheduler process: APScheduler gives the pulse, the database says what is due."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler

from care.bootstrap import House
from scheduler import recoveries, ticks

logger = logging.getLogger(__name__)


def run(house: House, stop: threading.Event | None = None) -> None:
    """Tick until told to stop (SIGTERM, SIGINT or the event)."""
    ended = stop or threading.Event()
    if stop is None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: ended.set())
    ticks.plan_moments(house)
    recoveries.renew(house)
    pulse = BackgroundScheduler(timezone="UTC")
    every = house.settings.scheduler_pulse_s
    for job, seconds in (
        (ticks.send_due, every),
        (ticks.tell_breaches, every),
        (ticks.chase_silence, every * 15),
        (ticks.release_holds, every * 15),
        (recoveries.renew, every * 30),
        (recoveries.end, every * 300),
        (ticks.expire_held, every * 15),
    ):
        pulse.add_job(
            _guarded(house, job),
            "interval",
            seconds=seconds,
            id=f"{job.__module__}.{job.__name__}",
            coalesce=True,
            max_instances=1,
            misfire_grace_time=60,
        )
    pulse.start()
    logger.info("scheduler ready", extra={"action": "ready"})
    ended.wait()
    pulse.shutdown(wait=True)


def _guarded(house: House, job: Callable[[House], int]) -> Callable[[], None]:
    """A tick that fails is logged by its code and comes again; it never takes the pulse down."""

    def tick() -> None:
        try:
            job(house)
        except Exception:
            logger.exception("tick failed", extra={"action": job.__name__})

    return tick
