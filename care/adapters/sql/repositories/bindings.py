"""One-time codes, and accounts and members that change hands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, exists, insert, or_, select, update

from care.adapters.sql import case_tables as c
from care.adapters.sql import tables as t
from care.adapters.sql.binding_tables import attachment, attachment_body, binding_code, binding_try, member_merge
from care.adapters.sql.keys import Keyring
from care.model.binding import BindingCode, CodeKind, Tries
from care.model.conversation import Conversation
from care.model.ids import IdentityId, InboxId, MemberId
from care.model.member import Identity
from care.model.message import BOT_VOICES

#: What moves with a member, and the sealed columns of each table, without `_sealed`.
MOVED: dict[Table, tuple[str, ...]] = {
    t.identity: ("external",),
    t.message: ("body", "assessment"),
    t.inbox: (),
    t.outbox: (),
    t.appointment: ("detail",),
    t.hold: ("detail",),
    t.treatment: ("detail",),
    t.episode: (),
    t.touchpoint: (),
    t.answer: ("body",),
    t.care_case: ("detail",),
    c.carer_task: ("note",),
    c.phone_call: ("note",),
    attachment: ("vendor",),
}
#: What stays: what was true of that member then, and the emptied conversation, where a send may still settle.
STAYS = frozenset({t.conversation, t.consent_event, t.access_log, member_merge, binding_code})


class SqlBindings:
    """Codes and merges on SQL."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add(self, code: BindingCode, words: str) -> None:
        b = binding_code
        older = and_(b.c.member_id == code.member_id, b.c.kind == code.kind.value, b.c.used_at.is_(None))
        self._db.execute(update(b).where(older, b.c.revoked_at.is_(None)).values(revoked_at=code.created_at))
        self._db.execute(
            insert(b).values(
                id=code.id,
                member_id=code.member_id,
                kind=code.kind.value,
                code_index=self._index(words),
                created_at=code.created_at,
                expires_at=code.expires_at,
                by=code.by,
            )
        )

    def find(self, words: str) -> BindingCode | None:
        # Compared are keyed hashes: how long the look takes says nothing about a code.
        query = select(binding_code).where(binding_code.c.code_index == self._index(words)).with_for_update()
        row = self._db.execute(query).mappings().first()
        if row is None:
            return None
        return BindingCode(
            id=row["id"],
            member_id=MemberId(row["member_id"]),
            kind=CodeKind(row["kind"]),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            by=row["by"],
            used_at=row["used_at"],
            used_by=IdentityId(row["used_by"]) if row["used_by"] else None,
            revoked_at=row["revoked_at"],
        )

    def save(self, code: BindingCode) -> None:
        self._db.execute(
            update(binding_code)
            .where(binding_code.c.id == code.id)
            .values(used_at=code.used_at, used_by=code.used_by, revoked_at=code.revoked_at)
        )

    def tries(self, identity_id: IdentityId) -> Tries:
        row = self._db.execute(select(binding_try).where(binding_try.c.identity_id == identity_id)).mappings().first()
        return Tries(identity_id, row["wrong"], row["paused_until"]) if row else Tries(identity_id)

    def save_tries(self, tries: Tries) -> None:
        values = {"wrong": tries.wrong, "paused_until": tries.paused_until}
        done = self._db.execute(
            update(binding_try).where(binding_try.c.identity_id == tries.identity_id).values(**values)
        )
        if done.rowcount == 0:
            self._db.execute(insert(binding_try).values(identity_id=tries.identity_id, **values))

    def known_to_practice(self, member_id: MemberId) -> bool:
        m = t.member.c
        query = select(m.id).where(
            m.id == member_id,
            or_(
                m.ref_index.is_not(None),
                m.phone_index.is_not(None),
                exists().where(t.treatment.c.member_id == m.id),
            ),
        )
        return self._db.execute(query).first() is not None

    def move_identity(self, identity: Identity, to: MemberId) -> None:
        self._db.execute(
            update(t.identity)
            .where(t.identity.c.id == identity.id)
            .values(
                member_id=to,
                external_sealed=self._keys.seal(to, "identity", "external", identity.id, identity.external_id),
            )
        )

    def merge(self, old: Conversation, new: Conversation, *, turn: InboxId | None, by: str, at: datetime) -> None:
        self._fence(old, turn)
        self._release_second_hold(old.member_id, new.member_id)
        self._move_bodies(old.member_id, new.member_id)
        for table, sealed in MOVED.items():
            if sealed:
                self._seal_anew(table, sealed, old.member_id, new.member_id)
            else:
                self._db.execute(
                    update(table).where(table.c.member_id == old.member_id).values(member_id=new.member_id)
                )
            if "conversation_id" in table.c:
                self._db.execute(
                    update(table).where(table.c.conversation_id == old.id).values(conversation_id=new.id)
                )
        waiting = and_(
            t.outbox.c.conversation_id == new.id,
            t.outbox.c.state.in_(("queued", "claimed", "failed", "held")),
            t.outbox.c.author.in_([author.value for author in BOT_VOICES]),
        )
        if new.owned_by_bot:
            self._db.execute(update(t.outbox).where(waiting).values(epoch=new.epoch))
        else:
            self._db.execute(
                update(t.outbox)
                .where(waiting)
                .values(state="withdrawn", reason="human_owner", settled_at=at, lease=t.outbox.c.lease + 1)
            )
        codes = binding_code.c
        self._db.execute(
            update(binding_code)
            .where(codes.member_id == old.member_id, codes.used_at.is_(None), codes.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        self._db.execute(insert(member_merge).values(member_id=old.member_id, into_id=new.member_id, at=at, by=by))

    def merged_into(self, member_id: MemberId) -> MemberId | None:
        query = select(member_merge.c.into_id).where(member_merge.c.member_id == member_id)
        found = self._db.execute(query).scalar_one_or_none()
        return MemberId(found) if found else None

    def _index(self, words: str) -> bytes:
        return self._keys.blind("binding_code", words)

    def _fence(self, old: Conversation, turn: InboxId | None) -> None:
        """Take from other workers what they have begun, so that it starts again where it belongs now."""
        i, o = t.inbox, t.outbox
        self._db.execute(
            update(i)
            .where(i.c.conversation_id == old.id, i.c.state == "claimed", i.c.id != (turn or ""))
            .values(state="received", lease=i.c.lease + 1, lease_until=None)
        )
        self._db.execute(
            update(o)
            .where(o.c.conversation_id == old.id, o.c.state == "claimed")
            .values(state="queued", lease=o.c.lease + 1, lease_until=None)
        )

    def _release_second_hold(self, old: MemberId, new: MemberId) -> None:
        """A member has one time held for them at most; of two the newer account's lapses."""
        held = set(self._db.execute(select(t.hold.c.member_id).where(t.hold.c.member_id.in_((old, new)))).scalars())
        if held != {old, new}:
            return
        mine = select(t.hold.c.id).where(t.hold.c.member_id == old)
        self._db.execute(t.taken_cell.delete().where(t.taken_cell.c.taken_by.in_(mine)))
        self._db.execute(t.hold.delete().where(t.hold.c.member_id == old))

    def _move_bodies(self, old: MemberId, new: MemberId) -> None:
        mine = select(attachment.c.id).where(attachment.c.member_id == old)
        for file_id in self._db.execute(mine).scalars().all():
            here = attachment_body.c.attachment_id == file_id
            sealed = self._db.execute(select(attachment_body.c.body_sealed).where(here)).scalar_one_or_none()
            if sealed is not None:
                plain = self._keys.open_bytes(old, "attachment", "body", file_id, sealed)
                again = self._keys.seal_bytes(new, "attachment", "body", file_id, plain)
                self._db.execute(update(attachment_body).where(here).values(body_sealed=again))

    def _seal_anew(self, table: Table, sealed: tuple[str, ...], old: MemberId, new: MemberId) -> None:
        columns = [table.c[f"{name}_sealed"] for name in sealed]
        rows = self._db.execute(select(table.c.id, *columns).where(table.c.member_id == old)).all()
        for row_id, *blobs in rows:
            values: dict[str, Any] = {"member_id": new}
            for name, blob in zip(sealed, blobs, strict=True):
                plain = self._keys.open(old, table.name, name, row_id, blob)
                values[f"{name}_sealed"] = self._keys.seal(new, table.name, name, row_id, plain)
            self._db.execute(update(table).where(table.c.id == row_id).values(**values))
