"""The carers' desk seen: light and dark, phone to screen, fitting, readable, every control with a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from care.bootstrap import House
from care.model.case import CaseLevel
from tests.staff_edge import (
    Desk,
    a_clinic,
    a_desk,
    owes,
    somebody,
    writes,
)
from tests.staff_page import a_browser, come_in, complaints, listen

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const channels = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith("color(srgb") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(channels(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const PASSED = ".unseen, :disabled, svg, script, noscript";
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!words || !element.checkVisibility() || element.closest(PASSED)) continue;
    if (element.getBoundingClientRect().width < 2) continue;
    const behind = ground(element), ink = over(channels(getComputedStyle(element).color), behind);
    const [high, low] = [light(behind), light(ink)].sort((a, b) => b - a);
    const ratio = (high + .05) / (low + .05);
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className} ${words}`);
  }
  return weak;
}"""
SIDEWAYS = """() => [...document.querySelectorAll(".list-body, .scroll, .context-body, .dialog")]
  .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.className)"""
NAMELESS = """() => [...document.querySelectorAll("button, a[href], input, select, textarea, [tabindex='0']")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.labels?.length
    || e.textContent.trim()))
  .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as started:
        yield started


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_clinic(tmp_path) as made:
        yield made


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    with a_desk(house) as served:
        yield served


@pytest.fixture
def noise() -> list[str]:
    """What the page complained of."""
    return []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1280, 800)])
def test_it_fits_can_be_read_and_every_control_has_a_name(
    house: House, browser: Browser, desk: Desk, noise: list[str], scheme: str, width: int, height: int
) -> None:
    gasps, calm = somebody(house, "王秀兰", "13800001001"), somebody(house, "陈志远")
    writes(house, gasps, "我有点喘不上气" * 12)
    for level in (CaseLevel.L1, CaseLevel.K2, CaseLevel.W1):
        owes(house, calm, level)
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    listen(page, noise)
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        page.wait_for_timeout(250)  # what slides in has arrived
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate(SIDEWAYS) == [], name
        found[name] = page.evaluate(CONTRAST) + page.evaluate(NAMELESS)

    page.goto(f"{desk.base}/console/login")
    look("login")
    come_in(page, desk)
    expect(page.locator(".card")).to_have_count(2)
    look("list")
    page.evaluate(f"location.hash = '#/c/{gasps.id}'")
    expect(page.locator("#lock button")).to_be_visible()
    look("thread")
    page.evaluate(f"location.hash = '#/c/{calm.id}/info'")
    expect(page.locator(".case")).to_have_count(3)
    look("context")
    page.evaluate(f"location.hash = '#/c/{gasps.id}'")
    page.click("#tab-note")
    look("note")
    page.click("#tab-reply")
    page.locator("#lock button").click()
    page.locator("#hand-back").click()
    page.click("dialog button[type=submit]")
    look("hand back")
    context.close()

    assert {name: problems for name, problems in found.items() if problems} == {}
    assert complaints(noise) == []


def test_on_a_phone_one_pane_at_a_time_and_back_goes_back(house: House, browser: Browser, desk: Desk) -> None:
    conversation = somebody(house)
    owes(house, conversation, CaseLevel.W1)
    page = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).new_page()
    come_in(page, desk)
    panes = {name: page.locator(f".pane.{name}") for name in ("list", "thread", "context")}

    def shown() -> list[str]:
        return [name for name, pane in panes.items() if pane.is_visible()]

    seen = [shown()]
    page.locator(".card").tap()
    expect(page.locator("#composer")).to_be_visible()
    seen.append(shown())
    page.locator("#panel").tap()
    expect(page.locator(".case")).to_be_visible()
    seen.append(shown())
    page.go_back()
    expect(page.locator("#composer")).to_be_visible()
    page.locator(".back").tap()
    expect(page.locator(".card")).to_be_visible()
    seen.append(shown())

    assert seen == [["list"], ["thread"], ["context"], ["list"]]
    page.context.close()
