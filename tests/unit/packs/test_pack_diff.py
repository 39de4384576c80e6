"""What changed between two versions of a pack, in words a reviewer reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from anxin.cli_pack import app
from care.adapters.pack_diff import differences
from care.adapters.pack_schema import schemas
from care.adapters.packs import load_pack
from care.settings import ROOT

DENTAL = ROOT / "packs" / "dental"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("protocols.yml", '      window: ["18:30", "20:00"]\n      purpose: "turn', '      window: ["19:00", "20:30"]\n      purpose: "turn', "种植手术：A3 的时间从 18:30–20:00 改成 19:00–20:30"),
        ("protocols.yml", "第三天了。跟昨天比", "第三天了，跟昨天比", "种植手术：A3 的开场白从“第三天了。跟昨天比"),
        ("protocols.yml", "      ask: [pain, swell, temp, med]", "      ask: [pain, swell, temp]", "种植手术：A3 问的问题从 pain、swell、temp、med 改成 pain、swell、temp"),
        ("protocols.yml", "pain_at_most: 2", "pain_at_most: 3", "拔牙：疼痛最多几分从 2 改成 3"),
        ("protocols.yml", "    - code: A90\n      day: 90", "    - code: A100\n      day: 90", "种植手术：删掉了关怀点 A90（第 90 天，12:00–13:30）"),
        ("rules.yml", "level: L1, reason: 疼到 9 分以上", "level: L2, reason: 疼到 9 分以上", "规则 pain.nine（疼到 9 分以上）从找人 L1改成找人 L2"),
        ("rules.yml", "{id: pain.nine, question: pain, at_least: 9", "{id: pain.nine, question: pain, at_least: 8", "的条件从“问题 pain，至少 9.0”改成“问题 pain，至少 8.0”"),
        ("rules.yml", "verdict: watch, recheck_minutes: 35, say: checkin.watch_bleed, reason: 吐", "verdict: watch, recheck_minutes: 60, say: checkin.watch_bleed, reason: 吐", "从复查（35 分钟后再看），说“checkin.watch_bleed”改成复查（1 小时后再看）"),
        ("questions.yml", "{value: two, label: 两指}", "{value: two, label: 两个手指}", "问题“张口”的选项从“两指”改成“两个手指”"),
        ("questions.yml", "chills: [打寒战, ", "chills: [", "问题“自己说的”：“打寒战”不再听成“chills”"),
        ("wording.yml", "close: 今天就问这些，您歇着。", "close: 今天问完了，您歇着。", "话术 checkin.close 从“今天就问这些"),
        ("leaflets.yml", "{code: sleep, from_day: 0, to_day: 3", "{code: sleep, from_day: 0, to_day: 5", "改成第 0 到 5 天有效"),
        ("pack.yml", "carer_call_minutes: 720", "carer_call_minutes: 600", "没有回音时怎么办"),
        ("services.yml", "minutes: 45", "minutes: 60", "服务“洗牙”的 minutes 从“45”改成“60”"),
    ],
)  # fmt: skip
def test_a_change_is_said_in_plain_chinese(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    text = (DENTAL / file).read_text()
    old = old if old in text else old.replace('purpose: "turn', "purpose: turn")
    new = new if old in text and '"turn' in old else new.replace('purpose: "turn', "purpose: turn")
    assert old in text
    later = tmp_path / "dental"
    shutil.copytree(DENTAL, later)
    changed = text.replace(old, new, 1)
    if "A100" in new:
        changed = changed.replace("A30, A90", "A30, A100", 1)
    (later / file).write_text(changed)

    found = differences(load_pack(DENTAL), load_pack(later))

    assert any(said in line for line in found), found


def test_a_change_without_a_new_version_is_pointed_out(tmp_path: Path) -> None:
    later = tmp_path / "dental"
    shutil.copytree(DENTAL, later)
    text = (later / "protocols.yml").read_text()
    (later / "protocols.yml").write_text(text.replace("第三天了。", "第三天啦。", 1))

    assert "内容改了，版本还是 2026-11" in differences(load_pack(DENTAL), load_pack(later))[0]

    (later / "protocols.yml").write_text(
        text.replace("第三天了。", "第三天啦。", 1).replace('version: "2026-11"', 'version: "2026-12"', 1)
    )
    assert "还没发的回访按新版重新安排" in differences(load_pack(DENTAL), load_pack(later))[0]


def test_the_same_pack_twice_has_no_difference() -> None:
    result = CliRunner().invoke(app, ["diff", str(DENTAL), str(DENTAL)])

    assert (result.exit_code, result.output.strip()) == (0, "两个内容包一样。")


def test_an_editor_gets_a_schema_that_knows_the_fields_and_refuses_others(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["schema", str(tmp_path)])

    assert result.exit_code == 0
    assert len(list(tmp_path.glob("*.schema.json"))) == len(schemas())
    rules = json.loads((tmp_path / "rules.schema.json").read_text())["$defs"]["AnswerRule"]
    assert rules["additionalProperties"] is False
    assert "with" in rules["properties"]
    assert "beside" not in rules["properties"]
