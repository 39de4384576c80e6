"""The command line `anxin`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import typer

from anxin import cli_pack, cli_staff
from anxin.cli_plain import opened_house, plainly, prepare_databases
from anxin.dev import cli as dev_cli
from anxin.up import CannotStart, Supervisor, refuse_busy_ports
from care.adapters.sql.engine import open_engine
from care.adapters.sql.schema import is_current
from care.logs import set_up
from care.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="安心：诊所的对话关怀助手。")
db = typer.Typer(no_args_is_help=True, help="数据库：建立、升级、查看。")
run = typer.Typer(no_args_is_help=True, help="单独运行一个进程（供主管进程和 systemd 使用）。")
app.add_typer(db, name="db")
app.add_typer(cli_staff.app, name="staff")
app.add_typer(cli_pack.app, name="pack")
app.add_typer(dev_cli.app, name="dev")
app.add_typer(run, name="run", hidden=True)


@app.command(help="启动全部：对话模型、动作服务、应用和日程；按 Ctrl-C 一起停止。")
def up(
    demo: Annotated[bool, typer.Option("--demo", help="先载入演示会员和同事账号。")] = False,
) -> None:
    """Start every process and stop them together."""
    with plainly():
        settings = load_settings()
        refuse_busy_ports(settings)
        supervisor = Supervisor(settings, typer.echo)
        prepare_databases(settings)
        password = _load_demo(settings) if demo else None
        code = supervisor.run(lambda: _greet(settings, password, demo=demo))
    typer.echo("已全部停止。")
    raise typer.Exit(code)


@app.command(help="在终端里以会员身份和它说话（需要先 `anxin up`）；空行或 Ctrl-D 结束。")
def chat(
    url: Annotated[str, typer.Option(help="正在运行的应用地址。")] = "",
) -> None:
    """Talk to the running house in the terminal."""
    with plainly():
        settings = load_settings()
        base = url or f"http://{settings.host}:{settings.port}"
        try:
            _chat(base)
        except httpx.HTTPError:
            raise CannotStart(f"连不上 {base}。请先在另一个终端运行：make demo") from None


@app.command(help="逐行理解：每行一句话（或带 text 的 JSON），每行输出一个 JSON 结果。")
def understand(
    only: Annotated[str | None, typer.Option(help="只算一部分：safety 或 time。")] = None,
    file: Annotated[
        Path | None, typer.Argument(help="输入文件；不给就读标准输入。", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Read lines, write one JSON line each."""
    from anxin import understand as reading  # noqa: PLC0415 - heavy; only when needed
    from care.bootstrap import SystemClock, build_reading  # noqa: PLC0415

    if only not in {None, "safety", "time"}:
        typer.secho("--only 只能是 safety 或 time", err=True, fg="red")
        raise typer.Exit(2)
    with plainly():
        settings = load_settings()
        lines = reading.lines_of(file)
        house = build_reading(settings)
        now = SystemClock().now().astimezone(house.zone)
        intents = None if only else house.intents.get()
        if not only and intents is None:
            raise CannotStart("还没有训练好的对话模型。请运行：make train")
        _print_all(reading.understand(lines, house, intents=intents, only=only, now=now))


@app.command(help="训练对话模型；训练数据没有变化时什么都不做。")
def train() -> None:
    """Train the dialogue model if what it learns from has changed."""
    from anxin import train as training  # noqa: PLC0415

    with plainly():
        training.train(load_settings(), typer.echo)


@app.command("demo-data", help="载入几位演示会员和同事；已经有了就不再重复。")
def demo_data(
    password: Annotated[str | None, typer.Option(help="演示同事的密码；不给就随机生成。")] = None,
) -> None:
    """Load demo members and colleagues."""
    with plainly():
        settings = load_settings()
        prepare_databases(settings)
        new = _load_demo(settings, password)
        typer.echo(f"已载入。演示同事 lijing，密码 {new}" if new else "演示数据已经在了。")


