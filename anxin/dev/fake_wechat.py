"""A WeChat on loopback: tokens, customer-service messages, notices and media, with the vendor's own limits.

It counts five messages for a member's word within forty-eight hours and three within a minute of a click, follow or
scan; knows who follows and who subscribed to one notice; keeps one stable token; and refuses as told: with an error
code in HTTP 200, a page of HTML, a gateway's 502, or silence.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from anxin.dev.wechat_callbacks import APP_ID

Json = dict[str, Any]

SECRET = "app-secret-nobody-may-see"  # noqa: S105 - of the server on loopback
HANG_S = 20.0
TOKEN_S = 7_200
OVERLAP_S = 300  # before its end the next token is given out, and both are good
TEXT_BYTES = 2_048
GIFTS = {"message": (5, 48 * 3_600.0), "click": (3, 60.0), "follow": (3, 60.0), "scan": (3, 60.0)}
SEND, TYPING = "message/custom/send", "message/custom/typing"
TEMPLATE, SUBSCRIBE, MEDIA, STABLE = "message/template/send", "message/subscribe/bizsend", "media/get", "stable_token"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an interface; `raw` is the body as it came."""

    path: str
    given: Json
    raw: bytes = b""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An answer that is none. `after` lets it happen after WeChat did what it was asked."""

    errcode: int = 0
    status: int = 200
    body: str | None = None
    hang: bool = False
    after: bool = False


HTML = Trouble(body="<html>maintenance</html>")
GATEWAY = Trouble(status=502, body="Bad Gateway")
HANG = Trouble(hang=True)
LOST_ANSWER = Trouble(hang=True, after=True)


class _Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Gift:
    """Messages the account may still send, and until when."""

    left: int
    until: float


@dataclass
class Person:
    """Somebody as WeChat knows them."""

    following: bool = True
    refuses: bool = False
    gifts: dict[str, Gift] = field(default_factory=dict)
    credits: Counter[str] = field(default_factory=Counter)
    talked_at: float = 0.0
    typing_until: float = 0.0
    received: list[Json] = field(default_factory=list)


class FakeWeChat:
    """The server. `troubles[path]` are given out first, one a call; `always[path]` every time after those.

    Args:
        now: seconds since 1970, as the vendor sees it.
        heard: called with everything a member receives.
        port: to listen on; any free one if 0.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        *,
        heard: Callable[[str, Json], None] | None = None,
        port: int = 0,
    ) -> None:
        self.now = now
        self.latency_s = 0.0
        self.calls: list[Call] = []
        self.refusals: list[int] = []  # codes it said of its own accord
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        self.always: dict[str, Trouble] = {}
        self.people: dict[str, Person] = defaultdict(Person)
        self.files: dict[str, tuple[str, bytes]] = {}
        self.templates: set[str] = set()
        self.menus = True  # a test account, or one that is not verified, has none
        self.changed = threading.Condition()
        self._heard = heard
        self._tokens: dict[str, float] = {}  # token → until when it is good
        self._token = ""
        self._number = 3_000_000_000
        self._let_go = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
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
        """What the application is told instead of api.weixin.qq.com."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # What members do

    def did(self, person: str, trigger: str = "message") -> None:
        """Let somebody write (`message`), `click`, `follow` or `scan`: the account may now write to them."""
        with self.changed:
            somebody = self.people[person]
            somebody.following = True
            count, lasts_s = GIFTS[trigger]
            somebody.gifts[trigger] = Gift(count, self.now() + lasts_s)
            somebody.talked_at = self.now()

    def left(self, person: str) -> None:
        """Let somebody unfollow."""
        with self.changed:
            self.people[person].following = False
            self.people[person].gifts.clear()

    def expire_tokens(self) -> None:
        """End every token, as if two hours were over."""
        with self.changed:
            self._tokens = dict.fromkeys(self._tokens, 0.0)
            self._token = ""

    # What tests ask

    def called(self, path: str) -> list[Json]:
        """Return what the calls of an interface were given, in order."""
        with self.changed:
            return [call.given for call in self.calls if call.path == path]

    def wait_for(self, path: str, count: int, timeout_s: float = 10.0) -> list[Json]:
        """Wait until an interface was called so often.

        Raises:
            AssertionError: it was not.
        """

        def enough() -> bool:
            return sum(call.path == path for call in self.calls) >= count

        with self.changed:
            if not self.changed.wait_for(enough, timeout_s):
                raise AssertionError(f"{path} was not called {count} times")
        return self.called(path)

    def read(self, person: str) -> list[str]:
        """Return the words somebody received, in order."""
        with self.changed:
            return [words_of(body) for body in self.people[person].received]

    # How it answers

    def _answer(self, method: str, path: str, query: dict[str, str], raw: bytes) -> tuple[int, str, bytes]:
        given: Json = dict(query)
        if method == "POST":
            with suppress(ValueError):
                given = json.loads(raw)
        with self.changed:
            self.calls.append(Call(path, given, raw, query.get("access_token", "")))
            self.changed.notify_all()
            trouble = self.troubles[path].popleft() if self.troubles[path] else self.always.get(path)
        if self.latency_s:
            self._let_go.wait(self.latency_s)
        if trouble is None or trouble.after:
            status, mime, body = self._really(path, given, query, raw)
        if trouble is not None:
            if trouble.hang:
                self._let_go.wait(HANG_S)
            if not trouble.after:
                said = trouble.body or json.dumps({"errcode": trouble.errcode, "errmsg": "told to"})
                return trouble.status, "text/html" if trouble.body else "application/json", said.encode()
        return status, mime, body

    def _really(self, path: str, given: Json, query: dict[str, str], raw: bytes) -> tuple[int, str, bytes]:
        try:
            with self.changed:
                if path in {STABLE, "token"}:
                    result: Json = self._give_token(given)
                else:
                    self._check_token(query.get("access_token", ""))
                    if path == MEDIA:
                        return self._file(given.get("media_id", ""))
                    result = self._do(path, given, raw)
                self.changed.notify_all()
        except _Refused as refused:
            self.refusals.append(refused.code)
            result = {"errcode": refused.code, "errmsg": "refused rid: 65f0-1-2"}
        return 200, "application/json", json.dumps(result).encode()

    def _give_token(self, given: Json) -> Json:
        if given.get("appid") != APP_ID:
            raise _Refused(40013)
        if given.get("secret") != SECRET:
            raise _Refused(40125)
        now, until = self.now(), self._tokens.get(self._token, 0.0)
        if given.get("force_refresh"):
            self._tokens.clear()
        if given.get("force_refresh") or until - now <= OVERLAP_S:
            self._token = f"token-nobody-may-see-{secrets.token_hex(8)}"
            self._tokens[self._token] = until = now + TOKEN_S
        return {"access_token": self._token, "expires_in": int(until - now)}

    def _check_token(self, token: str) -> None:
        if token not in self._tokens:
            raise _Refused(40001)
        if self._tokens[token] <= self.now():
            raise _Refused(42001)

    def _do(self, path: str, given: Json, raw: bytes) -> Json:
        if b"\\u" in raw:
            raise _Refused(40033)
        person = given.get("touser", "")
        if person not in self.people:
            raise _Refused(40003)
        somebody = self.people[person]
        if path == TYPING:
            return self._typing(somebody, given)
        if not somebody.following:
            raise _Refused(43004)
        if path == SEND:
            return self._send(person, somebody, given)
        if path in {TEMPLATE, SUBSCRIBE}:
            return self._notice(path, person, somebody, given)
        raise _Refused(40066)

    def _send(self, person: str, somebody: Person, given: Json) -> Json:
        if somebody.refuses:
            raise _Refused(48002)
        if given.get("msgtype") == "msgmenu" and not self.menus:
            raise _Refused(40200)
        if len(words_of(given).encode()) > TEXT_BYTES:
            raise _Refused(45002)
        current = [gift for gift in somebody.gifts.values() if self.now() < gift.until]
        if not current:
            raise _Refused(45015)
        usable = [gift for gift in current if gift.left]
        if not usable:
            raise _Refused(45047)
        min(usable, key=lambda gift: gift.until).left -= 1
        self._receives(person, given)
        return {"errcode": 0, "errmsg": "ok"}

    def _typing(self, somebody: Person, given: Json) -> Json:
        if given.get("command") not in {"Typing", "CancelTyping"}:
            raise _Refused(45072)
        if self.now() - somebody.talked_at > 30:
            raise _Refused(45080)
        if self.now() < somebody.typing_until:
            raise _Refused(45081)
        somebody.typing_until = self.now() + 15
        return {"errcode": 0, "errmsg": "ok"}

    def _notice(self, path: str, person: str, somebody: Person, given: Json) -> Json:
        template = given.get("template_id", "")
        if template not in self.templates:
            raise _Refused(40037)
        if any(len(entry["value"]) > 20 for name, entry in given["data"].items() if name.startswith("thing")):
            raise _Refused(47003)
        if path == SUBSCRIBE:
            if not somebody.credits[template]:
                raise _Refused(43101)
            somebody.credits[template] -= 1
        self._number += 1
        self._receives(person, given)
        return {"errcode": 0, "errmsg": "ok", "msgid": self._number}

    def _file(self, media_id: str) -> tuple[int, str, bytes]:
        if media_id not in self.files:
            raise _Refused(40007)
        mime, content = self.files[media_id]
        return 200, mime, content

    def _receives(self, person: str, given: Json) -> None:
        self.people[person].received.append(given)
        if self._heard is not None:
            self._heard(person, given)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def words_of(body: Json) -> str:
    """Return what a message says: its text, a menu's head and entries, a notice's fields."""
    if body.get("msgtype") == "msgmenu":
        menu = body["msgmenu"]
        return "\n".join([menu.get("head_content", ""), *(entry["content"] for entry in menu["list"])])
    if "template_id" in body:
        return " ".join(str(entry["value"]) for entry in body["data"].values())
    return str(body.get("text", {}).get("content", ""))


def _handler(fake: FakeWeChat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def _reply(self, method: str) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = address.path.removeprefix("/cgi-bin/")
            status, mime, body = fake._answer(method, path, query, raw)
            try:
                self.send_response(status)
                self.send_header("Content-Type", mime)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the caller has gone

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler
