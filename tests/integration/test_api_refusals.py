"""What the practice system's interface refuses, how plainly, and what it never tells a stranger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from anxin.web import make_app
from api.guard import BODY_LIMIT
from care.bootstrap import House
from tests.conftest import new_database
from tests.days import a_care_house
from tests.practice import SPAN, TOKEN, UNKNOWN, book, is_a_problem, register


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url, api_token=TOKEN) as made:
        yield made


@pytest.fixture
def app(house: House) -> FastAPI:
    return make_app(house)


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    wire = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=wire, base_url="http://house/api/v1", headers=headers) as client:
        yield client


# The door


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer tttté"])
@pytest.mark.parametrize("path", ["/members", "/cases", "/services", "/nowhere"])
async def test_without_the_token_nothing_is_told_not_even_what_exists(
    app: FastAPI, given: str | None, path: str
) -> None:
    wire = httpx.ASGITransport(app=app)
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    async with httpx.AsyncClient(transport=wire, base_url="http://house/api/v1") as stranger:
        answer = await stranger.get(path, headers=headers)  # type: ignore[arg-type]

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert is_a_problem(answer, "unauthorized")


async def test_a_strangers_body_is_not_even_read(app: FastAPI) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield b"{" * 1000

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://house/api/v1") as stranger:
        answer = await stranger.post("/members", content=endless())

    assert answer.status_code == 401
    assert taken == 0


async def test_a_house_without_a_token_lets_nobody_in(tmp_path: Path) -> None:
    with a_care_house(tmp_path, api_token="") as house:
        wire = httpx.ASGITransport(app=make_app(house))
        async with httpx.AsyncClient(transport=wire, base_url="http://house/api/v1") as client:
            for header in ("Bearer ", "Bearer", "Bearer x"):
                assert (await client.get("/members", headers={"Authorization": header})).status_code == 401


async def test_the_description_lists_every_route_with_words_and_how_it_refuses(
    app: FastAPI, api: httpx.AsyncClient
) -> None:
    document = (await api.get("/openapi.json")).json()

    operations = {(verb, path): op for path, verbs in document["paths"].items() for verb, op in verbs.items()}
    assert {path for _, path in operations} >= {
        "/api/v1/members",
        "/api/v1/members/{member_id}/messages",
        "/api/v1/practitioners",
        "/api/v1/services",
        "/api/v1/availability",
        "/api/v1/appointments",
        "/api/v1/treatments",
        "/api/v1/cases",
    }
    for (verb, path), operation in operations.items():
        assert path.startswith("/api/v1/"), f"{verb} {path} is no part of this interface"
        assert operation["description"].endswith("."), f"{verb} {path} says nothing"
        assert operation["security"] == [{"HTTPBearer": []}]
        assert {"401", "404", "409", "422"} <= operation["responses"].keys()
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


# Bad input


PATHS = [
    ("GET", "/members/{}"),
    ("PATCH", "/members/{}"),
    ("POST", "/members/{}/identities"),
    ("GET", "/members/{}/messages"),
    ("GET", "/appointments/{}"),
    ("POST", "/appointments/{}/cancel"),
    ("GET", "/treatments/{}"),
    ("POST", "/treatments/{}/cancel"),
    ("GET", "/cases/{}"),
]


@pytest.mark.parametrize(("verb", "path"), PATHS)
@pytest.mark.parametrize("name", [UNKNOWN, "%00", "a%00b", "x" * 5000, "%F0%9F%A6%B7", "' OR 1=1 --"])
async def test_an_unknown_id_is_a_plain_refusal_everywhere(
    api: httpx.AsyncClient, verb: str, path: str, name: str
) -> None:
    body = {"channel": "web", "external_id": "x"} if path.endswith("identities") else {}

    answer = await api.request(verb, path.format(name), json=body if verb != "GET" else None)

    assert answer.status_code == (404 if name == UNKNOWN else 422)
    assert is_a_problem(answer, "not_found" if name == UNKNOWN else "invalid_input")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/members", {"phone": "\x00"}),
        ("/members", {"external_ref": "a\x00"}),
        ("/members", {"after": "\x00"}),
        ("/members", {"limit": "0"}),
        ("/members", {"limit": "99999999999999999999999"}),
        ("/appointments", {}),
        ("/appointments", {"member_id": "\x00"}),
        ("/appointments", {"start": SPAN["start"], "end": "2027-03-06T00:00:00Z"}),
        ("/appointments", {"start": "9999-12-31T23:59:59Z", "end": "9999-12-31T23:59:59Z"}),
        ("/availability", {"service": "scaling"}),
        ("/availability", SPAN | {"start": "0001-01-01T00:00:00Z"}),
        ("/availability", SPAN | {"end": SPAN["start"]}),
        ("/availability", SPAN | {"start": "2026-03-06"}),
        ("/availability", SPAN | {"service": "换脸"}),
        ("/availability", SPAN | {"service": "a\x00"}),
        ("/availability", SPAN | {"practitioner": "nobody"}),
        ("/cases", {"member_id": "\x00"}),
        ("/treatments", {}),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_plainly(
    api: httpx.AsyncClient, path: str, params: dict[str, str]
) -> None:
    answer = await api.get(path, params=params)

    assert answer.status_code == 422
    assert is_a_problem(answer, "invalid_input")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_input"),
        (b"{", 400, "malformed_json"),
        (b'{"name": "\xff"}', 400, "malformed_json"),
        (b"[]", 422, "invalid_input"),
        (b"null", 422, "invalid_input"),
        (b'"text"', 422, "invalid_input"),
        (b'{"nmae": "x"}', 422, "invalid_input"),
        (b'{"\\ud800": 1}', 422, "invalid_input"),
        (b'{"name": 5}', 422, "invalid_input"),
        (b'{"name": "\\u0000"}', 422, "invalid_input"),
        (b'{"name": "\\ud800"}', 422, "invalid_input"),
        (b'{"external_ref": "a\\u0000b"}', 422, "invalid_input"),
        (b'{"external_ref": ""}', 422, "invalid_input"),
        (b'{"zone": "Asia/Shanghai\\u0000"}', 422, "invalid_input"),
        (json.dumps({"name": "疼" * 5000}).encode(), 422, "invalid_input"),
        (json.dumps({"x" * 5000: 1}).encode(), 422, "invalid_input"),
        (b'{"name": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "malformed_json"),
        (b" " * (BODY_LIMIT + 1), 413, "too_large"),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_plainly(
    api: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await api.post("/members", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["title"]) == (status, code)
    assert is_a_problem(answer, code)
    assert len(answer.content) < 1000
    assert (await api.get("/members")).json() == []


async def test_a_body_without_an_announced_length_is_cut_off_too(api: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1000

    answer = await api.post("/members", content=endless())

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "fields",
    [
        {"service": "换脸"},
        {"service": "a\x00"},
        {"start_at": "9999-12-31T23:59:59Z"},
        {"start_at": "0001-01-01T00:00:00Z"},
        {"start_at": "2026-03-06T10:00:00"},
        {"for_whom": "妈\x00"},
        {"idempotency_key": "k\x00"},
        {"practitioner": "nobody"},
    ],
)
async def test_a_booking_that_makes_no_sense_books_nothing(api: httpx.AsyncClient, fields: dict[str, str]) -> None:
    member = await register(api)

    answer = await book(api, member["id"], **fields)

    assert answer.status_code == 422
    assert is_a_problem(answer, "invalid_input")
    assert (await api.get("/appointments", params={"member_id": member["id"]})).json() == []


async def test_names_in_any_script_are_kept_as_they_are(api: httpx.AsyncClient) -> None:
    for number, name in enumerate(("محمد", "𠮷田", "Ånna-Lena O’Neil", "买买提·吐尔逊")):
        member = await register(api, name=name, phone=f"1380000{number:04d}")
        assert (await api.get(f"/members/{member['id']}")).json()["name"] == name


async def test_a_fault_of_ours_tells_no_inside(
    house: House, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("秘密 13800001234 at /inner/path.py")

    monkeypatch.setattr(House, "unit_of_work", lambda _house: broken())

    answer = await api.get("/members")

    assert answer.status_code == 500
    assert is_a_problem(answer, "internal")
    for inside in ("Traceback", "RuntimeError", "秘密", "13800001234", ".py"):
        assert inside not in answer.text


async def test_a_path_or_verb_that_is_not_there_is_a_problem_too(api: httpx.AsyncClient) -> None:
    assert is_a_problem(await api.get("/nowhere"), "not_found")
    assert is_a_problem(await api.delete("/members"), "method_not_allowed")
