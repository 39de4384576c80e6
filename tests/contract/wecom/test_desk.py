"""Who serves a customer over there and here: the two never talk at once, and nobody is left without an answer."""

from __future__ import annotations

import pytest

from anxin.dev.fake_wecom import ACCOUNT, GATEWAY, NOT_SERVING, WRONG_STATE, FakeWecom, Trouble
from care.bootstrap import House
from care.model.case import Case, CaseLevel
from care.model.conversation import BOT
from care.model.ids import StaffId
from care.model.message import Author, OutboxState
from care.model.vendor import SERVICER, ServiceState
from care.services import cases, conversations
from care.testing import a_colleague
from tests.contract.wecom.conftest import CUSTOMER, LI, Channel, on_both
from tests.member_edge import clock_of, delivery_of, say


@pytest.fixture
def settings() -> dict[str, object]:
    return {"wecom_desk": "wecom"}


@pytest.fixture
def li(house: House) -> StaffId:
    with house.unit_of_work() as uow:
        colleague = a_colleague(uow, now=house.clock.now(), wecom_id=LI)
        uow.commit()
    return colleague.id


@pytest.fixture
def talk(server: FakeWecom, channel: Channel) -> Channel:
    """A customer has written."""
    channel.caught_up()
    writes(server, channel, "转人工")
    return channel


def writes(server: FakeWecom, channel: Channel, text: str) -> None:
    server.customer_says(CUSTOMER, text)
    channel.pull()


def take_over(channel: Channel, who: StaffId) -> None:
    house, conversation = channel.house, channel.conversation()
    with house.unit_of_work() as uow:
        conversations.take_over(conversation.id, who, uow=uow, clock=house.clock, pack=house.pack)
        uow.commit()


def hand_back(channel: Channel, who: StaffId) -> None:
    house, conversation = channel.house, channel.conversation()
    with house.unit_of_work() as uow:
        conversations.hand_back(
            conversation.id,
            who,
            outcome="约好了",
            next_step="明早复诊",
            may_mention=True,
            uow=uow,
            clock=house.clock,
            pack=house.pack,
        )
        uow.commit()


def state_over_there(server: FakeWecom) -> int:
    return server.sessions[ACCOUNT, CUSTOMER].state


def alerts(channel: Channel) -> list[str]:
    return list(channel.wecom.bells._alerts)


