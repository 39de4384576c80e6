"""What is known about one recovery when it is decided what comes next: plain facts, no database.

A `History` never changes; each `with_…` returns a longer one. Whoever drives the planner keeps it up to date: what
was sent, what was read, what the member answered or wrote, what humans opened and closed. Every moment is aware.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Subject:
    """The member and the treatment, as far as they matter here.

    `facts` are those of the treatment and of the member together (bone_graft, anticoagulant, lives_alone, …).
    `mdas` is the dental anxiety told before the treatment, 5-25. `channels` counts accounts that can be written to.
    """

    member_id: str
    treatment: str  # a protocol code
    ended_at: datetime
    zone: str = "Asia/Shanghai"
    facts: frozenset[str] = frozenset()
    mdas: int | None = None
    pain_before: float | None = None  # worst pain 0-10 before the treatment, if it was told
    answers_usually: bool | None = None  # from earlier recoveries; None when there were none
    channels: int = 2  # a text message beside the app, unless told otherwise
    sutures_out_on: date | None = None
    crown_on: date | None = None

    @property
    def tz(self) -> ZoneInfo:
        """The zone in which this member's mornings and evenings happen."""
        return ZoneInfo(self.zone)

    @property
    def alone(self) -> bool:
        """Whether nobody else is at home."""
        return "lives_alone" in self.facts


@dataclass(frozen=True, slots=True)
class Report:
    """One answered question; `plan` is the code of the contact that asked, numbers are text as they are stored."""

    at: datetime
    question: str
    value: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message the member wrote on their own. Level is the assessment's: L0-L3, P1-P3, K1-K3, or none."""

    at: datetime
    valence: float = 0.0  # -1 to 1
    level: str = "none"
    theme: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that reached the member's channel, or a carer's contact with the member."""

    at: datetime
    kind: str  # an `ActionKind`
    code: str = ""
    supportive: bool = False
    ask: tuple[str, ...] = ()
    safety: bool = False
    second_channel: bool = False
    proactive: bool = True
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseNote:
    """Something a human was asked to do; `closed_at` None while it is open."""

    at: datetime
    level: str
    reason: str
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """The member's word on being written to: `less` (少发点), `stop` (别发了) or `resume`."""

    at: datetime
    wish: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything that is known at one moment, each kind oldest first."""

    subject: Subject
    reports: tuple[Report, ...] = ()
    inbound: tuple[Inbound, ...] = ()
    sent: tuple[Sent, ...] = ()
    cases: tuple[CaseNote, ...] = ()
    wishes: tuple[Wish, ...] = ()
    owner: str = "bot"  # who has the conversation: bot, or a carer
    billed_at: datetime | None = None  # the last bill

    def with_answer(self, at: datetime, question: str, value: str, plan: str = "") -> History:
        """Add one answer."""
        return replace(self, reports=(*self.reports, Report(at, question, value, plan)))

    def with_message(
        self, at: datetime, *, valence: float = 0.0, level: str = "none", theme: str | None = None
    ) -> History:
        """Add a message the member wrote."""
        return replace(self, inbound=(*self.inbound, Inbound(at, valence, level, theme)))

    def with_sent(self, sent: Sent) -> History:
        """Add something that was sent or said."""
        return replace(self, sent=(*self.sent, sent))

    def with_read(self, at: datetime) -> History:
        """Mark everything sent so far as read."""
        read = tuple(one if one.read_at is not None else replace(one, read_at=at) for one in self.sent)
        return replace(self, sent=read)

    def with_case(self, note: CaseNote) -> History:
        """Add something a human was asked to do."""
        return replace(self, cases=(*self.cases, note))

    def with_cases_closed(self, at: datetime) -> History:
        """Mark every open case as closed."""
        closed = tuple(note if note.closed_at is not None else replace(note, closed_at=at) for note in self.cases)
        return replace(self, cases=closed)

    def with_wish(self, at: datetime, wish: str) -> History:
        """Add the member's word on being written to."""
        return replace(self, wishes=(*self.wishes, Wish(at, wish)))

    @property
    def last_heard(self) -> datetime | None:
        """When the member last answered or wrote anything."""
        moments = [many[-1].at for many in (self.reports, self.inbound) if many]
        return max(moments, default=None)
