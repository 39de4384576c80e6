"""Members, their choices and channel accounts. Every reading is allowed first and logged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from care.adapters.sql import tables as t
from care.adapters.sql.keys import Keyring
from care.model.consent import Choice, Purpose, allowed
from care.model.errors import Conflict, NotAllowed, NotFound
from care.model.ids import IdentityId, MemberId, StaffId
from care.model.member import Identity, Member
from care.model.staff import Reader
from care.ports import Clock
from care.stores import AccessLog


class SqlMembers:
    """Members on SQL."""

    def __init__(self, db: Connection, keys: Keyring, access: AccessLog, clock: Clock) -> None:
        self._db = db
        self._keys = keys
        self._access = access
        self._clock = clock

    def add(self, member: Member) -> None:
        self._refuse_twins(member)
        self._keys.create(member.id)
        row = self._row(member)
        try:
            with self._db.begin_nested():
                self._db.execute(insert(t.member).values(id=member.id, created_at=member.created_at, **row))
        except IntegrityError as clash:  # somebody else was faster than our look
            raise Conflict("another member has this phone or reference") from clash

    def get(self, member_id: MemberId, *, by: Reader, purpose: Purpose) -> Member:
        row = self._db.execute(select(t.member).where(t.member.c.id == member_id)).mappings().first()
        if row is None:
            raise NotFound("member", member_id)
        return self._opened(row, by=by, purpose=purpose, what="record")

    def save(self, member: Member) -> None:
        self._refuse_twins(member)
        row = self._row(member)
        try:
            with self._db.begin_nested():
                self._db.execute(update(t.member).where(t.member.c.id == member.id).values(**row))
        except IntegrityError as clash:
            raise Conflict("another member has this phone or reference") from clash

    def choose(self, member_id: MemberId, choice: Choice, *, by: Reader, evidence: str) -> None:
        self._db.execute(
            insert(t.consent_event).values(
                member_id=member_id,
                purpose=choice.purpose.value,
                given=choice.given,
                at=choice.at,
                by=str(by),
                evidence=evidence,
            )
        )

    def find_by_phone(self, phone: str, *, by: Reader, purpose: Purpose) -> Member | None:
        return self._find(t.member.c.phone_index == self._keys.blind("phone", phone), by, purpose)

    def find_by_ref(self, external_ref: str, *, by: Reader, purpose: Purpose) -> Member | None:
        return self._find(t.member.c.ref_index == self._keys.blind("ref", external_ref), by, purpose)

    def page(self, *, by: Reader, purpose: Purpose, after: MemberId | None, limit: int) -> list[Member]:
        query = select(t.member).order_by(t.member.c.id).limit(limit)
        if after:
            query = query.where(t.member.c.id > after)
        rows = self._db.execute(query).mappings().all()
        return [self._opened(row, by=by, purpose=purpose, what="list") for row in rows]

    def identity(self, channel: str, external_id: str) -> Identity | None:
        row = (
            self._db.execute(
                select(t.identity).where(
                    t.identity.c.channel == channel,
                    t.identity.c.external_index == self._keys.blind(f"identity:{channel}", external_id),
                )
            )
            .mappings()
            .first()
        )
        return self._identity(row) if row else None

    def add_identity(self, identity: Identity) -> None:
        self._db.execute(
            insert(t.identity).values(
                id=identity.id,
                member_id=identity.member_id,
                channel=identity.channel,
                external_sealed=self._keys.seal(
                    identity.member_id, "identity", "external", identity.id, identity.external_id
                ),
                external_index=self._keys.blind(f"identity:{identity.channel}", identity.external_id),
                created_at=identity.created_at,
                reachable=identity.reachable,
            )
        )

    def identity_by_id(self, identity_id: IdentityId) -> Identity:
        row = self._db.execute(select(t.identity).where(t.identity.c.id == identity_id)).mappings().first()
        if row is None:
            raise NotFound("identity", identity_id)
        return self._identity(row)

    def identities_of(self, member_id: MemberId) -> list[Identity]:
        rows = self._db.execute(
            select(t.identity)
            .where(t.identity.c.member_id == member_id)
            .order_by(t.identity.c.created_at.desc(), t.identity.c.id)
        ).mappings()
        return [self._identity(row) for row in rows]

    def save_identity(self, identity: Identity) -> None:
        self._db.execute(
            update(t.identity).where(t.identity.c.id == identity.id).values(reachable=identity.reachable)
        )

    def _find(self, condition: Any, by: Reader, purpose: Purpose) -> Member | None:
        row = self._db.execute(select(t.member).where(condition)).mappings().first()
        return self._opened(row, by=by, purpose=purpose, what="lookup") if row else None

    def _refuse_twins(self, member: Member) -> None:
        """Name the clash before the database does: two members never share a phone or a reference."""
        for field, column in (("phone", t.member.c.phone_index), ("ref", t.member.c.ref_index)):
            value = member.phone if field == "phone" else member.external_ref
            if value is None:
                continue
            twin = self._db.execute(
                select(t.member.c.id).where(column == self._keys.blind(field, value), t.member.c.id != member.id)
            ).scalar_one_or_none()
            if twin:
                raise Conflict(f"another member has this {field}")

    def _opened(self, row: RowMapping, *, by: Reader, purpose: Purpose, what: str) -> Member:
        member_id = MemberId(row["id"])

        def field(name: str) -> Any:
            return self._keys.open(member_id, "member", name, member_id, row[f"{name}_sealed"])

        member = Member(
            id=member_id,
            created_at=row["created_at"],
            name=field("name"),
            phone=field("phone"),
            title=field("title"),
            zone=row["zone"],
            level=row["level"],
            risk_facts=frozenset(field("risk") or ()),
            carer_id=StaffId(row["carer_id"]) if row["carer_id"] else None,
            external_ref=field("ref"),
            choices=self._choices(member_id),
        )
        now = self._clock.now()
        permission = allowed(member, purpose, now)
        if not permission:
            raise NotAllowed(purpose, permission.reason)
        self._access.write(by=by, member_id=member_id, purpose=purpose, what=what, at=now)
        return member

    def _choices(self, member_id: MemberId) -> dict[Purpose, Choice]:
        rows = self._db.execute(
            select(t.consent_event.c.purpose, t.consent_event.c.given, t.consent_event.c.at)
            .where(t.consent_event.c.member_id == member_id)
            .order_by(t.consent_event.c.seq)
        )
        return {Purpose(purpose): Choice(Purpose(purpose), given, at) for purpose, given, at in rows}

    def _row(self, member: Member) -> dict[str, Any]:
        def seal(name: str, value: Any) -> bytes | None:
            return self._keys.seal(member.id, "member", name, member.id, value)

        return {
            "name_sealed": seal("name", member.name),
            "phone_sealed": seal("phone", member.phone),
            "phone_index": self._keys.blind("phone", member.phone) if member.phone else None,
            "title_sealed": seal("title", member.title),
            "risk_sealed": seal("risk", sorted(member.risk_facts) or None),
            "ref_sealed": seal("ref", member.external_ref),
            "ref_index": self._keys.blind("ref", member.external_ref) if member.external_ref else None,
            "zone": member.zone,
            "level": member.level,
            "carer_id": member.carer_id,
        }

    def _identity(self, row: RowMapping) -> Identity:
        member_id = MemberId(row["member_id"])
        return Identity(
            id=IdentityId(row["id"]),
            member_id=member_id,
            channel=row["channel"],
            external_id=self._keys.open(member_id, "identity", "external", row["id"], row["external_sealed"]),
            created_at=row["created_at"],
            reachable=row["reachable"],
        )
