"""Nothing about a member lies readable on disk, and a sealed field only opens where it belongs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

from care.adapters.sql.keys import Keyring, KeyTrouble, MasterKey, SealBroken
from care.model.consent import Purpose
from care.model.errors import Conflict, NotAllowed
from care.model.ids import MemberId
from care.services import conversations, members
from care.services.conversations import Inbound
from care.testing import TEST_READER, Book, a_member, reread

CANARIES = ("欧阳canary", "13912345678", "我的伤口canary又疼了", "wx-openid-canary")


@pytest.mark.parametrize("book", ["sqlite"], indirect=True)
def test_no_name_number_word_or_account_is_readable_in_the_database_files(tmp_path: Path, book: Book) -> None:
    _live_a_little(book)
    book.close()

    files = [path for path in tmp_path.rglob("*") if path.is_file() and "master" not in path.name]
    everything = b"".join(path.read_bytes() for path in files)

    assert len(everything) > 10_000
    for canary in CANARIES:
        for spelling in _spellings(canary):
            assert spelling not in everything


def test_no_name_number_word_or_account_is_readable_in_any_column(book: Book) -> None:
    _live_a_little(book)

    with book.engine.connect() as db:
        tables = ("member", "identity", "conversation", "message", "inbox", "outbox", "access_log")
        rows = [row for name in tables for row in db.execute(text(f"SELECT * FROM {name}"))]
    cells = [bytes(cell) if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row]

    assert len(rows) >= len(CANARIES)
    for canary in CANARIES:
        for spelling in _spellings(canary):
            assert not any(spelling in cell for cell in cells)


def test_a_field_copied_to_another_member_does_not_open(book: Book) -> None:
    with book.unit_of_work() as uow:
        one = a_member(uow, now=book.clock.now(), name="甲")
        other = a_member(uow, now=book.clock.now(), name="乙")
        uow.commit()
    with book.engine.begin() as db:
        db.execute(
            text("UPDATE member SET name_sealed = (SELECT name_sealed FROM member WHERE id = :a) WHERE id = :b"),
            {"a": one.id, "b": other.id},
        )

    with book.unit_of_work() as uow, pytest.raises(SealBroken):
        reread(uow, other.id)


def test_one_flipped_bit_is_noticed(book: Book) -> None:
    member = _member(book)
    sealed = book.keys.seal(member, "message", "body", "row", "话")
    assert sealed is not None
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])

    with pytest.raises(SealBroken):
        book.keys.open(member, "message", "body", "row", broken)


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k" / "master.json"
    MasterKey.create(path)
    path.chmod(0o644)

    with pytest.raises(KeyTrouble, match="chmod 600"):
        MasterKey.load(path)


def test_a_missing_key_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyTrouble, match="anxin db init"):
        MasterKey.load(tmp_path / "none.json")


def test_the_wrong_key_file_opens_nothing(tmp_path: Path, book: Book) -> None:
    member = _member(book)
    stranger = Keyring(book.keys._engine, MasterKey.create(tmp_path / "other" / "master.json"))

    with pytest.raises(KeyTrouble, match="不是当初加密"):
        stranger.seal(member, "a", "b", "c", "d")


def test_every_reading_of_a_member_leaves_a_line_with_reader_and_reason(book: Book) -> None:
    member = _member(book)

    with book.unit_of_work() as uow:
        uow.members.get(member, by=TEST_READER, purpose=Purpose.CARE)
        uow.commit()
    with book.unit_of_work() as uow:
        lines = uow.access.of_member(member, 10)

    assert [(line["reader"], line["purpose"], line["what"]) for line in lines][0] == ("test", "care", "record")


def test_a_reading_for_a_purpose_the_member_withdrew_is_refused(book: Book) -> None:
    member = _member(book)
    with book.unit_of_work() as uow:
        members.choose(
            member,
            Purpose.CHECK_INS,
            given=False,
            at=book.clock.now(),
            by=TEST_READER,
            evidence="别再问了",
            uow=uow,
        )
        uow.commit()

    with book.unit_of_work() as uow, pytest.raises(NotAllowed, match="withdrawn"):
        uow.members.get(member, by=TEST_READER, purpose=Purpose.CHECK_INS)


def test_two_members_never_share_a_phone(book: Book) -> None:
    with book.unit_of_work() as uow:
        a_member(uow, now=book.clock.now(), phone="13800000001")
        with pytest.raises(Conflict, match="phone"):
            a_member(uow, now=book.clock.now(), phone="13800000001")


def test_a_member_is_found_by_phone_without_the_phone_being_stored(book: Book) -> None:
    with book.unit_of_work() as uow:
        member = a_member(uow, now=book.clock.now(), phone="13800000002")
        uow.commit()

    with book.unit_of_work() as uow:
        found = uow.members.find_by_phone("13800000002", by=TEST_READER, purpose=Purpose.ADMINISTRATION)

    assert found is not None
    assert found.id == member.id
    assert found.phone == "13800000002"


def _live_a_little(book: Book) -> None:
    with book.unit_of_work() as uow:
        member = a_member(uow, now=book.clock.now(), name=CANARIES[0], phone=CANARIES[1], channel=None)
        conversations.add_identity(member.id, "wechat", CANARIES[3], uow=uow, now=book.clock.now())
        uow.commit()
    with book.unit_of_work() as uow:
        conversations.record_inbound(Inbound("wechat", CANARIES[3], "msg-1", CANARIES[2]), uow=uow, clock=book.clock)
        uow.commit()


def _spellings(canary: str) -> list[bytes]:
    escaped = json.dumps(canary).strip('"').encode()
    return [
        canary.encode(),
        canary.encode("utf-16-le"),
        canary.encode("gbk"),
        escaped,
        quote(canary).encode(),
        base64.b64encode(canary.encode()).rstrip(b"=")[:-1],
    ]


def _member(book: Book) -> MemberId:
    with book.unit_of_work() as uow:
        member = a_member(uow, now=book.clock.now())
        uow.commit()
    return member.id
