"""One command keeps four processes alive and ends them together."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.running import Running, a_running_house

pytestmark = pytest.mark.rasa
WAIT_S = 40.0


def parts_of(house: Running) -> dict[str, int]:
    """Return the process id of each part by its name."""
    found: dict[str, int] = {}
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            words = (proc / "cmdline").read_bytes().decode().split("\0")
            mine = f"ANXIN_API_TOKEN={house.token}".encode() in (proc / "environ").read_bytes()
        except OSError:
            continue
        if mine and "run" in words:
            name = words[words.index("run") + 1] if "anxin" in words else "rasa"
            found[name] = int(proc.name)
    return found


def until(holds: object, within_s: float = WAIT_S) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if callable(holds) and holds():
            return
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


def test_a_part_that_dies_is_started_again_and_all_end_together(tmp_path: Path) -> None:
    with a_running_house(tmp_path) as house:
        before = parts_of(house)
        assert set(before) == {"rasa", "actions", "web", "scheduler"}

        os.kill(before["web"], signal.SIGKILL)
        until(lambda: parts_of(house).get("web", before["web"]) != before["web"])

        def answers() -> bool:
            try:
                return httpx.get(f"{house.base}/healthz", timeout=1, trust_env=False).status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

        until(answers)
        house.process.send_signal(signal.SIGINT)

        assert house.process.wait(20) == 0
        until(lambda: not parts_of(house), within_s=2)
    said = (tmp_path / "up.log").read_text()
    assert "正在重新启动" in said
    assert "已全部停止" in said
