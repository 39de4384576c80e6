"""A stranger turns out to be a member, parts again, and sends what is no text; on both databases."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bot.inbound import Workers, accept
from bot.pulse import Pulse
from care.adapters.packs import load_pack
from care.adapters.sql.columns import metadata
from care.adapters.sql.repositories.bindings import MOVED, STAYS
from care.bootstrap import House, Reading
from care.model.attachment import AttachmentState, NotTaken
from care.model.binding import CodeKind, code_in, new_code, shown
from care.model.consent import Choice, Purpose
from care.model.errors import Conflict, NotFound
from care.model.ids import MemberId
from care.model.pictures import cleaned
from care.model.staff import Reader
from care.services import attachments, bindings
from care.services.conversations import Inbound, Media
from care.services.sending import start_sending
from care.testing import TEST_READER, FakeSafety, a_member
from tests.conftest import new_database
from tests.member_edge import a_small_house, a_writer, clock_of, everything_said


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    with a_small_house(tmp_path, url=url) as made:
        made.pack = load_pack(made.settings.pack)
        made.reading = cast("Reading", SimpleNamespace(safety=FakeSafety({})))
        yield made


def a_code(house: House, phone: str = "13800001111") -> tuple[MemberId, str]:
    with house.unit_of_work() as uow:
        member = a_member(uow, now=house.clock.now(), phone=phone)
        words, _ = bindings.give_code(
            member.id,
            CodeKind.INVITATION,
            by=Reader("practice", ""),
            terms=house.settings.code_terms,
            uow=uow,
            now=house.clock.now(),
        )
        uow.commit()
    return member.id, words


def work(house: House) -> None:
    workers = Workers(house, Pulse(), spoken=lambda: None)
    while workers.work_once():
        pass


def writes(house: House, account: str, text: str, channel: str = "web", media: Media | None = None) -> MemberId:
    vendor_id = f"{account}:{text}:{house.clock.now()}"
    accept(house, Inbound(channel, account, vendor_id, text, media=media))
    clock_of(house).move(seconds=1)
    work(house)
    return owner(house, account, channel)


def owner(house: House, account: str, channel: str = "web") -> MemberId:
    with house.unit_of_work() as uow:
        identity = uow.members.identity(channel, account)
    assert identity is not None
    return identity.member_id


def test_a_code_typed_in_chat_joins_two_histories_in_order(house: House) -> None:
    member_id, code = a_code(house)
    stranger = writes(house, "a", "你好")

    bound = writes(house, "a", f" {shown(code).lower()} ")

    said = everything_said(house, member_id)
    assert bound == member_id != stranger
    assert said[0].text == "你好"
    assert said[-1].text.startswith("连上了")
    assert [one.seq for one in said] == sorted(one.seq for one in said)
    assert everything_said(house, stranger) == []


@pytest.mark.parametrize("how", ["used", "expired", "made up"])
def test_a_code_that_is_not_live_is_answered_in_the_same_words(house: House, how: str) -> None:
    _, code = a_code(house)
    if how == "used":
        writes(house, "first", code)
    if how == "expired":
        clock_of(house).move(days=8)

    stranger = writes(house, "b", new_code() if how == "made up" else code)

    assert everything_said(house, stranger)[-1].text.startswith("这个码用不了")


def test_after_five_wrong_codes_even_the_right_one_waits(house: House) -> None:
    member_id, code = a_code(house)
    for _ in range(5):
        writes(house, "g", new_code())

    assert writes(house, "g", code) != member_id
    clock_of(house).move(minutes=16)
    assert writes(house, "g", code) == member_id


def test_an_account_of_another_known_member_is_left_alone_and_a_human_is_asked(house: House) -> None:
    first, code = a_code(house)
    _, other = a_code(house, "13800002222")
    writes(house, "a", code)

    assert writes(house, "a", other) == first
    with house.unit_of_work() as uow:
        assert [case.reason for case in uow.cases.open_of(first)] == ["binding_conflict"]


def test_what_a_stranger_refused_stays_refused_and_what_they_allowed_is_not_taken_over(house: House) -> None:
    member_id, code = a_code(house)
    stranger = writes(house, "a", "你好")
    with house.unit_of_work() as uow:
        for purpose, given in ((Purpose.CHECK_INS, False), (Purpose.MARKETING, True)):
            choice = Choice(purpose, given, house.clock.now())
            uow.members.choose(stranger, choice, by=TEST_READER, evidence="said so")
        uow.commit()

    writes(house, "a", code)

    with house.unit_of_work() as uow:
        choices = uow.members.get(member_id, by=TEST_READER, purpose=Purpose.CARE).choices
    assert not choices[Purpose.CHECK_INS].given
    assert Purpose.MARKETING not in choices


def test_a_parted_account_starts_anew_and_sees_nothing(house: House) -> None:
    member_id, code = a_code(house)
    writes(house, "a", code)
    writes(house, "a", "解绑这个微信")
    asked = everything_said(house, member_id)[-1]

    accept(house, Inbound("web", "a", "tap", "", button=f"{asked.id}:0"))
    work(house)

    stranger = owner(house, "a")
    assert stranger != member_id
    assert [one.text[:4] for one in everything_said(house, stranger)] == ["已经解绑"]
    with house.unit_of_work() as uow:
        conversation = uow.conversations.of_member(member_id)
        parted = uow.members.identity("web", "a")
    assert conversation is not None
    assert parted is not None
    assert conversation.reply_to != parted.id


def test_what_was_claimed_before_the_account_parted_reaches_no_stranger(house: House) -> None:
    _, code = a_code(house)
    writes(house, "a", code)
    now = house.clock.now()
    with house.unit_of_work() as uow:
        claimed = uow.outbox.claim(now, now + house.settings.outbox_lease, 50)
        uow.commit()
    writes(house, "a", "解绑这个微信")
    asked = everything_said(house, owner(house, "a"))[-1]
    accept(house, Inbound("web", "a", "tap", "", button=f"{asked.id}:0"))
    work(house)

    assert claimed
    for item in claimed:
        with house.unit_of_work() as uow, pytest.raises(Conflict):
            start_sending(item, idempotent=True, uow=uow, now=now)


def test_every_table_of_members_says_whether_it_moves_with_them() -> None:
    of_members = {table for table in metadata.tables.values() if "member_id" in table.c}

    assert of_members == MOVED.keys() | STAYS


def a_jpeg(*, width: int = 40, height: int = 30) -> bytes:
    tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(">I", 0)
    exif = b"Exif\x00\x00" + tiff + b"GPS 30.25,120.16"
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    segments = ((0xE1, exif), (0xFE, b"a comment"), (0xC0, frame), (0xDA, b"\x01\x01\x00\x00\x3f\x00"))
    body = b"".join(bytes((0xFF, mark)) + struct.pack(">H", len(part) + 2) + part for mark, part in segments)
    return b"\xff\xd8" + body + b"data\xff\x00more\xff\xd9" + b"PK a second file"


def test_a_picture_keeps_which_way_up_it_is_and_loses_where_it_was_taken() -> None:
    kept = cleaned(a_jpeg(), "picture")

    assert kept.mime == "image/jpeg"
    assert all(words not in kept.content for words in (b"GPS", b"comment", b"second"))
    assert struct.pack("<HHIH", 0x0112, 3, 1, 6) in kept.content
    assert cleaned(kept.content, "picture") == kept


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html><script>", "wrong_type"),
        (b"#!AMR\n", "wrong_type"),
        (a_jpeg(width=60_000, height=60_000), "too_many_pixels"),
        (a_jpeg()[:60], "broken"),
        (b"\xff\xd8\xff" + bytes(10_000_001), "too_big"),
    ],
)
def test_what_is_no_bearable_picture_is_not_kept(content: bytes, reason: str) -> None:
    with pytest.raises(NotTaken) as refused:
        cleaned(content, "picture")

    assert refused.value.reason == reason


def test_a_picture_is_sealed_moves_with_its_member_and_is_nobody_elses(house: House) -> None:
    member_id, code = a_code(house)
    kept = cleaned(a_jpeg(), "picture")
    stranger = writes(house, "a", "[图片]", media=Media("picture", "x", kept))
    picture = next(one for one in everything_said(house, stranger) if one.text == "[图片]")
    writes(house, "a", code)
    other = a_writer(house, "z").member_id

    with house.unit_of_work() as uow:
        found = uow.attachments.of_messages([picture.id])[picture.id]
        now, purpose = house.clock.now(), Purpose.SERVICE_CORE
        mime, content = attachments.look(found.id, by=Reader("member", member_id), purpose=purpose, uow=uow, now=now)
        for nosy in (other, stranger):
            with pytest.raises(NotFound):
                attachments.look(found.id, by=Reader("member", nosy), purpose=purpose, uow=uow, now=now)
    assert (found.state, mime, content) == (AttachmentState.STORED, "image/jpeg", kept.content)
    assert any(one.text.startswith("照片收到了") for one in everything_said(house, member_id))


def test_a_code_is_told_from_words_and_numbers() -> None:
    code = new_code()

    assert code_in(f"{shown(code).lower()}") == code
    assert code_in(f"我的码是{code}") is None
    assert code_in("13987436974") is None
    assert code_in("3467893467") is None
