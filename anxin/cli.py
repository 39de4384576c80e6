"""The command line `anxin`."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer

from anxin.up import CannotStart, Supervisor, refuse_busy_ports
from care.adapters.sql.engine import open_engine
from care.adapters.sql.keys import KeyTrouble, MasterKey
from care.adapters.sql.schema import is_current, migrate, migrate_keys
from care.logs import set_up
from care.model.errors import CareError
from care.settings import Settings, SettingsRefused, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="安心：诊所的对话关怀助手。")
db = typer.Typer(no_args_is_help=True, help="数据库：建立、升级、查看。")
staff = typer.Typer(no_args_is_help=True, help="同事账号：新增、查看、重设密码。")
pack = typer.Typer(no_args_is_help=True, help="内容包：检查诊所的服务、排班、话术和方案。")
run = typer.Typer(no_args_is_help=True, help="单独运行一个进程（供主管进程和 systemd 使用）。")
app.add_typer(db, name="db")
app.add_typer(staff, name="staff")
app.add_typer(pack, name="pack")
app.add_typer(run, name="run", hidden=True)


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn what can go wrong into one sentence and exit code 1."""
    from care.adapters.packs import PackError  # noqa: PLC0415 - heavy; only when a command runs

    try:
        yield
    except (CannotStart, KeyTrouble, SettingsRefused, PackError, CareError) as wrong:
        typer.secho(str(wrong), err=True, fg="red")
        raise typer.Exit(1) from None


def _prepare_databases(settings: Settings) -> None:
    for url, prepare in ((settings.care_url, migrate), (settings.key_store_url, migrate_keys)):
        engine = open_engine(url)
        prepare(engine)
        engine.dispose()
    if not settings.key_file.exists():
        MasterKey.create(settings.key_file)


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="先载入演示会员和同事账号。")] = False,
) -> None:
    """启动全部：对话模型、动作服务、应用和日程；按 Ctrl-C 一起停止。."""
    with _plainly():
        settings = load_settings()
        refuse_busy_ports(settings)
        _prepare_databases(settings)
        password = _load_demo(settings) if demo else None
        supervisor = Supervisor(settings, typer.echo)
        code = supervisor.run(lambda: _greet(settings, password, demo=demo))
    typer.echo("已全部停止。")
    raise typer.Exit(code)


@app.command()
def chat(
    url: Annotated[str, typer.Option(help="正在运行的应用地址。")] = "",
) -> None:
    """在终端里以会员身份和它说话（需要先 `anxin up`）；空行或 Ctrl-D 结束。."""
    with _plainly():
        settings = load_settings()
        base = url or f"http://{settings.host}:{settings.port}"
        try:
            _chat(base)
        except httpx.HTTPError:
            raise CannotStart(f"连不上 {base}。请先在另一个终端运行：make demo") from None


@app.command()
def understand(
    only: Annotated[str | None, typer.Option(help="只算一部分：safety 或 time。")] = None,
    file: Annotated[Path | None, typer.Argument(help="输入文件；不给就读标准输入。")] = None,
) -> None:
    """逐行理解：每行一句话（或带 text 的 JSON），每行输出一个 JSON 结果。."""
    from anxin import understand as reading  # noqa: PLC0415 - heavy; only when needed
    from care.bootstrap import SystemClock, build_reading  # noqa: PLC0415

    if only not in {None, "safety", "time"}:
        typer.secho("--only 只能是 safety 或 time", err=True, fg="red")
        raise typer.Exit(2)
    with _plainly():
        settings = load_settings()
        lines = file.read_text().splitlines() if file else sys.stdin
        house = build_reading(settings)
        now = SystemClock().now().astimezone(house.zone)
        if only:
            _print_all(reading.understand(lines, house, nlu=None, only=only, now=now))
            return
        with reading.own_rasa(settings) as nlu:
            _print_all(reading.understand(lines, house, nlu=nlu, only=None, now=now))


@app.command()
def train() -> None:
    """训练对话模型；训练数据没有变化时什么都不做。."""
    from anxin import train as training  # noqa: PLC0415

    with _plainly():
        training.train(load_settings(), typer.echo)


@app.command("demo-data")
def demo_data(
    password: Annotated[str | None, typer.Option(help="演示同事的密码；不给就随机生成。")] = None,
) -> None:
    """载入几位演示会员和同事；已经有了就不再重复。."""
    with _plainly():
        settings = load_settings()
        _prepare_databases(settings)
        new = _load_demo(settings, password)
        typer.echo(f"已载入。演示同事 lijing，密码 {new}" if new else "演示数据已经在了。")


@db.command("init")
def db_init() -> None:
    """建立密钥文件和数据库，或升级到最新结构。."""
    with _plainly():
        _prepare_databases(load_settings())
        typer.echo("数据库已是最新。")


