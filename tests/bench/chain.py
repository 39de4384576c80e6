"""Reply latency and throughput through the whole chain: web chat in, outbox out.

Runs the house twice in one go on the same data: with the shipped pipeline and with Rasa's stock one (DIET and TED),
and prints both beside each other. The stock models are trained for 10 epochs instead of 100: how long they take to
answer does not depend on it, and a comparison of speed should not take half an hour. Run it alone: `make bench`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.running import ROOT, Running, a_running_house

SENTENCES = (
    "我想约洗牙",
    "你们周末开门吗",
    "种牙多少钱",
    "有没有擅长看小孩的医生",
    "你好",
    "拔智齿疼不疼",
    "算了先不约了",
    "谢谢",
    "你们有我哪些信息",
    "周六还有号吗",
)
ROUNDS = 12  # messages of one visitor one after the other; stays below the rate limit of one visitor
VISITORS = 10
CROWD = 8  # visitors at once
STOCK = """
recipe: default.v1
language: zh
assistant_id: stock
pipeline:
  - name: JiebaTokenizer
  - name: RegexFeaturizer
  - name: LexicalSyntacticFeaturizer
  - name: CountVectorsFeaturizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 1
    max_ngram: 4
  - name: DIETClassifier
    epochs: 10
    constrain_similarities: true
  - name: EntitySynonymMapper
  - name: ResponseSelector
    epochs: 10
  - name: FallbackClassifier
    threshold: 0.3
    ambiguity_threshold: 0.1
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
  - name: UnexpecTEDIntentPolicy
    max_history: 5
    epochs: 10
  - name: TEDPolicy
    max_history: 5
    epochs: 10
    constrain_similarities: true
"""


def main() -> None:
    """Measure both and print the comparison."""
    with tempfile.TemporaryDirectory() as raw:
        folder = Path(raw)
        stock = _train_stock(folder)
        rows = [("shipped", *_measure(folder / "ours")), ("stock", *_measure(folder / "stock", model_dir=str(stock)))]
    names = ("start s", "p50 ms", "p95 ms", "msg/s", "Rasa MiB", "all MiB")
    print(f"{'':10}" + "".join(f"{name:>10}" for name in names))
    for name, *values in rows:
        print(f"{name:10}" + "".join(f"{value:10.1f}" for value in values))
    ours, theirs = rows[0][1:], rows[1][1:]
    print(
        f"stock / shipped: p50 {theirs[1] / ours[1]:.1f}x, p95 {theirs[2] / ours[2]:.1f}x, msg/s {ours[3] / theirs[3]:.1f}x"
    )


def _train_stock(folder: Path) -> Path:
    out = folder / "stock-model"
    config = folder / "stock.yml"
    config.write_text(STOCK)
    rasa = ROOT / "rasa-env" / ".venv" / "bin" / "rasa"
    command = [str(rasa), "train", "--config", str(config), "--fixed-model-name", "anxin", "--out", str(out)]
    begun = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"stock pipeline trained in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return out


def _measure(folder: Path, **settings: str) -> tuple[float, float, float, float, float, float]:
    folder.mkdir()
    with a_running_house(folder, **settings) as house:
        _talk(house, 3)  # warm
        took = [t for _ in range(VISITORS) for t in _talk(house, ROUNDS)]
        begun = time.monotonic()
        with ThreadPoolExecutor(CROWD) as crowd:
            crowded = [t for times in crowd.map(lambda _: _talk(house, ROUNDS), range(CROWD)) for t in times]
        rate = len(crowded) / (time.monotonic() - begun)
        memory = house.rss_mib()
        p95 = statistics.quantiles(took, n=20)[18]
        return (
            house.ready_after_s,
            statistics.median(took) * 1000,
            p95 * 1000,
            rate,
            memory.get("rasa", 0.0),
            sum(memory.values()),
        )


def _talk(house: Running, count: int) -> list[float]:
    """Say `count` things as one visitor and return how long each first reply took, in seconds."""
    took = []
    with httpx.Client(base_url=house.base, timeout=30, trust_env=False) as http:
        http.get("/chat").raise_for_status()
        seen = 0
        for number in range(count):
            text = SENTENCES[number % len(SENTENCES)]
            begun = time.monotonic()
            sent = http.post(
                "/chat/messages", json={"id": uuid.uuid4().hex, "text": text}, headers={"Origin": house.base}
            )
            sent.raise_for_status()
            seen, at = _first_reply(http, seen)
            took.append(at - begun)
            time.sleep(0.05)  # let the rest of the answer arrive
    return took


def _first_reply(http: httpx.Client, seen: int) -> tuple[int, float]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        messages = http.get("/chat/messages", params={"after": seen}).json()["messages"]
        at = time.monotonic()
        if any(message["author"] != "member" for message in messages):
            return max(int(message["seq"]) for message in messages), at
        time.sleep(0.004)
    raise AssertionError("no reply in 30 s")


if __name__ == "__main__":
    main()
