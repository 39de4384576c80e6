"""Reply latency and throughput through the whole chain: web chat in, outbox out.

Runs the house twice in one go on the same data: with the shipped pipeline and with Rasa's stock one (DIET and TED),
and prints both beside each other. The stock models are trained for 30 epochs instead of 100: how long they take to
answer does not depend on it, and a comparison of speed should not take half an hour. Run it alone: `make bench`.
"""

from __future__ import annotations

import json
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
PAUSE_S = 0.15  # silence after which an answer is whole
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
    dialogue_ms: float  # median of the dialogue model alone
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
    names = ("start s", "Rasa ms", "p50 ms", "p95 ms", "msg/s", "Rasa MiB", "all MiB")
    print(f"{'':10}" + "".join(f"{name:>10}" for name in names))
    for name, one in (("shipped", ours), ("stock", stock)):
        values = (one.start_s, one.dialogue_ms, *_latency(one.alone), one.rate, one.rasa_mib, one.all_mib)
        print(f"{name:10}" + "".join(f"{value:10.1f}" for value in values))
    (p50, p95), (stock_p50, stock_p95) = _latency(ours.alone, same), _latency(stock.alone, same)
    print(f"stock / shipped where both answered alike ({len(same)} of {len(SENTENCES)} messages):")
    print(
        f"dialogue alone {stock.dialogue_ms:.1f} / {ours.dialogue_ms:.1f} ms = {stock.dialogue_ms / ours.dialogue_ms:.1f}x"
    )
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
        dialogue_ms = _dialogue_alone(house)
        alone = [one for _ in range(VISITORS) for one in _talk(house, ROUNDS)]
        begun = time.monotonic()
        with ThreadPoolExecutor(CROWD) as crowd:
            crowded = [one for talk in crowd.map(lambda _: _talk(house, ROUNDS), range(CROWD)) for one in talk]
        rate = len(crowded) / (time.monotonic() - begun)
        memory = house.rss_mib()
        return Measured(house.ready_after_s, dialogue_ms, alone, rate, memory.get("rasa", 0.0), sum(memory.values()))


def _dialogue_alone(house: Running) -> float:
    """Return the median milliseconds of the dialogue model for messages that need no action of ours."""
    took = []
    with httpx.Client(base_url=house.rasa, timeout=30, trust_env=False) as http:
        for number in range(60):
            body: dict[str, object] = {
                "sender": uuid.uuid4().hex,
                "message": ("你好", "谢谢", "你能做什么")[number % 3],
                "metadata": {},
            }
            begun = time.monotonic()
            http.post("/webhooks/rest/webhook", json=body).raise_for_status()
            took.append((time.monotonic() - begun) * 1000)
    return statistics.median(took[6:])


class Page:
    """An open chat page: listens to the stream as the browser does, so that waiting costs the house nothing."""

    def __init__(self, base: str) -> None:
        self.http = httpx.Client(base_url=base, timeout=60, trust_env=False)
        self.http.get("/chat").raise_for_status()
        self.heard: queue.Queue[tuple[float, dict[str, object]]] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._closing = threading.Event()
        self._thread.start()

    def _listen(self) -> None:
        with suppress(httpx.HTTPError), self.http.stream("GET", "/chat/events", params={"after": 0}) as stream:
            kind = ""
            for line in stream.iter_lines():
                if self._closing.is_set():
                    return
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "message":
                    self.heard.put((time.monotonic(), json.loads(line[6:])))

    def say(self, text: str) -> Answered:
        """Say something; return how it was answered, once the whole answer is there."""
        begun = time.monotonic()
        message = {"id": uuid.uuid4().hex, "text": text}
        self.http.post("/chat/messages", json=message, headers={"Origin": str(self.http.base_url).rstrip("/")})
        first, last = 0.0, ""
        while True:
            try:
                at, heard = self.heard.get(timeout=PAUSE_S if first else 30)
            except queue.Empty:
                return Answered(text, first - begun, last[:6])
            if heard["author"] != "member":
                first, last = first or at, str(heard["text"])

    def close(self) -> None:
        """Leave the page."""
        self._closing.set()


def _talk(house: Running, count: int) -> list[Answered]:
    """Say `count` things as one visitor and return how each was answered."""
    page = Page(house.base)
    answered = [page.say(SENTENCES[number % len(SENTENCES)]) for number in range(count)]
    page.close()
    return answered


if __name__ == "__main__":
    main()
