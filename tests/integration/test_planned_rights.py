"""A planned contact and the rights there are: another channel, a notice, a human; and asking in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.delivery import deliver_all
from care.bootstrap import House
from care.model.conversation import Conversation
from care.model.ids import OutboxId
from care.model.member import Identity, Member
from care.model.message import OutboxItem, OutboxState
from care.model.touchpoint import TouchpointKind, TouchpointState
from care.services.conversations import button_token
from care.testing import FakeSender
from scheduler import ticks
from tests.conftest import new_database
from tests.days import (
    a_care_house,
    a_patient,
    a_second_account,
    answers_of,
    at,
    cases_of,
    clock_of,
    contacts,
    conversation_of,
    dialogue_of,
    everything_said,
    ours,
    says,
    treat,
)


class Notifying(FakeSender):
    """A channel whose vendor sends notices."""

    def __init__(self) -> None:
        super().__init__("wechat")
        self.notices: list[str] = []

    def nudge(self, to: Identity, template: str, outbox_id: OutboxId) -> str:
        """Keep the notice."""
        self.notices.append(template)
        return outbox_id


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""


@pytest.fixture
def house(url: str, tmp_path: Path) -> Iterator[House]:
    with a_care_house(tmp_path, url=url) as made:
        yield made


@pytest.fixture
def house_with_notice(url: str, tmp_path: Path) -> Iterator[House]:
    with a_care_house(tmp_path, url=url, wechat_template_notice="notice") as made:
        yield made


@pytest.fixture
def wechat() -> Notifying:
    return Notifying()


def on_wechat(house: House, phone: str = "13800001234") -> Member:
    """Return a patient who has just written on WeChat."""
    member = a_patient(house, channel="wechat", phone=phone)
    writes(house, member, "你好")
    return member


def writes(house: House, member: Member, text: str) -> None:
    says(house, member, text, channel="wechat")


def deliver(house: House, wechat: Notifying) -> None:
    deliver_all(house, {"wechat": wechat, "telegram": FakeSender("telegram"), "web": FakeSender()})


def delivery(house: House, member: Member, plan: str) -> OutboxItem:
    key = f"touchpoint:{contacts(house, member.id)[plan].id}"
    with house.unit_of_work() as uow:
        item = uow.outbox.by_key(key)
    assert item is not None
    return item


def reasons(house: House, member: Member) -> list[str]:
    return [case.reason for case in cases_of(house, member.id)]


def talk_of(house: House, member: Member) -> Conversation:
    return conversation_of(house, member.id)


def test_inside_the_window_a_check_in_goes_out_as_ever(house: House, wechat: Notifying) -> None:
    member = on_wechat(house)
    treat(house, member.id)

    at(house, "03-04T18:00")
    deliver(house, wechat)

    assert delivery(house, member, "A0").state is OutboxState.SENT
    assert contacts(house, member.id)["A0"].reason == "cleared"


def test_outside_the_window_another_channel_that_rings_is_taken(house: House, wechat: Notifying) -> None:
    member = on_wechat(house)
    a_second_account(house, member.id, "telegram")
    clock_of(house).set("2026-03-07T10:00+08:00")
    treat(house, member.id)

    at(house, "03-07T18:00")
    deliver(house, wechat)

    sent = delivery(house, member, "A0")
    assert (sent.channel, sent.state) == ("telegram", OutboxState.SENT)
    assert wechat.sent == []


def test_without_any_way_a_check_in_for_safety_becomes_a_humans_task_with_its_reason(
    house: House, wechat: Notifying
) -> None:
    member = on_wechat(house)
    clock_of(house).set("2026-03-07T10:00+08:00")
    treat(house, member.id)

    assert at(house, "03-07T18:00") == 0
    deliver(house, wechat)

    contact = contacts(house, member.id)["A0"]
    assert contact.safety
    assert (contact.state, contact.reason) == (TouchpointState.SUPPRESSED, "no_right")
    assert reasons(house, member) == ["no_channel:A0"]
    assert wechat.sent == []


def test_outside_the_window_a_notice_asks_for_a_word_and_the_word_brings_the_question(
    house_with_notice: House, wechat: Notifying
) -> None:
    house = house_with_notice
    member = on_wechat(house)
    deliver(house, wechat)
    heard = len(dialogue_of(house).heard)
    clock_of(house).set("2026-03-07T10:00+08:00")
    _, episode = treat(house, member.id)

    at(house, "03-07T18:00")
    deliver(house, wechat)
    held = delivery(house, member, "A0").state
    asked_while_held = talk_of(house, member).asked
    clock_of(house).move(minutes=20)
    wechat.sent.clear()
    writes(house, member, "1")
    deliver(house, wechat)
    asked = talk_of(house, member).asked
    writes(house, member, "3")

    assert wechat.notices == ["notice"]
    assert contacts(house, member.id)["A0"].reason == "asks_for_word"
    assert (held, asked_while_held) == (OutboxState.HELD, None)
    assert len(wechat.texts) == 1
    assert "麻药" in wechat.texts[0]
    assert asked == "checkin.pain"
    assert len(dialogue_of(house).heard) == heard, "a bare sign of life is not talked about"
    assert [(one.question, one.value) for one in answers_of(house, episode)] == [("pain", "3")]


def test_who_answers_the_notice_with_a_question_gets_the_check_in_and_their_answer(
    house_with_notice: House, wechat: Notifying
) -> None:
    house = house_with_notice
    member = on_wechat(house)
    deliver(house, wechat)
    clock_of(house).set("2026-03-07T10:00+08:00")
    treat(house, member.id)
    at(house, "03-07T18:00")
    deliver(house, wechat)
    wechat.sent.clear()

    writes(house, member, "你们周日开门吗")
    deliver(house, wechat)

    assert "麻药" in wechat.texts[0]
    assert wechat.texts[1] == "收到：你们周日开门吗"
    assert talk_of(house, member).asked == "checkin.pain"


def test_a_check_in_past_its_window_is_never_sent_late_and_counts_as_expired(
    house_with_notice: House, wechat: Notifying
) -> None:
    house = house_with_notice
    member = on_wechat(house)
    deliver(house, wechat)
    clock_of(house).set("2026-03-07T10:00+08:00")
    treat(house, member.id)
    at(house, "03-07T18:00")
    deliver(house, wechat)
    wechat.sent.clear()
    contact = contacts(house, member.id)["A0"]
    clock_of(house).set(contact.expires_at)

    ticks.expire_held(house)
    writes(house, member, "在")
    deliver(house, wechat)

    assert not any("麻药" in text for text in wechat.texts)
    after = contacts(house, member.id)["A0"]
    assert (after.state, after.reason) == (TouchpointState.EXPIRED, "no_right")
    assert "not_reached:A0" in reasons(house, member)


def test_a_second_contact_without_a_word_in_between_asks_for_no_second_notice_but_for_a_human(
    house_with_notice: House, wechat: Notifying
) -> None:
    house = house_with_notice
    member = on_wechat(house)
    deliver(house, wechat)
    clock_of(house).set("2026-03-07T10:00+08:00")
    treat(house, member.id)
    for moment in ("03-07T18:00", "03-08T09:00"):
        at(house, moment)
        deliver(house, wechat)

    assert wechat.notices == ["notice"]
    assert contacts(house, member.id)["A1"].reason == "no_right"
    assert "no_channel:A1" in reasons(house, member)


def test_planned_is_exactly_what_was_handed_over_suppressed_and_expired(
    house_with_notice: House, wechat: Notifying
) -> None:
    house = house_with_notice
    people = [on_wechat(house, f"1380000123{number}") for number in range(3)]
    a_second_account(house, people[1].id, "telegram")
    for member in people:
        treat(house, member.id)
    planned = 0
    for day in range(4, 25):
        for hour in ("09:00", "12:00", "18:00"):
            at(house, f"03-{day:02}T{hour}")
            deliver(house, wechat)
            ticks.expire_held(house)
            ticks.chase_silence(house)
        if day % 5 == 0:
            writes(house, people[2], f"嗯 {day}")
            deliver(house, wechat)

    for member in people:
        for contact in contacts(house, member.id).values():
            planned += 1
            if contact.state is TouchpointState.HANDED_OVER:
                assert delivery(house, member, contact.plan).state in {OutboxState.SENT, OutboxState.HELD}
            elif contact.state is TouchpointState.EXPIRED and contact.reason == "no_right":
                assert delivery(house, member, contact.plan).state is OutboxState.WITHDRAWN
            else:
                assert contact.state in {
                    TouchpointState.SUPPRESSED,
                    TouchpointState.EXPIRED,
                    TouchpointState.PLANNED,
                    TouchpointState.POSTPONED,
                }
                with house.unit_of_work() as uow:
                    assert uow.outbox.by_key(f"touchpoint:{contact.id}") is None
    assert planned > 12
    assert len(wechat.sent) == len(set(wechat.sent)), "nothing twice"


# Asking in time


def test_the_last_answer_of_a_check_in_asks_for_a_word_when_the_next_lies_outside_the_window(
    house: House, wechat: Notifying
) -> None:
    member = on_wechat(house)
    treat(house, member.id, ended="2026-03-01T10:00+08:00")
    _lives_through_it(house, member)

    asking = [text for text in ours(house, member.id) if "微信的规定" in text]
    assert len(asking) == 1
    assert "给我发一个字" in asking[0]


def test_whoever_may_be_sent_a_notice_at_any_time_is_not_asked_for_a_word(
    house_with_notice: House, wechat: Notifying
) -> None:
    house = house_with_notice
    member = on_wechat(house)
    treat(house, member.id, ended="2026-03-01T10:00+08:00")
    _lives_through_it(house, member)

    assert not any("微信的规定" in text for text in ours(house, member.id))


def test_where_a_subscription_is_set_up_the_line_says_where_to_agree(
    url: str, tmp_path: Path, wechat: Notifying
) -> None:
    link = "https://clinic.example/remind"
    with a_care_house(tmp_path, url=url, wechat_subscribe_notice="s", wechat_subscribe_url=link) as house:
        member = on_wechat(house)
        treat(house, member.id, ended="2026-03-01T10:00+08:00")
        _lives_through_it(house, member)

        assert any(link in text for text in ours(house, member.id))


def test_on_the_web_nobody_is_asked_for_a_word(house: House) -> None:
    member = a_patient(house)
    treat(house, member.id, ended="2026-03-01T10:00+08:00")
    _lives_through_it(house, member, channel="web")

    assert not any("微信的规定" in text for text in ours(house, member.id))


def _the_last_before_a_gap(house: House, member: Member) -> datetime:
    """Return the moment of the check-in after which nothing is planned for more than two days."""
    with house.unit_of_work() as uow:
        waiting = [
            one
            for one in uow.treatments.touchpoints_of(member.id)
            if one.kind is TouchpointKind.CHECK_IN and one.state is TouchpointState.PLANNED and one.ask
        ]
    for one, following in pairwise(waiting):
        if (following.due_at - one.due_at).total_seconds() > 50 * 3600:
            return one.due_at
    raise AssertionError("the protocol has no such gap")


def _lives_through_it(house: House, member: Member, channel: str = "wechat") -> None:
    """Let the member write, be asked an hour later, and answer everything mildly."""
    moment = _the_last_before_a_gap(house, member)
    clock_of(house).set(moment - timedelta(hours=1))
    says(house, member, "在的", channel=channel)
    clock_of(house).set(moment)
    assert ticks.send_due(house) == 1
    _answers_everything(house, member)


def _answers_everything(house: House, member: Member) -> None:
    mild = {"scale": "1", "number": "36.5", "text": "没有"}
    for _ in range(12):
        asked = talk_of(house, member).asked or ""
        if not asked.startswith("checkin."):
            return
        question = house.pack.questions[asked.removeprefix("checkin.")]
        if question.kind == "choice":
            says(house, member, "", button=_first_button(house, member), channel=_channel(house, member))
        else:
            says(house, member, mild[question.kind], channel=_channel(house, member))
    raise AssertionError("the check-in does not end")


def _first_button(house: House, member: Member) -> str:
    shown = [message for message in everything_said(house, member.id) if message.buttons]
    return button_token(shown[-1], 0)


def _channel(house: House, member: Member) -> str:
    with house.unit_of_work() as uow:
        return uow.members.identities_of(member.id)[0].channel
