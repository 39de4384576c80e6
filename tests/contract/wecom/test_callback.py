"""The callback of 企业微信: proven, sealed, acknowledged at once, and never more than a bell."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from anxin.dev import wecom_callbacks as c
from anxin.dev.fake_wecom import HANG, FakeWecom
from bot.channels.wecom.app import Wecom
from bot.channels.wecom.parse import Bell, Malformed, callback
from tests.contract.wecom.conftest import CUSTOMER, Channel, wecom_settings
from tests.member_edge import a_small_house

#: The vendor's own sample of a verification (channels research, V3) and of a message (V4).
V3 = {
    "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    "timestamp": "1409659589",
    "nonce": "263014780",
    "echostr": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
}
V4 = {
    "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "timestamp": "1409659813",
    "nonce": "1372623149",
}
V4_SEALED = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvu"
    "JTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwG"
    "c2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9"
    "EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0"
    "lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)


def of_the_samples(server: FakeWecom) -> dict[str, object]:
    return wecom_settings(server) | {
        "wecom_token": "QDG6eK",
        "wecom_corp_id": "wx5823bf96d3bd56c7",
        "wecom_aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    }


class TestTheVendorsSamples:
    @pytest.fixture
    def settings(self, server: FakeWecom) -> dict[str, object]:
        return of_the_samples(server)

    async def test_case_04_the_address_is_proven_within_a_second(self, hook: httpx.AsyncClient) -> None:
        begun = time.monotonic()

        answer = await hook.get("/wecom/callback", params=V3)

        assert time.monotonic() - begun < 1.0
        assert answer.status_code == 200
        assert answer.content == b"1616140317555161061"
        assert answer.headers["content-type"].startswith("text/plain")

    async def test_case_04_a_plus_nobody_escaped_still_proves_it(self, hook: httpx.AsyncClient) -> None:
        query = "&".join(f"{name}={quote(value, safe='+/')}" for name, value in V3.items())

        answer = await hook.get(f"/wecom/callback?{query}")

        assert answer.content == b"1616140317555161061"

    @pytest.mark.parametrize("position", [0, 20, 60])
    async def test_case_04_an_altered_byte_is_refused(self, hook: httpx.AsyncClient, position: int) -> None:
        echo = V3["echostr"]
        other = "A" if echo[position] != "A" else "B"

        answer = await hook.get(
            "/wecom/callback", params=V3 | {"echostr": echo[:position] + other + echo[position + 1 :]}
        )

        assert answer.status_code == 403
        assert answer.content == b""

    @pytest.mark.parametrize("missing", ["msg_signature", "timestamp", "nonce", "echostr"])
    async def test_case_04_without_a_part_it_is_refused(self, hook: httpx.AsyncClient, missing: str) -> None:
        answer = await hook.get("/wecom/callback", params={k: v for k, v in V3.items() if k != missing})

        assert answer.status_code == 403

    async def test_case_04_the_vendors_sample_message_opens(self, hook: httpx.AsyncClient) -> None:
        body = f"<xml><ToUserName><![CDATA[wx]]></ToUserName><Encrypt><![CDATA[{V4_SEALED}]]></Encrypt></xml>"

        answer = await hook.post("/wecom/callback", params=V4, content=body)

        assert answer.status_code == 200
        assert answer.content == b""


async def test_a_bell_is_acknowledged_at_once_though_the_vendor_hangs(
    server: FakeWecom, channel: Channel, hook: httpx.AsyncClient
) -> None:
    server.troubles["kf/sync_msg"].append(HANG)
    server.customer_says(CUSTOMER, "你好")
    channel.wecom.puller.start()
    query, body = c.bell(server.now())
    begun = time.monotonic()

    answer = await hook.post("/wecom/callback", params=query, content=body)

    assert time.monotonic() - begun < 1.0
    assert (answer.status_code, answer.content) == (200, b"")
    channel.wecom.puller._stopping = True


@pytest.mark.parametrize("body", [b"", b"{}", b"<xml>", b"<xml><Encrypt>abc</Encrypt></xml>", b"<x/>", b"\xff\xfe"])
async def test_what_is_not_sealed_is_refused(hook: httpx.AsyncClient, server: FakeWecom, body: bytes) -> None:
    query, _ = c.bell(server.now())

    answer = await hook.post("/wecom/callback", params=query, content=body)

    assert answer.status_code == 403


async def test_a_wrong_signature_rings_nothing(hook: httpx.AsyncClient, server: FakeWecom, channel: Channel) -> None:
    query, body = c.bell(server.now())

    answer = await hook.post("/wecom/callback", params=query | {"msg_signature": "0" * 40}, content=body)

    assert answer.status_code == 403
    assert channel.wecom.puller._ears == {}


async def test_a_body_of_ten_megabytes_is_not_read(hook: httpx.AsyncClient, server: FakeWecom) -> None:
    query, _ = c.bell(server.now())

    answer = await hook.post("/wecom/callback", params=query, content=b"x" * 10_000_000)

    assert answer.status_code == 413


async def test_while_the_key_is_changed_the_previous_one_opens_too(tmp_path: Path, server: FakeWecom) -> None:
    changed = wecom_settings(server) | {"wecom_aes_key": "z" * 43, "wecom_aes_key_previous": c.AES_KEY}
    with a_small_house(tmp_path, **changed) as house:
        app = FastAPI()
        app.include_router(Wecom(house, stored=lambda _: None).routes())
        query, body = c.bell(server.now())

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hook.test") as client:
            answer = await client.post("/wecom/callback", params=query, content=body)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"wecom_token": ""}, {"wecom_aes_key": "a" * 42}, {"wecom_secret": ""}, {"wecom_corp_id": ""}]
)
def test_settings_that_would_let_anybody_in_are_refused(
    tmp_path: Path, server: FakeWecom, wrong: dict[str, object]
) -> None:
    with (
        pytest.raises(ValueError, match=next(iter(wrong))),
        a_small_house(tmp_path, **(wecom_settings(server) | wrong)),
    ):
        pass


def test_a_callback_is_a_bell_a_greeting_or_nothing_of_ours() -> None:
    bell = callback("<xml><Event>kf_msg_or_event</Event><OpenKfId>wk1</OpenKfId><Token>t</Token></xml>")

    assert bell == Bell("wk1", "t")
    assert callback("<xml><MsgType>text</MsgType><Content>hello</Content></xml>") is None
    assert (
        callback("<xml><Event>change_external_contact</Event><ChangeType>del_follow_user</ChangeType></xml>") is None
    )
    with pytest.raises(Malformed):
        callback("<html/>")
