"""A Telegram on loopback: keeps updates until they are confirmed, and refuses as told."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

TOKEN = "123456:AAsecret-token-nobody-may-see"
ME = {"id": 123456, "is_bot": True, "first_name": "小安", "username": "anxin_test_bot"}
HANG_S = 20.0
POLL_S = 0.05  # seconds an empty poll is kept open


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method."""

    method: str
    given: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trouble:
    """An answer that is none: a status, what Telegram says about it, and whether it comes at all."""

    status: int = 500
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    hang: bool = False


TOO_MANY = Trouble(429, "Too Many Requests: retry after 2", {"retry_after": 2})
BLOCKED = Trouble(403, "Forbidden: bot was blocked by the user")
DEACTIVATED = Trouble(403, "Forbidden: user is deactivated")
BAD_REQUEST = Trouble(400, "Bad Request: chat not found")
TOO_OLD = Trouble(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
SOMEBODY_ELSE = Trouble(409, "Conflict: terminated by other getUpdates request")
GATEWAY = Trouble(502, "Bad Gateway")
HANG = Trouble(hang=True)


class FakeTelegram:
    """The server. `troubles[method]` are given out first, one a call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        self.updates: list[dict[str, Any]] = []
        self.changed = threading.Condition()
        self._let_go = threading.Event()
        self._sent = 1_000
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                status, body = fake._answer(self.path, raw)
                payload = json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(payload)))
                    self.end_headers()
                    self.wfile.write(payload)
                except OSError:
                    self.close_connection = True  # the caller has gone

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
        """What the bot is told instead of api.telegram.org."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/bot"

    def bring(self, *updates: dict[str, Any]) -> None:
        """Let updates happen."""
        with self.changed:
            self.updates += updates
            self.changed.notify_all()

    def called(self, method: str) -> list[dict[str, Any]]:
        """Return what the calls of a method were given, in order."""
        with self.changed:
            return [call.given for call in self.calls if call.method == method]

    def wait_for(self, method: str, count: int, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """Wait until a method was called so often."""

        def enough() -> bool:
            return sum(call.method == method for call in self.calls) >= count

        with self.changed:
            assert self.changed.wait_for(enough, timeout_s), f"{method} was not called {count} times"
        return self.called(method)

    def wait_until_confirmed(self, timeout_s: float = 10.0) -> None:
        """Wait until every update has been confirmed."""
        with self.changed:
            assert self.changed.wait_for(lambda: not self.updates, timeout_s), "updates were not confirmed"

    def _answer(self, path: str, raw: str) -> tuple[int, dict[str, Any]]:
        prefix, _, method = path.rpartition("/")
        if prefix != f"/bot{TOKEN}":
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        given = {name: _value(values[0]) for name, values in parse_qs(raw).items()}
        with self.changed:
            self.calls.append(Call(method, given))
            self.changed.notify_all()
            trouble = self.troubles[method].popleft() if self.troubles[method] else None
        if trouble is not None:
            if trouble.hang:
                self._let_go.wait(HANG_S)
            body = {"ok": False, "error_code": trouble.status, "description": trouble.description}
            return trouble.status, body | ({"parameters": trouble.parameters} if trouble.parameters else {})
        return 200, {"ok": True, "result": self._result(method, given)}

    def _result(self, method: str, given: dict[str, Any]) -> Any:
        if method == "getMe":
            return ME
        if method == "getUpdates":
            return self._poll(given.get("offset"))
        if method == "sendMessage":
            with self.changed:
                self._sent += 1
                number = self._sent
            chat = {"id": given["chat_id"], "type": "private"}
            return {"message_id": number, "date": 0, "chat": chat, "text": given["text"], "from": ME}
        return True

    def _poll(self, offset: int | None) -> list[dict[str, Any]]:
        with self.changed:
            if offset is not None:
                self.updates = [update for update in self.updates if update["update_id"] >= offset]
                self.changed.notify_all()
            self.changed.wait_for(lambda: bool(self.updates) or self._let_go.is_set(), POLL_S)
            return list(self.updates)


def _value(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw
