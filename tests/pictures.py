"""The pictures of the README, taken from the running product: `make pictures`."""

from __future__ import annotations

import secrets
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, sync_playwright

from tests.running import PASSWORD, ROOT, Running, a_running_house, web_account

ZONE = ZoneInfo("Asia/Shanghai")
FOLDER = ROOT / "docs" / "pictures"


def main() -> None:
    """Start the house on an evening, let somebody book and somebody bleed, and take both pictures."""
    evening = datetime.now(ZONE).replace(hour=18, minute=20, second=0, microsecond=0)
    shift = int((evening - datetime.now(ZONE)) / timedelta(seconds=1))
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as raw, sync_playwright() as playwright:
        sign = "-" if shift < 0 else ""
        with a_running_house(Path(raw), clock_shift=f"{sign}PT{abs(shift)}S") as house:
            chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            _book(chromium, house)
            _bleed(chromium, house, evening)
            _take_over(chromium, house)
            chromium.close()


def _book(chromium: Browser, house: Running) -> None:
    page = chromium.new_page(
        viewport={"width": 390, "height": 780}, device_scale_factor=1.5, timezone_id="Asia/Shanghai", locale="zh-CN"
    )
    page.goto(f"{house.base}/chat")
    _say(page, "你好，想约洗牙，周末都行", "您看哪个合适")
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / "chat.png")
    page.close()


def _bleed(chromium: Browser, house: Running, evening: datetime) -> None:
    cookie = secrets.token_urlsafe(32)
    with house.api() as api:
        member = api.post("/members", json={"name": "周桂芬", "title": "女士", "phone": "13911112222"}).json()
        account = {"channel": "web", "external_id": web_account(cookie)}
        api.post(f"/members/{member['id']}/identities", json=account).raise_for_status()
        ended = evening.replace(hour=11).astimezone(UTC).isoformat()
        treatment = {"member_id": member["id"], "kind": "implant", "practitioner": "wang_jianguo", "clinic": "xihu"}
        api.post("/treatments", json=treatment | {"ended_at": ended}).raise_for_status()
    page = chromium.new_page(viewport={"width": 390, "height": 780})
    page.context.add_cookies([{"name": "anxin_chat", "value": cookie, "url": house.base}])
    page.goto(f"{house.base}/chat")
    page.get_by_text("最疼的时候大概几分").last.wait_for()
    page.get_by_role("button", name="3", exact=True).last.click()
    page.get_by_text("还有血吗").last.wait_for()
    _say(page, "纱布咬了四十分钟，血还是止不住", "分钟内")
    page.close()


def _take_over(chromium: Browser, house: Running) -> None:
    desk = chromium.new_page(viewport={"width": 1280, "height": 780}, timezone_id="Asia/Shanghai", locale="zh-CN")
    desk.goto(f"{house.base}/console")
    desk.fill("input[name=login]", "lijing")
    desk.fill("input[name=password]", PASSWORD)
    desk.press("input[name=password]", "Enter")
    desk.get_by_text("周桂芬").first.click()
    desk.get_by_role("button", name="接管").first.click()
    desk.fill("#text", "周女士，我是李静。护士赵敏正在给您打电话，我在这儿陪着您。")
    desk.press("#text", "Enter")
    desk.wait_for_timeout(2500)
    desk.screenshot(path=FOLDER / "console.png")
    desk.close()


def _say(page: Page, text: str, then: str) -> None:
    page.fill("#input", text)
    page.press("#input", "Enter")
    page.get_by_text(then).last.wait_for()


if __name__ == "__main__":
    main()
