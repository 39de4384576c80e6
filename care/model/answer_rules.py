"""Placeholder until the real module lands."""

from typing import Any


def __getattr__(name: str) -> Any:
    return type(name, (), {})
