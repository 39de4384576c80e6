"""The access token: one owner, fetched once however many ask, renewed before it ends.

Everybody asks inside the line's one loop, so one flight at a time serves all threads. Between processes nothing is
shared and nothing needs to be: `stable_token` and 企业微信's `gettoken` give everybody the same token as long as it
lives, which is also why none is stored.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from bot.channels.tencent.errors import WECHAT, WECOM, Action, Meaning, Meanings, Refusal, meaning_of
from bot.channels.tencent.line import TencentLine
from care.model.errors import SendLater

logger = logging.getLogger(__name__)

FETCH_S = 9.0  # seconds; less than the ten after which nobody should still be waiting
EARLY_S = 300.0  # seconds before its end a token is renewed; the vendor gives the next one five minutes before
FORCE_EVERY_S = 75 * 60.0  # seconds; twenty forced renewals a day are allowed, this is nineteen


@dataclass(frozen=True, slots=True)
class Fresh:
    """A token and how many seconds it lives."""

    token: str
    lives_s: float


Fetch = Callable[[bool], Awaitable[Fresh]]


class Tokens:
    """The token of one account. Use it only inside the line's loop.

    Args:
        fetch: asks the vendor; told whether to insist on a new one.
        monotonic: seconds that only go forward.
    """

    def __init__(self, fetch: Fetch, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._token = ""
        self._ends_at = 0.0
        self._renew_at = 0.0
        self._distrusted = False  # a renewal brought a token that was refused all the same
        self._forced_at: float | None = None
        self._flight: asyncio.Task[str] | None = None

    async def get(self) -> str:
        """Return a token that should be good.

        Raises:
            SendLater: the vendor gave none.
            Refusal: the vendor will not give us one.
        """
        now = self._monotonic()
        if self._token and not self._distrusted and now < self._renew_at:
            return self._token
        try:
            return await self._renew()
        except (SendLater, Refusal):
            if self._token and not self._distrusted and now < self._ends_at:
                return self._token  # it was only renewed early
            raise

    async def instead_of(self, refused: str) -> str:
        """Return another token than the one the vendor refused, or the same if the vendor insists on it.

        However many were refused with one token, they cause one renewal.
        """
        if self._token and self._token != refused and not self._distrusted:
            return self._token
        return await self._renew()

    def distrust(self, refused: str) -> None:
        """Remember that even after a renewal this one was refused: next time a new one is insisted on."""
        if self._token == refused:
            self._distrusted = True

    async def _renew(self) -> str:
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self._fly())
            self._flight.add_done_callback(_seen)
        return await asyncio.shield(self._flight)

    async def _fly(self) -> str:
        now = self._monotonic()
        rested = self._forced_at is None or now - self._forced_at >= FORCE_EVERY_S
        force = self._distrusted and rested
        if force:
            self._forced_at = now
        try:
            async with asyncio.timeout(FETCH_S):
                fresh = await self._fetch(force)
        except TimeoutError:
            raise SendLater("token_unreachable") from None
        now = self._monotonic()
        self._token, self._distrusted = fresh.token, False
        self._ends_at = now + fresh.lives_s
        self._renew_at = now + max(fresh.lives_s - EARLY_S, min(fresh.lives_s / 2, 30.0))
        logger.info("token renewed", extra={"action": "forced" if force else "plain"})
        return fresh.token


def wechat_tokens(line: TencentLine, app_id: str, secret: str) -> Tokens:
    """Return the tokens of a 公众号, by `stable_token`."""

    async def fetch(force: bool) -> Fresh:
        asked = {"grant_type": "client_credential", "appid": app_id, "secret": secret, "force_refresh": force}
        return await _ask(lambda: line.http.post("stable_token", json=asked), WECHAT)

    return Tokens(fetch)


def wecom_tokens(line: TencentLine, corp_id: str, secret: str) -> Tokens:
    """Return the tokens of one application of a 企业微信; there is no way to insist on a new one."""

    async def fetch(_force: bool) -> Fresh:
        asked = {"corpid": corp_id, "corpsecret": secret}
        return await _ask(lambda: line.http.get("gettoken", params=asked), WECOM)

    return Tokens(fetch)


async def _ask(request: Callable[[], Awaitable[httpx.Response]], table: Meanings) -> Fresh:
    """Fetch a token. Whatever goes wrong, no message has left."""
    try:
        response = await request()
        given: Any = response.json() if response.status_code == 200 else None
    except httpx.HTTPError:
        raise SendLater("token_unreachable") from None
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise SendLater("token_unreadable")
    code = given.get("errcode", 0)
    if isinstance(code, int) and code:
        meaning = meaning_of(code, table)
        if meaning.action is Action.TOKEN:  # said of the secret here, as no token was given yet
            meaning = Meaning(Action.DOWN, "bad_secret", 3_600.0)
        raise Refusal(code, meaning)
    token, lives_s = given.get("access_token"), given.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(lives_s, int | float):
        raise SendLater("token_unreadable")
    return Fresh(token, float(lives_s))


def _seen(flight: asyncio.Task[str]) -> None:
    if not flight.cancelled():
        flight.exception()  # whoever waited was told; nobody may be left waiting
