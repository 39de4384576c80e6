"""What the core needs from its database, as it would like to have it: one store a family of nouns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from care.model.alarm import Alarm
from care.model.appointment import Appointment, Hold
from care.model.case import Case, CaseLevel
from care.model.consent import Choice, Purpose
from care.model.conversation import Conversation
from care.model.ids import (
    AppointmentId,
    CaseId,
    ConversationId,
    EpisodeId,
    IdentityId,
    MemberId,
    MessageId,
    StaffId,
    TouchpointId,
    TreatmentId,
)
from care.model.member import Identity, Member
from care.model.message import Message
from care.model.staff import Reader, Staff, StaffSession
from care.model.touchpoint import Answer, Touchpoint
from care.model.treatment import Episode, Treatment
from care.model.vendor import Cursor, VendorSession


class Members(Protocol):
    """Members, each of whose readings is allowed and logged."""

    def add(self, member: Member) -> None:
        """Store a new member and make their data key."""

    def get(self, member_id: MemberId, *, by: Reader, purpose: Purpose) -> Member:
        """Return the member after asking `allowed` and writing the access log.

        Raises:
            NotFound: if there is none.
            NotAllowed: if the member's choices forbid this purpose.
        """

    def save(self, member: Member) -> None:
        """Store changed fields."""

    def choose(self, member_id: MemberId, choice: Choice, *, by: Reader, evidence: str) -> None:
        """Append a consent event; it becomes the member's current choice."""

    def find_by_phone(self, phone: str, *, by: Reader, purpose: Purpose) -> Member | None:
        """Return the member with this number, by blind index."""

    def find_by_ref(self, external_ref: str, *, by: Reader, purpose: Purpose) -> Member | None:
        """Return the member the practice system calls so."""

    def page(self, *, by: Reader, purpose: Purpose, after: MemberId | None, limit: int) -> list[Member]:
        """Return members in a stable order; everyone returned is logged."""

    def identity(self, channel: str, external_id: str) -> Identity | None:
        """Return the channel account with this vendor id, by blind index."""

    def add_identity(self, identity: Identity) -> None:
        """Store a channel account."""

    def identity_by_id(self, identity_id: IdentityId) -> Identity:
        """Return a channel account."""

    def identities_of(self, member_id: MemberId) -> list[Identity]:
        """Return a member's channel accounts, newest first."""

    def save_identity(self, identity: Identity) -> None:
        """Store whether the account can still be reached."""


