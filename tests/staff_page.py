"""A browser before the carers' console, for tests that look at it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.staff_edge import PASSWORD, Desk

_EXPECTED = re.compile(r"status of 401|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING")


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Start headless Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("Chromium is missing: run `make test`, which installs it, or apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def complaints(noise: list[str]) -> list[str]:
    """Return what a page complained of that nobody expects: not the refusals and broken lines tests bring about."""
    return [line for line in noise if not _EXPECTED.search(line)]


def listen(page: Page, noise: list[str]) -> None:
    """Collect what the page complains of."""
    page.set_default_timeout(8_000)
    page.on("console", lambda said: noise.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: noise.append(str(error)))


def come_in(page: Page, desk: Desk, login: str = "lijing") -> None:
    """Log in by hand and wait for the live line."""
    page.goto(f"{desk.base}/console/login")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator("#line-state-words")).to_have_text("实时")
