"""The inbox and the outbox: rows that are claimed with a lease, worked on, and settled once.

A claim raises the row's lease number. A worker that comes back late holds an old number and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from care.adapters.sql import tables as t
from care.adapters.sql.keys import Keyring
from care.adapters.sql.rights_tables import channel_pause
from care.model.errors import Conflict, NotFound
from care.model.ids import ConversationId, IdentityId, InboxId, MemberId, MessageId, OutboxId
from care.model.message import BOT_VOICES, Author, InboxItem, InboxState, OutboxItem, OutboxState

UNREAD = ("received", "claimed")
UNSENT = ("queued", "claimed", "sending", "failed")
HELD: ColumnElement[bool] = literal_column("outbox.state = 'held'", Boolean)  # as in the partial index


#: How far off a piece is from having reached the member; of a message in pieces the worst off is shown.
TROUBLE = (
    OutboxState.DEAD,
    OutboxState.REFUSED,
    OutboxState.UNKNOWN,
    OutboxState.WITHDRAWN,
    OutboxState.HELD,
    OutboxState.FAILED,
    OutboxState.QUEUED,
    OutboxState.CLAIMED,
    OutboxState.SENDING,
    OutboxState.SENT,
    OutboxState.DELIVERED,
    OutboxState.READ,
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
        i, older = t.inbox, t.inbox.alias("older")
        query = (
            select(i)
            .where(
                or_(i.c.state == "received", and_(i.c.state == "claimed", i.c.lease_until <= now)),
                ~exists().where(  # nothing older of the same conversation still waits, so order is kept
                    older.c.conversation_id == i.c.conversation_id,
                    older.c.seq < i.c.seq,
                    older.c.state.in_(UNREAD),
                ),
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
                        reason=item.reason,
                        weight=item.weight,
                        part=item.part,
                        parts=item.parts,
                        cut_from=item.cut_from,
                        cut_to=item.cut_to,
                        asks_more=item.asks_more,
                        template=item.template,
                        stale_at=item.stale_at,
                    )
                )
        except IntegrityError:
            return False
        return True

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> list[OutboxItem]:
        o, older = t.outbox, t.outbox.alias("older")
        due = or_(
            o.c.state == "queued",
            and_(o.c.state == "failed", o.c.retry_at <= now),
            and_(o.c.state.in_(("claimed", "sending")), o.c.lease_until <= now),
        )
        query = (
            select(o)
            .where(
                due,
                ~exists().where(  # nothing older to the same account still waits, so order is kept
                    older.c.conversation_id == o.c.conversation_id,
                    older.c.identity_id == o.c.identity_id,
                    older.c.seq < o.c.seq,
                    older.c.state.in_(UNSENT),
                ),
                ~exists().where(channel_pause.c.channel == o.c.channel, channel_pause.c.until > now),
            )
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
                t.outbox.c.state.in_(("queued", "claimed", "failed", "held")),
                t.outbox.c.author.in_([author.value for author in BOT_VOICES]),
            )
            .values(state="withdrawn", reason=reason, settled_at=now, lease=t.outbox.c.lease + 1)
        )
        return done.rowcount

    def withdraw_to(self, identity_id: IdentityId, reason: str, now: datetime) -> list[OutboxItem]:
        o = t.outbox
        waiting = and_(o.c.identity_id == identity_id, o.c.state.in_(("queued", "claimed", "failed", "held")))
        items = [_outbox_item(row) for row in self._db.execute(select(o).where(waiting)).mappings()]
        self._db.execute(
            update(o).where(waiting).values(state="withdrawn", reason=reason, settled_at=now, lease=o.c.lease + 1)
        )
        return items

    def for_messages(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, OutboxItem]:
        o = t.outbox
        rows = self._db.execute(
            select(o).where(o.c.message_id.in_(list(message_ids)), o.c.template.is_(None)).order_by(o.c.seq)
        ).mappings()
        found: dict[MessageId, OutboxItem] = {}
        for item in map(_outbox_item, rows):
            known = found.get(item.message_id)
            if known is None or TROUBLE.index(item.state) <= TROUBLE.index(known.state):
                found[item.message_id] = item
        return found

    def by_key(self, key: str) -> OutboxItem | None:
        row = self._db.execute(select(t.outbox).where(t.outbox.c.key == key)).mappings().first()
        return _outbox_item(row) if row else None

    def by_provider(self, channel: str, provider_id: str) -> OutboxItem | None:
        o = t.outbox
        for known in (o.c.provider_id == provider_id, o.c.id == provider_id):
            query = select(o).where(o.c.channel == channel, known).order_by(o.c.seq.desc()).limit(1)
            row = self._db.execute(query).mappings().first()
            if row is not None:
                return _outbox_item(row)
        return None

    def ahead(self, identity_id: IdentityId, weight: int) -> int:
        o = t.outbox.c
        query = select(func.count()).where(
            o.identity_id == identity_id,
            o.weight < weight,
            o.template.is_(None),
            o.state.in_(("queued", "claimed", "failed")),
        )
        return self._db.execute(query).scalar_one()

    def last_queued(self, identity_id: IdentityId) -> OutboxItem | None:
        o = t.outbox.c
        waiting = self._some(
            o.identity_id == identity_id, o.template.is_(None), o.state.in_(("queued", "claimed", "failed"))
        )
        return waiting[-1] if waiting else None

    def held(self, conversation_id: ConversationId) -> list[OutboxItem]:
        return self._some(HELD, t.outbox.c.conversation_id == conversation_id)

    def stale(self, now: datetime, limit: int) -> list[OutboxItem]:
        return self._some(HELD, t.outbox.c.stale_at <= now)[:limit]

    def nudged_since(self, conversation_id: ConversationId, since: datetime | None) -> bool:
        notices = self._some(t.outbox.c.conversation_id == conversation_id, t.outbox.c.template.is_not(None))
        return any(since is None or notice.queued_at > since for notice in notices)

    def released_since(self, conversation_id: ConversationId, since: datetime) -> list[OutboxItem]:
        return self._some(t.outbox.c.conversation_id == conversation_id, t.outbox.c.released_at >= since)

    def _some(self, *conditions: ColumnElement[bool]) -> list[OutboxItem]:
        rows = self._db.execute(select(t.outbox).where(*conditions).order_by(t.outbox.c.seq)).mappings()
        return [_outbox_item(row) for row in rows]

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
                identity_id=item.identity_id,
                channel=item.channel,
                asks_more=item.asks_more,
                grant_id=item.grant_id,
                stale_at=item.stale_at,
                released_at=item.released_at,
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
        weight=row["weight"],
        part=row["part"],
        parts=row["parts"],
        cut_from=row["cut_from"],
        cut_to=row["cut_to"],
        asks_more=row["asks_more"],
        template=row["template"],
        grant_id=row["grant_id"],
        stale_at=row["stale_at"],
        released_at=row["released_at"],
    )
