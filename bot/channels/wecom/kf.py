"""The few interfaces of WeCom we use, as calls: 微信客服, messages to colleagues, the welcome of a new contact.

No library at hand knows 微信客服. Each call takes what it needs and returns what we make of the answer; whatever goes
wrong is one of the core's refusals or `KfRefused` with WeCom's own number.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.tencent.api import Api
from bot.channels.tencent.errors import WECOM, Refusal
from bot.channels.tencent.line import TencentLine
from bot.channels.wecom.errors import NO_RECEIVER, OURS, KfRefused
from care.model.errors import SendLater, SendUnknown
from care.model.vendor import ServiceState
from care.ports import Clock

SERVING = 0  # `status` of a colleague who takes sessions at this moment
DUPLICATE_WITHIN_S = 1_800  # the same words to the same colleague are shown once


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a log, and where the next one begins."""

    rows: Sequence[object]
    position: str
    more: bool


class Kf:
    """WeCom's interfaces. May be used from any thread; every call may raise what `_call` names.

    Args:
        line: started.
        api: of the application.
        agent_id: the application that speaks to colleagues.
        clock: the present, for quotas that start anew.
    """

    def __init__(self, line: TencentLine, api: Api, agent_id: int, clock: Clock) -> None:
        self._line = line
        self._api = api
        self._agent_id = agent_id
        self._clock = clock

    def sync_msg(self, open_kfid: str, position: str, token: str, limit: int) -> Page:
        """Return the next page of a service account's log."""
        asked: dict[str, Any] = {"open_kfid": open_kfid, "limit": limit, "voice_format": 0}
        asked |= {"cursor": position} if position else {}
        asked |= {"token": token} if token else {}
        answer = self._post("kf/sync_msg", asked)
        rows, following = answer.get("msg_list", []), answer.get("next_cursor")
        if not isinstance(rows, list) or not isinstance(following, str) or (rows and not following):
            raise SendLater("bad_answer")  # going on would lose what it did not tell
        return Page(rows, following or position, bool(answer.get("has_more")))

    def send(self, open_kfid: str, customer: str, msgid: str, body: Mapping[str, Any]) -> str:
        """Send a message under an id of ours and return the id it has over there."""
        answer = self._post("kf/send_msg", {"touser": customer, "open_kfid": open_kfid, "msgid": msgid, **body})
        return str(answer.get("msgid") or msgid)

    def send_on_event(self, code: str, text: str) -> None:
        """Send words under the one-time code of an event."""
        self._post("kf/send_msg_on_event", {"code": code, "msgtype": "text", "text": {"content": text}})

    def state(self, open_kfid: str, customer: str) -> tuple[ServiceState, str]:
        """Return whose a session is, and the colleague's name over there if it is somebody's."""
        answer = self._post("kf/service_state/get", {"open_kfid": open_kfid, "external_userid": customer})
        try:
            state = ServiceState(int(answer.get("service_state", -1)))
        except (TypeError, ValueError):
            raise SendLater("bad_answer") from None
        return state, str(answer.get("servicer_userid") or "")

    def trans(self, open_kfid: str, customer: str, state: ServiceState, servicer: str = "") -> None:
        """Give a session to somebody else."""
        asked: dict[str, Any] = {"open_kfid": open_kfid, "external_userid": customer, "service_state": int(state)}
        self._post("kf/service_state/trans", asked | ({"servicer_userid": servicer} if servicer else {}))

    def serving(self, open_kfid: str) -> set[str]:
        """Return who takes sessions of a service account at this moment."""
        answer = self._call(self._api.get("kf/servicer/list", {"open_kfid": open_kfid}))
        people = answer.get("servicer_list", [])
        return {
            str(one.get("userid"))
            for one in (people if isinstance(people, list) else [])
            if isinstance(one, Mapping) and one.get("userid") and one.get("status") == SERVING
        }

    def notify(self, people: Sequence[str], text: str) -> set[str]:
        """Send an application message to colleagues and return those WeCom does not know."""
        asked = {
            "touser": "|".join(people),
            "msgtype": "text",
            "agentid": self._agent_id,
            "text": {"content": text},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": DUPLICATE_WITHIN_S,
        }
        try:
            answer = self._post("message/send", asked)
        except KfRefused as refused:
            if refused.errcode in NO_RECEIVER:
                return set(people)
            raise
        invalid = {one for one in str(answer.get("invaliduser") or "").split("|") if one}
        return {one for one in people if one.lower() in {other.lower() for other in invalid}}

    def welcome(self, code: str, text: str) -> None:
        """Greet somebody who was added as a contact."""
        self._post("externalcontact/send_welcome_msg", {"welcome_code": code, "text": {"content": text}})

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call(self._api.post(path, body))

    def _call(self, coroutine: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """Make a call and wait for it.

        Raises:
            KfRefused: WeCom answered with a number whose meaning depends on what was asked, or one nobody here knows.
            SendLater: it did not take the call, or could not be reached.
            SendRefused: this account or these words never.
            SendUnknown: it may have done what it was asked.
            ChannelDown: our credentials, address or quota are refused.
        """
        try:
            return self._line.call(coroutine, self._line.patience_s)
        except TimeoutError:
            raise SendUnknown from None
        except Refusal as refusal:
            if refusal.code in OURS or refusal.code not in WECOM:
                raise KfRefused(refusal.code) from None
            refusal.translate(self._clock.now())