class Conversations(Protocol):
    """Conversations and everything said in them."""

    def add(self, conversation: Conversation) -> None:
        """Store a new conversation."""

    def get(self, conversation_id: ConversationId, *, lock: bool = False) -> Conversation:
        """Return one; with `lock` nobody else can change it until this transaction ends."""

    def of_member(self, member_id: MemberId, *, lock: bool = False) -> Conversation | None:
        """Return the member's conversation."""

    def by_tracker(self, tracker_id: str) -> Conversation | None:
        """Return the conversation the dialogue model knows by this id."""

    def save(self, conversation: Conversation) -> None:
        """Store changed fields."""

    def write(self, message: Message) -> Message:
        """Append a message and return it with its sequence number."""

    def message(self, message_id: MessageId) -> Message:
        """Return one message."""

    def history(
        self, conversation_id: ConversationId, *, after: int = 0, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Return messages in order: the newest `limit` before `before`, or those after `after`."""

    def count(self, conversation_id: ConversationId) -> int:
        """Return how many messages were exchanged; internal notes do not count."""

    def set_assessment(self, message_id: MessageId, assessment: Mapping[str, object]) -> None:
        """Keep what the safety layer made of a message beside it."""


class Appointments(Protocol):
    """The appointment book."""

    def add(self, appointment: Appointment) -> None:
        """Book.

        Raises:
            SlotTaken: if the database refuses, because somebody else was first.
            Conflict: if a visit was booked under this key already.
        """

    def get(self, appointment_id: AppointmentId) -> Appointment:
        """Return one visit."""

    def by_key(self, key: str) -> Appointment | None:
        """Return the visit a turn made, if it made one."""

    def of_member(self, member_id: MemberId, *, after: datetime | None = None) -> list[Appointment]:
        """Return booked visits of a member in order of time; with `after` only later ones."""

    def between(self, start: datetime, end: datetime) -> list[Appointment]:
        """Return booked visits that start in the span."""

    def close(self, appointment: Appointment) -> None:
        """Store a status that frees the time."""

    def annotate(self, appointment: Appointment) -> None:
        """Store the visit's note: what whoever treats the member should know beforehand."""

    def hold(self, hold: Hold) -> None:
        """Keep a time.

        Raises:
            SlotTaken: if the database refuses.
        """

    def hold_of(self, member_id: MemberId, now: datetime) -> Hold | None:
        """Return the member's unexpired hold."""

    def release(self, member_id: MemberId) -> None:
        """Let go of whatever is held for the member."""

    def release_expired(self, now: datetime) -> int:
        """Let go of every expired hold and return how many."""

    def turn_into_visit(self, hold: Hold, appointment: Appointment) -> None:
        """Make the held time a visit, keeping its cells without a gap."""

    def taken(self, start: datetime, end: datetime, now: datetime) -> set[tuple[str, datetime]]:
        """Return the (resource, quarter) pairs that are booked or held."""


class Treatments(Protocol):
    """Treatments, episodes, planned contacts and answers."""

    def add_treatment(self, treatment: Treatment) -> None:
        """Store a treatment."""

    def treatment(self, treatment_id: TreatmentId) -> Treatment:
        """Return one."""

    def by_ref(self, external_ref: str) -> Treatment | None:
        """Return the treatment the practice system calls so."""

    def treatments_of(self, member_id: MemberId) -> list[Treatment]:
        """Return a member's treatments, newest first."""

    def add_episode(self, episode: Episode) -> None:
        """Store an episode."""

    def episode(self, episode_id: EpisodeId) -> Episode:
        """Return one."""

    def episode_of(self, treatment_id: TreatmentId) -> Episode | None:
        """Return a treatment's episode."""

    def open_episodes(self, member_id: MemberId) -> list[Episode]:
        """Return episodes still looked after, newest first."""

    def save_episode(self, episode: Episode) -> None:
        """Store changed fields."""

    def outdated(self, versions: Mapping[str, str], after: EpisodeId | None, limit: int) -> list[EpisodeId]:
        """Return open episodes not under the version given for their protocol, in the order of their ids."""

    def may_end(self, after: EpisodeId | None, limit: int) -> list[EpisodeId]:
        """Return open episodes with no safety contact or second look to come, in the order of their ids."""

    def plan(self, touchpoint: Touchpoint) -> bool:
        """Store a planned contact; False if the same one was planned before."""

    def touchpoint(self, touchpoint_id: TouchpointId, *, lock: bool = False) -> Touchpoint:
        """Return one."""

    def claim_due(self, now: datetime, lease_until: datetime, limit: int) -> list[Touchpoint]:
        """Lock due contacts, the earliest first; two workers never share one."""

    def save_touchpoint(self, touchpoint: Touchpoint) -> None:
        """Store changed fields."""

    def touchpoints_of(self, member_id: MemberId) -> list[Touchpoint]:
        """Return a member's contacts in order of due time."""

    def waiting_for(
        self, *, episode_id: EpisodeId | None = None, appointment_id: AppointmentId | None = None
    ) -> list[Touchpoint]:
        """Return contacts of an episode or an appointment that have not gone out yet."""

    def open_check_in(self, member_id: MemberId) -> Touchpoint | None:
        """Return the latest contact whose questions are not all answered."""

    def unanswered(self, handed_over_before: datetime, limit: int) -> list[Touchpoint]:
        """Return safety contacts still without an answer, the oldest first."""

    def add_answer(self, answer: Answer) -> None:
        """Store an answer and its verdict."""

    def answers(self, episode_id: EpisodeId) -> list[Answer]:
        """Return the answers of an episode in order of time."""


class Cases(Protocol):
    """What humans owe members."""

    def add(self, case: Case) -> None:
        """Store a case."""

    def get(self, case_id: CaseId, *, lock: bool = False) -> Case:
        """Return one."""

    def save(self, case: Case) -> None:
        """Store changed fields."""

    def open_of(self, member_id: MemberId) -> list[Case]:
        """Return a member's unresolved cases, most urgent first."""

    def of_member(self, member_id: MemberId) -> list[Case]:
        """Return all of a member's cases, newest first."""

    def unresolved(self) -> list[Case]:
        """Return every unresolved case: by urgency, then by what is due first."""

    def resolved(self, limit: int) -> list[Case]:
        """Return the latest resolved cases."""

    def loads(self) -> Mapping[StaffId, int]:
        """Return how many unresolved cases each colleague has."""

    def last_assigned(self, levels: frozenset[CaseLevel], limit: int) -> list[StaffId]:
        """Return to whom the latest cases of these levels went, the latest first."""


class StaffList(Protocol):
    """Colleagues and their logins."""

    def add(self, staff: Staff) -> None:
        """Store a colleague.

        Raises:
            Conflict: if the login is taken.
        """

    def get(self, staff_id: StaffId) -> Staff:
        """Return one."""

    def by_login(self, login: str) -> Staff | None:
        """Return the colleague with this login."""

    def all(self) -> list[Staff]:
        """Return everyone, active first."""

    def save(self, staff: Staff) -> None:
        """Store changed fields."""

    def add_session(self, session: StaffSession) -> None:
        """Store a login."""

    def session(self, token_hash: str) -> StaffSession | None:
        """Return a login by the hash of its token."""

    def touch_session(self, token_hash: str, at: datetime) -> None:
        """Remember that the login was used."""

    def end_session(self, token_hash: str) -> None:
        """End a login for good."""

    def end_sessions_of(self, staff_id: StaffId) -> None:
        """End every login of a colleague."""


class Cursors(Protocol):
    """How far vendors' logs were read."""

    def claim(self, source: str, now: datetime, lease_until: datetime) -> Cursor | None:
        """Become the one reader of a log, from its beginning if it was never read; None while somebody else reads."""

    def get(self, source: str) -> Cursor | None:
        """Return how far a log was read, if it ever was."""

    def save(self, cursor: Cursor) -> None:
        """Store where the reading stands; a stale lease number is refused.

        Raises:
            Conflict: if another reader has claimed it since.
        """

    def sources(self, prefix: str) -> list[str]:
        """Return the logs that were ever read and whose name begins so."""


class VendorSessions(Protocol):
    """Whose a customer's session is at a vendor's desk."""

    def get(self, identity_id: IdentityId) -> VendorSession:
        """Return what we know; a session never heard of is new."""

    def save(self, session: VendorSession) -> None:
        """Store what we know now."""

    def untold(self, channel: str, now: datetime, limit: int, *, takeovers: bool) -> list[IdentityId]:
        """Return accounts whose conversation changed hands without the vendor knowing, once nothing is on its way.

        Always those given back to the bot while the vendor's desk holds them; with `takeovers` also those a carer
        holds whose member writes through this channel.
        """

    def asking(self, channel: str, reason: str, now: datetime, limit: int) -> list[tuple[IdentityId, CaseId]]:
        """Return accounts whose member waits for a human, by an open case with this reason that was not passed on.

        Only while the bot owns the conversation and nothing of ours is on its way to them.
        """


class Alarms(Protocol):
    """Cases that ring colleagues' phones."""

    def claim_due(self, now: datetime, lease_until: datetime, limit: int) -> list[Alarm]:
        """Lock cases whose next round is due, the earliest promise first; two processes never share one."""

    def save(self, alarm: Alarm) -> None:
        """Store how often it rang and when it rings next, and let go of it."""


class AccessLog(Protocol):
    """Who looked at whom, why and when. Append-only."""

    def write(self, *, by: Reader, member_id: MemberId, purpose: Purpose, what: str, at: datetime) -> None:
        """Append a line; the same reading twice in one transaction is one line."""

    def of_member(self, member_id: MemberId, limit: int) -> list[Mapping[str, object]]:
        """Return who looked, newest first."""