@db.command("init", help="建立密钥文件和数据库，或升级到最新结构。")
def db_init() -> None:
    """Make the key file and the databases, or bring them up to date."""
    with plainly():
        prepare_databases(load_settings())
        typer.echo("数据库已是最新。")


@db.command("status", help="看数据库结构是否最新。")
def db_status() -> None:
    """Say whether the schema is current."""
    with plainly():
        engine = open_engine(load_settings().care_url)
        try:
            current = is_current(engine)
        finally:
            engine.dispose()
        typer.echo("数据库结构是最新的。" if current else "数据库需要升级，请运行：anxin db init")
        raise typer.Exit(0 if current else 1)


@run.command("web", help="应用：网页聊天、控制台、接口和消息收发。")
def run_web() -> None:
    """Run the application."""
    import uvicorn  # noqa: PLC0415

    from anxin.web import make_app  # noqa: PLC0415

    with plainly():
        settings = load_settings()
        set_up(settings.log_level)
        with opened_house(settings) as house:
            uvicorn.run(
                make_app(house),
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )


@run.command("actions", help="动作服务：Rasa 调用的业务动作。")
def run_actions() -> None:
    """Run the action server."""
    from actions.server import serve  # noqa: PLC0415

    with plainly():
        settings = load_settings()
        set_up(settings.log_level)
        with opened_house(settings) as house:
            serve(house)


@run.command("scheduler", help="日程：到点的关怀、提醒和时限。")
def run_scheduler() -> None:
    """Run the scheduler."""
    from scheduler.main import run as tick  # noqa: PLC0415

    with plainly():
        settings = load_settings()
        set_up(settings.log_level)
        with opened_house(settings) as house:
            tick(house)


def _load_demo(settings: Settings, password: str | None = None) -> str | None:
    from anxin.demo import load  # noqa: PLC0415

    with opened_house(settings) as house:
        return load(house, password=password)


def _greet(settings: Settings, password: str | None, *, demo: bool) -> None:
    base = f"http://{settings.host}:{settings.port}"
    lines = ["", "安心已就绪。", f"  网页聊天   {base}/chat", f"  关怀控制台 {base}/console"]
    if demo and password:
        lines.append(f"  演示账号   lijing / {password}   （组长：sunlan，同一密码）")
    elif demo:
        lines.append("  演示账号   lijing（密码在第一次启动时给出；忘了就运行：uv run anxin staff reset lijing）")
    lines += [f"  接口说明   {base}/api/v1/openapi.json", "按 Ctrl-C 停止。", ""]
    typer.echo("\n".join(lines))


def _print_all(results: Iterator[dict[str, object]]) -> None:
    for result in results:
        typer.echo(json.dumps(result, ensure_ascii=False))


def _chat(base: str) -> None:
    with httpx.Client(base_url=base, timeout=30, trust_env=False, follow_redirects=True) as http:
        http.get("/chat").raise_for_status()
        headers = {"Origin": base}
        seen = 0
        typer.echo("您好，请说。（空行结束）")
        while True:
            try:
                text = input("您：").strip()
            except (EOFError, KeyboardInterrupt):
                break
            if not text:
                break
            http.post(
                "/chat/messages", json={"id": uuid.uuid4().hex, "text": text}, headers=headers
            ).raise_for_status()
            seen = _print_answers(http, seen)


def _print_answers(http: httpx.Client, seen: int) -> int:
    import time  # noqa: PLC0415

    quiet_since = time.monotonic()
    answered = False
    while time.monotonic() - quiet_since < (1.0 if answered else 15.0):
        body = http.get("/chat/messages", params={"after": seen}).raise_for_status().json()
        for message in body["messages"]:
            seen = max(seen, int(message["seq"]))
            if message["author"] == "member":
                continue
            answered, quiet_since = True, time.monotonic()
            typer.echo(f"小安：{message['text']}")
            titles = [button["title"] for button in message.get("buttons") or []]
            if titles:
                typer.echo("      " + "  ".join(f"[{title}]" for title in titles))
        time.sleep(0.2)
    return seen
