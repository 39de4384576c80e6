"""What the application says of itself to whoever watches it."""

from __future__ import annotations

from pathlib import Path

import httpx

from anxin.web import make_app
from care.testing import a_house


async def test_without_trained_models_it_is_degraded_and_says_what_is_missing(tmp_path: Path) -> None:
    with a_house(tmp_path, model_dir=tmp_path / "nothing") as house:
        wire = httpx.ASGITransport(app=make_app(house))
        async with httpx.AsyncClient(transport=wire, base_url="http://house") as watcher:
            answer = await watcher.get("/healthz")

    assert answer.status_code == httpx.codes.OK
    assert answer.json() == {"status": "degraded", "waiting": 0, "missing": ["safety", "emotion", "symptoms"]}
