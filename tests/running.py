"""The whole house on loopback, for end-to-end tests and benchmarks: started, waited for, stopped."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 150
PASSWORD = "a-long-demo-password"


@dataclass(slots=True)
class Running:
    """A running house."""

    base: str
    token: str
    process: subprocess.Popen[bytes]
    ready_after_s: float
    folder: Path
    rasa: str  # where the dialogue model listens

    def api(self) -> httpx.Client:
        """Return a client of the REST interface."""
        return httpx.Client(
            base_url=f"{self.base}/api/v1",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=20,
            trust_env=False,
        )

    def rss_mib(self) -> dict[str, float]:
        """Return resident memory of each process below the supervisor, in MiB."""
        found: dict[str, float] = {}
        for proc in Path("/proc").glob("[0-9]*"):
            try:
                command = (proc / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                status = (proc / "status").read_text()
                environ = (proc / "environ").read_bytes()
            except OSError:
                continue
            if f"ANXIN_API_TOKEN={self.token}".encode() not in environ:
                continue
            pages = next((line for line in status.splitlines() if line.startswith("VmRSS")), "VmRSS: 0 kB")
            name = next(
                (n for n in ("rasa", "web", "actions", "scheduler") if f" {n}" in command or f"/{n} " in command),
                "up",
            )
            found[name] = found.get(name, 0) + int(pages.split()[1]) / 1024
        return found


def free_ports(count: int) -> list[int]:
    """Return loopback ports nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def web_account(cookie: str) -> str:
    """Return the channel account of a web visitor with this cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()


@contextmanager
def a_running_house(folder: Path, **settings: str) -> Iterator[Running]:
    """Start every process on free ports with its data in `folder`, and stop them afterwards."""
    port, rasa, actions = free_ports(3)
    token = secrets.token_hex(20)
    environment = os.environ | {
        "ANXIN_PORT": str(port),
        "ANXIN_RASA_PORT": str(rasa),
        "ANXIN_ACTIONS_PORT": str(actions),
        "ANXIN_DATA_DIR": str(folder / "var" / "data"),
        "ANXIN_KEY_FILE": str(folder / "var" / "keys" / "master.json"),
        "ANXIN_API_TOKEN": token,
        "RASA_TELEMETRY_ENABLED": "false",
        **{f"ANXIN_{name.upper()}": value for name, value in settings.items()},
    }
    anxin = [sys.executable, "-m", "anxin"]
    subprocess.run([*anxin, "demo-data", "--password", PASSWORD], check=True, cwd=ROOT, env=environment)
    begun = time.monotonic()
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen([*anxin, "up"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}"
        _wait(process, folder)
        yield Running(base, token, process, time.monotonic() - begun, folder, f"http://127.0.0.1:{rasa}")
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        said = (folder / "up.log").read_text()
        if "安心已就绪" in said:
            return
        if process.poll() is not None:
            raise AssertionError(f"the house did not start:\n{said}\n{_logs(folder)}")
        time.sleep(0.2)
    raise AssertionError(f"the house was not ready in {READY_WITHIN_S} s:\n{_logs(folder)}")


def _logs(folder: Path) -> str:
    logs = sorted((folder / "var" / "logs").glob("*.log"))
    return "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}" for path in logs)
