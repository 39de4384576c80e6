"""The supervisor: Rasa, the action server, the application and the scheduler, started together and stopped together.

Each part is a process of its own. One that ends by itself is started again with a growing pause; when it keeps
ending, or when somebody presses Ctrl-C, all are stopped within ten seconds.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from care.settings import ROOT, Settings, inherited_environment

STOP_WITHIN_S = 10.0
HEALTHY_WITHIN_S = 120.0
RESTARTS = 5
MODEL = "anxin.tar.gz"


class CannotStart(Exception):
    """Something needed is missing or in the way; the message says what to do."""


#: A message is a small product of matrices; threads of several processes that share it only wait for one another.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(slots=True)
class Part:
    """One process of the house."""

    name: str
    command: Sequence[str]
    healthy: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0


def rasa_python() -> Path:
    """Return Rasa's own interpreter.

    Raises:
        CannotStart: if its environment is not there or only half built.
    """
    python = ROOT / "rasa-env" / ".venv" / "bin" / "python"
    rasa = python.with_name("rasa")
    if not python.exists() or not rasa.exists():
        raise CannotStart(
            "Rasa 的环境没有建好，或只建了一半（rasa-env/.venv）。请运行：rm -f .tools/ready && make setup"
        )
    return python


def parts(settings: Settings) -> list[Part]:
    """Return what has to run, in the order in which it is needed."""
    model = settings.model_dir / MODEL
    if not model.exists():
        raise CannotStart(f"还没有训练好的对话模型（{model.name}）。请运行：make train")
    anxin = [sys.executable, "-m", "anxin"]
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SANIC_HOST": "127.0.0.1"}
    rasa = [
        str(rasa_python().with_name("rasa")),
        "run",
        "--model",
        str(model),
        "--interface",
        "127.0.0.1",
        "--port",
        str(settings.rasa_port),
        "--endpoints",
        str(_endpoints(settings)),
        "--credentials",
        str(ROOT / "credentials.yml"),
        "--log-file",
        str(log_folder(settings) / "rasa-own.log"),
    ]
    return [
        Part("Rasa 对话模型", rasa, _answers(f"{settings.rasa_url}/"), quiet | {"LOG_LEVEL": "WARNING"}),
        Part("动作服务", [*anxin, "run", "actions"], _answers(f"{settings.actions_url}/health"), quiet),
        Part("应用", [*anxin, "run", "web"], _answers(f"http://{settings.host}:{settings.port}/healthz")),
        Part("日程", [*anxin, "run", "scheduler"], lambda: True),
    ]


def refuse_busy_ports(settings: Settings) -> None:
    """Refuse to start beside something else.

    Raises:
        CannotStart: naming the port and the setting that moves it.
    """
    for setting, port in (
        ("ANXIN_PORT", settings.port),
        ("ANXIN_RASA_PORT", settings.rasa_port),
        ("ANXIN_ACTIONS_PORT", settings.actions_port),
    ):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as busy:
                raise CannotStart(
                    f"端口 {port} 已经被占用。请先关掉占用它的程序，"
                    f"或换一个端口，例如：{setting}={port + 1} make demo"
                ) from busy


def log_folder(settings: Settings) -> Path:
    """Return where the processes write their logs."""
    folder = settings.data_dir.parent / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Supervisor:
    """Starts, watches and stops the parts."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._parts = parts(settings)
        self._stopping = threading.Event()

    def run(self, ready: Callable[[], None]) -> int:
        """Start everything, call `ready` when all are healthy, and stay until told to stop.

        Returns:
            The exit code: 0 after Ctrl-C or SIGTERM, 1 when a part could not be kept alive.
        """
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: self._stopping.set())
        try:
            for part in self._parts:
                self._start(part)
            if not self._wait_until_healthy():
                return 0 if self._stopping.is_set() else 1
            ready()
            return self._watch()
        finally:
            self._stop()

    def _start(self, part: Part) -> None:
        name = part.command[-1] if part.command[-2] == "run" else "rasa"
        with (log_folder(self._settings) / f"{name}.log").open("ab") as log:
            part.process = subprocess.Popen(  # noqa: S603 - our own commands
                part.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env=inherited_environment() | ONE_THREAD | {"PYTHONUNBUFFERED": "1"} | part.environment,
                start_new_session=True,
            )

    def _wait_until_healthy(self) -> bool:
        waiting = list(self._parts)
        begun = time.monotonic()
        while waiting and not self._stopping.wait(0.25):
            for part in list(waiting):
                if part.process is not None and part.process.poll() is not None:
                    self._say(f"✗ {part.name} 没能启动，原因见 {log_folder(self._settings)}")
                    return False
                if part.healthy():
                    waiting.remove(part)
                    self._say(f"✓ {part.name}（{time.monotonic() - begun:.1f} 秒）")
            if time.monotonic() - begun > HEALTHY_WITHIN_S:
                names = "、".join(part.name for part in waiting)
                self._say(f"✗ {names} 两分钟内没有就绪，原因见 {log_folder(self._settings)}")
                return False
        return not self._stopping.is_set()

    def _watch(self) -> int:
        while not self._stopping.wait(1.0):
            for part in self._parts:
                if part.process is None or part.process.poll() is None:
                    continue
                part.restarts += 1
                if part.restarts > RESTARTS:
                    self._say(f"✗ {part.name} 反复退出，全部停止，原因见 {log_folder(self._settings)}")
                    return 1
                self._say(f"… {part.name} 退出了，正在重新启动（第 {part.restarts} 次）")
                if self._stopping.wait(min(2.0**part.restarts, 30.0)):
                    break
                self._start(part)
        return 0

    def _stop(self) -> None:
        running = [part for part in self._parts if part.process is not None and part.process.poll() is None]
        for part in running:
            _signal(part, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for part in running:
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(part, signal.SIGKILL)
                part.process.wait()


def _signal(part: Part, number: signal.Signals) -> None:
    if part.process is None:
        return
    try:
        os.killpg(part.process.pid, number)
    except ProcessLookupError:
        return


def _answers(url: str) -> Callable[[], bool]:
    def healthy() -> bool:
        try:
            return httpx.get(url, timeout=1.0, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return healthy


def _endpoints(settings: Settings) -> Path:
    """Write Rasa's endpoints with the configured action port; the shipped file has the default one."""
    path = settings.data_dir.parent / "endpoints.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"action_endpoint:\n  url: {settings.actions_url}/webhook\n  enable_selective_domain: true\n")
    return path
