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
from functools import partial

from bot.channels.wecom.errors import NOT_SERVING, WRONG_STATE, KfRefused
from bot.channels.wecom.kf import Kf
from bot.channels.wecom.parse import CHANNEL, Malformed, parties
from care.bootstrap import House
from care.model.conversation import BOT, Conversation
from care.model.errors import CareError, Conflict
from care.model.ids import CaseId, IdentityId
from care.model.member import Identity
from care.model.message import Author
from care.model.vendor import WITH_HUMANS, ServiceState
from care.services import outbox, servicers
from care.services.servicers import Account

logger = logging.getLogger(__name__)

LOOK_S = 2.0  # seconds between two looks
AT_ONCE = 50
AGAIN = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
WISH = "request_human"  # the reason of a case whose member asked for a human
NOBODY_SERVES = "nobody_serves"
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
        theirs, now = self._house.settings.wecom_desk == "wecom", self._house.clock.now()
        with self._house.unit_of_work() as uow:
            untold = uow.sessions.untold(CHANNEL, now, AT_ONCE, takeovers=theirs)
            asking = uow.sessions.asking(CHANNEL, WISH, now, AT_ONCE) if theirs else []
        for identity_id in untold:
            self._guarded(identity_id, partial(self._tell, identity_id))
        for identity_id, case_id in asking:
            self._guarded(identity_id, partial(self._pass_on, identity_id, case_id))
        return len(untold) + len(asking)

    def _guarded(self, identity_id: IdentityId, tell: Callable[[], None]) -> None:
        try:
            tell()
        except CareError as failure:
            logger.warning("desk not told", extra={"channel": CHANNEL, "code": failure.code})
            self._put_off(identity_id, failure.code)

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
        try:
            given = self._offer(identity, servicer)
        except KfRefused as refused:
            if refused.errcode != WRONG_STATE and refused.errcode not in NOT_SERVING:
                raise
            self._nobody_there(identity, conversation, state, refused.code)
            return
        if given is None:  # the session stays with us, and whoever took over writes in the console
            self._remember(identity, conversation, state, NOBODY_SERVES)
        else:
            self._remember(identity, conversation, given, servicer=servicer)

    def _pass_on(self, identity_id: IdentityId, case_id: CaseId) -> None:
        """The member asked for a human: give the session to one over there, and let the bot be silent."""
        with self._house.unit_of_work() as uow:
            identity = uow.members.identity_by_id(identity_id)
            conversation = uow.conversations.of_member(identity.member_id)
            case = uow.cases.get(case_id)
            turn = next((one for one in uow.staff.all() if one.id == case.assigned), None)
        if conversation is None:
            return
        state, servicer = self._kf.state(*parties(identity.external_id))
        if state is ServiceState.ENDED:
            self._wait(identity, state)
            return
        if state not in WITH_HUMANS:
            servicer = (turn.wecom_id if turn else None) or ""
            try:
                given = self._offer(identity, servicer)
            except KfRefused as refused:
                if refused.errcode != WRONG_STATE and refused.errcode not in NOT_SERVING:
                    raise
                self._nobody_there(identity, conversation, state, refused.code, case_id)
                return
            if given is None:
                self._nobody_there(identity, conversation, state, NOBODY_SERVES, case_id)
                return
            state = given
        with self._house.unit_of_work() as uow:
            account = Account(CHANNEL, identity.external_id)
            holder = servicer if state is ServiceState.SERVICER else ""
            servicers.accepted(account, holder, uow=uow, now=self._house.clock.now(), state=state)
            session = uow.sessions.get(identity.id)
            session.asked_case = case_id
            uow.sessions.save(session)
            uow.commit()
        self._changed(conversation.member_id)
        logger.info("session passed on", extra={"conversation_id": conversation.id, "case_id": case_id})

    def _offer(self, identity: Identity, servicer: str | None) -> ServiceState | None:
        """Give the session to a colleague who serves at this moment, else to the pool; None when nobody serves.

        Raises:
            KfRefused: the vendor gives it to nobody.
        """
        account, customer = parties(identity.external_id)
        serving = self._kf.serving(account)
        if not serving:
            return None
        if servicer in serving:
            try:
                self._kf.trans(account, customer, ServiceState.SERVICER, str(servicer))
            except KfRefused as refused:
                if refused.errcode not in NOT_SERVING:
                    raise
            else:
                return ServiceState.SERVICER
        self._kf.trans(account, customer, ServiceState.POOL)
        return ServiceState.POOL

    def _nobody_there(
        self,
        identity: Identity,
        conversation: Conversation,
        state: ServiceState,
        code: str,
        asked_case: CaseId | None = None,
    ) -> None:
        """Nobody takes it over there: the customer is told so, colleagues too, and the console can still write."""
        logger.warning("session not given", extra={"conversation_id": conversation.id, "code": code})
        house = self._house
        with house.unit_of_work() as uow:
            fresh = uow.conversations.get(conversation.id, lock=True)
            if fresh.epoch != conversation.epoch:
                return
            text = house.pack.say("wecom.nobody_there", 电话=house.pack.duty_phone)
            key = f"desk:{fresh.id}:{fresh.epoch}" + (f":{asked_case}" if asked_case else "")
            outbox.enqueue(fresh, text, author=Author.SYSTEM, key=key, uow=uow, now=house.clock.now())
            uow.conversations.save(fresh)
            session = uow.sessions.get(identity.id)
            session.state, session.epoch, session.problem = state, fresh.epoch, code
            session.asked_case = asked_case or session.asked_case
            uow.sessions.save(session)
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
            session.servicer = servicer if session.state is ServiceState.SERVICER else None
            session.problem = problem
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
