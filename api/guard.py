"""What stands before the interface: nobody without the token is read, and nobody is read for long.

It stands before the framework, which would otherwise take in and parse a stranger's body before asking who they are.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

PREFIX = "/api/v1"
OPEN = frozenset({f"{PREFIX}/openapi.json"})  # describes the interface, holds nothing of anybody
BODY_LIMIT = 64_000  # bytes; the largest honest body is far below


class Guard:
    """ASGI middleware for everything under `/api/v1`.

    Args:
        app: what stands behind.
        token: the configured token; without one every call is refused.
    """

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a known caller with a body of bearable size through."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX) or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        if not fits(Headers(scope=scope).get("authorization", ""), self._token):
            refusal = problem(401, "unauthorized", "a valid token is needed")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            await refusal(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            await problem(413, "too_large", f"at most {BODY_LIMIT} bytes")(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)


def fits(header: str, token: str) -> bool:
    """Whether an `Authorization` header carries the token; without a token nothing fits."""
    scheme, _, offered = header.partition(" ")
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(offered.encode(), token.encode())


async def _read(receive: Receive) -> bytes | None:
    """Return the whole body, or None as soon as it is too large."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > BODY_LIMIT:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return body


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
