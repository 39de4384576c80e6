"""The carers' console over a real database: who gets in, what they see, and what their hands do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import Client, Response

from care.bootstrap import House
from tests.staff_edge import (
    PASSWORD,
    Desk,
    a_clinic,
    a_desk,
    clock_of,
    dialogue_of,
    log_in,
    reread,
    somebody,
)

OPEN_TO_ALL = {
    "/console/phone-list",
    "/console",
    "/console/",
    "/console/login",
    "/console/logout",
    "/console/static/{name}",
}
BODIES: dict[str, dict[str, object]] = {
    "messages": {"key": "a-key-of-mine", "text": "您好"},
    "notes": {"key": "a-key-of-mine", "text": "备注"},
    "hand-back": {"outcome": "谈好了", "next_step": "明早再问"},
    "release": {"outcome": "安全了"},
    "resolve": {"outcome": "解决了"},
    "outcome": {"outcome": "not_reached"},
    "treatments": {
        "key": "a-key-of-mine",
        "kind": "implant",
        "practitioner": "x",
        "clinic": "x",
        "ended_at": "2026-03-03T11:00",
    },
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_clinic(tmp_path) as made:
        yield made


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    with a_desk(house) as served:
        yield served


@pytest.fixture
def stranger(desk: Desk) -> Iterator[Client]:
    with closing(desk.stranger()) as client:
        yield client


@pytest.fixture
def carer(desk: Desk) -> Iterator[Client]:
    with closing(desk.at_work("lijing")) as client:
        yield client


@pytest.fixture
def lead(desk: Desk) -> Iterator[Client]:
    with closing(desk.at_work("sunlan")) as client:
        yield client


def every_request(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and address of all routes but the catch-all, with a made-up id for every blank."""
    routes = console_routes(app)
    assert len(routes) > 18
    return [(method, path) for method, path in routes if "{rest" not in path]


def console_routes(app: FastAPI) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    pending = list(app.routes)
    while pending:
        route = pending.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            pending.extend(inner.routes)
        elif isinstance(route, APIRoute):
            found.extend((method, route.path) for method in route.methods or ())
    return sorted(found)


def ask(client: Client, method: str, path: str, **headers: str) -> Response:
    address = path.replace("{conversation_id}", "x").replace("{member_id}", "x").replace("{case_id}", "x")
    address = address.replace("{name}", "base.css")
    body = BODIES.get(path.rsplit("/", 1)[-1], {}) if method == "POST" else None
    answer: Response = client.request(method, address, json=body, headers=headers)
    return answer


# Who gets in


def test_the_right_password_opens_the_desk(stranger: Client) -> None:
    answer = log_in(stranger, "lijing")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    page = stranger.get("/console")
    assert page.status_code == 200
    assert "李静" in page.text
    assert PASSWORD not in page.text


@pytest.mark.parametrize("login", ["lijing", "nobody-here"])
def test_a_wrong_password_and_an_unknown_login_are_refused_alike(stranger: Client, login: str) -> None:
    answer = log_in(stranger, login, "not-the-password")

    assert answer.status_code == 401
    assert "账号或密码不对" in answer.text
    assert "set-cookie" not in answer.headers
    assert "not-the-password" not in answer.text


def test_five_failures_lock_the_login_for_five_minutes_also_for_the_right_password(
    house: House, stranger: Client
) -> None:
    for _ in range(5):
        log_in(stranger, "lijing", "not-the-password")

    locked = log_in(stranger, "lijing")
    clock_of(house).move(minutes=5, seconds=1)
    later = log_in(stranger, "lijing")

    assert locked.status_code == 429
    assert "请过几分钟再试" in locked.text
    assert later.status_code == 303


def test_what_was_typed_as_login_comes_back_as_text_and_never_as_markup(stranger: Client) -> None:
    answer = log_in(stranger, '"><script>alert(1)</script>', "not-the-password")

    assert "<script>alert" not in answer.text


def test_without_a_session_the_page_leads_to_the_login(stranger: Client) -> None:
    answer = stranger.get("/console")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


