"""The web chat: a page, its history, what a member writes, and what comes back at once.

Thin: every answer is one reading or one `accept`. Errors are problem details with a stable `code`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool

from bot.channels.web import visitor
from bot.channels.web.events import OpenPages, Stream, counted
from bot.channels.web.reading import CHANNEL, read
from bot.inbound import accept
from bot.pulse import Pulse
from care.bootstrap import House
from care.model.message import TEXT_LIMIT
from care.services.conversations import Inbound

HERE = Path(__file__).parent
BODY_LIMIT = 64_000  # bytes of one posted message
TEXT_REFUSED = 8_000  # characters; what lies between this and the house's own limit is cut, not refused
CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
LARGEST_SEQ = 2**53
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
FRESH = SAFE | {"Cache-Control": "no-store"}


class Refused(Exception):
    """A request that is not answered; carries its status, code and one plain sentence."""

    def __init__(self, status: int, code: str, title: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.retry_after_s = status, code, title, retry_after_s

    def response(self) -> Response:
        """Return the problem details."""
        headers = dict(FRESH)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(math.ceil(self.retry_after_s))
        body = {"type": "about:blank", "title": self.title, "status": self.status, "code": self.code}
        return JSONResponse(body, self.status, headers, media_type="application/problem+json")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, held in memory."""

    body: bytes
    kind: str
    tag: str


def assets() -> Mapping[str, Asset]:
    """Return the page's own files by name."""
    found = {}
    for path in sorted((HERE / "static").iterdir()):
        if path.suffix in KINDS:
            body = path.read_bytes()
            found[path.name] = Asset(body, KINDS[path.suffix], hashlib.sha256(body).hexdigest()[:16])
    return found


def routes(house: House, pulse: Pulse, *, stored: Callable[[], None], rate: visitor.Rate | None = None) -> APIRouter:
    """Return the web chat.

    Args:
        house: open.
        pulse: tells open pages that there is something new.
        stored: called after every stored message, so that a worker looks at once.
        rate: how often a browser may write; 30 a minute unless given.
    """
    router = APIRouter()
    limits = rate or visitor.Rate()
    _page_routes(router, house)
    _writing_route(router, house, pulse, stored, limits)
    _reading_routes(router, house, pulse)
    return router


