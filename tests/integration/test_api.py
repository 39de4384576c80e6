"""The practice system's interface end to end: what it records, shows, and writes into the access log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from anxin.web import make_app
from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.ids import MemberId
from care.services import cases
from scheduler import ticks
from tests.conftest import new_database
from tests.days import a_care_house, clock_of, work_through
from tests.practice import SPAN, TOKEN, UNKNOWN, book, is_a_problem, record, register


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


def readings(house: House, member: str) -> list[tuple[object, object]]:
    with house.unit_of_work() as uow:
        lines = uow.access.of_member(MemberId(member), 1000)
    return [(line["reader"], line["purpose"]) for line in lines]


# Members


async def test_a_member_is_registered_once_under_their_reference(api: httpx.AsyncClient) -> None:
    first = await api.post("/members", json={"name": "王秀兰", "external_ref": "P-1"})
    again = await api.post("/members", json={"name": "另一个名字", "external_ref": "P-1"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_the_same_registration_twice_at_one_instant_is_one_member(api: httpx.AsyncClient) -> None:
    body = {"name": "王秀兰", "phone": "13800001234", "external_ref": "P-1"}

    answers = await asyncio.gather(*(api.post("/members", json=body) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_member_is_corrected_and_found_again(api: httpx.AsyncClient) -> None:
    member = await register(api, external_ref="P-1")

    changed = await api.patch(f"/members/{member['id']}", json={"phone": "+86 139-0000-5678", "zone": "Asia/Urumqi"})

    assert changed.json() == member | {"phone": "13900005678", "zone": "Asia/Urumqi"}
    for question in ({"phone": "１３９ 0000 5678"}, {"external_ref": "P-1"}):
        found = (await api.get("/members", params=question)).json()
        assert [one["id"] for one in found] == [member["id"]]
    assert (await api.get(f"/members/{member['id']}")).json() == changed.json()
    assert (await api.get("/members", params={"phone": "13800001234"})).json() == []


async def test_all_members_are_paged_through_once_each(api: httpx.AsyncClient) -> None:
    made = {(await register(api, phone=f"1380000{number:04d}"))["id"] for number in range(5)}

    seen: list[str] = []
    while page := (await api.get("/members", params={"limit": 2, "after": seen[-1] if seen else "0"})).json():
        seen += [one["id"] for one in page]

    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"phone": "12345"}, "phone"),
        ({"phone": "1３8abc"}, "phone"),
        ({"name": " \u200b "}, "name"),
        ({"name": "长" * 41}, "name"),
        ({"zone": "Asia/Nowhere"}, "zone"),
        ({"zone": "Asia"}, "zone"),
        ({"risk_facts": ["rich"]}, "risk_facts"),
    ],
)
async def test_a_bad_value_is_named_by_its_field(
    api: httpx.AsyncClient, fields: dict[str, object], field: str
) -> None:
    answer = await api.post("/members", json=fields)

    assert answer.status_code == 422
    assert is_a_problem(answer, "invalid_input")
    assert answer.json()["field"] == field


async def test_two_members_never_get_one_phone_or_one_account(api: httpx.AsyncClient) -> None:
    one = await register(api)
    other = await register(api, phone="13800005678")
    account = {"channel": "wechat", "external_id": "openid-1"}
    assert (await api.post(f"/members/{one['id']}/identities", json=account)).status_code == 204

    phone = await api.patch(f"/members/{other['id']}", json={"phone": "13800001234"})
    identity = await api.post(f"/members/{other['id']}/identities", json=account)

    assert (phone.status_code, identity.status_code) == (409, 409)
    assert is_a_problem(phone, "conflict")
    assert "13800001234" not in phone.text
    assert "openid-1" not in identity.text


# The clinic and its book


async def test_the_clinic_is_listed_as_the_pack_has_it(house: House, api: httpx.AsyncClient) -> None:
    people = (await api.get("/practitioners")).json()
    services = (await api.get("/services")).json()

    assert len(people) >= 8
    assert len(services) >= 16
    assert all(one["services"] for one in people)
    assert {code for one in people for code in one["services"]} <= {one["code"] for one in services}
    assert len((await api.get("/clinics")).json()) == len(house.pack.clinics)
    assert {one["code"] for one in (await api.get("/protocols")).json()} == set(house.pack.protocols)


async def test_a_free_time_is_booked_and_no_longer_free_for_that_practitioner(api: httpx.AsyncClient) -> None:
    member = await register(api)
    free = (await api.get("/availability", params=SPAN)).json()[0]

    booked = await book(api, member["id"], start_at=free["start_at"], practitioner=free["practitioner"])

    visit = booked.json()
    assert (booked.status_code, visit["status"]) == (201, "booked")
    assert (visit["start_at"], visit["practitioner"]) == (free["start_at"], free["practitioner"])
    left = (await api.get("/availability", params=SPAN | {"practitioner": free["practitioner"]})).json()
    assert free["start_at"] not in {one["start_at"] for one in left}
    listed = (await api.get("/appointments", params={"member_id": member["id"]})).json()
    assert listed == [visit]
    assert (await api.get(f"/appointments/{visit['id']}")).json() == visit


async def test_of_two_bookings_of_one_slot_one_wins_and_the_other_is_offered_the_nearest_times(
    api: httpx.AsyncClient,
) -> None:
    people = [await register(api, phone=f"1380000{number:04d}") for number in range(2)]
    free = (await api.get("/availability", params=SPAN)).json()[0]
    wish = {"start_at": free["start_at"], "practitioner": free["practitioner"]}

    answers = await asyncio.gather(*(book(api, one["id"], **wish) for one in people))

    lost = next(answer for answer in answers if answer.status_code != 201)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert is_a_problem(lost, "slot_taken")
    offered = lost.json()["alternatives"]
    assert 1 <= len(offered) <= 3
    assert free["start_at"] not in {one["start_at"] for one in offered}
    loser = people[answers.index(lost)]
    taken = await book(api, loser["id"], start_at=offered[0]["start_at"], practitioner=offered[0]["practitioner"])
    assert taken.status_code == 201


@pytest.mark.parametrize(
    "start", ["2026-03-06T03:00:00+08:00", "2026-03-03T10:00:00+08:00", "2026-03-06T10:07:00+08:00"]
)
async def test_a_time_nobody_works_is_refused_with_times_somebody_does(api: httpx.AsyncClient, start: str) -> None:
    member = await register(api)

    answer = await book(api, member["id"], start_at=start)

    assert answer.status_code == 409
    assert is_a_problem(answer, "slot_unavailable")
    assert answer.json()["alternatives"]


async def test_a_booking_sent_twice_is_one_visit(api: httpx.AsyncClient) -> None:
    member = await register(api)
    free = (await api.get("/availability", params=SPAN)).json()[0]
    wish = {"start_at": free["start_at"], "idempotency_key": "k1"}

    answers = await asyncio.gather(*(book(api, member["id"], **wish) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await api.get("/appointments", params={"member_id": member["id"]})).json()) == 1


async def test_a_cancelled_visit_is_free_again_and_a_past_one_cannot_be_cancelled(
    house: House, api: httpx.AsyncClient
) -> None:
    member = await register(api)
    first = (await book(api, member["id"])).json()
    for _ in range(2):
        cancelled = await api.post(f"/appointments/{first['id']}/cancel")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")

    second = (await book(api, member["id"])).json()
    clock_of(house).set(second["end_at"])

    late = await api.post(f"/appointments/{second['id']}/cancel")
    assert late.status_code == 409
    assert is_a_problem(late, "conflict")


# Treatments, what follows, and cases


async def test_a_recorded_treatment_shows_its_recovery_as_it_goes(house: House, api: httpx.AsyncClient) -> None:
    member = await register(api)
    await api.post(f"/members/{member['id']}/identities", json={"channel": "web", "external_id": "w1"})

    recorded = await record(api, member["id"], sutures_out_on="2026-03-11", facts=["bone_graft"])
    clock_of(house).set("2026-03-04T18:00+08:00")
    ticks.send_due(house)

    assert recorded.status_code == 201
    shown = (await api.get(f"/treatments/{recorded.json()['id']}")).json()
    contacts = {one["plan"]: one for one in shown["touchpoints"]}
    assert contacts["A0"]["state"] == "handed_over"
    assert contacts["A7"]["due_at"] == "2026-03-10T04:00:00Z"
    assert shown["facts"] == ["bone_graft"]
    said = (await api.get(f"/members/{member['id']}/messages")).json()
    assert said["owner"] == "bot"
    assert [one["author"] for one in said["messages"]] == ["check_in"]
    assert said["messages"][0]["delivery"] == "queued"
    assert [one["id"] for one in (await api.get("/treatments", params={"member_id": member["id"]})).json()] == [
        shown["id"]
    ]


async def test_the_same_treatment_twice_opens_one_recovery(api: httpx.AsyncClient) -> None:
    member = await register(api)

    answers = await asyncio.gather(*(record(api, member["id"], external_ref="T-1") for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["episode_id"] for answer in answers}) == 1


async def test_a_recovery_recorded_by_mistake_is_cancelled(api: httpx.AsyncClient) -> None:
    member = await register(api)
    treatment = (await record(api, member["id"])).json()

    for _ in range(2):
        answer = await api.post(f"/treatments/{treatment['id']}/cancel")

    assert answer.json()["episode_status"] == "cancelled"
    assert {one["state"] for one in answer.json()["touchpoints"]} == {"cancelled"}


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"ended_at": "2026-03-05T10:00:00+08:00"}, 422, "invalid_input", "ended_at"),
        ({"ended_at": "2024-03-05T10:00:00+08:00"}, 422, "invalid_input", "ended_at"),
        ({"ended_at": "2026-03-04T09:00:00"}, 422, "invalid_input", "ended_at"),
        ({"ended_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid_input", "ended_at"),
        ({"kind": "换脸"}, 422, "invalid_input", "kind"),
        ({"practitioner": "nobody"}, 422, "invalid_input", "practitioner"),
        ({"clinic": "moon"}, 422, "invalid_input", "clinic"),
        ({"facts": ["bonegraft"]}, 422, "invalid_input", "facts"),
        ({"sutures_out_on": "2026-03-01"}, 422, "invalid_input", "sutures_out_on"),
        ({"member_id": UNKNOWN}, 404, "not_found", None),
    ],
)
async def test_a_treatment_that_cannot_be_is_refused_plainly(
    api: httpx.AsyncClient, fields: dict[str, object], status: int, code: str, field: str | None
) -> None:
    member = await register(api)

    answer = await record(api, member["id"], **fields)

    assert answer.status_code == status
    assert is_a_problem(answer, code)
    named = answer.json().get("field") or next(iter(one["field"] for one in answer.json().get("fields", [])), None)
    assert named == field
    assert (await api.get("/treatments", params={"member_id": member["id"]})).json() == []


async def test_cases_are_listed_by_urgency_and_by_member(house: House, api: httpx.AsyncClient) -> None:
    one = await register(api)
    other = await register(api, phone="13800005678")
    with house.unit_of_work() as uow:
        for member, level in ((one, CaseLevel.W1), (other, CaseLevel.L1)):
            cases.open_case(
                MemberId(member["id"]), level, "test", uow=uow, now=house.clock.now(), zone=house.zone, summary="疼"
            )
        uow.commit()

    everyone = (await api.get("/cases")).json()
    hers = (await api.get("/cases", params={"member_id": one["id"]})).json()

    assert [(case["level"], case["member_id"]) for case in everyone] == [("L1", other["id"]), ("W1", one["id"])]
    assert [case["level"] for case in hers] == ["W1"]
    assert (await api.get(f"/cases/{hers[0]['id']}")).json() == hers[0]
    assert hers[0]["due_at"] == "2026-03-04T04:00:00Z"


async def test_what_a_member_said_is_listed_with_what_was_made_of_it(house: House, api: httpx.AsyncClient) -> None:
    from bot.inbound import accept
    from care.services.conversations import Inbound

    member = await register(api)
    await api.post(f"/members/{member['id']}/identities", json={"channel": "web", "external_id": "w1"})
    accept(house, Inbound("web", "w1", "v1", "血止不住"))
    work_through(house)

    said = (await api.get(f"/members/{member['id']}/messages")).json()["messages"]

    assert [one["author"] for one in said] == ["member", "safety"]
    assert said[0]["assessment"]["medical"] == "L1"
    after = (await api.get(f"/members/{member['id']}/messages", params={"after": said[0]["seq"]})).json()["messages"]
    assert [one["author"] for one in after] == ["safety"]


# Who looked


async def test_every_reading_of_a_member_is_in_the_access_log(house: House, api: httpx.AsyncClient) -> None:
    member = await register(api)
    visit = (await book(api, member["id"])).json()
    treatment = (await record(api, member["id"])).json()
    with house.unit_of_work() as uow:
        now = house.clock.now()
        case = cases.open_case(MemberId(member["id"]), CaseLevel.W1, "test", uow=uow, now=now, zone=house.zone).case
        uow.commit()
    span = {"start": SPAN["start"], "end": SPAN["end"]}
    questions: list[tuple[str, str, dict[str, str]]] = [
        ("GET", f"/members/{member['id']}", {}),
        ("GET", "/members", {}),
        ("GET", "/members", {"phone": "13800001234"}),
        ("GET", f"/members/{member['id']}/messages", {}),
        ("GET", "/appointments", {"member_id": member["id"]}),
        ("GET", "/appointments", span),
        ("GET", f"/appointments/{visit['id']}", {}),
        ("GET", f"/treatments/{treatment['id']}", {}),
        ("GET", "/treatments", {"member_id": member["id"]}),
        ("GET", "/cases", {}),
        ("GET", "/cases", {"member_id": member["id"]}),
        ("GET", f"/cases/{case.id}", {}),
        ("POST", f"/treatments/{treatment['id']}/cancel", {}),
        ("POST", f"/appointments/{visit['id']}/cancel", {}),
    ]

    for verb, path, params in questions:
        before = len(readings(house, member["id"]))
        answer = await api.request(verb, path, params=params)
        new = readings(house, member["id"])[: len(readings(house, member["id"])) - before]
        assert answer.status_code == 200
        assert "practice" in {reader for reader, _ in new}, f"{verb} {path} left no line"
