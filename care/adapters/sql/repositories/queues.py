"""The inbox and the outbox: rows that are claimed with a lease, worked on, and settled once.

A claim raises the row's lease number. A worker that comes back late holds an old number and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from care.adapters.sql import tables as t
from care.adapters.sql.keys import Keyring
from care.model.errors import Conflict, NotFound
from care.model.ids import ConversationId, IdentityId, InboxId, MemberId, MessageId, OutboxId
from care.model.message import BOT_VOICES, Author, InboxItem, InboxState, OutboxItem, OutboxState

UNREAD = ("received", "claimed")
UNSENT = ("queued", "claimed", "sending", "failed")


def _first_in_conversation(table: Table, states: tuple[str, ...]) -> ColumnElement[bool]:
    """Nothing older of the same conversation is still waiting, so order is kept."""
    older = table.alias("older")
    return ~exists().where(
        older.c.conversation_id == table.c.conversation_id,
        older.c.seq < table.c.seq,
        older.c.state.in_(states),
    )


class SqlInbox:
    """The inbox on SQL."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add(self, item: InboxItem) -> bool:
        try:
            with self._db.begin_nested():
                self._db.execute(
                    insert(t.inbox).values(
                        id=item.id,
                        channel=item.channel,
                        vendor_index=self._keys.blind(f"vendor:{item.channel}", item.vendor_id),
                        conversation_id=item.conversation_id,
                        member_id=item.member_id,
                        message_id=item.message_id,
                        received_at=item.received_at,
                        state=item.state.value,
                        attempts=item.attempts,
                        lease=item.lease,
                    )
                )
        except IntegrityError:
            return False
        return True

    def claim(self, now: datetime, lease_until: datetime) -> InboxItem | None:
        i = t.inbox
        query = (
            select(i)
            .where(
                or_(i.c.state == "received", and_(i.c.state == "claimed", i.c.lease_until <= now)),
                _first_in_conversation(i, UNREAD),
            )
            .order_by(i.c.seq)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = self._db.execute(query).mappings().first()
        if row is None:
            return None
        item = _inbox_item(row)
        item.lease += 1
        item.attempts += 1
        item.state, item.lease_until = InboxState.CLAIMED, lease_until
        self._write(item, expected_lease=item.lease - 1)
        return item

    def get(self, inbox_id: InboxId) -> InboxItem:
        row = self._db.execute(select(t.inbox).where(t.inbox.c.id == inbox_id)).mappings().first()
        if row is None:
            raise NotFound("inbox item", inbox_id)
        return _inbox_item(row)

    def save(self, item: InboxItem) -> None:
        self._write(item, expected_lease=item.lease)

    def waiting(self) -> int:
        return len(self._db.execute(select(t.inbox.c.seq).where(t.inbox.c.state.in_(UNREAD))).all())

    def _write(self, item: InboxItem, *, expected_lease: int) -> None:
        done = self._db.execute(
            update(t.inbox)
            .where(t.inbox.c.id == item.id, t.inbox.c.lease == expected_lease)
            .values(
                state=item.state.value,
                attempts=item.attempts,
                lease=item.lease,
                lease_until=item.lease_until,
                reason=item.reason,
            )
        )
        if done.rowcount != 1:
            raise Conflict("another worker has claimed this message since")


class SqlOutbox:
    """The outbox on SQL."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, item: OutboxItem) -> bool:
        try:
            with self._db.begin_nested():
                self._db.execute(
                    insert(t.outbox).values(
                        id=item.id,
                        key=item.key,
                        conversation_id=item.conversation_id,
                        member_id=item.member_id,
                        message_id=item.message_id,
                        identity_id=item.identity_id,
                        channel=item.channel,
                        author=item.author.value,
                        epoch=item.epoch,
                        queued_at=item.queued_at,
                        state=item.state.value,
                        attempts=0,
                        lease=0,
                    )
                )
        except IntegrityError:
            return False
        return True

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> list[OutboxItem]:
        o = t.outbox
        due = or_(
            o.c.state == "queued",
            and_(o.c.state == "failed", o.c.retry_at <= now),
            and_(o.c.state.in_(("claimed", "sending")), o.c.lease_until <= now),
        )
        query = (
            select(o)
            .where(due, _first_in_conversation(o, UNSENT))
            .order_by(o.c.seq)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        items = [_outbox_item(row) for row in self._db.execute(query).mappings().all()]
        for item in items:
            was_sending = item.state is OutboxState.SENDING
            item.lease += 1
            item.lease_until = lease_until
            item.state = OutboxState.SENDING if was_sending else OutboxState.CLAIMED
            self._write(item, expected_lease=item.lease - 1)
        return items

    def get(self, outbox_id: OutboxId) -> OutboxItem:
        row = self._db.execute(select(t.outbox).where(t.outbox.c.id == outbox_id)).mappings().first()
        if row is None:
            raise NotFound("outbox item", outbox_id)
        return _outbox_item(row)

    def save(self, item: OutboxItem) -> None:
        self._write(item, expected_lease=item.lease)

    def withdraw_bot(self, conversation_id: ConversationId, epoch: int, reason: str, now: datetime) -> int:
        done = self._db.execute(
            update(t.outbox)
            .where(
                t.outbox.c.conversation_id == conversation_id,
                t.outbox.c.epoch < epoch,
                t.outbox.c.state.in_(("queued", "claimed", "failed")),
                t.outbox.c.author.in_([author.value for author in BOT_VOICES]),
            )
            .values(state="withdrawn", reason=reason, settled_at=now, lease=t.outbox.c.lease + 1)
        )
        return done.rowcount

    def for_messages(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, OutboxItem]:
        rows = self._db.execute(
            select(t.outbox).where(t.outbox.c.message_id.in_(list(message_ids))).order_by(t.outbox.c.seq)
        ).mappings()
        return {MessageId(row["message_id"]): _outbox_item(row) for row in rows}

    def by_key(self, key: str) -> OutboxItem | None:
        row = self._db.execute(select(t.outbox).where(t.outbox.c.key == key)).mappings().first()
        return _outbox_item(row) if row else None

    def _write(self, item: OutboxItem, *, expected_lease: int) -> None:
        done = self._db.execute(
            update(t.outbox)
            .where(t.outbox.c.id == item.id, t.outbox.c.lease == expected_lease)
            .values(
                state=item.state.value,
                attempts=item.attempts,
                lease=item.lease,
                lease_until=item.lease_until,
                retry_at=item.retry_at,
                reason=item.reason,
                provider_id=item.provider_id,
                settled_at=item.settled_at,
            )
        )
        if done.rowcount != 1:
            raise Conflict("another worker has claimed this message since")


def _inbox_item(row: RowMapping) -> InboxItem:
    return InboxItem(
        id=InboxId(row["id"]),
        channel=row["channel"],
        vendor_id="",  # only its blind index is kept
        conversation_id=ConversationId(row["conversation_id"]),
        member_id=MemberId(row["member_id"]),
        message_id=MessageId(row["message_id"]),
        received_at=row["received_at"],
        state=InboxState(row["state"]),
        attempts=row["attempts"],
        lease=row["lease"],
        lease_until=row["lease_until"],
        reason=row["reason"],
    )


def _outbox_item(row: RowMapping) -> OutboxItem:
    return OutboxItem(
        id=OutboxId(row["id"]),
        key=row["key"],
        conversation_id=ConversationId(row["conversation_id"]),
        member_id=MemberId(row["member_id"]),
        message_id=MessageId(row["message_id"]),
        identity_id=IdentityId(row["identity_id"]),
        channel=row["channel"],
        author=Author(row["author"]),
        epoch=row["epoch"],
        queued_at=row["queued_at"],
        state=OutboxState(row["state"]),
        attempts=row["attempts"],
        lease=row["lease"],
        lease_until=row["lease_until"],
        retry_at=row["retry_at"],
        reason=row["reason"],
        provider_id=row["provider_id"],
        settled_at=row["settled_at"],
    )
