"""The ledger of grants, vendors' events that came before, and paused channels."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from care.adapters.sql.keys import Keyring
from care.adapters.sql.rights_tables import channel_event, channel_pause, send_grant
from care.model.ids import IdentityId
from care.model.rights import Grant, Trigger


class SqlSendRights:
    """The ledger on SQL."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def of(self, identity_id: IdentityId) -> list[Grant]:
        g = send_grant
        rows = self._db.execute(select(g).where(g.c.identity_id == identity_id).order_by(g.c.granted_at)).mappings()
        return [
            Grant(
                id=row["id"],
                identity_id=IdentityId(row["identity_id"]),
                trigger=Trigger(row["trigger"]),
                total=row["total"],
                granted_at=row["granted_at"],
                expires_at=row["expires_at"],
                used=row["used"],
                template=row["template"],
            )
            for row in rows
        ]

    def give(self, grant: Grant) -> None:
        g = send_grant
        if grant.trigger is not Trigger.OPT_IN:
            self._db.execute(
                delete(g).where(g.c.identity_id == grant.identity_id, g.c.trigger == grant.trigger.value)
            )
        self._db.execute(
            insert(g).values(
                id=grant.id,
                identity_id=grant.identity_id,
                trigger=grant.trigger.value,
                total=grant.total,
                used=grant.used,
                granted_at=grant.granted_at,
                expires_at=grant.expires_at,
                template=grant.template,
            )
        )

    def spend(self, grant_id: str) -> bool:
        g = send_grant
        done = self._db.execute(update(g).where(g.c.id == grant_id, g.c.used < g.c.total).values(used=g.c.used + 1))
        return done.rowcount == 1

    def give_back(self, grant_id: str) -> None:
        g = send_grant
        self._db.execute(update(g).where(g.c.id == grant_id, g.c.used > 0).values(used=g.c.used - 1))

    def close(self, identity_id: IdentityId, *, template: str | None = None) -> None:
        g = send_grant
        which = (
            g.c.trigger != Trigger.OPT_IN.value
            if template is None
            else (g.c.trigger == Trigger.OPT_IN.value) & (g.c.template == template)
        )
        self._db.execute(update(g).where(g.c.identity_id == identity_id, which).values(used=g.c.total))

    def note(self, channel: str, vendor_id: str, kind: str, at: datetime) -> bool:
        index = self._keys.blind(f"event:{channel}", vendor_id)
        try:
            with self._db.begin_nested():
                self._db.execute(insert(channel_event).values(channel=channel, vendor_index=index, kind=kind, at=at))
        except IntegrityError:
            return False
        return True

    def pause(self, channel: str, reason: str, until: datetime, now: datetime) -> bool:
        p = channel_pause
        row = self._db.execute(select(p).where(p.c.channel == channel).with_for_update()).mappings().first()
        if row is None:
            try:
                with self._db.begin_nested():
                    self._db.execute(insert(p).values(channel=channel, reason=reason, until=until, since=now))
            except IntegrityError:  # somebody else was told so at the same moment
                return False
            return True
        running = row["until"] > now
        values = {"until": max(until, row["until"])} if running else {"until": until, "reason": reason, "since": now}
        self._db.execute(update(p).where(p.c.channel == channel).values(**values))
        return not running

    def pauses(self, now: datetime) -> list[tuple[str, str, datetime]]:
        p = channel_pause.c
        rows = self._db.execute(select(p.channel, p.reason, p.until).where(p.until > now).order_by(p.channel))
        return [(channel, reason, until) for channel, reason, until in rows]
