"""Fetching Telegram's updates ourselves, where no webhook can reach us.

Updates are confirmed, by asking for later ones, only after every one of the batch is committed. Telegram's numbers
may start anew at any value after a quiet week, so a number is used to confirm one batch and then forgotten; what
comes twice is recognised by the inbox.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.channels.telegram.line import POLL_TIMEOUT_S, TelegramLine
from bot.channels.telegram.parse import CHANNEL, WANTED, Received, from_update
from bot.channels.telegram.sender import seconds

logger = logging.getLogger(__name__)

PAUSE_S = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds after the first, second, … failure in a row
TAKEN_PAUSE_S = 30.0  # somebody else polls, or a webhook is set

Take = Callable[[Received], None]


async def poll(line: TelegramLine, take: Take, *, timeout_s: int = POLL_TIMEOUT_S) -> None:
    """Fetch and store updates until cancelled.

    Args:
        line: started.
        take: stores one update and returns only when it is committed; called in a thread.
        timeout_s: how long Telegram may keep an empty answer back.
    """
    confirm: int | None = None
    failures = 0
    while True:
        try:
            updates = await line.bot.get_updates(offset=confirm, timeout=timeout_s, allowed_updates=list(WANTED))
            confirm = await _take_all(updates, take)
            failures = 0
        except TelegramError as trouble:
            failures += 1
            logger.warning(
                "telegram poll failed",
                extra={"channel": CHANNEL, "code": type(trouble).__name__, "attempt": failures},
            )
            await asyncio.sleep(_pause_s(trouble, failures))
        except Exception as broken:  # the database is busy: nothing is confirmed, all of it comes again
            failures += 1
            logger.exception("telegram updates not stored", extra={"code": type(broken).__name__})
            await asyncio.sleep(_pause_s(None, failures))


async def _take_all(updates: tuple[Update, ...], take: Take) -> int | None:
    """Store a batch in its order and return what confirms it."""
    for update in updates:
        await asyncio.to_thread(take, from_update(update))
    return max(update.update_id for update in updates) + 1 if updates else None


def _pause_s(trouble: TelegramError | None, failures: int) -> float:
    if isinstance(trouble, RetryAfter):
        return seconds(trouble.retry_after)
    if isinstance(trouble, Conflict | InvalidToken):
        return TAKEN_PAUSE_S
    return PAUSE_S[min(failures, len(PAUSE_S)) - 1]
