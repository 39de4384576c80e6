"""Alarms on colleagues' phones: for what cannot wait, to whom it belongs, until somebody answers, about nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anxin.dev.fake_wecom import GATEWAY, FakeWecom, Trouble
from bot.channels.wecom.alarms import Bells
from care.bootstrap import House
from care.model.case import Case, CaseLevel
from care.model.ids import MemberId, StaffId
from care.model.staff import Role
from care.services import cases
from care.testing import a_colleague, a_member
from tests.contract.wecom.conftest import Channel, on_both
from tests.member_edge import clock_of


@pytest.fixture
def member(house: House) -> MemberId:
    with house.unit_of_work() as uow:
        made = a_member(uow, now=house.clock.now(), name="王秀兰", phone="13812345678")
        uow.commit()
    return made.id


@pytest.fixture
def people(house: House) -> dict[str, StaffId]:
    with house.unit_of_work() as uow:
        now = house.clock.now()
        made = {
            "nurse": a_colleague(uow, now=now, name="周宁", role=Role.NURSE, wecom_id="zhouning"),
            "carer": a_colleague(uow, now=now, name="李静", role=Role.CARER, wecom_id="lijing"),
            "lead": a_colleague(uow, now=now, name="孙岚", role=Role.LEAD, wecom_id="sunlan"),
            "quiet": a_colleague(uow, now=now, name="无号", role=Role.NURSE),
            "gone": a_colleague(uow, now=now, name="已走", role=Role.NURSE, wecom_id="gone", active=False),
        }
        uow.commit()
    return {name: staff.id for name, staff in made.items()}


@pytest.fixture
def bells(channel: Channel, people: dict[str, StaffId]) -> Bells:
    return channel.wecom.bells


def a_case(house: House, member: MemberId, level: CaseLevel) -> Case:
    with house.unit_of_work() as uow:
        opened = cases.open_case(
            member, level, "said:bleeding", uow=uow, now=house.clock.now(), zone=house.zone, summary="血止不住了"
        )
        uow.commit()
    return opened.case


def rung(server: FakeWecom) -> dict[str, int]:
    return {name: len(texts) for name, texts in server.notices.items() if texts}


@pytest.mark.parametrize(
    ("level", "whom"),
    [
        (CaseLevel.L0, {"zhouning": 1, "sunlan": 1}),
        (CaseLevel.L1, {"zhouning": 1}),
        (CaseLevel.P3, {"lijing": 1, "sunlan": 1}),
        (CaseLevel.L2, {}),
        (CaseLevel.W1, {}),
        (CaseLevel.K3, {}),
    ],
)
def test_a_case_rings_those_it_belongs_to(
    server: FakeWecom, house: House, bells: Bells, member: MemberId, level: CaseLevel, whom: dict[str, int]
) -> None:
    a_case(house, member, level)

    bells.look()
    bells.look()

    assert rung(server) == whom


def test_whose_turn_it_is_is_rung_alone_and_a_colleague_at_home_is_not(
    server: FakeWecom, house: House, bells: Bells, member: MemberId, people: dict[str, StaffId]
) -> None:
    with house.unit_of_work() as uow:
        now = house.clock.now()
        wu = a_colleague(uow, now=now, name="吴倩", role=Role.NURSE, wecom_id="wuqian")
        resting = a_colleague(uow, now=now, name="何静", role=Role.NURSE, wecom_id="hejing")
        resting.away_until = now + timedelta(hours=2)
        uow.staff.save(resting)
        uow.commit()
    case = a_case(house, member, CaseLevel.L1)
    with house.unit_of_work() as uow:
        mine = uow.cases.get(case.id, lock=True)
        mine.assigned = wu.id
        uow.cases.save(mine)
        uow.commit()

    bells.look()
    clock_of(house).move(minutes=2)
    bells.look()

    assert rung(server) == {"wuqian": 2, "zhouning": 1, "sunlan": 1}


def test_an_alarm_says_level_case_time_and_link_and_nothing_about_anybody(
    server: FakeWecom, house: House, bells: Bells, member: MemberId
) -> None:
    case = a_case(house, member, CaseLevel.L1)

    bells.look()

    (text,) = server.notices["zhouning"]
    assert text == f"【安心】有人在等\n紧急 L1 个案 {case.id[:8]}，10:10 前要联系上\nhttps://care.example/console"
    for private in ("王", "138", "5678", "血", "bleeding", member):
        assert private not in text
    asked = server.called("message/send")[0]
    assert asked["enable_duplicate_check"] == 1


def test_an_unanswered_alarm_rings_more_people_again_and_again_until_somebody_answers(
    server: FakeWecom, house: House, bells: Bells, member: MemberId, people: dict[str, StaffId]
) -> None:
    case = a_case(house, member, CaseLevel.L1)
    bells.look()

    clock_of(house).move(minutes=2)
    bells.look()
    assert rung(server) == {"zhouning": 2, "sunlan": 1}
    assert "还没有人应答（第 2 次提醒）" in server.notices["zhouning"][-1]
    with house.unit_of_work() as uow:
        cases.acknowledge(case.id, uow=uow, clock=house.clock)
        uow.commit()
    clock_of(house).move(minutes=30)
    bells.look()

    assert rung(server) == {"zhouning": 2, "sunlan": 1}


def test_an_alarm_ends_by_itself_after_some_rounds(
    server: FakeWecom, house: House, bells: Bells, member: MemberId
) -> None:
    a_case(house, member, CaseLevel.L0)

    for _ in range(200):
        bells.look()
        clock_of(house).move(minutes=1)

    assert rung(server)["zhouning"] == 8


@on_both
def test_a_case_that_becomes_graver_rings_anew(
    server: FakeWecom, house: House, bells: Bells, member: MemberId
) -> None:
    a_case(house, member, CaseLevel.L1)
    bells.look()

    a_case(house, member, CaseLevel.L0)
    bells.look()

    assert [text.split("\n")[1][:5] for text in server.notices["zhouning"]] == ["紧急 L1", "急症 L0"]


@on_both
def test_many_cases_at_once_are_one_message(server: FakeWecom, house: House, bells: Bells) -> None:
    for number in range(30):
        with house.unit_of_work() as uow:
            one = a_member(uow, now=house.clock.now(), phone=f"138000000{number:02}")
            uow.commit()
        a_case(house, one.id, CaseLevel.L1)

    bells.look()

    (text,) = server.notices["zhouning"]
    assert "另有 10 件" in text
    assert len(text.encode()) <= 2_048


def test_nobody_is_sent_more_than_the_vendor_shows(server: FakeWecom, house: House, bells: Bells) -> None:
    for number in range(40):
        with house.unit_of_work() as uow:
            one = a_member(uow, now=house.clock.now(), phone=f"138000000{number:02}")
            uow.commit()
        a_case(house, one.id, CaseLevel.L1)
        bells.look()
        clock_of(house).move(seconds=5)

    seen = "".join(server.notices["zhouning"])
    with house.unit_of_work() as uow:
        opened = uow.cases.unresolved()
    assert all(case.id[:8] in seen for case in opened)


def test_a_colleague_the_vendor_does_not_know_is_told_of_and_the_others_ring(
    server: FakeWecom, house: House, bells: Bells, member: MemberId, caplog: pytest.LogCaptureFixture
) -> None:
    server.unknown_people.add("sunlan")
    a_case(house, member, CaseLevel.L0)

    bells.look()

    assert rung(server) == {"zhouning": 1}
    assert "colleague not known to WeCom" in [record.message for record in caplog.records]


def test_when_none_of_them_is_known_everybody_else_is_rung(
    server: FakeWecom, house: House, bells: Bells, member: MemberId
) -> None:
    server.unknown_people.add("zhouning")
    a_case(house, member, CaseLevel.L1)

    bells.look()

    assert rung(server) == {"lijing": 1, "sunlan": 1}


@pytest.mark.parametrize("trouble", [GATEWAY, Trouble(-1), Trouble(60020)])
def test_an_alarm_the_vendor_did_not_take_is_sent_soon_again(
    server: FakeWecom, house: House, bells: Bells, member: MemberId, trouble: Trouble
) -> None:
    server.troubles["message/send"].append(trouble)
    a_case(house, member, CaseLevel.L1)

    bells.look()
    clock_of(house).move(seconds=15)
    bells.look()

    assert rung(server) == {"zhouning": 1}


@on_both
def test_a_crash_after_the_call_shows_the_alarm_once(
    server: FakeWecom, house: House, bells: Bells, member: MemberId, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_case(house, member, CaseLevel.L1)

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("care.services.alarms.rang", dies)
    with pytest.raises(KeyboardInterrupt):
        bells.look()
    monkeypatch.undo()
    clock_of(house).move(seconds=61)
    bells.look()

    assert len(server.called("message/send")) == 2
    assert rung(server) == {"zhouning": 1}


@on_both
def test_two_processes_ring_once(server: FakeWecom, house: House, bells: Bells, member: MemberId) -> None:
    a_case(house, member, CaseLevel.L1)
    other = Bells(house, bells._kf)

    with house.unit_of_work() as uow:
        claimed = uow.alarms.claim_due(house.clock.now(), house.clock.now() + timedelta(minutes=1), 10)
        uow.commit()
    other.look()

    assert len(claimed) == 1
    assert server.called("message/send") == []


def test_with_nobody_to_ring_it_is_said_in_the_log_and_tried_when_there_is_somebody(
    server: FakeWecom, house: House, channel: Channel, member: MemberId, caplog: pytest.LogCaptureFixture
) -> None:
    a_case(house, member, CaseLevel.L1)
    channel.wecom.bells.look()
    assert "nobody can be rung" in [record.message for record in caplog.records]
    with house.unit_of_work() as uow:
        a_colleague(uow, now=house.clock.now(), role=Role.NURSE, wecom_id="zhouning")
        uow.commit()

    clock_of(house).move(minutes=1)
    channel.wecom.bells.look()

    assert rung(server) == {"zhouning": 1}


def test_a_conversation_that_needs_eyes_is_named_to_carers_once(
    server: FakeWecom, house: House, bells: Bells
) -> None:
    bells.alert("0123456789abcdef")
    bells.alert("0123456789abcdef")

    bells.look()
    bells.look()

    assert server.notices["lijing"] == ["【安心】有会话要人到控制台看一下：01234567\nhttps://care.example/console"]
