"""`anxin dev`: the vendors' servers by hand, on this machine only."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Protocol

import typer

app = typer.Typer(no_args_is_help=True, help="开发：在本机模拟微信等平台，不连外网。")

APP_URL = "http://127.0.0.1:8000"


@app.command("fake-wechat", help="模拟微信服务号：在终端里以会员身份说话，看应用发来什么。")
def fake_wechat(
    app_url: Annotated[str, typer.Option(help="正在运行的应用地址。")] = APP_URL,
    port: Annotated[int, typer.Option(help="模拟的微信接口监听的端口。")] = 9101,
) -> None:
    """Run a WeChat on loopback and a member's phone in the terminal."""
    from anxin.dev.wechat_phone import HELP, Phone  # noqa: PLC0415 - only when used

    phone = Phone(app_url, typer.echo, port=port)
    _by_hand(phone, HELP)


@app.command("fake-wecom", help="模拟企业微信和微信客服：在终端里以客户和同事的身份说话。")
def fake_wecom(
    app_url: Annotated[str, typer.Option(help="正在运行的应用地址。")] = APP_URL,
    port: Annotated[int, typer.Option(help="模拟的企业微信接口监听的端口。")] = 9102,
) -> None:
    """Run a WeCom on loopback, with a customer and a colleague in the terminal."""
    from anxin.dev.wecom_phone import HELP, Phone  # noqa: PLC0415 - only when used

    phone = Phone(app_url, typer.echo, port=port)
    _by_hand(phone, HELP)


class _Phone(Protocol):
    """What one holds in one's hand: a server, and lines to type."""

    @property
    def server(self) -> AbstractContextManager[object]: ...

    def settings(self) -> str: ...

    def types(self, line: str) -> bool: ...


def _by_hand(phone: _Phone, help_text: str) -> None:
    """Serve until the typist ends it."""
    with phone.server:
        typer.echo("把下面几行写进 .env，然后重新启动应用：\n")
        typer.echo(phone.settings())
        typer.echo(f"\n{help_text}\n")
        while True:
            try:
                line = input()
            except (EOFError, KeyboardInterrupt):
                break
            if not phone.types(line):
                break
