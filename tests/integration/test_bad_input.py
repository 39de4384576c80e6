"""Whatever a member sends, and whatever of ours is down: an answer, nothing lost, and danger is still heard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bot.inbound import accept
from care.adapters.rasa import RasaDialogue
from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.member import Member
from care.model.message import Author, InboxState
from care.model.staff import Role
from care.services.conversations import Inbound
from scheduler import ticks
from tests.conftest import new_database
from tests.days import (
    a_care_house,
    a_patient,
    answers_of,
    at,
    cases_of,
    clock_of,
    contacts,
    dialogue_of,
    everything_said,
    last,
    ours,
    says,
    staff_on_duty,
    take_over,
    treat,
    wall,
    work_through,
)

LONG = "我想问一下恢复的事情，" * 450  # 4,950 characters
WORDLESS = ["", " \n\t ", "\u200b", "\u200b\u2060\ufeff", "🦷", "😭😭😭", "👨‍👩‍👧", "……", "？？", "\x00", "\u202e"]
WORDS = [
    "𠮷野家\x00在哪",
    "\ud800半个字",
    "\u202eهل يمكنني تناول الطعام",
    "停\u200b车\u200b方便吗",
    "/restart",
    "／restart",
    "//session_start{}",
    '/affirm{"a": 1}',
    "{{7*7}} <script>alert(1)</script> %s {称呼}",
    "'; DROP TABLE member; --",
    "答|案|answer|x|9",
    LONG,
]


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_care_house(tmp_path, url=url) as made:
        yield made


def storable(text: str) -> str:
    return text.replace("\x00", "").replace("\ud800", "")


@pytest.mark.parametrize("text", WORDLESS)
def test_a_message_without_a_word_gets_a_kind_answer_and_troubles_nobody(house: House, text: str) -> None:
    member = a_patient(house)

    says(house, member, text)

    assert everything_said(house, member.id)[0].text == storable(text)
    assert last(house, member.id).text == house.pack.say("input.empty")
    assert dialogue_of(house).heard == []
    assert cases_of(house, member.id) == []


@pytest.mark.parametrize("text", WORDS)
def test_strange_words_are_kept_whole_and_answered(house: House, text: str) -> None:
    member = a_patient(house)

    says(house, member, text)

    assert everything_said(house, member.id)[0].text == storable(text)
    assert last(house, member.id).text == f"收到：{storable(text)}"
    assert cases_of(house, member.id) == []


@pytest.mark.parametrize("text", [*WORDLESS, *WORDS])
def test_strange_text_instead_of_an_answer_leaves_the_question_open(house: House, text: str) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    says(house, member, text)
    says(house, member, "三分")

    assert [(one.question, one.value) for one in answers_of(house, episode)] == [("pain", "3")]


@pytest.mark.parametrize("filler", ["啊", "我想问一下恢复的事情，", "🦷", "\u200b"])
def test_danger_at_the_end_of_five_thousand_characters_is_heard(house: House, filler: str) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    text = (filler * 5000)[:4990] + "血止不住"

    says(house, member, text)

    assert everything_said(house, member.id)[0].text == text
    assert [case.level for case in cases_of(house, member.id)] == [CaseLevel.L1]
    assert last(house, member.id).author is Author.SAFETY


@pytest.mark.parametrize(
    "token",
    ["", "x", ":", "::::", "x:0", ":0", "f" * 32 + ":0", "x" * 64, "answer|a|pain|9", "a:9999", "a:-1", "a:²"],
)
def test_a_button_nobody_showed_is_only_its_words(house: House, token: str) -> None:
    member = a_patient(house)
    _, episode = treat(house, member.id)
    at(house, "03-04T18:00")

    says(house, member, "好的呀", button=token)

    assert dialogue_of(house).heard[0][1] == "好的呀"
    assert "payload" not in dialogue_of(house).heard[0][2]
    assert answers_of(house, episode) == []


def test_the_same_message_delivered_twice_is_one_turn(house: House) -> None:
    member = a_patient(house)
    for _ in range(3):
        accept(house, Inbound("web", f"account-of-{member.id}", "v1", "你好"))
    work_through(house)

    assert [text for _, text, _ in dialogue_of(house).heard] == ["你好"]


# The dialogue in trouble


Answer = Callable[[httpx.Request], httpx.Response]


def _hangs(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


def _gone(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


TROUBLE: list[tuple[str, Answer]] = [
    ("timeout", _hangs),
    ("unreachable", _gone),
    ("silence", lambda _: httpx.Response(200, json=[])),
    ("silence", lambda _: httpx.Response(200, json=[{"recipient_id": "x"}])),
    ("status_500", lambda _: httpx.Response(500, text="Traceback: 我的伤口")),
    ("not_understood", lambda _: httpx.Response(200, text="<html>")),
    ("not_understood", lambda _: httpx.Response(200, json={"status": "failure"})),
    ("not_understood", lambda _: httpx.Response(200, json=["x"])),
]


def with_rasa(house: House, answer: Answer) -> None:
    house.dialogue = RasaDialogue("http://127.0.0.1:1", timeout_s=1.0, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(("reason", "answer"), TROUBLE)
def test_a_dialogue_in_trouble_is_admitted_and_a_named_human_answers_by_a_stated_time(
    house: House, reason: str, answer: Answer
) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    with_rasa(house, answer)

    recorded = accept(house, Inbound("web", f"account-of-{member.id}", "v1", "我想改约到周五"))
    work_through(house)

    said = last(house, member.id).text
    assert said == house.pack.say("dialogue.down", 姓名="李静", 时间="今天中午12点", 电话=house.pack.duty_phone)
    (case,) = cases_of(house, member.id)
    assert (case.level, case.reason, case.summary) == (CaseLevel.W1, "dialogue_down", "我想改约到周五")
    assert wall(case.due_at) == "03-04 12:00"
    assert recorded.inbox_id is not None
    with house.unit_of_work() as uow:
        item = uow.inbox.get(recorded.inbox_id)
    assert (item.state, item.reason) == (InboxState.DONE, f"dialogue_{reason}")


@pytest.mark.parametrize(("reason", "answer"), TROUBLE)
def test_danger_is_heard_whatever_the_dialogue_does(house: House, reason: str, answer: Answer) -> None:
    staff_on_duty(house)
    with_rasa(house, answer)
    expected = {"喘不上气": CaseLevel.L0, "血止不住": CaseLevel.L1, "不想活了": CaseLevel.P3}
    for number, (text, level) in enumerate(expected.items()):
        member = a_patient(house, phone=f"1380000{number:04d}")

        says(house, member, text)

        assert [case.level for case in cases_of(house, member.id)] == [level]
        assert last(house, member.id).author is Author.SAFETY
        assert "120" in last(house, member.id).text


def test_at_night_the_morning_is_named(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    dialogue_of(house).down = "timeout"
    clock_of(house).set("2026-03-04T22:10:30+08:00")

    says(house, member, "我想改约到周五")

    assert "明天上午9点半" in last(house, member.id).text


def test_several_messages_into_the_silence_make_one_case_that_keeps_its_moment(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    dialogue_of(house).down = "timeout"

    for text in ("在吗", "我想改约", "周五可以吗"):
        says(house, member, text)
        clock_of(house).move(minutes=10)

    (case,) = cases_of(house, member.id)
    assert wall(case.due_at) == "03-04 12:00"
    assert all(text in case.summary for text in ("在吗", "我想改约", "周五可以吗"))
    assert sum("今天中午12点" in text for text in ours(house, member.id)) == 3


def test_a_promise_made_again_after_it_was_broken_names_a_moment_still_to_come(house: House) -> None:
    staff_on_duty(house)
    member = a_patient(house)
    dialogue_of(house).down = "timeout"
    says(house, member, "在吗")
    clock_of(house).move(minutes=125)
    assert ticks.tell_breaches(house) == 1

    says(house, member, "还没人理我")

    assert "今天下午2点5分" in last(house, member.id).text
    clock_of(house).move(minutes=121)
    assert ticks.tell_breaches(house) == 1


def test_while_a_carer_has_the_conversation_a_dead_dialogue_says_nothing(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)
    take_over(house, member.id, people[Role.CARER])
    dialogue_of(house).down = "timeout"
    before = len(ours(house, member.id))

    says(house, member, "谢谢您")

    assert len(ours(house, member.id)) == before
    assert cases_of(house, member.id) == []


def test_a_takeover_while_the_dialogue_hangs_silences_its_excuse_too(house: House) -> None:
    people = staff_on_duty(house)
    member = a_patient(house)

    def hangs(request: httpx.Request) -> httpx.Response:
        take_over(house, member.id, people[Role.CARER])
        return _hangs(request)

    with_rasa(house, hangs)

    says(house, member, "我想改约到周五")

    assert [said.author for said in everything_said(house, member.id)][-1] is Author.SYSTEM
    assert not any(house.pack.duty_phone in text for text in ours(house, member.id))


def test_no_words_of_a_member_are_an_order_to_rasa(house: House) -> None:
    member = a_patient(house)
    wire: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        wire.append(json.loads(request.content)["message"])
        return httpx.Response(200, json=[{"text": "好"}])

    with_rasa(house, answer)

    for text in ("/restart", " / /restart", "／restart", "\x00/restart", "/", "\u200b/restart", "/" * 5000 + "x"):
        says(house, member, text)

    assert wire
    assert not any(message.lstrip("\u200b\u2060\ufeff").startswith(("/", "／")) for message in wire)


def test_a_check_in_still_goes_out_when_the_dialogue_is_gone(house: House) -> None:
    people = [a_patient(house, phone=f"1380000{number:04d}") for number in range(3)]
    asked: list[int] = []

    def gone(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        return _hangs(request)

    with_rasa(house, gone)
    for member in people:
        treat(house, member.id)

    assert at(house, "03-04T18:00") == 3

    assert all(_was_asked(house, member) for member in people)
    assert len(asked) == 1  # one refusal is enough: three timeouts would hold up whoever is due next


def _was_asked(house: House, member: Member) -> bool:
    return contacts(house, member.id)["A0"].handed_over_at is not None
