"""Telling the vendor's desk who serves a customer, after the conversation changed hands here.

Nothing is queued for it. Every account remembers up to which change of owner the vendor was told; where that and the
conversation differ, this thread tells it and remembers. A crash in between tells it again, and what is already so is
left so. Why carers write in our console by default, and what the other way costs: decision 0011.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from bot.channels.wecom.errors import NOT_SERVING, WRONG_STATE, KfRefused
from bot.channels.wecom.kf import Kf
from bot.channels.wecom.parse import CHANNEL, Malformed, parties
from care.bootstrap import House
from care.model.conversation import BOT, Conversation
from care.model.errors import CareError, Conflict
from care.model.ids import IdentityId
from care.model.member import Identity
from care.model.message import Author
from care.model.vendor import WITH_HUMANS, ServiceState, VendorSession
from care.services import outbox

logger = logging.getLogger(__name__)

LOOK_S = 2.0  # seconds between two looks
AT_ONCE = 50
AGAIN = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
UNTIL_THE_NEXT_WORD = timedelta(minutes=1)  # an ended session cannot be given to anybody before the customer writes

Told = Callable[[str], None]


class Desk:
    """Keeps the vendor's desk in step with who owns a conversation.

    Args:
        house: open.
        kf: the vendor's interface.
        alert: tells colleagues that a session could not be given to them, by the conversation's id.
        changed: called with a member's id when something of theirs was queued.
    """

    def __init__(self, house: House, kf: Kf, *, alert: Told, changed: Told) -> None:
        self._house = house
        self._kf = kf
        self._alert = alert
        self._changed = changed
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start looking."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="wecom-desk", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask the thread to end after the account that is being told about."""
        self._stopping.set()

    def stop(self) -> None:
        """End and wait for it, at most ten seconds."""
        self.end()
        if self._thread is not None:
            self._thread.join(10.0)

    def look(self) -> int:
        """Tell the vendor what changed; return how many accounts it was told about."""
        takeovers = self._house.settings.wecom_desk == "wecom"
        with self._house.unit_of_work() as uow:
            untold = uow.sessions.untold(CHANNEL, self._house.clock.now(), AT_ONCE, takeovers=takeovers)
        for identity_id in untold:
            try:
                self._tell(identity_id)
            except CareError as failure:
                logger.warning("desk not told", extra={"channel": CHANNEL, "code": failure.code})
                self._put_off(identity_id, failure.code)
        return len(untold)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self.look()
            except Exception as broken:  # a locked database must not end the thread
                logger.exception("desk not looked at", extra={"channel": CHANNEL, "code": type(broken).__name__})

    def _tell(self, identity_id: IdentityId) -> None:
        with self._house.unit_of_work() as uow:
            identity = uow.members.identity_by_id(identity_id)
            conversation = uow.conversations.of_member(identity.member_id)
            owner = None
            if conversation is not None and conversation.owner != BOT:
                owner = next((one for one in uow.staff.all() if one.id == conversation.owner), None)
        if conversation is None:
            return
        try:
            state, _ = self._kf.state(*parties(identity.external_id))
        except Malformed:
            self._remember(identity, conversation, None, "bad_account")
            return
        if conversation.owned_by_bot:
            self._give_back(identity, conversation, state)
        elif state in WITH_HUMANS:
            self._remember(identity, conversation, state)
        elif state is ServiceState.ENDED:
            self._wait(identity, state)
        else:
            self._give_to_people(identity, conversation, state, owner.wecom_id if owner else None)

    def _give_back(self, identity: Identity, conversation: Conversation, state: ServiceState) -> None:
        """End the session, so that the customer's next word begins one the bot may answer."""
        if state in WITH_HUMANS:
            try:
                self._kf.trans(*parties(identity.external_id), ServiceState.ENDED)
            except KfRefused as refused:
                if refused.errcode != WRONG_STATE:
                    raise
                logger.warning("session not ended", extra={"channel": CHANNEL, "code": refused.code})
                self._remember(identity, conversation, state, "not_ended")
                return
            state = ServiceState.ENDED
        self._remember(identity, conversation, state)

    def _give_to_people(
        self, identity: Identity, conversation: Conversation, state: ServiceState, servicer: str | None
    ) -> None:
        """Give the session to whoever took over, if they serve there at this moment, else to whoever serves."""
        account, customer = parties(identity.external_id)
        try:
            if servicer and servicer in self._kf.serving(account):
                try:
                    self._kf.trans(account, customer, ServiceState.SERVICER, servicer)
                except KfRefused as refused:
                    if refused.errcode not in NOT_SERVING:
                        raise
                else:
                    self._remember(identity, conversation, ServiceState.SERVICER, servicer=servicer)
                    return
            self._kf.trans(account, customer, ServiceState.POOL)
        except KfRefused as refused:
            if refused.errcode != WRONG_STATE and refused.errcode not in NOT_SERVING:
                raise
            self._nobody_there(identity, conversation, state, refused.code)
            return
        self._remember(identity, conversation, ServiceState.POOL)

    def _nobody_there(self, identity: Identity, conversation: Conversation, state: ServiceState, code: str) -> None:
        """Nobody takes it over there: the customer is told so, colleagues too, and the console can still write."""
        logger.warning("session not given", extra={"conversation_id": conversation.id, "code": code})
        house = self._house
        with house.unit_of_work() as uow:
            fresh = uow.conversations.get(conversation.id, lock=True)
            if fresh.epoch != conversation.epoch:
                return
            text = house.pack.say("wecom.nobody_there", 电话=house.pack.duty_phone)
            now = house.clock.now()
            outbox.enqueue(fresh, text, author=Author.SYSTEM, key=f"desk:{fresh.id}:{fresh.epoch}", uow=uow, now=now)
            uow.conversations.save(fresh)
            uow.sessions.save(VendorSession(identity.id, state, epoch=fresh.epoch, problem=code))
            uow.commit()
        self._alert(conversation.id)
        self._changed(conversation.member_id)

    def _remember(
        self,
        identity: Identity,
        conversation: Conversation,
        state: ServiceState | None,
        problem: str | None = None,
        *,
        servicer: str | None = None,
    ) -> None:
        with self._house.unit_of_work() as uow:
            session = uow.sessions.get(identity.id)
            session.state = session.state if state is None else state
            session.epoch, session.attempts, session.retry_at = conversation.epoch, 0, None
            session.servicer, session.problem = servicer, problem
            uow.sessions.save(session)
            uow.commit()
        logger.info("desk told", extra={"conversation_id": conversation.id, "state": int(session.state)})

    def _wait(self, identity: Identity, state: ServiceState) -> None:
        with self._house.unit_of_work() as uow:
            session = uow.sessions.get(identity.id)
            session.state, session.retry_at = state, self._house.clock.now() + UNTIL_THE_NEXT_WORD
            uow.sessions.save(session)
            uow.commit()

    def _put_off(self, identity_id: IdentityId, code: str) -> None:
        try:
            with self._house.unit_of_work() as uow:
                session = uow.sessions.get(identity_id)
                session.retry_at = self._house.clock.now() + AGAIN[min(session.attempts, len(AGAIN) - 1)]
                session.attempts += 1
                session.problem = code[:40]
                uow.sessions.save(session)
                uow.commit()
        except Conflict:
            return
