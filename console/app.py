"""The carers' console: a login, one page, and the small requests its script makes.

Thin: every answer is one reading of the desk or one verb of the core, in one transaction with the question of who
asks. Wording of refusals is for carers; nothing here is read by members.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool

from care.adapters.sql.desk import SqlDeskIndex
from care.bootstrap import House
from care.model.errors import BadCredentials, CareError, TooManyAttempts
from care.model.ids import ConversationId, MemberId
from care.model.staff import Reader, Staff, StaffSession
from care.ports import UnitOfWork
from care.services import desk
from console import showing, words
from console.changes import change_routes
from console.door import ConsoleRoute, Door, Refused
from console.phone import phone_routes
from console.stream import Health, OpenPages, Watch, events

HERE = Path(__file__).parent
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
LIST_LIMIT = 500
LARGEST_SEQ = 2**53
WRONG_LOGIN = "账号或密码不对"
LOCKED = "连续输错太多次，请过几分钟再试"


def routes(house: House) -> APIRouter:
    """Return the console, under `/console`."""
    router = APIRouter(prefix="/console", route_class=ConsoleRoute)
    door = Door(house)
    pages = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    _static_routes(router)
    _login_routes(router, house, door, pages)
    _page_route(router, house, door, pages)
    _reading_routes(router, house, door)
    _live_routes(router, house, door)
    change_routes(router, house, door)
    phone_routes(router, house, door, pages)
    _anything_else(router)
    return router


def _anything_else(router: APIRouter) -> None:
    """Refuse every other address and verb in our own words; must come last."""

    @router.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def nothing(rest: str) -> Response:
        """Say that there is nothing here."""
        raise Refused(404, "not_found", "没有这个地址")


def _static_routes(router: APIRouter) -> None:
    files = {}
    for path in sorted((HERE / "static").iterdir()):
        if path.suffix in KINDS:
            body = path.read_bytes()
            files[path.name] = (body, KINDS[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:16]}"')

    @router.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        """Return a file of the page; the browser asks each time whether it changed."""
        if name not in files:
            raise Refused(404, "not_found", "没有这个文件")
        body, kind, tag = files[name]
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=kind, headers=headers)


def _login_routes(router: APIRouter, house: House, door: Door, pages: Environment) -> None:
    form = pages.get_template("login.html")

    def page(status: int = 200, *, login: str = "", wrong: str = "") -> Response:
        return HTMLResponse(form.render(brand=house.pack.brand, login=login, wrong=wrong), status)

    @router.get("/login")
    def show_login(request: Request) -> Response:
        """Show the form, or go on to the page for somebody who is in already."""
        try:
            with house.unit_of_work() as uow:
                door.enter(request, uow)
        except BadCredentials:
            return page()
        return RedirectResponse("/console", 303)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        """Let a colleague in under a new session; whatever cookie came along is ended."""
        fields = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=8)
        login, password = fields.get("login", [""])[0], fields.get("password", [""])[0]
        address = request.client.host if request.client else ""
        try:
            token = await run_in_threadpool(door.log_in, login, password, address)
        except BadCredentials:
            return page(401, login=login[:64], wrong=WRONG_LOGIN)
        except TooManyAttempts:
            return page(429, login=login[:64], wrong=LOCKED)
        await run_in_threadpool(door.leave, request)
        response = RedirectResponse("/console", 303)
        door.give(response, token)
        return response

    @router.post("/logout")
    def log_out(request: Request) -> Response:
        """End the session."""
        try:
            with house.unit_of_work() as uow:
                door.enter_to_change(request, uow)
        except BadCredentials:
            pass
        door.leave(request)
        response = JSONResponse({})
        door.take_back(response)
        return response


def _page_route(router: APIRouter, house: House, door: Door, pages: Environment) -> None:
    template = pages.get_template("desk.html")

    @router.get("")
    def home(request: Request) -> Response:
        """Show the desk, or the way to the login."""
        try:
            with house.unit_of_work() as uow:
                staff, session = door.enter(request, uow)
                uow.commit()
        except BadCredentials:
            response = RedirectResponse("/console/login", 303)
            door.take_back(response)
            return response
        return HTMLResponse(template.render(setup=_setup(house, staff, session), staff=staff, brand=house.pack.brand))

    @router.get("/")
    def home_with_slash() -> Response:
        """Lead to the page."""
        return RedirectResponse("/console", 303)


def _setup(house: House, staff: Staff, session: StaffSession) -> dict[str, Any]:
    pack = house.pack
    return {
        "me": {
            "id": staff.id,
            "name": staff.name,
            "login": staff.login,
            "role": words.ROLE[staff.role],
            "title": staff.job_title,
        },
        "csrf": session.csrf,
        "zone": house.settings.zone,
        "idle_s": int(house.settings.session_idle / timedelta(seconds=1)),
        "kinds": [{"code": one.code, "name": one.name} for one in pack.protocols.values()],
        "practitioners": [
            {"code": one.code, "name": f"{one.name} · {one.title}"}
            for one in pack.practitioners.values()
            if one.role == "doctor"
        ],
        "clinics": [{"code": one.code, "name": one.name} for one in pack.clinics.values()],
        "facts": [{"code": code, "name": name} for code, name in words.FACT.items()],
    }


def _reading_routes(router: APIRouter, house: House, door: Door) -> None:
    index, glances, health = SqlDeskIndex(house.engine), desk.Glances(), Health(house)

    @router.get("/me")
    def me(request: Request) -> Response:
        """Return what the page is set up with, for one that logged in again without leaving."""
        with house.unit_of_work() as uow:
            setup = _setup(house, *door.enter(request, uow))
            uow.commit()
        return JSONResponse(setup)

    @router.get("/status")
    def status(request: Request) -> Response:
        """Return whether the dialogue answers, which channels send nothing for now, and the house's time."""
        now = house.clock.now()
        with house.unit_of_work() as uow:
            door.enter(request, uow)
            paused = [words.paused(*pause, house.zone) for pause in uow.rights.pauses(now)]
            uow.commit()
        return JSONResponse({"now": now.isoformat(), "dialogue": health.dialogue(), "paused": paused})

    @router.get("/list")
    def conversations(request: Request, limit: Annotated[int, Query(ge=1, le=LIST_LIMIT)] = 60) -> Response:
        """Return the list, the counts of its tabs, and what rings."""
        with house.unit_of_work() as uow:
            door.enter(request, uow)  # before anything is read for them
        rows, total = index.rows(limit)
        with house.unit_of_work() as uow:
            staff, _ = door.enter(request, uow)
            now = house.clock.now()
            cards = desk.cards(rows, by=reader(staff), glances=glances, uow=uow, now=now)
            page = showing.list_page(cards, total, _colleagues(staff, uow), now)
            uow.commit()
        return JSONResponse(page)

    @router.get("/conversations/{conversation_id}/thread")
    def thread(
        request: Request,
        conversation_id: str,
        after: Annotated[int, Query(ge=0, le=LARGEST_SEQ)] = 0,
        before: Annotated[int | None, Query(ge=1, le=LARGEST_SEQ)] = None,
    ) -> Response:
        """Return the newest messages, those after a number, or older ones before one."""
        with house.unit_of_work() as uow:
            staff, _ = door.enter(request, uow)
            by, now = reader(staff), house.clock.now()
            found = desk.thread(ConversationId(conversation_id), by=by, uow=uow, after=after, before=before)
            name = glances.name(found.conversation.member_id, by=by, uow=uow, now=now)
            page = showing.thread_page(found, name, _colleagues(staff, uow), now)
            uow.commit()
        return JSONResponse(page)

    @router.get("/members/{member_id}/context")
    def context(request: Request, member_id: str) -> Response:
        """Return what a carer has to know about the member."""
        with house.unit_of_work() as uow:
            staff, _ = door.enter(request, uow)
            by, now = reader(staff), house.clock.now()
            found = desk.surroundings(MemberId(member_id), by=by, uow=uow, now=now)
            glances.keep(found.member.id, found.member.name, by=by, now=now)
            page = showing.context_page(found, _colleagues(staff, uow), house.pack, now)
            uow.commit()
        return JSONResponse(page)


def _live_routes(router: APIRouter, house: House, door: Door) -> None:
    watch, open_pages = Watch(SqlDeskIndex(house.engine)), OpenPages()

    @router.get("/events")
    async def live(request: Request) -> Response:
        """Stream what moves."""

        def still_in() -> bool:
            try:
                with house.unit_of_work() as uow:
                    door.enter(request, uow)
            except CareError:
                return False
            return True

        if not await run_in_threadpool(still_in):
            raise BadCredentials
        lines: AsyncIterator[str] = open_pages.counted(events(watch, still_in))
        return StreamingResponse(
            lines, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )


def reader(staff: Staff) -> Reader:
    """Return the colleague as the access log names them."""
    return Reader("staff", staff.id)


def _colleagues(me: Staff, uow: UnitOfWork) -> showing.Colleagues:
    return showing.Colleagues(uow.staff.all(), me)
