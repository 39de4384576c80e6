"""A member's phone in the terminal: what is typed reaches the application, what the application sends is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import httpx

from anxin.dev import wechat_callbacks as cb
from anxin.dev.fake_wechat import SECRET, FakeWeChat, Json, words_of

PERSON = "oTerminal-0001"
PATIENCE_S = 5.0  # then WeChat brings it again
TIMES = 3
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
HELP = """直接打字就是会员说话；数字点按最近一条消息下面的按钮。
/follow 关注   /unfollow 取消关注   /scan 场景   /click 菜单键   /image 发图片   /voice 发语音
/later 小时数  让微信以为过了这么久（48 小时后不能再发消息）   /quit 结束"""


class Phone:
    """One member with one phone.

    Args:
        app_url: where the application runs.
        show: prints one line.
        port: on which the vendor's interface listens.
    """

    def __init__(self, app_url: str, show: Callable[[str], None], *, port: int) -> None:
        self._later_s = 0.0
        self._show = show
        self._address = f"{app_url.rstrip('/')}/wechat/callback"
        self._buttons: list[tuple[str, str]] = []
        self.server = FakeWeChat(lambda: time.time() + self._later_s, heard=self._receives, port=port)
        self.server.templates = {"template-1", "notice-1"}

    def settings(self) -> str:
        """Return what to write into `.env`."""
        lines = {
            "MODE": "on",
            "APP_ID": cb.APP_ID,
            "SECRET": SECRET,
            "TOKEN": cb.TOKEN,
            "AES_KEY": cb.KEY,
            "BASE_URL": self.server.base_url,
            "TEMPLATE_NOTICE": "template-1",
            "SUBSCRIBE_NOTICE": "notice-1",
        }
        return "\n".join(f"ANXIN_WECHAT_{name}={value}" for name, value in lines.items())

    def types(self, line: str) -> bool:
        """Do what a line says; False when it says to stop."""
        command, _, rest = line.strip().partition(" ")
        match command:
            case "":
                return True
            case "/quit":
                return False
            case "/help":
                self._show(HELP)
            case "/follow":
                self._does("follow", cb.event(PERSON, "subscribe"))
            case "/unfollow":
                self.server.left(PERSON)
                self._bring(cb.event(PERSON, "unsubscribe"))
            case "/scan":
                self._does("scan", cb.event(PERSON, "SCAN", rest or "front-desk"))
            case "/click":
                self._does("click", cb.event(PERSON, "CLICK" if rest else "scancode_waitmsg", rest))
            case "/image" | "/voice":
                self._sends_file(command.removeprefix("/"))
            case "/later":
                self._later_s += 3_600 * float(rest) if re.fullmatch(r"\d+(\.\d+)?", rest) else 0.0
                self._show(f"微信以为又过了 {rest or '0'} 小时。")
            case _ if command.isdecimal() and 0 < int(command) <= len(self._buttons):
                title, menu = self._buttons[int(command) - 1]
                self._does("click", cb.text(PERSON, title, menu=menu))
            case _:
                self._does("message", cb.text(PERSON, line))
        return True

    def _sends_file(self, kind: str) -> None:
        media_id = f"media-{len(self.server.files) + 1}"
        self.server.files[media_id] = ("image/jpeg", JPEG) if kind == "image" else ("audio/amr", b"#!AMR\n")
        self._does("message", cb.message(PERSON, kind, f"<MediaId>{media_id}</MediaId>"))

    def _does(self, trigger: str, xml: str) -> None:
        self.server.did(PERSON, trigger)
        self._bring(xml)

    def _bring(self, xml: str) -> None:
        callback = cb.sealed_callback(xml)
        for _ in range(TIMES):
            try:
                answer = httpx.post(
                    self._address,
                    params=callback.query,
                    content=callback.body,
                    timeout=PATIENCE_S,
                    trust_env=False,
                )
            except httpx.HTTPError:
                continue
            if answer.is_success:
                self._show_reply(answer.text)
                return
        self._show("（微信）该公众号提供的服务出现故障，请稍后再试")

    def _show_reply(self, body: str) -> None:
        found = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]></Encrypt>", body)
        if found is None:
            return
        words = re.search(r"<Content><!\[CDATA\[(.*)\]\]></Content>", cb.unseal(found[1]), re.DOTALL)
        self._show(f"小安：{words[1] if words else ''}")

    def _receives(self, _person: str, body: Json) -> None:
        entries = body.get("msgmenu", {}).get("list", [])
        self._buttons = [(entry["content"], entry["id"]) for entry in entries] or self._buttons
        if entries:
            self._show(f"小安：{body['msgmenu']['head_content']}")
            for number, entry in enumerate(entries, start=1):
                self._show(f"      [{number}] {entry['content']}")
        else:
            self._show(f"{'【服务通知】' if 'template_id' in body else '小安：'}{words_of(body)}")
