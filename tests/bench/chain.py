"""Reply latency and throughput through the whole chain: web chat in, outbox out.

Runs the house twice in one go on the same data: with the shipped pipeline and with Rasa's stock one (DIET and TED),
and prints both beside each other. The stock models are trained for 30 epochs instead of 100: how long they take to
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
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.running import ROOT, Running, a_running_house

SENTENCES = (
    "我想约洗牙",
    "算了先不约了",
    "你们周末开门吗",
    "种牙多少钱",
    "有没有擅长看小孩的医生",
    "你好",
    "拔智齿疼不疼",
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
    epochs: 30
    constrain_similarities: true
  - name: EntitySynonymMapper
  - name: ResponseSelector
    epochs: 30
  - name: FallbackClassifier
    threshold: 0.3
    ambiguity_threshold: 0.1
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
  - name: UnexpecTEDIntentPolicy
    max_history: 5
    epochs: 30
  - name: TEDPolicy
    max_history: 5
    epochs: 30
    constrain_similarities: true
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """One message: what was said, how long the first word took in seconds, and what kind of answer it was."""

    said: str
    took_s: float
    answer: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One pipeline: start-up, answers one at a time, messages a second in a crowd, memory in MiB."""

    start_s: float
    alone: list[Answered]
    rate: float
    rasa_mib: float
    all_mib: float


def main() -> None:
    """Measure both and print the comparison."""
    with tempfile.TemporaryDirectory() as raw:
        folder = Path(raw)
        stock_model = _train_stock(folder)
        ours = _measure(folder / "ours")
        stock = _measure(folder / "stock", model_dir=str(stock_model))
    same = {one.said for one in ours.alone} & _answered_alike(ours.alone, stock.alone)
    names = ("start s", "p50 ms", "p95 ms", "msg/s", "Rasa MiB", "all MiB")
    print(f"{'':10}" + "".join(f"{name:>10}" for name in names))
    for name, one in (("shipped", ours), ("stock", stock)):
        values = (one.start_s, *_latency(one.alone), one.rate, one.rasa_mib, one.all_mib)
        print(f"{name:10}" + "".join(f"{value:10.1f}" for value in values))
    (p50, p95), (stock_p50, stock_p95) = _latency(ours.alone, same), _latency(stock.alone, same)
    print(f"stock / shipped where both answered alike ({len(same)} of {len(SENTENCES)} messages):")
    print(f"p50 {stock_p50:.1f} / {p50:.1f} ms = {stock_p50 / p50:.1f}x, p95 {stock_p95:.1f} / {p95:.1f} ms")


def _answered_alike(ours: list[Answered], theirs: list[Answered]) -> set[str]:
    """Return the messages to which both gave the same kind of answer; work that differs is not compared."""
    mine = {(one.said, one.answer) for one in ours}
    return {one.said for one in theirs if (one.said, one.answer) in mine}


def _latency(answers: list[Answered], only: set[str] | None = None) -> tuple[float, float]:
    """Return median and 95th percentile in milliseconds."""
    took = [one.took_s * 1000 for one in answers if only is None or one.said in only]
    if len(took) < 2:
        return float("nan"), float("nan")
    return statistics.median(took), statistics.quantiles(took, n=20)[18]


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


def _measure(folder: Path, **settings: str) -> Measured:
    folder.mkdir()
    with a_running_house(folder, **settings) as house:
        _talk(house, 3)  # warm
        alone = [one for _ in range(VISITORS) for one in _talk(house, ROUNDS)]
        begun = time.monotonic()
        with ThreadPoolExecutor(CROWD) as crowd:
            crowded = [one for talk in crowd.map(lambda _: _talk(house, ROUNDS), range(CROWD)) for one in talk]
        rate = len(crowded) / (time.monotonic() - begun)
        memory = house.rss_mib()
        return Measured(house.ready_after_s, alone, rate, memory.get("rasa", 0.0), sum(memory.values()))


def _talk(house: Running, count: int) -> list[Answered]:
    """Say `count` things as one visitor and return how each was answered."""
    answered = []
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
            at = _first_reply(http, seen)
            time.sleep(0.25)  # let the rest of the answer arrive
            seen, last = _rest(http, seen)
            answered.append(Answered(text, at - begun, last[:6]))
    return answered


def _first_reply(http: httpx.Client, seen: int) -> float:
    """Return when the first word of the answer was there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        messages = http.get("/chat/messages", params={"after": seen}).json()["messages"]
        if any(message["author"] != "member" for message in messages):
            return time.monotonic()
        time.sleep(0.004)
    raise AssertionError("no reply in 30 s")


def _rest(http: httpx.Client, seen: int) -> tuple[int, str]:
    """Return the number and the words of the last thing said."""
    messages = http.get("/chat/messages", params={"after": seen}).json()["messages"]
    return max(int(message["seq"]) for message in messages), str(messages[-1]["text"])


if __name__ == "__main__":
    main()
