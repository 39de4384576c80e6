"""The carers' desk in a real browser: hands, keys, a broken line, a phone, and eyes that need contrast."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from care.bootstrap import House
from care.model.case import CaseLevel
from care.model.conversation import Conversation
from care.model.message import Author
from tests.staff_edge import (
    PASSWORD,
    Desk,
    a_clinic,
    a_desk,
    clock_of,
    delivered,
    dialogue_of,
    owes,
    received,
    reread,
    said,
    somebody,
    writes,
)
from tests.staff_page import a_browser, come_in, complaints, listen

pytestmark = pytest.mark.browser


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


@pytest.fixture
def page(browser: Browser, desk: Desk, noise: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    page = context.new_page()
    listen(page, noise)
    yield page
    context.close()
    assert complaints(noise) == []


def opened(page: Page, desk: Desk, conversation: Conversation) -> Locator:
    """Come in, open the conversation, and return the place to write."""
    come_in(page, desk)
    page.evaluate(f"location.hash = '#/c/{conversation.id}'")
    expect(page.locator("#composer")).to_be_visible()
    return page.locator("#text")


def bubbles(page: Page) -> Locator:
    return page.locator(".line .bubble")


def test_a_wrong_password_is_told_and_the_login_stays(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.base}/console/login")
    page.fill("#login", "lijing")
    page.fill("#password", "not-the-password")
    page.press("#password", "Enter")

    expect(page.get_by_role("alert")).to_have_text("账号或密码不对")
    expect(page.locator("#login")).to_have_value("lijing")
    expect(page.locator("#password")).to_be_focused()


def test_the_way_in_needs_no_script(browser: Browser, desk: Desk) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{desk.base}/console/login")
    page.fill("#login", "lijing")
    page.fill("#password", PASSWORD)
    page.click("button")

    assert page.url == f"{desk.base}/console"
    context.close()


def test_a_carer_takes_over_writes_and_hands_back(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    writes(house, conversation, "伤口有点疼")
    owes(house, conversation, CaseLevel.W1)
    text = opened(page, desk, conversation)
    expect(text).to_be_hidden()

    page.click("#lock button")
    expect(text).to_be_focused()
    page.keyboard.type("您好，我是李静")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("现在疼几分？")
    page.keyboard.press("Enter")

    expect(bubbles(page).last).to_have_text("您好，我是李静\n现在疼几分？")
    expect(text).to_have_value("")
    assert delivered(house)[-1] == "您好，我是李静\n现在疼几分？"
    expect(page.locator(".after.sent").last).to_have_text("已发送")

    page.click("#hand-back")
    page.click("dialog button[type=submit]")
    expect(page.locator("#outcome-wrong")).to_be_visible()
    page.fill("#outcome", "疼 3 分")
    page.fill("#next-step", "明早再问")
    page.click("dialog button[type=submit]")

    expect(page.locator("#take-over")).to_be_visible()
    expect(page.locator(".line.note .bubble")).to_have_text("疼 3 分\n下一步：明早再问")
    assert reread(house, conversation).owned_by_bot


def test_half_a_word_is_never_sent(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    text = opened(page, desk, conversation)
    page.click("#lock button")
    expect(text).to_be_focused()
    keys: CDPSession = page.context.new_cdp_session(page)

    keys.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 13})
    page.wait_for_timeout(150)
    written_while_composing = [message for message in said(house, conversation) if message.author is Author.CARER]
    keys.send("Input.insertText", {"text": "你好"})
    # Some browsers end the composition first and report its Enter afterwards, as key 229.
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    page.wait_for_timeout(150)
    written_after_229 = [message for message in said(house, conversation) if message.author is Author.CARER]
    before_sending = text.input_value()
    page.keyboard.press("Enter")

    expect(page.locator(".line.carer .bubble")).to_have_text("你好")
    assert written_while_composing == written_after_229 == []
    assert before_sending == "你好"


def test_a_note_looks_unlike_a_reply_and_never_leaves(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    text = opened(page, desk, conversation)
    panel = page.locator("#write-panel")
    before = panel.evaluate("(e) => getComputedStyle(e).backgroundColor")

    page.keyboard.press("Alt+p")
    expect(text).to_be_focused()
    page.keyboard.type("家属来过电话")
    after = panel.evaluate("(e) => getComputedStyle(e).backgroundColor")
    page.keyboard.press("Enter")

    expect(page.locator(".line.note .bubble")).to_have_text("家属来过电话")
    assert before != after
    assert delivered(house) == []


def test_a_draft_waits_in_its_own_conversation(house: House, page: Page, desk: Desk) -> None:
    first, second = somebody(house, "王秀兰"), somebody(house, "陈志远")
    text = opened(page, desk, first)
    page.click("#lock button")
    expect(text).to_be_focused()
    page.keyboard.type("还没写完")

    page.evaluate(f"location.hash = '#/c/{second.id}'")
    expect(page.locator("#head-words h1")).to_have_text("陈志远")
    expect(text).to_be_hidden()
    page.evaluate(f"location.hash = '#/c/{first.id}'")

    expect(text).to_have_value("还没写完")


def test_what_a_member_writes_is_shown_as_text_and_arrives_by_itself(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house, '<img src=x onerror="document.title=1">')
    opened(page, desk, conversation)

    writes(house, conversation, "<script>document.title = 1</script>")

    expect(page.locator(".line.member .bubble")).to_have_text("<script>document.title = 1</script>")
    expect(page.locator("#head-words h1")).to_have_text('<img src=x onerror="document.title=1">')
    assert "关怀台" in page.title()


def test_an_alarm_stands_above_everything_until_somebody_has_seen_it(house: House, page: Page, desk: Desk) -> None:
    conversation, other = somebody(house, "王秀兰"), somebody(house, "陈志远")
    opened(page, desk, other)
    page.keyboard.press("Alt+p")
    page.click("#help")

    writes(house, conversation, "我有点喘不上气")

    bar = page.get_by_role("alert", name="警报")
    expect(bar).to_contain_text("L0 急症")
    expect(bar).to_contain_text("王秀兰")
    assert page.title().startswith("【急】(1)")
    bar.get_by_role("button", name="我看到了").click()  # also while a dialog makes the rest of the page dumb
    expect(bar).to_be_hidden()
    assert not page.title().startswith("【急】")


def test_a_verdict_says_which_words_and_which_rule(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house, "王秀兰")
    writes(house, conversation, "我有点喘不上气")
    opened(page, desk, conversation)
    reasons = page.locator(".line.member .why")
    expect(reasons.locator("li").first).to_be_hidden()

    reasons.get_by_text("依据").click()

    expect(reasons.locator("li").first).to_contain_text("喘不上气")
    expect(reasons.locator("li").first).to_contain_text("规则")


def test_a_promise_turns_red_when_it_is_broken(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    owes(house, conversation, CaseLevel.L1)
    clock_of(house).move(minutes=8)
    come_in(page, desk)
    clock = page.locator(".card .clock")
    expect(clock).to_have_attribute("data-tone", "soon")

    clock_of(house).move(minutes=14)
    page.reload()

    expect(clock).to_have_text("超时 12 分")
    expect(clock).to_have_attribute("data-tone", "late")


def test_a_case_is_resolved_by_keyboard_alone(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    owes(house, conversation, CaseLevel.W1)
    come_in(page, desk)
    expect(page.locator(".card")).to_be_visible()

    page.keyboard.press("Alt+j")
    expect(page.locator(".case")).to_be_visible()
    page.get_by_role("button", name="解决").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#outcome")).to_be_focused()
    page.keyboard.type("回了消息")
    page.keyboard.press("Control+Enter")

    expect(page.locator(".case")).to_have_count(0)
    expect(page.locator("#count-needs")).to_be_hidden()


def test_older_messages_load_in_place(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    for number in range(120):
        received(house, conversation, f"第 {number} 句")
    opened(page, desk, conversation)
    expect(bubbles(page)).to_have_count(50)
    place = "() => document.querySelectorAll('.line')[at].getBoundingClientRect().top"

    before = page.evaluate(
        f"() => {{ document.getElementById('scroll').scrollTop = 40; const at = 20; return ({place})(); }}"
    )
    expect(bubbles(page)).to_have_count(100)
    after = page.evaluate(f"() => {{ const at = 70; return ({place})(); }}")

    assert abs(before - after) < 30


def test_a_reader_further_up_is_told_of_new_words_and_not_moved(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    for number in range(40):
        received(house, conversation, f"第 {number} 句")
    opened(page, desk, conversation)
    scroll = page.locator("#scroll")
    scroll.evaluate("(e) => { e.scrollTop = 300; }")
    page.wait_for_timeout(100)

    received(house, conversation, "最新的一句")
    expect(page.locator("#jump")).to_be_visible()
    stayed = scroll.evaluate("(e) => e.scrollTop")
    page.click("#jump")

    assert stayed == 300
    expect(page.locator(".line", has_text="最新的一句")).to_be_in_viewport()


def test_a_broken_line_is_shown_loses_no_words_and_catches_up(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    text = opened(page, desk, conversation)
    page.click("#lock button")
    expect(text).to_be_focused()
    desk.stop()
    expect(page.locator("#line")).to_contain_text("连接断开")

    page.keyboard.type("断线时写的话")
    page.keyboard.press("Enter")
    expect(page.locator("#composer-wrong")).to_contain_text("没有发出去")
    received(house, conversation, "断线时来的话")
    desk.start()

    expect(page.locator("#line")).to_contain_text("已恢复", timeout=15_000)
    expect(page.locator(".line.member .bubble").last).to_have_text("断线时来的话")
    expect(text).to_have_value("断线时写的话")
    text.press("Enter")
    expect(page.locator(".line.carer .bubble")).to_have_text("断线时写的话")


def test_an_ended_session_is_opened_again_over_the_page(house: House, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    text = opened(page, desk, conversation)
    page.click("#lock button")
    expect(text).to_be_focused()
    page.keyboard.type("没说完的话")
    clock_of(house).move(minutes=21)
    expect(page.get_by_role("dialog")).to_contain_text("登录已失效", timeout=15_000)

    page.keyboard.type("not-the-password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("密码不对")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("dialog")).to_have_count(0)
    text.press("Enter")
    expect(page.locator(".line.carer .bubble")).to_have_text("没说完的话")


def test_the_page_says_when_the_dialogue_is_down(house: House, page: Page, desk: Desk) -> None:
    dialogue_of(house).down = "timeout"

    come_in(page, desk)

    expect(page.locator("#health")).to_contain_text("小安的对话服务没有响应")


def test_a_colleague_is_seen_and_not_talked_over(house: House, browser: Browser, page: Page, desk: Desk) -> None:
    conversation = somebody(house)
    text = opened(page, desk, conversation)
    page.click("#lock button")
    expect(text).to_be_focused()
    page.keyboard.type("我正要说")
    other = browser.new_context().new_page()
    come_in(other, desk, "sunlan")
    other.evaluate(f"location.hash = '#/c/{conversation.id}'")
    other.click("#take-over")

    expect(page.locator("#lock")).to_contain_text("孙岚正在和会员对话")
    expect(page.locator("#lock")).to_contain_text("您写的草稿还在")
    expect(text).to_be_hidden()
    other.context.close()
