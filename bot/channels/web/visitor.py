"""Who a browser is: a cookie with a random token, known to us only by its hash; and how often it may write."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

TOKEN_BYTES = 32
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
KEPT_FOR = timedelta(days=180)  # since the last visit
RATE = 30  # messages
RATE_SPAN_S = 60.0
KNOWN_LIMIT = 20_000  # browsers whose rate is remembered at once


def cookie_name(*, secure: bool) -> str:
    """Return the cookie's name; the `__Host-` promise can only be kept over https."""
    return "__Host-anxin_chat" if secure else "anxin_chat"


def token_of(request: Request, *, secure: bool) -> str | None:
    """Return the token the browser brought, if it looks like one of ours."""
    token = request.cookies.get(cookie_name(secure=secure), "")
    return token if TOKEN.fullmatch(token) else None


def new_token() -> str:
    """Return 256 random bits in 43 characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def keep(response: Response, token: str, *, secure: bool) -> None:
    """Give the browser its token, unreadable for scripts and not sent from other sites' forms."""
    response.set_cookie(
        cookie_name(secure=secure),
        token,
        max_age=int(KEPT_FOR.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def account(token: str) -> str:
    """Return the name under which the house knows this browser; the token cannot be won back from it."""
    return hashlib.sha256(token.encode()).hexdigest()


def from_our_page(request: Request) -> bool:
    """Whether a writing request comes from our own page, as far as browsers tell."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


class Rate:
    """At most so many messages in a moving window, per browser. In memory: a restart forgives."""

    def __init__(
        self,
        limit: int = RATE,
        span_s: float = RATE_SPAN_S,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._span_s = span_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, who: str) -> float:
        """Count one message and return 0, or return how many seconds to wait without counting it."""
        now = self._monotonic()
        with self._lock:
            times = self._seen.setdefault(who, deque())
            self._seen.move_to_end(who)
            while times and times[0] <= now - self._span_s:
                times.popleft()
            if len(times) >= self._limit:
                return times[0] + self._span_s - now
            times.append(now)
            while len(self._seen) > KNOWN_LIMIT:
                self._seen.popitem(last=False)
        return 0.0