def _page_routes(router: APIRouter, house: House) -> None:
    files = assets()
    secure = house.settings.secure_cookies
    templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    html = templates.get_template("chat.html").render(
        brand=house.pack.brand,
        phone=house.pack.duty_phone,
        text_limit=TEXT_LIMIT,
        v={name: asset.tag for name, asset in files.items()},
    )

    @router.get("/")
    def home() -> Response:
        """Lead to the chat."""
        return RedirectResponse("/chat", 307, headers=SAFE)

    @router.get("/chat")
    def page(request: Request) -> Response:
        """Show the page; a browser seen for the first time gets its token."""
        response = HTMLResponse(html, headers=FRESH | {"Content-Security-Policy": CSP})
        visitor.keep(response, visitor.token_of(request, secure=secure) or visitor.new_token(), secure=secure)
        return response

    @router.get("/chat/static/{name}")
    def static(name: str, request: Request) -> Response:
        """Return a file of the page; its address changes with its content."""
        asset = files.get(name)
        if asset is None:
            return Refused(404, "not_found", "没有这个文件").response()
        tag = f'"{asset.tag}"'
        forever = request.query_params.get("v") == asset.tag
        headers = SAFE | {
            "ETag": tag,
            "Cache-Control": "public, max-age=31536000, immutable" if forever else "no-cache",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(asset.body, media_type=asset.kind, headers=headers)


def _writing_route(
    router: APIRouter, house: House, pulse: Pulse, stored: Callable[[], None], limits: visitor.Rate
) -> None:
    @router.post("/chat/messages", status_code=202)
    async def write(request: Request) -> Response:
        """Store what the member wrote; the same `id` again changes nothing."""
        try:
            account = _account(request, house)
            _from_our_page(request)
            inbound = _inbound(account, await _body(request))
            _not_too_fast(account, limits)
        except Refused as refused:
            return refused.response()
        recorded = await run_in_threadpool(accept, house, inbound)
        if recorded.message_id is not None:
            stored()
            pulse.publish(account)
            pulse.publish(recorded.member_id)
        return JSONResponse({"message_id": recorded.message_id}, 202, FRESH)


def _reading_routes(router: APIRouter, house: House, pulse: Pulse) -> None:
    pages = OpenPages()

    @router.get("/chat/messages")
    def history(request: Request) -> Response:
        """Return the newest messages, those after a cursor, or those before one."""
        try:
            account = _account(request, house)
            after, before = _span(request)
        except Refused as refused:
            return refused.response()
        return JSONResponse(read(house, account, after=after, before=before).as_json(), headers=FRESH)

    @router.get("/chat/events")
    async def events(request: Request) -> Response:
        """Stream what is new, from where the browser left off."""
        try:
            account = _account(request, house)
            after = _resumed(request)
            _not_too_many(account, pages)
        except Refused as refused:
            return refused.response()
        stream = Stream(house, pulse, account, after)
        return StreamingResponse(
            counted(pages, account, stream.events()),
            media_type="text/event-stream",
            headers=FRESH | {"X-Accel-Buffering": "no"},
        )


def _account(request: Request, house: House) -> str:
    token = visitor.token_of(request, secure=house.settings.secure_cookies)
    if token is None:
        raise Refused(401, "no_visit", "请先打开聊天页面")
    return visitor.account(token)


def _from_our_page(request: Request) -> None:
    if not visitor.from_our_page(request):
        raise Refused(403, "foreign_origin", "请从聊天页面发送")


def _not_too_fast(account: str, limits: visitor.Rate) -> None:
    wait_s = limits.wait_s(account)
    if wait_s > 0:
        raise Refused(429, "too_many_messages", "发送得太快了，请稍等片刻", retry_after_s=wait_s)


def _not_too_many(account: str, pages: OpenPages) -> None:
    if not pages.enter(account):
        raise Refused(429, "too_many_pages", "打开的页面太多了", retry_after_s=5)


async def _body(request: Request) -> Any:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(415, "not_json", "只接受 JSON")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise Refused(413, "too_large", "消息太长了")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise Refused(413, "too_large", "消息太长了")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "malformed", "不是有效的 JSON") from None


def _inbound(account: str, body: Any) -> Inbound:
    if not isinstance(body, dict):
        raise Refused(422, "invalid_input", "需要一个对象")
    name, text, button = body.get("id"), body.get("text", ""), body.get("button")
    if not isinstance(name, str) or not CLIENT_ID.fullmatch(name):
        raise Refused(422, "invalid_input", "id 需要 8 到 64 个字母、数字或短横")
    if not isinstance(text, str) or not (button is None or (isinstance(button, str) and len(button) <= 64)):
        raise Refused(422, "invalid_input", "text 和 button 需要文字")
    if len(text) > TEXT_REFUSED:
        raise Refused(413, "too_large", f"一条消息最多 {TEXT_LIMIT} 个字")
    if not text.strip() and not button:
        raise Refused(422, "empty", "消息是空的")
    return Inbound(channel=CHANNEL, external_id=account, vendor_id=f"{account}:{name}", text=text, button=button)


def _span(request: Request) -> tuple[int | None, int | None]:
    after, before = _number(request, "after"), _number(request, "before")
    if after is not None and before is not None:
        raise Refused(422, "invalid_input", "after 和 before 只能用一个")
    return after, before


def _resumed(request: Request) -> int:
    """Return where to go on: what the browser remembers of the stream counts more than its first question."""
    last = request.headers.get("last-event-id", "")
    if last.isdecimal() and len(last) < 16:
        return int(last)
    return _number(request, "after") or 0


def _number(request: Request, name: str) -> int | None:
    given = request.query_params.get(name)
    if given is None:
        return None
    if not given.isdecimal() or len(given) > 16 or int(given) > LARGEST_SEQ:
        raise Refused(422, "invalid_input", f"{name} 需要一个数")
    return int(given)
