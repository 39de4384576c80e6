"""One transaction over every repository."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from care.adapters.sql.engine import wait_for_turn
from care.adapters.sql.keys import Keyring
from care.adapters.sql.repositories.access import SqlAccessLog
from care.adapters.sql.repositories.appointments import SqlAppointments
from care.adapters.sql.repositories.attachments import SqlAttachments
from care.adapters.sql.repositories.bindings import SqlBindings
from care.adapters.sql.repositories.cases import SqlCases
from care.adapters.sql.repositories.conversations import SqlConversations
from care.adapters.sql.repositories.deadlines import SqlDeadlines
from care.adapters.sql.repositories.members import SqlMembers
from care.adapters.sql.repositories.queues import SqlInbox, SqlOutbox
from care.adapters.sql.repositories.rights import SqlSendRights
from care.adapters.sql.repositories.staff import SqlStaffList
from care.adapters.sql.repositories.tasks import SqlTasks
from care.adapters.sql.repositories.treatments import SqlTreatments
from care.adapters.sql.repositories.vendors import SqlAlarms, SqlCursors, SqlVendorSessions
from care.binding_stores import Attachments, Bindings
from care.case_stores import Deadlines, Tasks
from care.model.ladder import Promises
from care.model.rights import Terms
from care.ports import Clock
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


class SqlUnitOfWork:
    """A transaction on SQLite or PostgreSQL; use once, in a `with`."""

    access: AccessLog
    alarms: Alarms
    appointments: Appointments
    attachments: Attachments
    bindings: Bindings
    cases: Cases
    conversations: Conversations
    cursors: Cursors
    deadlines: Deadlines
    inbox: Inbox
    ladder: Promises
    members: Members
    outbox: Outbox
    rights: SendRights
    sessions: VendorSessions
    staff: StaffList
    tasks: Tasks
    terms: Terms
    treatments: Treatments
    _db: Connection

    def __init__(self, engine: Engine, keys: Keyring, clock: Clock, terms: Terms, ladder: Promises) -> None:
        self.terms = terms
        self.ladder = ladder
        self._engine = engine
        self._keys = keys
        self._clock = clock

    def __enter__(self) -> Self:
        self._turn = wait_for_turn(self._engine)
        try:
            self._db = self._engine.connect()
            self._db.begin()
        except BaseException:
            self._leave()
            raise
        self.access = SqlAccessLog(self._db)
        self.members = SqlMembers(self._db, self._keys, self.access, self._clock)
        self.conversations = SqlConversations(self._db, self._keys)
        self.inbox = SqlInbox(self._db, self._keys)
        self.outbox = SqlOutbox(self._db)
        self.rights = SqlSendRights(self._db, self._keys)
        self.appointments = SqlAppointments(self._db, self._keys)
        self.treatments = SqlTreatments(self._db, self._keys)
        self.cases = SqlCases(self._db, self._keys)
        self.staff = SqlStaffList(self._db)
        self.deadlines = SqlDeadlines(self._db)
        self.tasks = SqlTasks(self._db, self._keys)
        self.cursors = SqlCursors(self._db)
        self.sessions = SqlVendorSessions(self._db)
        self.alarms = SqlAlarms(self._db)
        self.bindings = SqlBindings(self._db, self._keys)
        self.attachments = SqlAttachments(self._db, self._keys)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._db.close()  # rolls back what was not committed
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._turn is not None:
            self._turn.release()
            self._turn = None

    def commit(self) -> None:
        """Make everything since `__enter__` lasting."""
        self._db.commit()
