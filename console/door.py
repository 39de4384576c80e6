"""Who may come in: the session cookie, the token every change must carry, and the headers every answer wears."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from care.adapters.passwords import Argon2Passwords
from care.bootstrap import House
from care.model.errors import BadCredentials, CareError, TooManyAttempts
from care.model.staff import Staff, StaffSession
from care.ports import UnitOfWork
from care.services import staff as colleagues
from console import words

logger = logging.getLogger(__name__)

BODY_LIMIT = 32_000  # bytes; the longest message a carer writes has 2,000 characters
FAILED_A_MINUTE = 30  # failed logins from one address, over all accounts
ADDRESSES_KEPT = 10_000
HASHING_AT_ONCE = 2  # each takes 19 MiB and a core
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # under no-referrer a browser posts our own form with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
NO_STORE = "no-store"
FORMS = ("/console/login",)


class Refused(Exception):
    """A request that is not answered: status, code, one Chinese sentence for the page."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(code)
        self.status, self.code, self.title = status, code, title


def problem(status: int, code: str, title: str, **more: object) -> JSONResponse:
    """Return a refusal as problem details."""
    body = {"type": "about:blank", "title": title, "status": status, "code": code, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


class ConsoleRoute(APIRoute):
    """Guards every request and dresses every answer, also the refusals."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the guarded handler."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                refuse_foreign(request)
                response = await inner(request)
            except Refused as refused:
                response = problem(refused.status, refused.code, refused.title)
            except RequestValidationError as wrong:
                fields = [".".join(str(part) for part in item["loc"] if part != "body") for item in wrong.errors()]
                response = problem(422, "invalid_input", "填写的内容不能接受，请检查", fields=fields)
            except CareError as error:
                status, title = words.refusal(error)
                response = problem(status, error.code, title)
            except HTTPException as error:
                response = problem(error.status_code, "http_error", "请求不能处理")
            except Exception as error:
                logger.error("request failed", exc_info=error)
                response = problem(500, "internal", "我们这边出了点问题，没有做任何改动，请再试一次")
            for name, value in HEADERS.items():
                response.headers[name] = value
            response.headers.setdefault("Cache-Control", NO_STORE)
            return response

        return handle


def refuse_foreign(request: Request) -> None:
    """Refuse a change that does not come from our own page.

    Raises:
        Refused: 403 from elsewhere, 413 too large, 415 not JSON.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = origin is not None and urlsplit(origin).netloc == request.headers.get("host", "")
    if (site is not None and site != "same-origin") or (origin is not None and not ours) or not (site or origin):
        raise Refused(403, "foreign_origin", "请从控制台页面操作")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise Refused(413, "too_large", "内容太长了")
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    wanted = "application/x-www-form-urlencoded" if request.url.path in FORMS else "application/json"
    if kind != wanted:
        raise Refused(415, "wrong_kind", "请从控制台页面操作")


class Throttle:
    """At most so many failed logins a minute from one address. In memory: a restart forgives."""

    def __init__(self, limit: int = FAILED_A_MINUTE, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def full(self, address: str) -> bool:
        """Whether this address has failed too often within the last minute."""
        with self._lock:
            times = self._seen.get(address)
            while times and times[0] <= self._monotonic() - 60:
                times.popleft()
            return times is not None and len(times) >= self._limit

    def failed(self, address: str) -> None:
        """Count a failure."""
        with self._lock:
            self._seen.setdefault(address, deque()).append(self._monotonic())
            self._seen.move_to_end(address)
            while len(self._seen) > ADDRESSES_KEPT:
                self._seen.popitem(last=False)


class Door:
    """Lets colleagues in and out, and knows them by their cookie."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._passwords = Argon2Passwords()
        self._strangers = colleagues.Strangers()
        self._throttle = Throttle()
        self._hashing = threading.BoundedSemaphore(HASHING_AT_ONCE)
        self.secure = house.settings.secure_cookies
        self.cookie = "__Host-anxin_console" if self.secure else "anxin_console"

    def log_in(self, login: str, password: str, address: str) -> str:
        """Return the token for the cookie.

        Raises:
            BadCredentials: they do not belong together.
            TooManyAttempts: this account or this address has failed too often.
        """
        if self._throttle.full(address):
            raise TooManyAttempts
        settings = self._house.settings
        try:
            with self._hashing:
                token, session = colleagues.log_in(
                    login,
                    password,
                    units=self._house.unit_of_work,
                    clock=self._house.clock,
                    passwords=self._passwords,
                    idle=settings.session_idle,
                    absolute=settings.session_absolute,
                    strangers=self._strangers,
                )
        except (BadCredentials, TooManyAttempts) as refused:
            self._throttle.failed(address)
            logger.warning("login refused", extra={"reason": refused.code})
            raise
        logger.info("login", extra={"staff_id": session.staff_id})
        return token

    def enter(self, request: Request, uow: UnitOfWork) -> tuple[Staff, StaffSession]:
        """Return who is asking.

        Raises:
            BadCredentials: nobody we know, or not any more.
        """
        token = request.cookies.get(self.cookie, "")
        if not token or len(token) > 128:
            raise BadCredentials
        acting = request.method == "POST" or request.headers.get("x-acting") == "1"
        idle = self._house.settings.session_idle
        return colleagues.who(token, uow=uow, clock=self._house.clock, idle=idle, acting=acting)

    def enter_to_change(self, request: Request, uow: UnitOfWork) -> Staff:
        """Return who is asking, if the change carries the token of their page.

        Raises:
            BadCredentials: nobody we know.
            Refused: the token is missing or another session's.
        """
        staff, session = self.enter(request, uow)
        given = request.headers.get("x-csrf", "")
        if not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise Refused(403, "csrf", "页面已过期，请刷新后再试")
        return staff

    def leave(self, request: Request) -> None:
        """End the session of this cookie, if there is one."""
        token = request.cookies.get(self.cookie, "")
        if token:
            with self._house.unit_of_work() as uow:
                colleagues.log_out(token, uow=uow)
                uow.commit()

    def give(self, response: Response, token: str) -> None:
        """Hand over the cookie: for this browser session, unreadable for scripts."""
        response.set_cookie(self.cookie, token, path="/", secure=self.secure, httponly=True, samesite="lax")

    def take_back(self, response: Response) -> None:
        """Delete the cookie."""
        response.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="lax")


class Once:
    """Remembers the keys of what was done, so that a repeat of a note is not a second note. In memory."""

    def __init__(self, kept: int = 2_000) -> None:
        self._kept = kept
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, key: str) -> bool:
        """Whether this key was never seen before."""
        with self._lock:
            if key in self._keys:
                return False
            self._keys[key] = None
            while len(self._keys) > self._kept:
                self._keys.popitem(last=False)
            return True

    def forget(self, key: str) -> None:
        """Forget a key whose work failed."""
        with self._lock:
            self._keys.pop(key, None)
