"""The day's phone list as a plain page: read from top to bottom, one card a call, one form for how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment

from care.bootstrap import House
from care.model.errors import BadCredentials, InvalidInput
from care.model.pack import Pack
from care.model.staff import Reader
from care.services import phone_list
from console import bodies as b
from console import words
from console.door import Door


def phone_routes(router: APIRouter, house: House, door: Door, pages: Environment) -> None:
    """Add the page and the one request it makes."""
    template = pages.get_template("phone.html")

    @router.get("/phone-list")
    def page(request: Request) -> Response:
        """Show the calls of the day, or the way to the login."""
        try:
            with house.unit_of_work() as uow:
                staff, session = door.enter(request, uow)
                now = house.clock.now()
                by = Reader("staff", staff.id)
                found = phone_list.entries(by=by, uow=uow, now=now, pack=house.pack, zone=house.zone)
                uow.commit()
        except BadCredentials:
            return RedirectResponse("/console/login", 303)
        calls = [_call(entry, house.pack, now, house.zone) for entry in found]
        return HTMLResponse(template.render(calls=calls, brand=house.pack.brand, staff=staff, csrf=session.csrf))

    @router.post("/phone-list/{about}/outcome")
    def ended(request: Request, about: str, body: b.CallEnded) -> Response:
        """Record how a call ended."""
        again_at = body.again_at
        if again_at is not None:
            if again_at.tzinfo is not None:
                raise InvalidInput("again_at", "is wall time of the clinic")
            again_at = again_at.replace(tzinfo=house.zone)
        with house.unit_of_work() as uow:
            staff = door.enter_to_change(request, uow)
            phone_list.record(
                about,
                staff.id,
                body.outcome,
                note=body.note,
                again_at=again_at,
                heard=body.heard,
                uow=uow,
                clock=house.clock,
                zone=house.zone,
            )
            uow.commit()
        return JSONResponse({})


def _call(entry: phone_list.Entry, pack: Pack, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "about": entry.about,
        "name": entry.name or "访客",
        "phone": entry.phone or "没有留电话",
        "thread": f"/console#/c/{entry.conversation_id}" if entry.conversation_id else "",
        "title": words.level_title(entry.level) if entry.level else "第二天回访",
        "tone": words.TONE[entry.level] if entry.level else "high",
        "why": "问一次：这件投诉办好了吗" if entry.asks_whether_solved else words.reason(entry.reason),
        "since": pack.clock_words(entry.since, now, zone),
        "late": entry.due_at <= now and not entry.asks_whether_solved,
        "said": entry.said,
        "first": entry.first,
        "steps": entry.steps,
        "never": entry.never,
        "promised": entry.promised,
        "tried": entry.tried,
        "later": pack.clock_words(entry.call_at, now, zone) if entry.call_at > now else "",
        "asks": entry.asks_whether_solved,
    }
