"""What a tick does with recoveries as a whole: new versions of their protocol, and those whose time has come."""

from __future__ import annotations

import logging
from collections.abc import Callable

from care.bootstrap import House
from care.model.errors import CareError
from care.model.ids import EpisodeId
from care.ports import UnitOfWork
from care.services import ending, renewal

logger = logging.getLogger(__name__)

AT_ONCE = 200  # recoveries looked at in one round


def renew(house: House) -> int:
    """Plan anew what was not sent under an older version of a protocol; return in how many recoveries."""
    versions = {code: protocol.version for code, protocol in house.pack.protocols.items()}

    def some(after: EpisodeId | None, uow: UnitOfWork) -> list[EpisodeId]:
        return uow.treatments.outdated(versions, after, AT_ONCE)

    def one(episode_id: EpisodeId, uow: UnitOfWork) -> bool:
        return bool(renewal.renew(episode_id, uow=uow, clock=house.clock, pack=house.pack))

    return _all(house, some, one)


def end(house: House) -> int:
    """End the recoveries whose protocol says so; return how many ended or went to a nurse."""

    def some(after: EpisodeId | None, uow: UnitOfWork) -> list[EpisodeId]:
        return uow.treatments.may_end(after, AT_ONCE)

    def one(episode_id: EpisodeId, uow: UnitOfWork) -> bool:
        return ending.end_if_over(episode_id, uow=uow, clock=house.clock, pack=house.pack) is not None

    return _all(house, some, one)


def _all(
    house: House,
    some: Callable[[EpisodeId | None, UnitOfWork], list[EpisodeId]],
    one: Callable[[EpisodeId, UnitOfWork], bool],
) -> int:
    """Go through what `some` finds, a page at a time; return for how many `one` did something."""
    done, after = 0, None
    while True:
        with house.unit_of_work() as uow:
            found = some(after, uow)
        done += sum(_each(house, episode_id, one) for episode_id in found)
        if len(found) < AT_ONCE:
            return done
        after = found[-1]


def _each(house: House, episode_id: EpisodeId, work: Callable[[EpisodeId, UnitOfWork], bool]) -> bool:
    """Do one recovery in its own transaction; what another process changed meanwhile comes again."""
    try:
        with house.unit_of_work() as uow:
            done = work(episode_id, uow)
            uow.commit()
    except Exception as failure:
        code = failure.code if isinstance(failure, CareError) else type(failure).__name__
        logger.warning("recovery left", extra={"episode_id": episode_id, "code": code})
        return False
    return done
