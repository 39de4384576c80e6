"""Who a browser is, and how often it may write."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bot.channels.web import visitor


def a_request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "query_string": b""})


def test_a_new_browser_gets_a_token_scripts_cannot_read() -> None:
    response = Response()

    visitor.keep(response, visitor.new_token(), secure=True)

    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-anxin_chat=")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    assert "Domain" not in cookie


def test_a_token_that_is_not_ours_is_no_token() -> None:
    assert visitor.token_of(a_request(cookie="anxin_chat=short"), secure=False) is None
    assert visitor.token_of(a_request(cookie=f"anxin_chat={visitor.new_token()}"), secure=True) is None


def test_the_account_does_not_give_the_token_away() -> None:
    token = visitor.new_token()

    assert token not in visitor.account(token)
    assert visitor.account(token) == visitor.account(token)
    assert visitor.account(token) != visitor.account(visitor.new_token())


def test_another_sites_page_may_not_write() -> None:
    assert not visitor.from_our_page(a_request(host="chat.example", origin="https://evil.example"))
    assert not visitor.from_our_page(a_request(host="chat.example", sec_fetch_site="cross-site"))
    assert not visitor.from_our_page(a_request(host="chat.example", sec_fetch_site="same-site"))
    assert not visitor.from_our_page(a_request(host="chat.example", origin="null"))


def test_our_own_page_may_write() -> None:
    assert visitor.from_our_page(
        a_request(host="chat.example:8000", origin="http://chat.example:8000", sec_fetch_site="same-origin")
    )


def test_the_thirty_first_message_of_a_minute_waits_until_the_first_is_a_minute_old() -> None:
    now = 0.0
    rate = visitor.Rate(monotonic=lambda: now)
    waits = []
    for second in range(31):
        now = float(second)
        waits.append(rate.wait_s("a"))

    assert waits[:30] == [0.0] * 30
    assert waits[30] == 30.0
    now = 60.0
    assert rate.wait_s("a") == 0.0


def test_one_fast_writer_does_not_slow_another() -> None:
    rate = visitor.Rate(limit=1, monotonic=lambda: 0.0)
    rate.wait_s("a")

    assert rate.wait_s("a") > 0
    assert rate.wait_s("b") == 0.0
