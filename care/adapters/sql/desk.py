"""What the desk asks the database many times a minute: which conversations there are, and what has changed.

Ids, numbers and states only, nothing sealed: whoever wants a name or a word opens a unit of work and is logged.
Reads on a connection of its own; never call it inside a unit of work, which on SQLite holds the only write lock.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, ScalarSelect, case, exists, func, or_, select

from care.adapters.sql import tables as t
from care.adapters.sql.binding_tables import member_merge
from care.model.desk import Mark, Row
from care.model.ids import ConversationId, MemberId, MessageId

MOVING = ("queued", "claimed", "sending", "failed")
UNREAD = ("received", "claimed")
ANSWERING = ("carer", "bot", "check_in", "reminder")  # fixed safety words and system lines leave a member waiting


class SqlDeskIndex:
    """The desk's index on SQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def mark(self) -> Mark:
        """Return what everything the desk shows can be told to have changed by."""
        m, c, k, o, i = t.message.c, t.conversation.c, t.care_case.c, t.outbox.c, t.inbox.c
        with self._engine.connect() as db:
            seq = db.execute(select(func.max(m.seq))).scalar_one() or 0
            owners = db.execute(
                select(func.count(), func.sum(c.epoch), func.sum(case((c.crisis, 1), else_=0))).select_from(
                    t.conversation
                )
            ).one()
            cases = db.execute(
                select(
                    *(k.member_id, k.id, k.level, k.state, k.owner, k.due_at, k.acknowledged_at),
                    *(k.assigned, k.step, k.warned_at, k.breached_at, k.paused_at),
                ).where(k.state != "resolved")
            )
            moving = db.execute(select(o.conversation_id, o.id, o.state, o.attempts).where(o.state.in_(MOVING)))
            unread = db.execute(select(i.conversation_id, i.id, i.state).where(i.state.in_(UNREAD)))
            return Mark(
                seq=seq,
                owners=f"{owners[0]}.{owners[1] or 0}.{owners[2] or 0}",
                cases=frozenset((MemberId(row[0]), "|".join(map(str, row[1:]))) for row in cases),
                moving=frozenset((ConversationId(row[0]), "|".join(map(str, row[1:]))) for row in moving)
                | frozenset((ConversationId(row[0]), "|".join(map(str, row[1:]))) for row in unread),
            )

    def spoken_since(self, seq: int) -> set[ConversationId]:
        """Return the conversations in which something was written after `seq`."""
        with self._engine.connect() as db:
            found = db.execute(select(t.message.c.conversation_id).where(t.message.c.seq > seq).distinct())
            return {ConversationId(row[0]) for row in found}

    def rows(self, limit: int) -> tuple[list[Row], int]:
        """Return the latest conversations, and all that a carer owns, that are in crisis or have an open case.

        Returns:
            Rows, the latest spoken first, and how many conversations there are in all.
        """
        c, k = t.conversation.c, t.care_case.c
        spoken = case(
            (c.last_outbound_at.is_(None), c.last_member_at),
            (c.last_member_at.is_(None), c.last_outbound_at),
            (c.last_outbound_at > c.last_member_at, c.last_outbound_at),
            else_=c.last_member_at,
        )
        order = (spoken.is_(None), spoken.desc(), c.created_at.desc(), c.id)
        alive = ~exists().where(member_merge.c.member_id == c.member_id)  # others became somebody else's
        latest = select(c.id).where(alive).order_by(*order).limit(limit).subquery()
        owed = select(k.member_id).where(k.state != "resolved")
        wanted = or_(c.id.in_(select(latest.c.id)), c.owner != "bot", c.crisis, c.member_id.in_(owed))
        columns = (c.id, c.member_id, c.owner, c.crisis, _last_spoken(), _last_of_member(), _unanswered_since())
        query = select(*columns).where(wanted)
        with self._engine.connect() as db:
            total = db.execute(select(func.count()).select_from(t.conversation).where(alive)).scalar_one()
            found = [
                Row(
                    conversation_id=ConversationId(row[0]),
                    member_id=MemberId(row[1]),
                    owner=row[2],
                    crisis=row[3],
                    last_message_id=MessageId(row[4]) if row[4] else None,
                    member_seq=row[5] or 0,
                    unanswered_since=row[6],
                )
                for row in db.execute(query.order_by(*order))
            ]
        return found, total


def _last_spoken() -> ScalarSelect[str]:
    m = t.message.c
    query = select(m.id).where(m.conversation_id == t.conversation.c.id, ~m.note)
    return query.order_by(m.seq.desc()).limit(1).scalar_subquery()


def _last_of_member() -> ScalarSelect[int]:
    m = t.message.c
    query = select(m.seq).where(m.conversation_id == t.conversation.c.id, m.author == "member")
    return query.order_by(m.seq.desc()).limit(1).scalar_subquery()


def _unanswered_since() -> ScalarSelect[datetime]:
    m, a = t.message.c, t.message.alias("answer").c
    answered = (
        select(a.seq)
        .where(a.conversation_id == t.conversation.c.id, a.author.in_(ANSWERING), ~a.note)
        .order_by(a.seq.desc())
        .limit(1)
        .correlate(t.conversation)
        .scalar_subquery()
    )
    query = select(m.at).where(
        m.conversation_id == t.conversation.c.id, m.author == "member", m.seq > func.coalesce(answered, 0)
    )
    return query.order_by(m.seq).limit(1).correlate(t.conversation).scalar_subquery()
