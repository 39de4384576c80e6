"""A ladder that would leave somebody waiting is refused, with the file and the line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from care.adapters.ladder import load_ladder
from care.adapters.packs import PackError, load_pack
from care.settings import ROOT

FOLDER = ROOT / "packs" / "dental"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("in_hours: 10\n", "in_hours: 0\n", "L1 的 in_hours 要在"),
        ("in_hours: 10\n", "in_hours: bald\n", "应该是整数"),
        ("warn_at: 0.6\n", "warn_at: 1.5\n", "L0 的提醒要在期限之前"),
        ("says: sla.breach, minutes: 5}", "says: sla.nothing, minutes: 5}", "没有 sla.nothing 这句话术"),
        ("{at: 1, to: director", "{at: 3, to: director", "L0 的第一级必须在期限当时"),
        ("{at: 2, to: medical_director", "{at: 1, to: medical_director", "L0 的各级要一级晚于一级"),
        ("to: director, says: sla.breach, minutes: 5", "to: janitor, says: sla.breach, minutes: 5", "janitor"),
        ("minutes: 5}", "minutes: 240}", "答应会员的分钟数"),
        ("first: [doctor, nurse, lead]", "first: []", "L0 没有写第一个处理的人"),
        ("received: safety.l0", "recieved: safety.l0", "没有这个字段"),
        ("rest_days: [7]", "rest_days: [8]", "没有星期 8"),
        ("legal_days: 5 ", "legal_days: 12 ", "多科室的法定期限"),
        ('hours: ["09:00", "20:00"]', 'hours: ["20:00", "09:00"]', "上班时间结束早于开始"),
        ("  K3:\n", "  K9:\n", "K9"),
    ],
)
def test_a_ladder_that_cannot_be_kept_is_refused_at_its_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = (FOLDER / "ladder.yml").read_text(encoding="utf-8")
    assert before in text
    broken = text.replace(before, after, 1)
    folder = tmp_path / "dental"
    folder.mkdir()
    (folder / "ladder.yml").write_text(broken, encoding="utf-8")

    with pytest.raises(PackError) as refused:
        load_ladder(folder, load_pack(FOLDER))

    problem = next(one for one in refused.value.problems if message in one.message)
    assert problem.file == "dental/ladder.yml"
    changed = next(
        n for n, (a, b) in enumerate(zip(text.splitlines(), broken.splitlines(), strict=True), 1) if a != b
    )
    assert abs(problem.line - changed) <= 3


def test_a_pack_without_a_ladder_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "dental"
    shutil.copytree(FOLDER, folder)
    (folder / "ladder.yml").unlink()

    with pytest.raises(PackError, match=r"ladder\.yml:1: 没有这个文件"):
        load_ladder(folder, load_pack(FOLDER))
