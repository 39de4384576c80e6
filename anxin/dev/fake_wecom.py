"""A WeCom on loopback: 微信客服, application messages and the welcome of new contacts, with the vendor's own limits.

It keeps the log of every service account, counts five messages a customer's word within forty-eight hours, knows
whose a session is, recognises a repeated message id, and refuses as told: with an error code in HTTP 200, a page of
HTML, a gateway's 502, or silence.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from anxin.dev.wecom_callbacks import ACCOUNT, CORP, SECRET

Json = dict[str, Any]

HANG_S = 20.0
DAYS_KEPT = 3  # of the log, when no cursor is given
WINDOW_S = 48 * 3600
PER_WORD = 5
CODE_S = 20
PER_MINUTE = 30  # application messages a colleague; more are dropped without a word
BUSY, BAD_TOKEN, TOO_MANY, TOO_LATE, NOT_SERVING, WRONG_STATE = -1, 40014, 95001, 95002, 95014, 95018
DUPLICATE = 95099  # the documents at hand do not name the vendor's own code for a repeated message id
BAD_CODE, ALREADY_CHATTING, SOMEBODY_SENDS, NO_RECEIVER = 41050, 41051, 41096, 81013
ALLOWED = {0: {1, 2, 3}, 1: {2, 3}, 2: {3, 4}, 3: {3, 4}, 4: set()}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an interface."""

    path: str
    given: Json


@dataclass(frozen=True, slots=True)
class Trouble:
    """An answer that is none. `after` lets it happen after the vendor did what it was asked."""

    errcode: int = 0
    status: int = 200
    body: str | None = None
    hang: bool = False
    after: bool = False


HTML = Trouble(body="<html>maintenance</html>")
GATEWAY = Trouble(status=502, body="Bad Gateway")
HANG = Trouble(hang=True)
LOST_ANSWER = Trouble(hang=True, after=True)


@dataclass
class Session:
    """A customer's session with a service account."""

    state: int = 0
    servicer: str = ""
    last_word: float | None = None
    left: int = 0
    received: list[Json] = field(default_factory=list)