@db.command("status")
def db_status() -> None:
    """看数据库结构是否最新。."""
    with _plainly():
        engine = open_engine(load_settings().care_url)
        current = is_current(engine)
        engine.dispose()
        typer.echo("数据库结构是最新的。" if current else "数据库需要升级，请运行：anxin db init")
        raise typer.Exit(0 if current else 1)


@staff.command("add")
def staff_add(
    login: str,
    name: Annotated[str, typer.Option(help="姓名，会员看得到。")],
    role: Annotated[str, typer.Option(help="carer、nurse、doctor、front_desk、lead 或 admin。")] = "carer",
    title: Annotated[str, typer.Option(help="岗位，会员看得到。")] = "康复关怀师",
) -> None:
    """新增一位同事；密码在提示后输入，不会显示。."""
    from care.adapters.passwords import Argon2Passwords  # noqa: PLC0415
    from care.bootstrap import build  # noqa: PLC0415
    from care.model.staff import Role  # noqa: PLC0415
    from care.services import staff as colleagues  # noqa: PLC0415

    password = typer.prompt("密码（至少 12 个字符）", hide_input=True, confirmation_prompt="再输入一次")
    with _plainly():
        if role not in {one.value for one in Role}:
            raise CannotStart(f"没有 {role} 这个角色；可用：{'、'.join(Role)}")
        house = build(load_settings())
        with house.unit_of_work() as uow:
            colleagues.add_staff(
                login=login,
                name=name,
                role=Role(role),
                job_title=title,
                password=password,
                uow=uow,
                clock=house.clock,
                passwords=Argon2Passwords(),
            )
            uow.commit()
        house.close()
        typer.echo(f"已新增 {name}（{login}）。")


@staff.command("list")
def staff_list() -> None:
    """列出同事账号。."""
    from care.bootstrap import build  # noqa: PLC0415

    with _plainly():
        house = build(load_settings())
        with house.unit_of_work() as uow:
            everyone = uow.staff.all()
        house.close()
        for one in everyone:
            typer.echo(f"{one.login}\t{one.name}\t{one.role}\t{one.job_title}\t{'' if one.active else '已停用'}")


@pack.command("check")
def pack_check(
    folder: Annotated[Path | None, typer.Argument(help="内容包目录；不给就用当前设置的。")] = None,
) -> None:
    """检查一个内容包；有问题时逐条给出文件和行号。."""
    from care.adapters.language.safety_rules import LexiconError, SafetyRules  # noqa: PLC0415
    from care.adapters.packs import load_pack  # noqa: PLC0415

    with _plainly():
        chosen = folder or load_settings().pack
        loaded = load_pack(chosen)
        try:
            SafetyRules.load(chosen / "safety.yml")
        except LexiconError as wrong:
            raise CannotStart(str(wrong)) from None
        typer.echo(
            f"内容包 {loaded.code}（版本 {loaded.version}）没有问题："
            f"{len(loaded.clinics)} 家门店，{len(loaded.practitioners)} 位医护，{len(loaded.services)} 项服务，"
            f"{len(loaded.protocols)} 个恢复方案。"
        )


@run.command("web")
def run_web() -> None:
    """应用：网页聊天、控制台、接口和消息收发。."""
    import uvicorn  # noqa: PLC0415

    from anxin.web import make_app  # noqa: PLC0415
    from care.bootstrap import build  # noqa: PLC0415

    with _plainly():
        settings = load_settings()
        set_up(settings.log_level)
        house = build(settings)
        uvicorn.run(
            make_app(house),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        house.close()


@run.command("actions")
def run_actions() -> None:
    """动作服务：Rasa 调用的业务动作。."""
    from actions.server import serve  # noqa: PLC0415
    from care.bootstrap import build  # noqa: PLC0415

    with _plainly():
        settings = load_settings()
        set_up(settings.log_level)
        house = build(settings)
        serve(house)
        house.close()


@run.command("scheduler")
def run_scheduler() -> None:
    """日程：到点的关怀、提醒和时限。."""
    from care.bootstrap import build  # noqa: PLC0415
    from scheduler.main import run as tick  # noqa: PLC0415

    with _plainly():
        settings = load_settings()
        set_up(settings.log_level)
        house = build(settings)
        tick(house)
        house.close()


def _load_demo(settings: Settings, password: str | None = None) -> str | None:
    from anxin.demo import load  # noqa: PLC0415
    from care.bootstrap import build  # noqa: PLC0415

    house = build(settings)
    try:
        return load(house, password=password)
    finally:
        house.close()


def _greet(settings: Settings, password: str | None, *, demo: bool) -> None:
    base = f"http://{settings.host}:{settings.port}"
    lines = ["", "安心已就绪。", f"  网页聊天   {base}/chat", f"  关怀控制台 {base}/console"]
    if demo and password:
        lines.append(f"  演示账号   lijing / {password}   （组长：sunlan，同一密码）")
    elif demo:
        lines.append("  演示账号   lijing（密码在第一次启动时给出；忘了就删除 var/ 后重新 make demo）")
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
