"""How far vendors' logs were read, whose a session is at a vendor's desk, and which cases ring."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    exists,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from care.adapters.sql import tables as t
from care.adapters.sql import vendor_tables as v
from care.model.alarm import RINGING, Alarm, occasion
from care.model.case import CaseLevel
from care.model.errors import Conflict
from care.model.ids import CaseId, IdentityId, MemberId, StaffId
from care.model.vendor import Cursor, ServiceState, VendorSession

ON_ITS_WAY = ("queued", "claimed", "sending")
BOT: ColumnElement[str] = literal_column("'bot'")  # spelled out, so that the partial index is used


class SqlCursors:
    """Readings of vendors' logs."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def claim(self, source: str, now: datetime, lease_until: datetime) -> Cursor | None:
        c = v.channel_cursor
        row = self._db.execute(select(c).where(c.c.source == source).with_for_update()).mappings().first()
        if row is None:
            try:
                with self._db.begin_nested():
                    self._db.execute(
                        insert(c).values(
                            source=source, position="", caught_up=False, lease=1, lease_until=lease_until
                        )
                    )
            except IntegrityError:  # somebody else's first reading
                return None
            return Cursor(source, lease=1, lease_until=lease_until)
        cursor = Cursor(**row)
        if cursor.lease_until is not None and cursor.lease_until > now:
            return None
        cursor.lease += 1
        cursor.lease_until = lease_until
        self._db.execute(
            update(c).where(c.c.source == source).values(lease=cursor.lease, lease_until=cursor.lease_until)
        )
        return cursor

    def get(self, source: str) -> Cursor | None:
        c = v.channel_cursor
        row = self._db.execute(select(c).where(c.c.source == source)).mappings().first()
        return Cursor(**row) if row else None

    def save(self, cursor: Cursor) -> None:
        c = v.channel_cursor
        done = self._db.execute(
            update(c)
            .where(c.c.source == cursor.source, c.c.lease == cursor.lease)
            .values(
                position=cursor.position,
                caught_up=cursor.caught_up,
                lease_until=cursor.lease_until,
                moved_at=cursor.moved_at,
            )
        )
        if done.rowcount != 1:
            raise Conflict("another reader has claimed this log since")

    def sources(self, prefix: str) -> list[str]:
        c = v.channel_cursor.c
        return list(
            self._db.execute(select(c.source).where(c.source.startswith(prefix, autoescape=True)).order_by(c.source))
            .scalars()
            .all()
        )


class SqlVendorSessions:
    """Sessions at a vendor's desk."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, identity_id: IdentityId) -> VendorSession:
        s = v.vendor_session
        row = self._db.execute(select(s).where(s.c.identity_id == identity_id)).mappings().first()
        return _session(row) if row else VendorSession(identity_id)

    def save(self, session: VendorSession) -> None:
        s = v.vendor_session
        values = {
            "state": int(session.state),
            "epoch": session.epoch,
            "servicer": session.servicer,
            "attempts": session.attempts,
            "retry_at": session.retry_at,
            "problem": session.problem,
            "asked_case": session.asked_case,
        }
        done = self._db.execute(update(s).where(s.c.identity_id == session.identity_id).values(**values))
        if done.rowcount == 0:
            self._db.execute(insert(s).values(identity_id=session.identity_id, **values))

    def untold(self, channel: str, now: datetime, limit: int, *, takeovers: bool) -> list[IdentityId]:
        i, c, s = t.identity, t.conversation, v.vendor_session
        given_back = and_(c.c.owner == BOT, s.c.state.in_((2, 3)))
        taken_over = and_(c.c.owner != BOT, c.c.reply_to == i.c.id)
        found: list[IdentityId] = []
        for case in (given_back, taken_over) if takeovers else (given_back,):
            query = (
                select(i.c.id)
                .select_from(c.join(i, i.c.member_id == c.c.member_id).outerjoin(s, s.c.identity_id == i.c.id))
                .where(
                    case,
                    i.c.channel == channel,
                    or_(s.c.epoch.is_(None), s.c.epoch != c.c.epoch),
                    or_(s.c.retry_at.is_(None), s.c.retry_at <= now),
                    ~self._on_its_way(),
                )
                .limit(limit)
            )
            found += [IdentityId(one) for one in self._db.execute(query).scalars()]
        return found

    def asking(self, channel: str, reason: str, now: datetime, limit: int) -> list[tuple[IdentityId, CaseId]]:
        i, c, s, k = t.identity, t.conversation, v.vendor_session, t.care_case
        query = (
            select(i.c.id, k.c.id)
            .select_from(
                k.join(c, c.c.member_id == k.c.member_id)
                .join(i, i.c.id == c.c.reply_to)
                .outerjoin(s, s.c.identity_id == i.c.id)
            )
            .where(
                literal_column("care_case.state <> 'resolved'"),  # as in the partial index
                k.c.state == "open",
                k.c.reason == reason,
                c.c.owner == BOT,
                i.c.channel == channel,
                or_(s.c.asked_case.is_(None), s.c.asked_case != k.c.id),
                or_(s.c.retry_at.is_(None), s.c.retry_at <= now),
                ~self._on_its_way(),
            )
            .order_by(k.c.due_at)
            .limit(limit)
        )
        return [(IdentityId(identity_id), CaseId(case_id)) for identity_id, case_id in self._db.execute(query)]

    @staticmethod
    def _on_its_way() -> ColumnElement[bool]:
        """Something of the conversation has not left yet: it would not, once the session is somebody else's."""
        i, c, o = t.identity, t.conversation, t.outbox
        return exists().where(o.c.conversation_id == c.c.id, o.c.identity_id == i.c.id, o.c.state.in_(ON_ITS_WAY))