class FakeWecom:
    """The server. `troubles[path]` are given out first, one a call; `latency_s` slows every answer down.

    Args:
        now: seconds since 1970, as the vendor sees it.
        heard: called with every message a customer receives.
        noticed: called with every application message a colleague is shown.
        port: to listen on; any free one if not given.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        *,
        heard: Callable[[str, Json], None] | None = None,
        noticed: Callable[[str, str], None] | None = None,
        port: int = 0,
    ) -> None:
        self.now = now
        self.latency_s = 0.0
        self.calls: list[Call] = []
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        self.logs: dict[str, list[Json]] = defaultdict(list)
        self.sessions: dict[tuple[str, str], Session] = defaultdict(Session)
        self.servicers: dict[str, int] = {}  # name → 0 serving, 1 not
        self.unknown_people: set[str] = set()
        self.notices: dict[str, list[str]] = defaultdict(list)  # what colleagues were shown
        self.welcomes: list[Json] = []
        self.tokens: set[str] = set()
        self.empty_pages = 0  # pages without rows that still say has_more
        self.changed = threading.Condition()
        self._heard = heard
        self._noticed = noticed
        self._codes: dict[str, tuple[float, str, str]] = {}  # code → since when, account, customer
        self._msgids: set[tuple[str, str]] = set()
        self._told: dict[tuple[str, str], float] = {}
        self._times: dict[str, list[float]] = defaultdict(list)
        self._number = 0
        self._let_go = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def base_url(self) -> str:
        """What the application is told instead of qyapi.weixin.qq.com."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # What happens at the vendor

    def customer_says(
        self, customer: str, text: str, *, account: str = ACCOUNT, menu_id: str | None = None, ago_s: float = 0
    ) -> str:
        """Let a customer write; return the row's id."""
        said: Json = {"content": text} | ({"menu_id": menu_id} if menu_id else {})
        return self.customer_sends(customer, "text", said, account=account, ago_s=ago_s)

    def customer_sends(
        self, customer: str, kind: str, body: Json, *, account: str = ACCOUNT, ago_s: float = 0
    ) -> str:
        """Let a customer send anything; return the row's id."""
        session = self.sessions[account, customer]
        session.state = 0 if session.state == 4 else session.state
        session.last_word, session.left = self.now() - ago_s, PER_WORD
        return self._write(account, 3, kind, body, external_userid=customer, ago_s=ago_s)

    def servicer_says(self, customer: str, text: str, servicer: str, *, account: str = ACCOUNT) -> str:
        """Let a colleague write at the vendor's desk."""
        return self._write(account, 5, "text", {"content": text}, external_userid=customer, servicer_userid=servicer)

    def happens(self, event: str, customer: str, *, account: str = ACCOUNT, ago_s: float = 0, **fields: Any) -> str:
        """Let the system say that something happened."""
        body = {"event_type": event, "open_kfid": account, "external_userid": customer} | fields
        return self._write(account, 4, "event", body, ago_s=ago_s)

    def enters(self, customer: str, *, account: str = ACCOUNT, ago_s: float = 0) -> str:
        """Let a customer open the session for the first time; return the welcome code."""
        code = self._code(account, customer, ago_s)
        self.happens("enter_session", customer, account=account, ago_s=ago_s, welcome_code=code, scene="shop")
        return code

    def desk_changes(self, customer: str, change: int, servicer: str = "", *, account: str = ACCOUNT) -> str:
        """Let a colleague take (1, 2, 4) or end (3) a session at the vendor's desk."""
        session = self.sessions[account, customer]
        session.state, session.servicer = (4, "") if change == 3 else (3, servicer)
        whom: Any = {"old_servicer_userid" if change == 3 else "new_servicer_userid": servicer}
        return self.happens("session_status_change", customer, account=account, change_type=change, **whom)

    def contact_added(self) -> str:
        """Let somebody be added as a contact; return the welcome code."""
        return self._code("", "", 0)

    def expire_tokens(self) -> None:
        """Let every access token expire."""
        with self.changed:
            self.tokens.clear()

    # What was asked of it

    def called(self, path: str) -> list[Json]:
        """Return what the calls of an interface were given, in order."""
        with self.changed:
            return [call.given for call in self.calls if call.path == path]

    def received(self, customer: str, account: str = ACCOUNT) -> list[str]:
        """Return the texts a customer was shown."""
        with self.changed:
            return [shown(message) for message in self.sessions[account, customer].received]

    def wait_until(self, true: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until something is true after a call.

        Raises:
            TimeoutError: it never was.
        """
        with self.changed:
            if not self.changed.wait_for(true, timeout_s):
                raise TimeoutError

    # The interfaces

    def answer(self, path: str, query: Json, given: Json) -> Iterator[tuple[int, str]]:
        """Yield the one answer to a call: a status and a body; nothing for silence."""
        if self.latency_s:
            self._let_go.wait(self.latency_s)
        with self.changed:
            self.calls.append(Call(path, given))
            trouble = self.troubles[path].popleft() if self.troubles[path] else None
            done = None
            if trouble is None or trouble.after:
                done = self._do(path, query, given)
            self.changed.notify_all()
        if trouble is not None and trouble.hang:
            self._let_go.wait(HANG_S)
            return
        if trouble is not None and trouble.body is not None:
            yield trouble.status, trouble.body
        elif trouble is not None and not trouble.after:
            yield trouble.status, json.dumps({"errcode": trouble.errcode, "errmsg": "as told"})
        else:
            yield 200, json.dumps({"errcode": 0, "errmsg": "ok"} | (done or {}), ensure_ascii=False)

    def _do(self, path: str, query: Json, given: Json) -> Json:
        if path == "gettoken":
            return self._gettoken(query)
        if query.get("access_token") not in self.tokens:
            return {"errcode": BAD_TOKEN, "errmsg": "invalid access_token"}
        do: dict[str, Callable[[Json], Json]] = {
            "kf/sync_msg": self._sync,
            "kf/send_msg": self._send,
            "kf/send_msg_on_event": self._send_on_event,
            "kf/service_state/get": self._state,
            "kf/service_state/trans": self._trans,
            "kf/servicer/list": lambda _: {"servicer_list": self._servicer_list()},
            "message/send": self._notify,
            "externalcontact/send_welcome_msg": self._welcome,
        }
        return do[path](given) if path in do else {"errcode": 43001, "errmsg": "no such interface"}

    def _gettoken(self, query: Json) -> Json:
        if (query.get("corpid"), query.get("corpsecret")) != (CORP, SECRET):
            return {"errcode": 40001, "errmsg": "invalid credential"}
        if not self.tokens:
            self._number += 1
            self.tokens.add(f"access-{self._number}-nobody-may-see")
        return {"access_token": next(iter(self.tokens)), "expires_in": 7200}

    def _sync(self, given: Json) -> Json:
        log = self.logs[given["open_kfid"]]
        if given.get("cursor"):
            begin = int(str(given["cursor"]).removeprefix("at-"))
        else:
            oldest = self.now() - DAYS_KEPT * 86400
            begin = next((number for number, row in enumerate(log) if row["send_time"] >= oldest), len(log))
        if self.empty_pages and begin < len(log):
            self.empty_pages -= 1
            return {"next_cursor": f"at-{begin}", "has_more": 1, "msg_list": []}
        rows = log[begin : begin + int(given.get("limit", 1000))]
        end = begin + len(rows)
        return {"next_cursor": f"at-{end}", "has_more": int(end < len(log)), "msg_list": rows}

    def _send(self, given: Json) -> Json:
        account, customer, msgid = given["open_kfid"], given["touser"], given.get("msgid") or ""
        session = self.sessions[account, customer]
        if msgid and (account, msgid) in self._msgids:
            return {"errcode": DUPLICATE, "errmsg": "msgid was used before"}
        if session.state not in {0, 1}:
            return {"errcode": WRONG_STATE, "errmsg": "send msg session status invalid"}
        if session.last_word is None or self.now() - session.last_word >= WINDOW_S:
            return {"errcode": TOO_LATE, "errmsg": "out of time"}
        if session.left < 1:
            return {"errcode": TOO_MANY, "errmsg": "out of count"}
        session.left -= 1
        return self._show(account, customer, given, msgid)

    def _send_on_event(self, given: Json) -> Json:
        since, account, customer = self._codes.pop(given["code"], (0.0, "", ""))
        if not account or self.now() - since > CODE_S:
            return {"errcode": BAD_CODE, "errmsg": "invalid code"}
        return self._show(account, customer, given, given.get("msgid") or "")

    def _show(self, account: str, customer: str, given: Json, msgid: str) -> Json:
        if not msgid:
            self._number += 1
            msgid = f"vendor-{self._number}"
        self._msgids.add((account, msgid))
        message = {name: given[name] for name in ("msgtype", "text", "msgmenu") if name in given} | {"msgid": msgid}
        self.sessions[account, customer].received.append(message)
        if self._heard is not None:
            self._heard(customer, message)
        return {"msgid": msgid}

    def _state(self, given: Json) -> Json:
        session = self.sessions[given["open_kfid"], given["external_userid"]]
        return {"service_state": session.state, "servicer_userid": session.servicer}

    def _trans(self, given: Json) -> Json:
        account, customer, wanted = given["open_kfid"], given["external_userid"], given["service_state"]
        session = self.sessions[account, customer]
        if wanted not in ALLOWED[session.state]:
            return {"errcode": WRONG_STATE, "errmsg": "session status invalid"}
        if wanted == 3 and self.servicers.get(given.get("servicer_userid", "")) != 0:
            return {"errcode": NOT_SERVING, "errmsg": "servicer is not serving"}
        session.state, session.servicer = wanted, given.get("servicer_userid", "") if wanted == 3 else ""
        return {"msg_code": self._code(account, customer, 0)}

    def _servicer_list(self) -> list[Json]:
        return [{"userid": name, "status": status} for name, status in self.servicers.items()]

    def _notify(self, given: Json) -> Json:
        people = [one for one in str(given["touser"]).split("|") if one]
        known = [one for one in people if one not in self.unknown_people]
        if not known:
            return {"errcode": NO_RECEIVER, "errmsg": "user is empty"}
        text = given["text"]["content"]
        for one in known:
            self._notice(one, text, check=bool(given.get("enable_duplicate_check")))
        return {"invaliduser": "|".join(one for one in people if one in self.unknown_people)}

    def _notice(self, person: str, text: str, *, check: bool) -> None:
        now = self.now()
        recent = [at for at in self._times[person] if now - at < 60]
        told = self._told.get((person, text))
        if len(recent) >= PER_MINUTE or (check and told is not None and now - told < 1800):
            return
        self._times[person] = [*recent, now]
        self._told[person, text] = now
        self.notices[person].append(text)
        if self._noticed is not None:
            self._noticed(person, text)

    def _welcome(self, given: Json) -> Json:
        since, *_ = self._codes.pop(given["welcome_code"], (0.0, "", ""))
        if self.now() - since > CODE_S:
            return {"errcode": BAD_CODE, "errmsg": "invalid code"}
        self.welcomes.append(given)
        return {}

    def _code(self, account: str, customer: str, ago_s: float) -> str:
        with self.changed:
            self._number += 1
            code = f"code-{self._number}"
            self._codes[code] = (self.now() - ago_s, account, customer)
        return code

    def _write(self, account: str, origin: int, kind: str, body: Json, *, ago_s: float = 0, **extra: str) -> str:
        with self.changed:
            self._number += 1
            msgid = f"row-{self._number}"
            about = {"msgid": msgid, "send_time": int(self.now() - ago_s), "origin": origin, "msgtype": kind}
            where = {} if kind == "event" else {"open_kfid": account}
            self.logs[account].append(about | where | extra | {kind: body})
        return msgid


def shown(message: Json) -> str:
    """Return a message as a customer sees it: a menu's entries in brackets."""
    if message["msgtype"] == "text":
        return str(message["text"]["content"])
    menu = message["msgmenu"]
    entries = "".join(f"[{one['click']['content']}]" for one in menu["list"])
    return f"{menu.get('head_content', '')}{entries}"


def _handler(fake: FakeWecom) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply({})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._reply(json.loads(raw or b"{}"))

        def _reply(self, given: Json) -> None:
            where = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(where.query).items()}
            self.close_connection = True  # unless an answer is given
            for status, body in fake.answer(where.path.removeprefix("/cgi-bin/"), query, given):
                payload = body.encode()
                with suppress(OSError):  # the caller may have gone
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json; charset=UTF-8")
                    self.send_header("Content-Length", str(len(payload)))
                    self.end_headers()
                    self.wfile.write(payload)
                    self.close_connection = False

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler
