"""`anxin dev fake-wecom`: what is typed reaches the application, what the application says is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from anxin.dev import wecom_callbacks as c
from anxin.dev.wecom_phone import CUSTOMER, SERVICER, Phone
from bot.app import BotEdge
from bot.channels.wecom.parse import CHANNEL, external_id
from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.staff import Role
from care.model.vendor import SERVICER as SERVICER_UNNAMED
from care.settings import Settings
from care.testing import a_colleague, a_member
from tests.conftest import free_port
from tests.contract.wecom.conftest import wecom_settings
from tests.contract.wecom.test_alarms import a_case
from tests.member_edge import a_small_house, answers


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def phone(shown: list[str]) -> Iterator[Phone]:
    made = Phone(f"http://127.0.0.1:{free_port()}", shown.append, port=free_port())
    with made.server:
        yield made


@pytest.fixture
def house(tmp_path: Path, phone: Phone) -> Iterator[House]:
    """The whole member edge beside the phone, with its threads running and served over HTTP."""
    port = int(phone.address.rpartition(":")[2].partition("/")[0])
    with a_small_house(tmp_path, **wecom_settings(phone.server)) as house:
        phone.server.now = lambda: house.clock.now().timestamp()
        edge = BotEdge(house)
        edge.workers._process = answers(house, "我是小安，您说")
        app = FastAPI()
        app.include_router(edge.routes())
        http = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
        thread = threading.Thread(target=http.run)
        thread.start()
        edge.start()
        wait(lambda: http.started)
        yield house
        http.should_exit = True
        thread.join(10)
        edge.stop()


def wait(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait until other threads have made something true."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def owner(house: House) -> str:
    with house.unit_of_work() as uow:
        identity = uow.members.identity(CHANNEL, external_id(c.ACCOUNT, CUSTOMER))
        conversation = uow.conversations.of_member(identity.member_id) if identity else None
    return conversation.owner if conversation else ""


def test_what_a_customer_types_is_answered_on_their_phone(house: House, phone: Phone, shown: list[str]) -> None:
    phone.types("牙还在疼")

    wait(lambda: len(shown) == 1)
    assert shown == ["小安：我是小安，您说"]


def test_opening_the_session_is_greeted(house: House, phone: Phone, shown: list[str]) -> None:
    phone.types("/enter")

    wait(lambda: len(shown) == 1)
    assert "wecom.welcome" in shown[0]


def test_a_colleague_who_writes_over_there_silences_the_bot_here(
    house: House, phone: Phone, shown: list[str]
) -> None:
    phone.types("你好")
    wait(lambda: len(shown) == 1)

    phone.types("/take")
    phone.types("/say 我是李静")

    wait(lambda: owner(house) == SERVICER_UNNAMED)
    phone.types("/end")
    wait(lambda: owner(house) == "bot")


def test_an_alarm_reaches_a_colleagues_phone(house: House, phone: Phone, shown: list[str]) -> None:
    with house.unit_of_work() as uow:
        member = a_member(uow, now=house.clock.now())
        a_colleague(uow, now=house.clock.now(), role=Role.NURSE, wecom_id=SERVICER)
        uow.commit()

    a_case(house, member.id, CaseLevel.L1)

    wait(lambda: len(shown) == 1)
    assert shown[0].startswith(f"（{SERVICER} 的手机）【安心】有人在等")


def test_the_lines_for_env_are_settings_that_make_sense(
    phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in phone.settings().splitlines():
        monkeypatch.setenv(*line.split("=", 1))

    assert Settings().wecom_mode == "on"
