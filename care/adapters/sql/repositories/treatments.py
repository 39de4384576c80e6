"""Treatments, episodes, planned contacts and answers on SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, exists, false, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from care.adapters.sql import tables as t
from care.adapters.sql.keys import Keyring
from care.model.errors import Conflict, NotFound
from care.model.ids import (
    AppointmentId,
    EpisodeId,
    MemberId,
    MessageId,
    TouchpointId,
    TreatmentId,
)
from care.model.touchpoint import WAITING, Answer, Touchpoint, TouchpointKind, TouchpointState
from care.model.treatment import Episode, EpisodeStatus, Treatment


class SqlTreatments:
    """Everything of a recovery."""

    def __init__(self, db: Connection, keys: Keyring) -> None:
        self._db = db
        self._keys = keys

    def add_treatment(self, treatment: Treatment) -> None:
        detail = {
            "kind": treatment.kind,
            "facts": sorted(treatment.facts),
            "external_ref": treatment.external_ref,
            "instructions": treatment.instructions,
            "next_step": treatment.next_step,
            "pain_before": treatment.pain_before,
        }
        ref = treatment.external_ref
        try:
            with self._db.begin_nested():
                self._db.execute(
                    insert(t.treatment).values(
                        id=treatment.id,
                        member_id=treatment.member_id,
                        practitioner=treatment.practitioner,
                        clinic=treatment.clinic,
                        ended_at=treatment.ended_at,
                        created_at=treatment.created_at,
                        sutures_out_on=treatment.sutures_out_on,
                        ref_index=self._keys.blind("treatment", ref) if ref else None,
                        detail_sealed=self._keys.seal(
                            treatment.member_id, "treatment", "detail", treatment.id, detail
                        ),
                    )
                )
        except IntegrityError as clash:
            raise Conflict("a treatment with this reference is recorded already") from clash

    def treatment(self, treatment_id: TreatmentId) -> Treatment:
        row = self._first(t.treatment, t.treatment.c.id == treatment_id)
        if row is None:
            raise NotFound("treatment", treatment_id)
        return self._treatment(row)

    def by_ref(self, external_ref: str) -> Treatment | None:
        row = self._first(t.treatment, t.treatment.c.ref_index == self._keys.blind("treatment", external_ref))
        return self._treatment(row) if row else None

    def treatments_of(self, member_id: MemberId) -> list[Treatment]:
        rows = self._db.execute(
            select(t.treatment).where(t.treatment.c.member_id == member_id).order_by(t.treatment.c.ended_at.desc())
        ).mappings()
        return [self._treatment(row) for row in rows]

    def add_episode(self, episode: Episode) -> None:
        self._db.execute(
            insert(t.episode).values(
                id=episode.id,
                member_id=episode.member_id,
                treatment_id=episode.treatment_id,
                protocol=episode.protocol,
                version=episode.version,
                opened_at=episode.opened_at,
                status=episode.status.value,
                closed_at=episode.closed_at,
                closed_reason=episode.closed_reason,
            )
        )

    def episode(self, episode_id: EpisodeId) -> Episode:
        row = self._first(t.episode, t.episode.c.id == episode_id)
        if row is None:
            raise NotFound("episode", episode_id)
        return _episode(row)

    def episode_of(self, treatment_id: TreatmentId) -> Episode | None:
        row = self._first(t.episode, t.episode.c.treatment_id == treatment_id)
        return _episode(row) if row else None

    def open_episodes(self, member_id: MemberId) -> list[Episode]:
        rows = self._db.execute(
            select(t.episode)
            .where(t.episode.c.member_id == member_id, t.episode.c.status == EpisodeStatus.OPEN.value)
            .order_by(t.episode.c.opened_at.desc(), t.episode.c.id)
        ).mappings()
        return [_episode(row) for row in rows]

    def save_episode(self, episode: Episode) -> None:
        self._db.execute(
            update(t.episode)
            .where(t.episode.c.id == episode.id)
            .values(
                status=episode.status.value,
                closed_at=episode.closed_at,
                closed_reason=episode.closed_reason,
                version=episode.version,
            )
        )

    def outdated(self, versions: Mapping[str, str], after: EpisodeId | None, limit: int) -> list[EpisodeId]:
        c = t.episode.c
        current = [and_(c.protocol == code, c.version == version) for code, version in versions.items()]
        query = (
            select(c.id)
            .where(c.status == EpisodeStatus.OPEN.value, not_(or_(false(), *current)), c.id > (after or ""))
            .order_by(c.id)
            .limit(limit)
        )
        return [EpisodeId(one) for one in self._db.execute(query).scalars()]

    def may_end(self, after: EpisodeId | None, limit: int) -> list[EpisodeId]:
        c, contact = t.episode.c, t.touchpoint.c
        pending = [state.value for state in (*WAITING, TouchpointState.CLAIMED)]
        ahead = exists().where(
            contact.episode_id == c.id,
            contact.state.in_(pending),
            or_(contact.safety, contact.kind == TouchpointKind.RECHECK.value),
        )
        query = select(c.id).where(c.status == EpisodeStatus.OPEN.value, not_(ahead), c.id > (after or ""))
        return [EpisodeId(one) for one in self._db.execute(query.order_by(c.id).limit(limit)).scalars()]

    def plan(self, touchpoint: Touchpoint) -> bool:
        try:
            with self._db.begin_nested():
                self._db.execute(insert(t.touchpoint).values(id=touchpoint.id, **_touchpoint_row(touchpoint)))
        except IntegrityError:
            return False
        return True

    def touchpoint(self, touchpoint_id: TouchpointId, *, lock: bool = False) -> Touchpoint:
        query = select(t.touchpoint).where(t.touchpoint.c.id == touchpoint_id)
        if lock:
            query = query.with_for_update()
        row = self._db.execute(query).mappings().first()
        if row is None:
            raise NotFound("touchpoint", touchpoint_id)
        return _touchpoint(row)

    def claim_due(self, now: datetime, lease_until: datetime, limit: int) -> list[Touchpoint]:
        c = t.touchpoint.c
        waiting = or_(
            c.state.in_([state.value for state in WAITING]),
            and_(c.state == TouchpointState.CLAIMED.value, c.lease_until <= now),
        )
        query = (
            select(t.touchpoint)
            .where(c.due_at <= now, waiting)
            .order_by(c.due_at, c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = [_touchpoint(row) for row in self._db.execute(query).mappings().all()]
        for touchpoint in due:
            touchpoint.state, touchpoint.lease_until = TouchpointState.CLAIMED, lease_until
            touchpoint.attempts += 1
            self._db.execute(
                update(t.touchpoint)
                .where(c.id == touchpoint.id)
                .values(**(_touchpoint_row(touchpoint) | {"lease": touchpoint.lease + 1}))
            )
            touchpoint.lease += 1
        return due

    def save_touchpoint(self, touchpoint: Touchpoint) -> None:
        done = self._db.execute(
            update(t.touchpoint)
            .where(t.touchpoint.c.id == touchpoint.id, t.touchpoint.c.lease == touchpoint.lease)
            .values(**_touchpoint_row(touchpoint))
        )
        if done.rowcount != 1:
            raise Conflict("another worker has claimed this touchpoint since")

    def touchpoints_of(self, member_id: MemberId) -> list[Touchpoint]:
        return self._touchpoints(t.touchpoint.c.member_id == member_id)

    def waiting_for(
        self, *, episode_id: EpisodeId | None = None, appointment_id: AppointmentId | None = None
    ) -> list[Touchpoint]:
        c = t.touchpoint.c
        what = c.episode_id == episode_id if episode_id else c.appointment_id == appointment_id
        states = [state.value for state in (*WAITING, TouchpointState.CLAIMED)]
        return self._touchpoints(and_(what, c.state.in_(states)))

    def open_check_in(self, member_id: MemberId) -> Touchpoint | None:
        c = t.touchpoint.c
        row = (
            self._db.execute(
                select(t.touchpoint)
                .where(
                    c.member_id == member_id,
                    c.state == TouchpointState.HANDED_OVER.value,
                    c.closed_at.is_(None),
                    c.ask != "",
                )
                .order_by(c.handed_over_at.desc())
                .limit(1)
            )
            .mappings()
            .first()
        )
        return _touchpoint(row) if row else None

    def unanswered(self, handed_over_before: datetime, limit: int) -> list[Touchpoint]:
        c = t.touchpoint.c
        rows = self._db.execute(
            select(t.touchpoint)
            .where(
                c.state == TouchpointState.HANDED_OVER.value,
                c.closed_at.is_(None),
                c.handed_over_at <= handed_over_before,
                c.ask != "",
            )
            .order_by(c.handed_over_at)
            .limit(limit)
        ).mappings()
        return [_touchpoint(row) for row in rows]

    def add_answer(self, answer: Answer) -> None:
        body = {
            "question": answer.question,
            "value": answer.value,
            "verdict": answer.verdict,
            "rule": answer.rule,
            "level": answer.level,
            "reason": answer.reason,
            "day": answer.day,
            "because": list(answer.because),
        }
        self._db.execute(
            insert(t.answer).values(
                id=answer.id,
                member_id=answer.member_id,
                episode_id=answer.episode_id,
                touchpoint_id=answer.touchpoint_id,
                message_id=answer.message_id,
                at=answer.at,
                body_sealed=self._keys.seal(answer.member_id, "answer", "body", answer.id, body),
            )
        )

    def answers(self, episode_id: EpisodeId) -> list[Answer]:
        rows = self._db.execute(
            select(t.answer).where(t.answer.c.episode_id == episode_id).order_by(t.answer.c.seq)
        ).mappings()
        return [self._answer(row) for row in rows]

    def _first(self, table: Any, condition: Any) -> RowMapping | None:
        return self._db.execute(select(table).where(condition)).mappings().first()

    def _touchpoints(self, condition: Any) -> list[Touchpoint]:
        query = select(t.touchpoint).where(condition).order_by(t.touchpoint.c.due_at, t.touchpoint.c.id)
        return [_touchpoint(row) for row in self._db.execute(query).mappings()]

    def _treatment(self, row: RowMapping) -> Treatment:
        member_id = MemberId(row["member_id"])
        detail = self._keys.open(member_id, "treatment", "detail", row["id"], row["detail_sealed"])
        return Treatment(
            id=TreatmentId(row["id"]),
            member_id=member_id,
            kind=detail["kind"],
            practitioner=row["practitioner"],
            clinic=row["clinic"],
            ended_at=row["ended_at"],
            created_at=row["created_at"],
            facts=frozenset(detail["facts"]),
            sutures_out_on=row["sutures_out_on"],
            external_ref=detail["external_ref"],
            instructions=detail.get("instructions"),
            next_step=detail.get("next_step"),
            pain_before=detail.get("pain_before"),
        )

    def _answer(self, row: RowMapping) -> Answer:
        member_id = MemberId(row["member_id"])
        body = self._keys.open(member_id, "answer", "body", row["id"], row["body_sealed"])
        body["because"] = tuple(body.get("because", ()))
        return Answer(
            id=row["id"],
            member_id=member_id,
            at=row["at"],
            episode_id=EpisodeId(row["episode_id"]) if row["episode_id"] else None,
            touchpoint_id=TouchpointId(row["touchpoint_id"]) if row["touchpoint_id"] else None,
            message_id=MessageId(row["message_id"]) if row["message_id"] else None,
            **body,
        )


def _episode(row: RowMapping) -> Episode:
    return Episode(
        id=EpisodeId(row["id"]),
        member_id=MemberId(row["member_id"]),
        treatment_id=TreatmentId(row["treatment_id"]),
        protocol=row["protocol"],
        version=row["version"],
        opened_at=row["opened_at"],
        status=EpisodeStatus(row["status"]),
        closed_at=row["closed_at"],
        closed_reason=row["closed_reason"],
    )


PLAIN = (
    "member_id",
    "plan",
    "occurrence",
    "version",
    "due_at",
    "expires_at",
    "created_at",
    "safety",
    "reason",
    "episode_id",
    "appointment_id",
    "attempts",
    "lease",
    "lease_until",
    "handed_over_at",
    "closed_at",
    "silence_step",
)


def _touchpoint_row(touchpoint: Touchpoint) -> dict[str, Any]:
    row = {name: getattr(touchpoint, name) for name in PLAIN}
    row |= {
        "kind": touchpoint.kind.value,
        "state": touchpoint.state.value,
        "ask": ",".join(touchpoint.ask),
        "answered": ",".join(touchpoint.answered),
    }
    return row


def _touchpoint(row: RowMapping) -> Touchpoint:
    return Touchpoint(
        id=TouchpointId(row["id"]),
        kind=TouchpointKind(row["kind"]),
        state=TouchpointState(row["state"]),
        ask=tuple(filter(None, row["ask"].split(","))),
        answered=tuple(filter(None, row["answered"].split(","))),
        **{name: row[name] for name in PLAIN},
    )
