"""Files beside messages: what is known of them in one table, the sealed files in another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, RowMapping, insert, select, update

from care.adapters.sql.binding_tables import attachment, attachment_body
from care.adapters.sql.keys import Keyring
from care.model.attachment import Attachment, AttachmentId, AttachmentState, Clean
from care.model.errors import Conflict, NotFound
from care.model.ids import ConversationId, MemberId, MessageId

CHANGING = ("mime", "size", "sha256", "reason", "attempts", "lease", "retry_at", "settled_at")


class SqlAttachments:
    """Files on SQL."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add(self, one: Attachment) -> None:
        self._db.execute(
            insert(attachment).values(
                id=one.id,
                member_id=one.member_id,
                conversation_id=one.conversation_id,
                message_id=one.message_id,
                channel=one.channel,
                kind=one.kind,
                vendor_sealed=self._keys.seal(one.member_id, "attachment", "vendor", one.id, one.vendor_id),
                created_at=one.created_at,
                state=one.state.value,
                **{name: getattr(one, name) for name in CHANGING},
            )
        )

    def get(self, attachment_id: AttachmentId) -> Attachment:
        row = self._db.execute(select(attachment).where(attachment.c.id == attachment_id)).mappings().first()
        if row is None:
            raise NotFound("attachment", attachment_id)
        return self._attachment(row)

    def of_messages(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, Attachment]:
        query = select(attachment).where(attachment.c.message_id.in_(list(message_ids)))
        found = [self._attachment(row) for row in self._db.execute(query).mappings()]
        return {one.message_id: one for one in found}

    def save(self, one: Attachment) -> None:
        self._write(one, expected_lease=one.lease)

    def keep(self, one: Attachment, clean: Clean) -> None:
        sealed = self._keys.seal_bytes(one.member_id, "attachment", "body", one.id, clean.content)
        self._db.execute(insert(attachment_body).values(attachment_id=one.id, body_sealed=sealed))

    def content(self, one: Attachment) -> bytes:
        query = select(attachment_body.c.body_sealed).where(attachment_body.c.attachment_id == one.id)
        sealed = self._db.execute(query).scalar_one_or_none()
        if sealed is None:
            raise NotFound("content of attachment", one.id)
        return self._keys.open_bytes(one.member_id, "attachment", "body", one.id, sealed)

    def _write(self, one: Attachment, *, expected_lease: int) -> None:
        done = self._db.execute(
            update(attachment)
            .where(attachment.c.id == one.id, attachment.c.lease == expected_lease)
            .values(state=one.state.value, **{name: getattr(one, name) for name in CHANGING})
        )
        if done.rowcount != 1:
            raise Conflict("another worker has claimed this file since")

    def _attachment(self, row: RowMapping) -> Attachment:
        member_id = MemberId(row["member_id"])
        return Attachment(
            id=AttachmentId(row["id"]),
            member_id=member_id,
            conversation_id=ConversationId(row["conversation_id"]),
            message_id=MessageId(row["message_id"]),
            channel=row["channel"],
            kind=row["kind"],
            vendor_id=self._keys.open(member_id, "attachment", "vendor", row["id"], row["vendor_sealed"]),
            created_at=row["created_at"],
            state=AttachmentState(row["state"]),
            **{name: row[name] for name in CHANGING},
        )
