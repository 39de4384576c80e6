"""Calling Tencent: errors live in the body of an HTTP 200, tokens end, proxies answer in HTML.

A call either returns what the vendor said with errcode 0, or raises: `Refusal` with the vendor's code, or one of the
core's own errors where there was no code. One renewal of the token and one more try a call, never a loop.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from bot.channels.tencent.crypto import BAD_IN_XML
from bot.channels.tencent.errors import Action, Meanings, Refusal, meaning_of
from bot.channels.tencent.line import TencentLine
from bot.channels.tencent.token import Tokens
from care.model.errors import SendLater, SendRefused, SendUnknown

logger = logging.getLogger(__name__)

NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
MAYBE_DONE = 504  # the gateway gave up waiting; what stands behind it may have done it
BINARY_LIMIT = 10_000_000  # bytes of a picture or a voice; the vendor's own limits are below it

Params = Mapping[str, str | int]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Binary:
    """A file the vendor kept for us."""

    content: bytes
    mime: str


class Api:
    """The interface of one account. Use it only inside the line's loop, as through `line.call(api.post(…), …)`."""

    def __init__(self, line: TencentLine, tokens: Tokens, table: Meanings) -> None:
        self._line = line
        self._tokens = tokens
        self._table = table

    async def post(self, path: str, body: Mapping[str, Any], *, params: Params | None = None) -> dict[str, Any]:
        """Post JSON as raw UTF-8 and return the answer.

        Escapes are refused or shown to members, so characters that JSON cannot carry without one are left out.

        Raises:
            Refusal: with the vendor's error code.
            SendLater: nothing was done: no connection, no token, or an answer from somebody else.
            SendUnknown: it may have been done.
        """
        raw = json.dumps(_carried(body), ensure_ascii=False).encode("utf-8", "ignore")
        headers = {"Content-Type": "application/json; charset=utf-8"}

        async def once(token: str) -> dict[str, Any]:
            query = {**(params or {}), "access_token": token}
            return self._checked(await self._line.http.post(path, params=query, content=raw, headers=headers))

        return await self._with_token(once, path)

    async def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """Ask for something and return the answer; raises as `post` does."""

        async def once(token: str) -> dict[str, Any]:
            return self._checked(await self._line.http.get(path, params={**(params or {}), "access_token": token}))

        return await self._with_token(once, path)

    async def download(self, path: str, params: Params, *, limit: int = BINARY_LIMIT) -> Binary:
        """Fetch a file; an error comes as JSON in its place.

        Raises:
            SendRefused: it is larger than `limit` bytes.
        """

        async def once(token: str) -> Binary:
            query = {**params, "access_token": token}
            async with self._line.http.stream("GET", path, params=query) as response:
                content = b""
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > limit:
                        raise SendRefused("too_large")
            mime = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if response.status_code != 200 or mime in {"application/json", "text/plain", "text/html", ""}:
                self._checked(httpx.Response(response.status_code, content=content))
                raise SendLater("not_a_file")  # errcode 0, and yet no file
            return Binary(content, mime)

        return await self._with_token(once, path)

    async def _with_token(self, once: Callable[[str], Awaitable[Answer]], path: str) -> Answer:
        token = await self._tokens.get()
        try:
            return await self._guarded(once, token)
        except Refusal as refusal:
            if refusal.meaning.action is not Action.TOKEN:
                raise
            logger.info("token refused", extra={"action": path, "code": refusal.code})
        token = await self._tokens.instead_of(token)
        try:
            return await self._guarded(once, token)
        except Refusal as refusal:
            if refusal.meaning.action is Action.TOKEN:
                self._tokens.distrust(token)
                logger.error("token refused again", extra={"action": path, "code": refusal.code})
            raise

    async def _guarded(self, once: Callable[[str], Awaitable[Answer]], token: str) -> Answer:
        try:
            return await once(token)
        except NEVER_LEFT:
            raise SendLater("unreachable") from None
        except httpx.HTTPError:  # the connection broke, or the answer never came, after the words were out
            raise SendUnknown from None

    def _checked(self, response: httpx.Response) -> dict[str, Any]:
        """Return the vendor's answer if it is the vendor's and says errcode 0."""
        if response.status_code == MAYBE_DONE:
            raise SendUnknown
        if response.status_code != 200:
            raise SendLater(f"http_{response.status_code}")
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            raise SendLater("not_json") from None
        code = answer.get("errcode") if isinstance(answer, dict) else None
        if not isinstance(code, int):
            raise SendLater("not_json")
        if code:
            raise Refusal(code, meaning_of(code, self._table))
        return dict(answer)


def _carried(value: Any) -> Any:
    """Return a value without control characters in its words."""
    if isinstance(value, str):
        return BAD_IN_XML.sub("", value)
    if isinstance(value, Mapping):
        return {name: _carried(inner) for name, inner in value.items()}
    return [_carried(inner) for inner in value] if isinstance(value, list | tuple) else value
