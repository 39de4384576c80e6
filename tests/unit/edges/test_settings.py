"""Settings that make no sense are refused before anything starts, and say which."""

from __future__ import annotations

from pathlib import Path

import pytest

from care.settings import SettingsRefused, load_settings


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("ANXIN_PORT", "80", "ANXIN_PORT"),
        ("ANXIN_PORT", "many", "ANXIN_PORT"),
        ("ANXIN_RASA_PORT", "8000", "must differ"),
        ("ANXIN_ZONE", "Asia/Hangzhou-West", "time zone"),
        ("ANXIN_ENVIRONMENT", "production", "api_token"),
        ("ANXIN_TELEGRAM_MODE", "polling", "telegram_token"),
        ("ANXIN_HOLD_FOR", "-PT1M", "hold_for"),
        ("ANXIN_WORKERS", "0", "ANXIN_WORKERS"),
        ("ANXIN_RASA_TIMEOUT_S", "0", "ANXIN_RASA_TIMEOUT_S"),
    ],
)
def test_nonsense_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsRefused, match=complaint):
        load_settings()


def test_a_webhook_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANXIN_TELEGRAM_MODE", "webhook")
    monkeypatch.setenv("ANXIN_TELEGRAM_TOKEN", "1:secret-token")

    with pytest.raises(SettingsRefused) as refused:
        load_settings()

    assert "telegram_secret" in str(refused.value)
    assert "secret-token" not in str(refused.value)


def test_a_key_beside_the_data_it_protects_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANXIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ANXIN_KEY_FILE", str(tmp_path / "data" / "key.json"))

    with pytest.raises(SettingsRefused, match="backup"):
        load_settings()
