"""All processes on loopback, a real browser: a visit is booked, a check-in answered, and a carer takes over."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.running import PASSWORD, Running, a_running_house, web_account

pytestmark = [pytest.mark.rasa, pytest.mark.browser]
ZONE = ZoneInfo("Asia/Shanghai")
WAIT_MS = 30_000


@pytest.fixture(scope="module")
def evening() -> datetime:
    """Twenty past six in the evening, where the clinic is."""
    return datetime.now(ZONE).replace(hour=18, minute=20, second=0, microsecond=0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, evening: datetime) -> Iterator[Running]:
    shift = int((evening - datetime.now(ZONE)) / timedelta(seconds=1))
    with a_running_house(
        tmp_path_factory.mktemp("house"), clock_shift=f"{'-' if shift < 0 else ''}PT{abs(shift)}S"
    ) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(WAIT_MS)
        yield page
        chromium.close()


def say(page: Page, text: str, then: str) -> None:
    page.fill("#input", text)
    page.press("#input", "Enter")
    page.get_by_text(then).last.wait_for()


def test_a_visitor_books_a_visit_in_the_web_chat(house: Running, browser: Page) -> None:
    browser.goto(f"{house.base}/chat")
    say(browser, "我想约口腔检查", "您看哪个合适")
    say(browser, "第一个", "约定了吗")
    browser.get_by_role("button", name="对，约定").last.click()
    browser.get_by_text("约好了").last.wait_for()
    say(browser, "13812345678", "尾号 5678")

    with house.api() as api:
        (member,) = api.get("/members", params={"phone": "13812345678"}).json()
        booked = api.get("/appointments", params={"member_id": member["id"]}).json()
    assert [visit["service"] for visit in booked] == ["checkup"]


def test_a_carer_takes_over_after_bleeding_on_the_evening_of_an_implant(
    house: Running, browser: Page, evening: datetime
) -> None:
    cookie = secrets.token_urlsafe(32)
    with house.api() as api:
        member = api.post("/members", json={"name": "周桂芬", "title": "女士", "phone": "13911112222"}).json()
        api.post(
            f"/members/{member['id']}/identities", json={"channel": "web", "external_id": web_account(cookie)}
        ).raise_for_status()
        api.post(
            "/treatments",
            json={
                "member_id": member["id"],
                "kind": "implant",
                "practitioner": "wang_jianguo",
                "clinic": "xihu",
                "ended_at": evening.replace(hour=11).astimezone(UTC).isoformat(),
            },
        ).raise_for_status()
    browser.context.add_cookies([{"name": "anxin_chat", "value": cookie, "url": house.base}])
    browser.goto(f"{house.base}/chat")

    browser.get_by_text("最疼的时候大概几分").last.wait_for()
    browser.get_by_role("button", name="3", exact=True).last.click()
    browser.get_by_text("还有血吗").last.wait_for()
    say(browser, "血一直流，止不住", "分钟内")

    with house.api() as api:
        cases = api.get("/cases").json()
    assert any(case["level"] == "L1" and case["member_id"] == member["id"] for case in cases)

    chromium = browser.context.browser
    assert chromium is not None
    desk = chromium.new_page(viewport={"width": 1280, "height": 800})
    desk.set_default_timeout(WAIT_MS)
    desk.goto(f"{house.base}/console")
    desk.fill("input[name=login]", "lijing")
    desk.fill("input[name=password]", PASSWORD)
    desk.press("input[name=password]", "Enter")
    desk.get_by_text("周桂芬").first.click()
    desk.get_by_role("button", name="接管").first.click()
    desk.fill("#text", "周女士，我是李静，正在给您打电话。")
    desk.press("#text", "Enter")
    browser.get_by_text("我是李静，正在给您打电话").last.wait_for()

    browser.fill("#input", "好的，我等着")
    browser.press("#input", "Enter")
    desk.get_by_text("好的，我等着").last.wait_for()
    with house.api() as api:
        said = api.get(f"/members/{member['id']}/messages").json()["messages"]
    taken = next(n for n, message in enumerate(said) if message["author"] == "carer")
    assert not [message for message in said[taken:] if message["author"] in {"bot", "check_in", "reminder"}]


def test_nothing_of_a_member_stands_in_the_logs(house: Running) -> None:
    logs = "".join(path.read_text() for path in Path(house.folder / "var" / "logs").glob("*.log"))

    assert "周桂芬" not in logs
    assert "13911112222" not in logs
    assert "止不住" not in logs