@on_both
def test_case_46_a_takeover_gives_the_session_to_the_colleague_who_serves_there(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    server.servicers[LI] = 0
    take_over(talk, li)
    talk.deliver()

    talk.wecom.desk.look()

    assert server.sessions[ACCOUNT, CUSTOMER].servicer == LI
    assert talk.session().state is ServiceState.SERVICER
    assert talk.wecom.desk.look() == 0  # told once


def test_case_46_what_was_said_before_the_takeover_leaves_before_the_session_is_given_away(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    server.servicers[LI] = 0
    take_over(talk, li)

    assert talk.wecom.desk.look() == 0
    talk.deliver()
    talk.wecom.desk.look()

    assert "owner.taken_over" in server.received(CUSTOMER)[0]
    assert state_over_there(server) == ServiceState.SERVICER


@pytest.mark.parametrize("serving", [{"somebody": 0}, {LI: 1, "somebody": 0}])
@on_both
def test_case_46_without_a_colleague_who_serves_there_it_waits_in_the_pool(
    server: FakeWecom, talk: Channel, li: StaffId, serving: dict[str, int]
) -> None:
    server.servicers.update(serving)
    take_over(talk, li)
    talk.deliver()

    talk.wecom.desk.look()

    assert state_over_there(server) == ServiceState.POOL


def test_case_46_a_colleague_who_left_in_that_moment_does_not_lose_the_customer(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    server.servicers[LI] = 0
    server.troubles["kf/service_state/trans"].append(Trouble(NOT_SERVING))
    take_over(talk, li)
    talk.deliver()

    talk.wecom.desk.look()

    assert state_over_there(server) == ServiceState.POOL


@pytest.mark.parametrize("code", [WRONG_STATE, NOT_SERVING])
def test_case_46_when_the_vendor_gives_it_to_nobody_the_customer_is_told_and_colleagues_are_rung(
    server: FakeWecom, talk: Channel, li: StaffId, code: int
) -> None:
    server.servicers[LI] = 0
    server.troubles["kf/service_state/trans"].extend([Trouble(code)] * 2)
    take_over(talk, li)
    talk.deliver()

    talk.wecom.desk.look()
    talk.deliver()

    assert "wecom.nobody_there" in server.received(CUSTOMER)[-1]
    assert alerts(talk) == [talk.conversation().id]
    assert talk.session().problem == f"wecom_{code}"
    assert talk.wecom.desk.look() == 0  # not over and over
    said = say(talk.house, talk.conversation(), "我在，您说", author=Author.CARER, carer_id=li)
    talk.deliver()
    assert delivery_of(talk.house, said).state is OutboxState.SENT  # the console still reaches them


@pytest.mark.parametrize("serving", [{}, {LI: 1}])
def test_case_46_while_nobody_serves_over_there_the_carer_who_took_over_writes_in_the_console(
    server: FakeWecom, talk: Channel, li: StaffId, serving: dict[str, int]
) -> None:
    server.servicers.update(serving)
    take_over(talk, li)
    talk.deliver()

    talk.wecom.desk.look()
    said = say(talk.house, talk.conversation(), "我在，您说", author=Author.CARER, carer_id=li)
    talk.deliver()

    assert state_over_there(server) == ServiceState.NEW
    assert delivery_of(talk.house, said).state is OutboxState.SENT
    assert talk.wecom.desk.look() == 0


def wishes_for_a_human(channel: Channel) -> Case:
    member_id, house = channel.conversation().member_id, channel.house
    with house.unit_of_work() as uow:
        opened = cases.open_case(
            member_id, CaseLevel.W1, "request_human", uow=uow, now=house.clock.now(), zone=house.zone
        )
        uow.commit()
    return opened.case


@on_both
def test_case_46_a_wish_for_a_human_goes_to_the_colleague_whose_turn_it_is_and_the_bot_is_silent(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    server.servicers[LI] = 0
    wishes_for_a_human(talk)
    told = say(talk.house, talk.conversation(), "李静马上来")

    assert talk.wecom.desk.look() == 0  # what is on its way leaves first
    talk.deliver()
    talk.wecom.desk.look()

    assert server.received(CUSTOMER) == ["李静马上来"]
    assert delivery_of(talk.house, told).state is OutboxState.SENT
    assert server.sessions[ACCOUNT, CUSTOMER].servicer == LI
    assert talk.conversation().owner == li
    assert talk.wecom.desk.look() == 0


def test_case_46_a_wish_for_a_human_waits_in_the_pool_when_only_others_serve(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    server.servicers["somebody"] = 0
    wishes_for_a_human(talk)

    talk.wecom.desk.look()

    assert state_over_there(server) == ServiceState.POOL
    assert talk.conversation().owner == SERVICER
    server.desk_changes(CUSTOMER, 1, "somebody")
    server.desk_changes(CUSTOMER, 3, "somebody")
    talk.pull()
    assert talk.conversation().owner == BOT
    assert talk.wecom.desk.look() == 0  # the wish was heard; it does not begin anew


@pytest.mark.parametrize("refusal", [WRONG_STATE, NOT_SERVING, None])
def test_case_46_a_wish_nobody_can_answer_over_there_is_told_and_stays_with_the_bot(
    server: FakeWecom, talk: Channel, li: StaffId, refusal: int | None
) -> None:
    if refusal is not None:
        server.servicers[LI] = 0
        server.troubles["kf/service_state/trans"].extend([Trouble(refusal)] * 2)
    wishes_for_a_human(talk)

    talk.wecom.desk.look()
    talk.deliver()
    talk.wecom.desk.look()
    talk.deliver()

    assert len(server.received(CUSTOMER)) == 1
    assert "wecom.nobody_there" in server.received(CUSTOMER)[0]
    assert alerts(talk) == [talk.conversation().id]
    assert talk.conversation().owner == BOT


@pytest.mark.parametrize("state", [2, 3])
def test_case_46_the_bot_is_silent_while_the_vendors_desk_holds_the_session(
    server: FakeWecom, talk: Channel, state: int
) -> None:
    session = server.sessions[ACCOUNT, CUSTOMER]
    session.state, session.servicer = state, LI if state == 3 else ""  # and no event has told us yet
    said = say(talk.house, talk.conversation(), "我是小安")

    talk.deliver()
    clock_of(talk.house).move(minutes=2)
    talk.deliver()

    assert server.received(CUSTOMER) == []
    assert delivery_of(talk.house, said).state is OutboxState.WITHDRAWN
    assert talk.conversation().owner == SERVICER
    assert alerts(talk) == []


def test_case_46_words_of_a_colleague_that_cannot_leave_ring_colleagues(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    server.sessions[ACCOUNT, CUSTOMER].state = 3
    said = say(talk.house, talk.conversation(), "我在", author=Author.SAFETY)

    talk.deliver()

    item = delivery_of(talk.house, said)
    assert (item.state, item.reason) == (OutboxState.DEAD, "with_servicer")
    assert alerts(talk) == [talk.conversation().id]


def test_case_46_after_the_end_over_there_the_next_word_is_the_bots_again(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    server.servicers[LI] = 0
    take_over(talk, li)
    talk.deliver()
    talk.wecom.desk.look()

    server.desk_changes(CUSTOMER, 3, LI)
    talk.pull()
    assert talk.conversation().owner == BOT
    writes(server, talk, "还有一个问题")
    said = say(talk.house, talk.conversation(), "您说")
    talk.deliver()

    assert delivery_of(talk.house, said).state is OutboxState.SENT
    assert talk.session().state is ServiceState.NEW


@on_both
def test_case_46_handing_back_here_ends_the_session_over_there(server: FakeWecom, talk: Channel, li: StaffId) -> None:
    server.servicers[LI] = 0
    take_over(talk, li)
    talk.deliver()
    talk.wecom.desk.look()

    hand_back(talk, li)
    talk.deliver()
    talk.wecom.desk.look()

    assert state_over_there(server) == ServiceState.ENDED
    writes(server, talk, "谢谢")
    said = say(talk.house, talk.conversation(), "不客气")
    for _ in range(3):
        talk.deliver()
        clock_of(talk.house).move(minutes=2)
    assert delivery_of(talk.house, said).state is OutboxState.SENT


def test_a_colleague_who_takes_the_session_over_there_silences_the_bot_here(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    waiting = say(talk.house, talk.conversation(), "我是小安")

    server.desk_changes(CUSTOMER, 1, LI)
    talk.pull()
    talk.deliver()

    assert talk.conversation().owner == li
    assert delivery_of(talk.house, waiting).state is OutboxState.WITHDRAWN
    assert talk.wecom.desk.look() == 0  # nothing to tell the vendor: it told us


def test_an_end_over_there_does_not_end_what_a_colleague_holds_here(
    server: FakeWecom, talk: Channel, li: StaffId
) -> None:
    with talk.house.unit_of_work() as uow:
        sun = a_colleague(uow, now=talk.house.clock.now(), name="孙岚")
        uow.commit()
    take_over(talk, sun.id)
    server.desk_changes(CUSTOMER, 1, LI)
    server.desk_changes(CUSTOMER, 3, LI)

    talk.pull()

    assert talk.conversation().owner == sun.id


def test_a_crisis_is_not_handed_back_by_an_end_over_there(server: FakeWecom, talk: Channel, li: StaffId) -> None:
    server.desk_changes(CUSTOMER, 1, LI)
    talk.pull()
    held = talk.conversation()
    with talk.house.unit_of_work() as uow:
        conversation = uow.conversations.get(held.id, lock=True)
        conversation.crisis = True
        uow.conversations.save(conversation)
        uow.commit()

    server.desk_changes(CUSTOMER, 3, LI)
    talk.pull()

    assert talk.conversation().owner == li


def test_a_crash_between_telling_the_vendor_and_remembering_it_tells_it_once_more_and_changes_nothing(
    server: FakeWecom, talk: Channel, li: StaffId, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.servicers[LI] = 0
    take_over(talk, li)
    talk.deliver()
    monkeypatch.setattr(talk.wecom.desk, "_remember", dies)
    with pytest.raises(KeyboardInterrupt):
        talk.wecom.desk.look()
    monkeypatch.undo()

    talk.wecom.desk.look()

    assert state_over_there(server) == ServiceState.SERVICER
    assert len(server.called("kf/service_state/trans")) == 1


def dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("trouble", [GATEWAY, Trouble(-1), Trouble(60020)])
def test_a_vendor_in_trouble_is_told_later(server: FakeWecom, talk: Channel, li: StaffId, trouble: Trouble) -> None:
    server.servicers[LI] = 0
    server.troubles["kf/service_state/trans"].append(trouble)
    take_over(talk, li)
    talk.deliver()

    talk.wecom.desk.look()
    assert talk.wecom.desk.look() == 0  # not at once
    clock_of(talk.house).move(seconds=31)
    talk.wecom.desk.look()

    assert state_over_there(server) == ServiceState.SERVICER


class TestCarersWriteInTheConsole:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {}

    def test_a_takeover_leaves_the_session_with_us_so_that_the_carer_can_write(
        self, server: FakeWecom, talk: Channel, li: StaffId
    ) -> None:
        server.servicers[LI] = 0
        take_over(talk, li)
        said = say(talk.house, talk.conversation(), "我在，您说", author=Author.CARER, carer_id=li)

        talk.wecom.desk.look()
        talk.deliver()
        talk.deliver()

        assert delivery_of(talk.house, said).state is OutboxState.SENT
        assert server.called("kf/service_state/trans") == []

    def test_a_wish_for_a_human_is_a_case_in_the_console_and_nothing_over_there(
        self, server: FakeWecom, talk: Channel, li: StaffId
    ) -> None:
        server.servicers[LI] = 0
        wishes_for_a_human(talk)

        assert talk.wecom.desk.look() == 0
        assert state_over_there(server) == ServiceState.NEW

    def test_what_a_colleague_holds_over_there_can_be_given_back_from_here(
        self, server: FakeWecom, talk: Channel, li: StaffId
    ) -> None:
        server.desk_changes(CUSTOMER, 1, LI)
        talk.pull()

        hand_back(talk, li)
        talk.deliver()
        talk.wecom.desk.look()

        assert state_over_there(server) == ServiceState.ENDED
