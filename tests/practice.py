"""The practice system as tests play it: it registers, books and records over the interface."""

from __future__ import annotations

from typing import Any

import httpx

TOKEN = "t" * 40
UNKNOWN = "f" * 32
SPAN = {"service": "scaling", "start": "2026-03-06T00:00:00+08:00", "end": "2026-03-07T00:00:00+08:00"}


async def register(api: httpx.AsyncClient, **fields: object) -> dict[str, Any]:
    """Register a member and return them."""
    answer = await api.post("/members", json={"name": "王秀兰", "title": "女士", "phone": "13800001234"} | fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def book(api: httpx.AsyncClient, member: str, **fields: object) -> httpx.Response:
    """Book the first free time of a day, unless fields say otherwise."""
    free = (await api.get("/availability", params=SPAN)).json()[0]
    wish = {"member_id": member, "service": "scaling", "start_at": free["start_at"]}
    return await api.post("/appointments", json=wish | fields)


async def record(api: httpx.AsyncClient, member: str, **fields: object) -> httpx.Response:
    """Record an implant of this morning, unless fields say otherwise."""
    practitioner = (await api.get("/practitioners")).json()[0]["code"]
    clinic = (await api.get("/clinics")).json()[0]["code"]
    body = {
        "member_id": member,
        "kind": "implant",
        "practitioner": practitioner,
        "clinic": clinic,
        "ended_at": "2026-03-04T09:30:00+08:00",
    }
    return await api.post("/treatments", json=body | fields)


def is_a_problem(answer: httpx.Response, code: str) -> bool:
    """Whether a refusal has the whole form of a problem with this code."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:anxin:problem:{code}"
    assert body["title"] == code
    assert body["detail"]
    return True
