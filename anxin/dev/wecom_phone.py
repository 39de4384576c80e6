"""A customer's phone, a colleague's desk and a colleague's phone in the terminal, all at one WeCom on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from anxin.dev import wecom_callbacks as cb
from anxin.dev.fake_wecom import FakeWecom, Json, shown

CUSTOMER = "wmTerminal-0001"
SERVICER = "lijing"
PATIENCE_S = 5.0
HELP = """直接打字就是客户在微信客服里说话；数字点按最近一条消息下面的按钮。
/enter 打开会话（欢迎语）   /image 发图片   /recall 撤回
/serve 同事开始接待   /rest 停止接待   /take 在企业微信里接入   /say 话 在企业微信里回复   /end 结束会话
/add 有人加了同事的企业微信   /refuse 客户拒收上一条   /later 小时数 让企业微信以为过了这么久   /quit 结束"""


class Phone:
    """One customer, one colleague.

    Args:
        app_url: where the application runs.
        show: prints one line.
        port: on which the vendor's interface listens.
    """

    def __init__(self, app_url: str, show: Callable[[str], None], *, port: int) -> None:
        self._later_s = 0.0
        self._show = show
        self.address = f"{app_url.rstrip('/')}/wecom/callback"
        self._buttons: list[tuple[str, str]] = []
        self._last_msgid = ""
        self.server = FakeWecom(
            lambda: time.time() + self._later_s, heard=self._receives, noticed=self._notices, port=port
        )

    def settings(self) -> str:
        """Return what to write into `.env`."""
        lines = {
            "MODE": "on",
            "CORP_ID": cb.CORP,
            "AGENT_ID": str(cb.AGENT),
            "SECRET": cb.SECRET,
            "TOKEN": cb.TOKEN,
            "AES_KEY": cb.AES_KEY,
            "BASE_URL": self.server.base_url,
            "KF_ACCOUNTS": cb.ACCOUNT,
        }
        return "\n".join(f"ANXIN_WECOM_{name}={value}" for name, value in lines.items())

    def types(self, line: str) -> bool:
        """Do what a line says; False when it says to stop."""
        command, _, rest = line.strip().partition(" ")
        server = self.server
        match command:
            case "":
                return True
            case "/quit":
                return False
            case "/help":
                self._show(HELP)
            case "/later":
                self._later_s += 3_600 * float(rest) if rest.replace(".", "", 1).isdecimal() else 0.0
                self._show(f"企业微信以为又过了 {rest or '0'} 小时。")
            case "/serve" | "/rest":
                server.servicers[SERVICER] = int(command == "/rest")
            case "/add":
                self._post(cb.added(server.now(), server.contact_added()))
            case _:
                self._happens(command, rest, line)
                self._post(cb.bell(server.now()))
        return True

    def _happens(self, command: str, rest: str, line: str) -> None:
        server = self.server
        match command:
            case "/enter":
                server.enters(CUSTOMER)
            case "/image":
                server.customer_sends(CUSTOMER, "image", {"media_id": "media-1"})
            case "/recall":
                server.happens("user_recall_msg", CUSTOMER, recall_msgid="row-1")
            case "/take":
                server.desk_changes(CUSTOMER, 1, SERVICER)
            case "/say":
                server.servicer_says(CUSTOMER, rest, SERVICER)
            case "/end":
                server.desk_changes(CUSTOMER, 3, SERVICER)
            case "/refuse":
                server.happens("msg_send_fail", CUSTOMER, fail_msgid=self._last_msgid, fail_type=10)
            case _ if command.isdecimal() and 0 < int(command) <= len(self._buttons):
                title, menu = self._buttons[int(command) - 1]
                server.customer_says(CUSTOMER, title, menu_id=menu)
            case _:
                server.customer_says(CUSTOMER, line)

    def _post(self, posted: cb.Posted) -> None:
        query, body = posted
        try:
            answer = httpx.post(
                self.address, params=query, content=body.encode(), timeout=PATIENCE_S, trust_env=False
            )
        except httpx.HTTPError:
            self._show(f"（企业微信）连不上 {self.address}")
            return
        if not answer.is_success:
            self._show(f"（企业微信）应用回了 {answer.status_code}")

    def _receives(self, _customer: str, message: Json) -> None:
        self._last_msgid = message["msgid"]
        entries = [entry["click"] for entry in message.get("msgmenu", {}).get("list", [])]
        self._buttons = [(entry["content"], entry["id"]) for entry in entries] or self._buttons
        self._show(f"小安：{message['msgmenu']['head_content'] if entries else shown(message)}")
        for number, entry in enumerate(entries, start=1):
            self._show(f"      [{number}] {entry['content']}")

    def _notices(self, person: str, text: str) -> None:
        self._show(f"（{person} 的手机）{text}")
