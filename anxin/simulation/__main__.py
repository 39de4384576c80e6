"""`python -m anxin.simulation`: policies side by side on synthetic members; the same figures for the same seed."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from anxin.simulation.members import make
from anxin.simulation.policies import POLICIES
from anxin.simulation.report import figures
from anxin.simulation.world import live
from care.adapters.curves import load_care_plan
from care.adapters.packs import load_pack
from care.settings import ROOT


def compare(
    members: Annotated[int, typer.Option(help="合成会员的人数。")] = 2000,
    seed: Annotated[str, typer.Option(help="同一个种子，同样的结果。")] = "2026",
    late_by: Annotated[float, typer.Option(help="所有低落比通常晚来几天。")] = 0.0,
    archetype: Annotated[str | None, typer.Option(help="只要一种走势：early late double flat anxious。")] = None,
    only: Annotated[str | None, typer.Option(help="只看一种做法。")] = None,
    by: Annotated[str | None, typer.Option(help="再按 treatment 或 archetype 分开看覆盖率。")] = None,
    folder: Annotated[Path, typer.Option(help="内容包目录。")] = ROOT / "packs" / "dental",
    draws: Annotated[int, typer.Option(help="自助抽样次数。")] = 400,
) -> None:
    """Print coverage, contacts, missed and late flags, false alarms and carer minutes for each policy."""
    care = load_care_plan(folder, load_pack(folder), seed=seed)
    for name, policy in POLICIES.items():
        if only and only not in name:
            continue
        begun = time.perf_counter()
        outcomes = [
            live(make(number, seed, late_by=late_by, archetype=archetype), policy, care) for number in range(members)
        ]
        took = time.perf_counter() - begun
        line = "  ".join(f"{key} {figure}" for key, figure in figures(outcomes, draws=draws).items())
        typer.echo(f"{name}（{took:.0f} 秒）  {line}")
        spent: Counter[str] = Counter()
        for one in outcomes:
            spent.update(one.by_rule)
        parts = (f"{rule} {seconds / 60 / members:.2f}" for rule, seconds in spent.most_common(8))
        typer.echo("    分钟花在：" + "  ".join(parts))
        for group in sorted({str(getattr(one, by)) for one in outcomes}) if by else ():
            part = figures([one for one in outcomes if by and getattr(one, by) == group], draws=40)
            typer.echo(f"    {group}: " + "  ".join(f"{key} {figure}" for key, figure in part.items()))


if __name__ == "__main__":
    typer.run(compare)
