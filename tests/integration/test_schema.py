"""The database is what the migrations say, and refuses what it must."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from care.adapters.sql.schema import differences, is_current
from care.adapters.sql.tables import APPEND_ONLY
from care.model.consent import Purpose
from care.testing import TEST_READER, Book, a_member


def test_the_migrated_database_equals_the_tables(book: Book) -> None:
    assert is_current(book.engine)
    assert differences(book.engine) == []


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("order", ["DELETE FROM {}", "UPDATE {} SET member_id = 'x'"])
def test_what_only_grows_cannot_be_changed_even_by_hand(book: Book, table: str, order: str) -> None:
    with book.unit_of_work() as uow:
        member = a_member(uow, now=book.clock.now())
        uow.members.get(member.id, by=TEST_READER, purpose=Purpose.CARE)
        from care.services import members

        members.choose(
            member.id,
            Purpose.MARKETING,
            given=True,
            at=book.clock.now(),
            by=TEST_READER,
            evidence="said so",
            uow=uow,
        )
        uow.commit()

    with pytest.raises(DatabaseError, match="only grows"), book.engine.begin() as db:
        db.execute(text(order.format(table)))