class SqlAlarms:
    """Cases that ring."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def claim_due(self, now: datetime, lease_until: datetime, limit: int) -> list[Alarm]:
        k, a = t.care_case, v.case_alarm
        ringing = self._db.execute(
            select(k.c.id, k.c.member_id, k.c.level, k.c.opened_at, k.c.due_at, k.c.breached_at, k.c.assigned)
            .where(
                literal_column("care_case.state <> 'resolved'"),  # as in the partial index
                k.c.state == "open",
                k.c.acknowledged_at.is_(None),
                k.c.level.in_([level.value for level in RINGING]),
            )
            .order_by(k.c.due_at)
        ).mappings()
        due: list[Alarm] = []
        for row in ringing.all():
            if len(due) == limit:
                break
            level = CaseLevel(row["level"])
            alarm = Alarm(
                case_id=CaseId(row["id"]),
                member_id=MemberId(row["member_id"]),
                level=level,
                opened_at=row["opened_at"],
                due_at=row["due_at"],
                breached=row["breached_at"] is not None,
                occasion=occasion(level, row["due_at"]),
                assigned=StaffId(row["assigned"]) if row["assigned"] else None,
            )
            known = (
                self._db.execute(
                    select(a.c.rounds, a.c.next_at, a.c.lease_until)
                    .where(a.c.case_id == alarm.case_id, a.c.occasion == alarm.occasion)
                    .with_for_update(skip_locked=True)
                )
                .mappings()
                .first()
            )
            if known is None:
                if self._begin(alarm, lease_until):
                    due.append(alarm)
                continue
            alarm.rounds, alarm.next_at = known["rounds"], known["next_at"]
            leased = known["lease_until"] is not None and known["lease_until"] > now
            if leased or alarm.next_at is None or alarm.next_at > now:
                continue
            self._write(alarm, lease_until)
            due.append(alarm)
        return due

    def save(self, alarm: Alarm) -> None:
        self._write(alarm, None)

    def _begin(self, alarm: Alarm, lease_until: datetime) -> bool:
        alarm.next_at = alarm.opened_at
        try:
            with self._db.begin_nested():
                self._db.execute(
                    insert(v.case_alarm).values(
                        case_id=alarm.case_id,
                        occasion=alarm.occasion,
                        rounds=0,
                        next_at=alarm.next_at,
                        lease_until=lease_until,
                    )
                )
        except IntegrityError:  # another process rings for it, or holds it
            return False
        return True

    def _write(self, alarm: Alarm, lease_until: datetime | None) -> None:
        a = v.case_alarm
        self._db.execute(
            update(a)
            .where(a.c.case_id == alarm.case_id, a.c.occasion == alarm.occasion)
            .values(rounds=alarm.rounds, next_at=alarm.next_at, lease_until=lease_until)
        )


def _session(row: RowMapping) -> VendorSession:
    return VendorSession(
        identity_id=IdentityId(row["identity_id"]),
        state=ServiceState(row["state"]),
        epoch=row["epoch"],
        servicer=row["servicer"],
        attempts=row["attempts"],
        retry_at=row["retry_at"],
        problem=row["problem"],
        asked_case=CaseId(row["asked_case"]) if row["asked_case"] else None,
    )
