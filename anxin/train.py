"""Training the dialogue model, when and only when what it learns from has changed."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from anxin.up import MODEL, CannotStart, rasa_python
from care.settings import ROOT, Settings, inherited_environment

QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "LOG_LEVEL": "WARNING"}


def sources() -> Iterator[Path]:
    """Yield every file the model depends on, in a stable order."""
    yield ROOT / "config.yml"
    yield ROOT / "domain.yml"
    yield ROOT / "rasa-env" / "uv.lock"
    for folder in ("data", "rasa_components"):
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in {".yml", ".py", ".txt"})


def fingerprint() -> str:
    """Return the content hash of everything the model depends on."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_fresh(settings: Settings) -> bool:
    """Whether the trained model belongs to the data as it is now."""
    stamp = settings.model_dir / "anxin.fingerprint"
    return (settings.model_dir / MODEL).exists() and stamp.exists() and stamp.read_text() == fingerprint()


def train(settings: Settings, say: Callable[[str], None]) -> bool:
    """Train unless the model is fresh; return whether anything was trained.

    Raises:
        CannotStart: if Rasa's environment is missing or training failed; the log's place is named.
    """
    if is_fresh(settings):
        say("✓ 对话模型是最新的，无需训练")
        return False
    rasa = rasa_python().with_name("rasa")
    settings.model_dir.mkdir(parents=True, exist_ok=True)
    log = settings.model_dir / "training.log"
    say("… 正在训练对话模型，大约需要一分钟")
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 - our own command
            [
                str(rasa),
                "train",
                "--fixed-model-name",
                MODEL.removesuffix(".tar.gz"),
                "--out",
                str(settings.model_dir),
            ],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=inherited_environment() | QUIET,
            check=False,
        )
    if done.returncode != 0:
        raise CannotStart(f"训练没有成功，原因见 {log}")
    (settings.model_dir / "anxin.fingerprint").write_text(fingerprint())
    say("✓ 对话模型训练完成")
    return True
