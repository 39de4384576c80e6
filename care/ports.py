"""What the core needs from the outside, as it would like to have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from care.binding_stores import Attachments, Bindings
from care.case_stores import Deadlines, Tasks
from care.model.appointment import Opening
from care.model.assessment import Assessment, Context
from care.model.ids import OutboxId
from care.model.ladder import Promises
from care.model.member import Identity
from care.model.message import Message, Reply
from care.model.pieces import PieceLimit
from care.model.rights import Terms
from care.queue_stores import Inbox, Outbox, SendRights
from care.stores import (
    AccessLog,
    Alarms,
    Appointments,
    Cases,
    Conversations,
    Cursors,
    Members,
    StaffList,
    Treatments,
    VendorSessions,
)


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class SafetyReader(Protocol):
    """Reads a message for danger. Needs no model and no network."""

    def assess(self, text: str, context: Context = ...) -> Assessment:
        """Return what the text says about the member now; never raises on any text."""


class Dialogue(Protocol):
    """The conversation model."""

    def say(self, tracker_id: str, text: str, metadata: Mapping[str, str]) -> Sequence[Reply]:
        """Hand over what the member said and return what should be answered.

        Raises:
            DialogueUnavailable: if no answer came, or an empty one.
        """

    def trigger(self, tracker_id: str, intent: str, metadata: Mapping[str, str]) -> None:
        """Tell the model that something happened outside, e.g. that a check-in was sent.

        Raises:
            DialogueUnavailable: if it did not take notice.
        """

    def healthy(self) -> bool:
        """Whether the model answers at this moment."""


class ChannelSender(Protocol):
    """Delivers to one kind of channel. The only code that calls a vendor."""

    channel: str
    idempotent: bool  # whether a repeat with the same outbox id is recognised by the vendor
    limit: PieceLimit | None  # the most the vendor takes; what we send is cut by the settings, which may be stricter

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Deliver one piece and return the vendor's id for it; `message.text` is the piece, buttons only on the last.

        Raises:
            SendRefused: it will never be delivered.
            SendLater: it may be tried again.
            RightSpent: the vendor grants no message to this account now.
            ChannelDown: the whole channel refuses for now.
            SendUnknown: it may have been delivered.
        """


class Nudger(ChannelSender, Protocol):
    """A channel whose vendor sends notices for us outside every window."""

    def nudge(self, to: Identity, template: str, outbox_id: OutboxId) -> str:
        """Send the notice that something is waiting, and return the vendor's id for it.

        Args:
            to: whom.
            template: the vendor's name for the notice, as in the settings.
            outbox_id: ours.

        Raises:
            As `send`; RightSpent also when the member's one-time subscription is used up or withdrawn.
        """


class UnitOfWork(AbstractContextManager["UnitOfWork"], Protocol):
    """One transaction. Leaving it without `commit` changes nothing."""

    members: Members
    conversations: Conversations
    inbox: Inbox
    outbox: Outbox
    appointments: Appointments
    treatments: Treatments
    cases: Cases
    staff: StaffList
    cursors: Cursors
    sessions: VendorSessions
    alarms: Alarms
    access: AccessLog
    deadlines: Deadlines
    tasks: Tasks
    rights: SendRights
    bindings: Bindings
    attachments: Attachments
    ladder: Promises  # who answers a case until when, on the clinic's calendar
    terms: Terms  # on what terms each channel lets us write

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; whatever was not committed is rolled back."""

    def commit(self) -> None:
        """Make everything since `__enter__` lasting."""


class UnitOfWorkFactory(Protocol):
    """Makes units of work."""

    def __call__(self) -> UnitOfWork:
        """Return a fresh one."""


class Slots(Protocol):
    """Where and when practitioners work; made from the pack and the calendar."""

    def openings(
        self, service: str, start: datetime, end: datetime, *, practitioner: str | None, clinic: str | None
    ) -> Iterable[Opening]:
        """Yield every time the shifts allow, in order of time, without looking at the book.

        Raises:
            InvalidInput: if the service, practitioner or clinic is unknown, or they do not go together.
        """