def test_every_route_refuses_who_has_no_session(desk: Desk, stranger: Client) -> None:
    answers = {
        f"{method} {path}": ask(stranger, method, path).status_code
        for method, path in every_request(desk.app)
        if path not in OPEN_TO_ALL
    }

    assert len(answers) > 14
    assert {name: status for name, status in answers.items() if status != 401} == {}


def test_every_change_refuses_a_page_without_its_token(desk: Desk, carer: Client) -> None:
    del carer.headers["x-csrf"]

    answers = {
        path: ask(carer, method, path).json()["code"]
        for method, path in every_request(desk.app)
        if method == "POST" and path != "/console/login"
    }

    assert len(answers) > 10
    assert set(answers.values()) == {"csrf"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_every_change_refuses_another_site(desk: Desk, carer: Client, headers: dict[str, str]) -> None:
    changes = [(method, path) for method, path in every_request(desk.app) if method == "POST"]

    answers = {path: ask(carer, method, path, **headers).json()["code"] for method, path in changes}

    assert set(answers.values()) == {"foreign_origin"}


def test_a_form_cannot_change_anything_even_with_the_token(house: House, carer: Client) -> None:
    conversation = somebody(house)

    answer = carer.post(f"/console/conversations/{conversation.id}/take-over", data={"x": "y"})

    assert answer.status_code == 415
    assert reread(house, conversation).owned_by_bot


def test_one_colleagues_token_does_not_serve_another(house: House, carer: Client, lead: Client) -> None:
    conversation = somebody(house)
    carer.headers["x-csrf"] = lead.headers["x-csrf"]

    answer = carer.post(f"/console/conversations/{conversation.id}/take-over", json={})

    assert answer.status_code == 403


def test_a_session_ends_after_twenty_minutes_in_which_only_the_page_was_busy(house: House, carer: Client) -> None:
    for _ in range(4):
        clock_of(house).move(minutes=6)
        answer = carer.get("/console/list")

    assert answer.status_code == 401


def test_a_session_lasts_while_somebody_works(house: House, carer: Client) -> None:
    for _ in range(4):
        clock_of(house).move(minutes=6)
        answer = carer.get("/console/list", headers={"x-acting": "1"})

    assert answer.status_code == 200


def test_logging_out_ends_the_session_for_good(carer: Client) -> None:
    cookie = carer.cookies["anxin_console"]

    carer.post("/console/logout", json={})

    carer.cookies.set("anxin_console", cookie)
    assert carer.get("/console/list").status_code == 401


# What every answer wears


def test_every_answer_carries_the_policy_that_allows_nothing_foreign(
    desk: Desk, carer: Client, stranger: Client
) -> None:
    answers = [ask(stranger, method, path) for method, path in every_request(desk.app)]
    answers += [carer.get("/console"), carer.get("/console/list"), carer.get("/console/login")]
    answers += [carer.get("/console/nothing/here"), carer.put("/console/list"), carer.get("/console/list?limit=0")]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"


def test_an_error_nobody_foresaw_says_nothing_of_itself(
    house: House, carer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> bool:
        raise RuntimeError("王秀兰 13800001001")

    monkeypatch.setattr(dialogue_of(house), "healthy", breaks)

    answer = carer.get("/console/status")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "王秀兰" not in answer.text
    assert "content-security-policy" in answer.headers


def test_the_page_brings_all_its_files_along_and_needs_no_other_host(carer: Client) -> None:
    page = carer.get("/console").text
    names = [part.split('"')[0].split("#")[0] for part in page.split('"/console/static/')[1:]]
    scripts = [carer.get(f"/console/static/{name}").text for name in names if name.endswith(".js")]
    names += [part.split('"')[0] for script in scripts for part in script.split('from "./')[1:]]

    assert len(set(names)) > 15
    for name in set(names):
        answer = carer.get(f"/console/static/{name}")
        assert answer.status_code == 200
        assert "https://" not in answer.text
        assert "http://" not in answer.text.replace("http://www.w3.org/", "")
    assert "https://" not in page
    assert "<style" not in page
    assert "onclick" not in page
