"""Conversations and what was said in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from care.adapters.sql import tables as t
from care.adapters.sql.keys import Keyring
from care.model.conversation import Conversation
from care.model.errors import NotFound
from care.model.ids import ConversationId, MemberId, MessageId
from care.model.message import Author, Button, Message

CHANGING = (
    "owner",
    "epoch",
    "asked",
    "crisis",
    "introduced",
    "reply_to",
    "last_member_at",
    "last_outbound_at",
    "bot_may_mention",
)


class SqlConversations:
    """Conversations on SQL."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add(self, conversation: Conversation) -> None:
        self._db.execute(
            insert(t.conversation).values(
                id=conversation.id,
                member_id=conversation.member_id,
                tracker_id=conversation.tracker_id,
                created_at=conversation.created_at,
                **{name: getattr(conversation, name) for name in CHANGING},
            )
        )

    def get(self, conversation_id: ConversationId, *, lock: bool = False) -> Conversation:
        found = self._one(t.conversation.c.id == conversation_id, lock=lock)
        if found is None:
            raise NotFound("conversation", conversation_id)
        return found

    def of_member(self, member_id: MemberId, *, lock: bool = False) -> Conversation | None:
        return self._one(t.conversation.c.member_id == member_id, lock=lock)

    def by_tracker(self, tracker_id: str) -> Conversation | None:
        return self._one(t.conversation.c.tracker_id == tracker_id, lock=False)

    def save(self, conversation: Conversation) -> None:
        self._db.execute(
            update(t.conversation)
            .where(t.conversation.c.id == conversation.id)
            .values(**{name: getattr(conversation, name) for name in CHANGING})
        )

    def write(self, message: Message) -> Message:
        body = {
            "text": message.text,
            "buttons": [[button.title, button.payload] for button in message.buttons],
            "payload": message.payload,
        }
        result = self._db.execute(
            insert(t.message)
            .values(
                id=message.id,
                conversation_id=message.conversation_id,
                member_id=message.member_id,
                author=message.author.value,
                carer_id=message.carer_id,
                channel=message.channel,
                at=message.at,
                note=message.note,
                body_sealed=self._keys.seal(message.member_id, "message", "body", message.id, body),
                assessment_sealed=self._seal_assessment(message.member_id, message.id, message.assessment),
            )
            .returning(t.message.c.seq)
        )
        message.seq = result.scalar_one()
        return message

    def message(self, message_id: MessageId) -> Message:
        row = self._db.execute(select(t.message).where(t.message.c.id == message_id)).mappings().first()
        if row is None:
            raise NotFound("message", message_id)
        return self._message(row)

    def history(
        self, conversation_id: ConversationId, *, after: int = 0, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        query = select(t.message).where(t.message.c.conversation_id == conversation_id)
        if before is not None:
            query = query.where(t.message.c.seq < before)
        if after:
            query = query.where(t.message.c.seq > after).order_by(t.message.c.seq).limit(limit)
            return [self._message(row) for row in self._db.execute(query).mappings()]
        newest = self._db.execute(query.order_by(t.message.c.seq.desc()).limit(limit)).mappings().all()
        return [self._message(row) for row in reversed(newest)]

    def count(self, conversation_id: ConversationId) -> int:
        query = select(func.count()).where(
            t.message.c.conversation_id == conversation_id, t.message.c.note.is_(False)
        )
        return int(self._db.execute(query).scalar_one())

    def set_assessment(self, message_id: MessageId, assessment: Mapping[str, object]) -> None:
        member_id = self._db.execute(select(t.message.c.member_id).where(t.message.c.id == message_id)).scalar_one()
        sealed = self._seal_assessment(MemberId(member_id), message_id, assessment)
        self._db.execute(update(t.message).where(t.message.c.id == message_id).values(assessment_sealed=sealed))

    def _one(self, condition: Any, *, lock: bool) -> Conversation | None:
        query = select(t.conversation).where(condition)
        if lock:
            query = query.with_for_update()
        row = self._db.execute(query).mappings().first()
        if row is None:
            return None
        return Conversation(
            id=ConversationId(row["id"]),
            member_id=MemberId(row["member_id"]),
            tracker_id=row["tracker_id"],
            created_at=row["created_at"],
            **{name: row[name] for name in CHANGING},
        )

    def _seal_assessment(
        self, member_id: MemberId, message_id: MessageId, assessment: Mapping[str, object] | None
    ) -> bytes | None:
        value = dict(assessment) if assessment is not None else None
        return self._keys.seal(member_id, "message", "assessment", message_id, value)

    def _message(self, row: RowMapping) -> Message:
        member_id = MemberId(row["member_id"])
        body = self._keys.open(member_id, "message", "body", row["id"], row["body_sealed"])
        return Message(
            id=MessageId(row["id"]),
            conversation_id=ConversationId(row["conversation_id"]),
            member_id=member_id,
            author=Author(row["author"]),
            text=body["text"],
            at=row["at"],
            seq=row["seq"],
            buttons=tuple(Button(*pair) for pair in body["buttons"]),
            payload=body["payload"],
            carer_id=row["carer_id"],
            channel=row["channel"],
            assessment=self._keys.open(member_id, "message", "assessment", row["id"], row["assessment_sealed"]),
            note=row["note"],
        )
