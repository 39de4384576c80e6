"""`anxin staff`: accounts of colleagues."""

from __future__ import annotations

from typing import Annotated

import typer

from anxin.cli_plain import opened_house, plainly
from anxin.up import CannotStart
from care.model.staff import Role

app = typer.Typer(no_args_is_help=True, help="同事账号：新增、查看、重设密码。")

Login = Annotated[str, typer.Argument(help="登录名。")]


@app.command("add", help="新增一位同事；密码在提示后输入，不会显示。")
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="姓名，会员看得到。")],
    role: Annotated[str, typer.Option(help="角色：carer、nurse、doctor、front_desk、lead 或 admin。")] = "carer",
    title: Annotated[str, typer.Option(help="岗位，会员看得到。")] = "康复关怀师",
) -> None:
    """Store a colleague who can log in."""
    from care.adapters.passwords import Argon2Passwords  # noqa: PLC0415 - heavy; only when a command runs
    from care.services import staff as colleagues  # noqa: PLC0415

    with plainly():
        if role not in {one.value for one in Role}:
            raise CannotStart(f"没有 {role} 这个角色；可用：{'、'.join(Role)}")
        with opened_house() as house:
            password = _ask_password()
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
        typer.echo(f"已新增 {name}（{login}）。")


@app.command("list", help="列出同事账号。")
def everyone() -> None:
    """Print everyone, a line each."""
    with plainly(), opened_house() as house:
        with house.unit_of_work() as uow:
            found = uow.staff.all()
        for one in found:
            state = "" if one.active else "已停用"
            typer.echo("\t".join((one.login, one.name, one.role, one.job_title, one.wecom_id or "", state)))


@app.command("reset", help="给一位同事换一个新密码；解除锁定，并让所有旧的登录失效。")
def reset(login: Login) -> None:
    """Set a new password."""
    from care.adapters.passwords import Argon2Passwords  # noqa: PLC0415
    from care.services import staff as colleagues  # noqa: PLC0415

    with plainly():
        with opened_house() as house:
            with house.unit_of_work() as uow:
                colleagues.known(login, uow=uow)  # says so before anybody has typed a password twice
            password = _ask_password()
            with house.unit_of_work() as uow:
                colleague = colleagues.reset_password(login, password, uow=uow, passwords=Argon2Passwords())
                uow.commit()
        typer.echo(f"{colleague.name}（{colleague.login}）的密码已换新，旧的登录都已失效。")


@app.command(
    "wecom", help="记下一位同事的企业微信账号：告警发到那里，他在企业微信里接待的会话也算到他名下；不给账号就去掉。"
)
def wecom(
    login: Login,
    account: Annotated[str | None, typer.Argument(help="企业微信后台通讯录里的“账号”。")] = None,
) -> None:
    """Set or take away the account a colleague is rung on."""
    from care.services import staff as colleagues  # noqa: PLC0415

    with plainly(), opened_house() as house, house.unit_of_work() as uow:
        colleague = colleagues.set_wecom(login, account, uow=uow)
        uow.commit()
        told = f"的企业微信账号是 {colleague.wecom_id}" if colleague.wecom_id else "不再用企业微信接收告警"
        typer.echo(f"{colleague.name}（{colleague.login}）{told}。")


def _ask_password() -> str:
    return str(typer.prompt("密码（至少 12 个字符）", hide_input=True, confirmation_prompt="再输入一次"))
