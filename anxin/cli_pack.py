"""`anxin pack`: checking what a clinic wrote, comparing two versions of it, helping an editor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anxin.cli_plain import plainly
from care.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="内容包：检查、比较诊所的服务、排班、话术和方案。")


@app.command("check", help="检查一个内容包；有问题时逐条给出文件和行号。")
def check(
    folder: Annotated[Path | None, typer.Argument(help="内容包目录；不给就用当前设置的。")] = None,
) -> None:
    """Check a pack and list what is wrong with it."""
    from care.adapters.language.safety_rules import SafetyRules  # noqa: PLC0415 - heavy; only when needed
    from care.adapters.pack_whole import check_whole  # noqa: PLC0415

    with plainly():
        chosen = folder or load_settings().pack
        loaded = check_whole(chosen)
        SafetyRules.load(chosen / loaded.lexicon)
        typer.echo(
            f"内容包 {loaded.code}（版本 {loaded.version}）没有问题："
            f"{len(loaded.clinics)} 家门店，{len(loaded.practitioners)} 位同事，{len(loaded.services)} 项服务，"
            f"{len(loaded.protocols)} 个恢复方案，{len(loaded.rules)} 条规则。"
        )


@app.command("diff", help="比较两个版本的内容包，用大白话说改了什么。")
def diff(
    old: Annotated[Path, typer.Argument(help="原来的内容包目录。")],
    new: Annotated[Path, typer.Argument(help="新的内容包目录。")],
) -> None:
    """Say what changed between two packs."""
    from care.adapters.pack_diff import differences  # noqa: PLC0415
    from care.adapters.packs import load_pack  # noqa: PLC0415

    with plainly():
        changes = differences(load_pack(old), load_pack(new))
        typer.echo("\n".join(changes) if changes else "两个内容包一样。")


@app.command("schema", help="给编辑器生成 JSON Schema，写的时候就能补全和提示。")
def schema(
    folder: Annotated[Path, typer.Argument(help="放在哪个目录。")] = Path("packs/schema"),
) -> None:
    """Write a JSON schema for each file of a pack."""
    from care.adapters.pack_schema import write_schemas  # noqa: PLC0415

    with plainly():
        for path in write_schemas(folder):
            typer.echo(str(path))
