"""What comes in: only WeChat's own words, stored before they are acknowledged, once."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from anxin.dev import wechat_callbacks as cb
from anxin.dev.fake_wechat import FakeWeChat
from anxin.dev.wechat_callbacks import Callback
from bot.channels.tencent.crypto import BODY_LIMIT
from bot.channels.wechat.app import WeChat
from care.bootstrap import House
from care.model.message import Button
from care.services.conversations import Recorded, button_token
from care.settings import SettingsRefused, load_settings
from care.testing import FakeClock
from tests.contract.wechat import account
from tests.contract.wechat.account import BAO, LAN, OLD_KEY, Hook, a_patient, said_by, waiting
from tests.member_edge import a_small_house, clock_of, everything_said, say

AT = FakeClock("2026-03-04T10:00+08:00").now().timestamp()


@asynccontextmanager
async def another_account(folder: Path, **settings: Any) -> AsyncIterator[tuple[House, Hook]]:
    """A house of its own, on terms of its own."""
    base = {"wechat_mode": "on", "wechat_app_id": cb.APP_ID, "wechat_secret": "s", "wechat_token": cb.TOKEN}
    with a_small_house(folder, **(base | settings)) as house:
        app = FastAPI()
        app.include_router(WeChat(house, stored=lambda _: None).routes())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hook.test") as client:
            yield house, Hook(client, clock_of(house))


def a_handshake(**changes: str) -> dict[str, str]:
    signed = cb.open_callback("", at=AT).query
    return {name: value for name, value in (signed | {"echostr": "5409 8712"} | changes).items() if value != "-"}


# The handshake


@pytest.mark.parametrize(
    ("token", "query"),
    [
        pytest.param(
            "AAAAA",
            {
                "signature": "899cf89e464efb63f54ddac96b0a0a235f53aa78",
                "timestamp": "1714037059",
                "nonce": "486452656",
            },
            id="case_01_official_vector_1",
        ),
        pytest.param(
            account.SAMPLE_TOKEN,
            {"signature": account.SAMPLE_QUERY["signature"], "timestamp": "1409735669", "nonce": "1320562132"},
            id="case_01_official_vector_2",
        ),
    ],
)
async def test_who_signs_rightly_is_given_back_what_they_sent(
    tmp_path: Path, token: str, query: dict[str, str]
) -> None:
    async with another_account(tmp_path, wechat_token=token, wechat_aes_key=cb.KEY) as (_, hook):
        answer = await hook.shows({**query, "echostr": "4375120948345356249"})

    assert (answer.status_code, answer.content) == (200, b"4375120948345356249")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"signature": "0" * 40}, id="case_02_wrong"),
        pytest.param({"signature": "-"}, id="case_02_missing"),
        pytest.param({"signature": ""}, id="case_02_empty"),
        pytest.param({"nonce": "-"}, id="case_02_no_nonce"),
        pytest.param({"timestamp": "-"}, id="case_02_no_timestamp"),
        pytest.param({"signature": "错"}, id="case_02_not_ascii"),
    ],
)
async def test_who_signs_wrongly_hears_nothing_back(hook: Hook, changes: dict[str, str]) -> None:
    answer = await hook.shows(a_handshake(**changes))

    assert answer.status_code == 403
    assert "5409" not in answer.text


async def test_case_03_what_is_given_back_is_never_read_as_a_page(hook: Hook) -> None:
    answer = await hook.shows(a_handshake(echostr="<script>alert(1)</script>"))

    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


# Who may bring something


@pytest.mark.parametrize("which", ["signature", "msg_signature"])
async def test_case_05_a_wrong_signature_is_refused_and_nothing_is_stored_or_called(
    house: House, server: FakeWeChat, hook: Hook, which: str
) -> None:
    good = cb.sealed_callback(cb.text(LAN, "你好", at=AT), at=AT)

    answer = await hook.posts(Callback(good.query | {which: "0" * 40}, good.body))

    assert answer.status_code == 403
    assert waiting(house) == 0
    assert server.calls == []


async def test_case_06_words_nobody_sealed_are_refused_where_sealing_is_configured(house: House, hook: Hook) -> None:
    answer = await hook.posts(cb.open_callback(cb.text(LAN, "伪造的", at=AT), at=AT))

    assert answer.status_code == 403
    assert waiting(house) == 0


async def test_without_a_key_a_developer_may_bring_open_words(tmp_path: Path) -> None:
    async with another_account(tmp_path) as (house, hook):
        answer = await hook.posts(cb.open_callback(cb.text(LAN, "你好", at=AT), at=AT))

        assert answer.status_code == 200
        assert said_by(house, LAN) == ["你好"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({"WECHAT_TOKEN": ""}, "wechat_token", id="case_07_empty_token"),
        pytest.param({"WECHAT_AES_KEY": "a" * 42}, "wechat_aes_key", id="case_07_short_key"),
        pytest.param({"WECHAT_AES_KEY_PREVIOUS": "中" * 43}, "wechat_aes_key_previous", id="case_07_no_key_at_all"),
        pytest.param({"WECHAT_APP_ID": ""}, "wechat_app_id", id="case_07_no_app"),
        pytest.param({"WECHAT_AES_KEY": "", "ENVIRONMENT": "production"}, "wechat_aes_key", id="case_07_open_door"),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, str], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "WECHAT_MODE": "on",
        "WECHAT_APP_ID": cb.APP_ID,
        "WECHAT_SECRET": "a-secret",
        "WECHAT_TOKEN": cb.TOKEN,
        "WECHAT_AES_KEY": cb.KEY,
    }
    for name, value in (given | changes).items():
        monkeypatch.setenv(f"ANXIN_{name}", value)

    with pytest.raises(SettingsRefused, match=named) as refused:
        load_settings()

    assert "a-secret" not in str(refused.value)


async def test_case_08_a_callback_of_yesterday_is_a_replay_and_a_repeat_of_now_is_none(
    house: House, hook: Hook
) -> None:
    yesterday = await hook.posts(cb.sealed_callback(cb.text(LAN, "昨天", at=AT), at=AT - 86_400))
    first = await hook.says(LAN, "今天", number=77)
    hook.clock.move(seconds=15)
    repeat = await hook.says(LAN, "今天", number=77)

    assert (yesterday.status_code, first.status_code, repeat.status_code) == (403, 200, 200)
    assert said_by(house, LAN) == ["今天"]
    assert waiting(house) == 1


# Envelopes


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param("", id="case_09_sealed_only"),
        pytest.param(
            "<FromUserName>someone</FromUserName><MsgType>text</MsgType><Content>另一句</Content>",
            id="case_09_12_compatible_and_the_sealed_words_count",
        ),
    ],
)
async def test_the_vendors_own_sample_is_understood(tmp_path: Path, beside: str) -> None:
    body = f"<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[{account.SAMPLE_SEALED}]]></Encrypt>"
    async with another_account(
        tmp_path, wechat_token=account.SAMPLE_TOKEN, wechat_app_id=account.SAMPLE_APP, wechat_aes_key=cb.KEY
    ) as (house, hook):
        hook.clock.set("2014-09-03T17:14:30+08:00")
        answer = await hook.posts(Callback(account.SAMPLE_QUERY, f"{body}{beside}</xml>".encode()))

        assert (answer.status_code, answer.text) == (200, "success")
        assert said_by(house, account.SAMPLE_PERSON) == ["abcdteT"]
        assert waiting(house) == 1


def strange_envelopes() -> Iterator[Any]:
    xml = cb.text(LAN, "你好", at=AT)
    yield pytest.param(cb.sealed_callback(xml, at=AT, key="Z" * 43), id="case_10_wrong_key")
    yield pytest.param(cb.sealed_callback(xml, at=AT, owner="wxsomebodyelse"), id="case_10_wrong_app")
    yield pytest.param(cb.posted("不是base64！", at=AT), id="case_10_not_base64")
    yield pytest.param(cb.posted("YWJjZGVmZ2hpamtsbW5vcA", at=AT), id="case_10_broken_padding")
    yield pytest.param(cb.posted("YWJjZGVmZw==", at=AT), id="case_10_not_a_multiple_of_sixteen")
    yield pytest.param(cb.posted("", at=AT), id="case_10_nothing_sealed")


@pytest.mark.parametrize("callback", list(strange_envelopes()))
async def test_an_envelope_that_does_not_open_is_refused(house: House, hook: Hook, callback: Callback) -> None:
    answer = await hook.posts(callback)

    assert answer.status_code == 403
    assert answer.text == ""
    assert waiting(house) == 0


async def test_case_12_words_that_look_like_an_envelope_do_not_hide_the_real_one(house: House, hook: Hook) -> None:
    words = cb.text(LAN, "<Encrypt>YWJj</Encrypt>", at=AT)
    good = cb.sealed_callback(words, at=AT)
    body = good.body.replace(b"<xml>", b"<xml><Content>&lt;x&gt;<Encrypt>YWJj</Encrypt></Content>")

    answer = await hook.posts(Callback(good.query, body))

    assert answer.status_code == 200
    assert said_by(house, LAN) == ["<Encrypt>YWJj</Encrypt>"]


async def test_case_11_during_a_change_of_keys_the_previous_one_opens_too(house: House, hook: Hook) -> None:
    answer = await hook.posts(cb.sealed_callback(cb.text(LAN, "旧钥匙", at=AT), at=AT, key=OLD_KEY))

    assert answer.status_code == 200
    assert said_by(house, LAN) == ["旧钥匙"]


# Once


async def test_case_15_the_same_message_three_times_and_twenty_at_once_is_one(
    house: House, hook: Hook, stored: list[Recorded]
) -> None:
    for _ in range(3):
        await hook.says(LAN, "一次", number=1)
    answers = await asyncio.gather(*(hook.says(LAN, "又一次", number=2) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert said_by(house, LAN) == ["一次", "又一次"]
    assert len(stored) == 2


async def test_case_18_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    house: House, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broken(monkeypatch):
        refused = await hook.says(LAN, "在吗", number=1)
    taken = await hook.says(LAN, "在吗", number=1)

    assert refused.status_code == 503
    assert taken.status_code == 200
    assert said_by(house, LAN) == ["在吗"]


async def test_case_18_a_database_that_is_busy_for_a_moment_loses_nothing(
    house: House, hook: Hook, tmp_path: Path
) -> None:
    busy = sqlite3.connect(tmp_path / "care.db", isolation_level=None)
    busy.execute("BEGIN EXCLUSIVE")
    coming = asyncio.create_task(hook.says(LAN, "在吗"))
    await asyncio.sleep(0.5)
    while_busy = coming.done()
    busy.execute("ROLLBACK")
    busy.close()

    assert not while_busy
    assert (await coming).text == "success"
    assert said_by(house, LAN) == ["在吗"]


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database cannot be reached."""

    def unreachable(*_: object) -> None:
        raise OSError("database is down")

    with monkeypatch.context() as patch:
        patch.setattr(House, "unit_of_work", unreachable)
        yield


async def test_case_20_two_hundred_members_in_one_second_are_all_stored_while_wechats_own_interface_is_slow(
    house: House, server: FakeWeChat, hook: Hook, channel: WeChat
) -> None:
    server.latency_s = 3.0
    for _ in range(20):
        channel.sender.typing(LAN)  # the line is busy waiting
    people = [f"oMany-{number:04d}" for number in range(200)]

    began = time.monotonic()
    answers = await asyncio.gather(*(hook.says(person, "你好") for person in people))

    assert {answer.text for answer in answers} == {"success"}
    assert time.monotonic() - began < 5.0
    assert waiting(house) == 200


# Strange bodies


def strange_words() -> Iterator[Any]:
    good = cb.text(LAN, "你好", number=5, at=AT)
    yield pytest.param(good[:-20], id="case_21_cut_off")
    yield pytest.param("", id="case_21_empty")
    yield pytest.param('{"MsgType": "text"}', id="case_21_json")
    yield pytest.param(good.replace("xml>", "root>"), id="case_21_another_root")
    yield pytest.param(good.replace("<MsgType><![CDATA[text]]></MsgType>", ""), id="case_21_no_kind")
    yield pytest.param(good.replace("</xml>", "<MsgType>text</MsgType></xml>"), id="case_21_two_kinds")
    yield pytest.param(good.replace("</xml>", "<Content>again</Content></xml>"), id="case_21_two_contents")
    yield pytest.param(good.replace("<![CDATA[你好]]>", "<b>你好</b>"), id="case_21_nested_content")
    yield pytest.param(good.replace(str(int(AT)), "abc"), id="case_21_no_time")
    yield pytest.param(good.replace(LAN, "o' OR 1=1"), id="case_21_nobody")
    yield pytest.param("<!DOCTYPE xml [" + "".join(laughs()) + "]><xml>&l9;</xml>", id="case_22_billion_laughs")
    yield pytest.param(
        '<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + good.replace("<![CDATA[你好]]>", "&e;"),
        id="case_22_a_file_of_ours",
    )


def laughs() -> Iterator[str]:
    yield '<!ENTITY l0 "ha">'
    for number in range(1, 10):
        yield f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">'


@pytest.mark.parametrize("words", list(strange_words()))
@pytest.mark.parametrize("way", ["sealed", "open"])
async def test_a_body_that_is_no_message_harms_nothing(tmp_path: Path, words: str, way: str) -> None:
    settings = {"wechat_aes_key": cb.KEY} if way == "sealed" else {}
    async with another_account(tmp_path, **settings) as (house, hook):
        answer = await hook.posts((cb.sealed_callback if way == "sealed" else cb.open_callback)(words, at=AT))
        alive = await hook.posts(
            (cb.sealed_callback if way == "sealed" else cb.open_callback)(cb.text(BAO, "好", at=AT), at=AT)
        )

        assert answer.status_code == 200
        assert answer.text == "success"
        assert said_by(house, LAN) == []
        assert alive.status_code == 200
        assert said_by(house, BAO) == ["好"]


async def test_case_21_bytes_of_another_encoding_harm_nothing(tmp_path: Path) -> None:
    async with another_account(tmp_path) as (house, hook):
        answer = await hook.posts(cb.open_callback(cb.text(LAN, "你好", at=AT).encode("gbk"), at=AT))

        assert answer.status_code == 200
        assert waiting(house) == 0


async def test_case_22_a_description_kept_elsewhere_is_not_fetched(tmp_path: Path, server: FakeWeChat) -> None:
    words = f'<!DOCTYPE xml SYSTEM "{server.base_url}/evil.dtd">' + cb.text(LAN, "你好", at=AT)
    async with another_account(tmp_path) as (_, hook):
        await hook.posts(cb.open_callback(words, at=AT))

    assert server.calls == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_case_23_a_body_of_ten_megabytes_is_not_read_to_its_end(hook: Hook, chunked: bool) -> None:
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(160):
            read += 65_536
            yield b"x" * 65_536

    query = cb.open_callback("", at=AT).query
    body = chunks() if chunked else b"x" * 10_000_000
    answer = await hook.client.post("/wechat/callback", params=query, content=body)

    assert answer.status_code == 413
    assert not chunked or read <= BODY_LIMIT + 2 * 65_536


async def test_case_23_a_hundred_thousand_nested_tags_are_refused_quickly(hook: Hook) -> None:
    began = time.monotonic()
    answer = await hook.posts(cb.open_callback("<xml>" + "<a>" * 60_000, at=AT))

    assert answer.status_code in {403, 413}
    assert time.monotonic() - began < 0.5


# Kinds


async def test_case_24_an_unknown_kind_is_kept_and_an_unknown_event_is_acknowledged(house: House, hook: Hook) -> None:
    said = await hook.brings(cb.message(LAN, "hologram", at=AT))
    happened = await hook.brings(cb.event(LAN, "account_paid_tribute", at=AT))

    assert (said.text, happened.text) == ("success", "success")
    assert said_by(house, LAN) == ["[暂不支持的消息]"]
    assert waiting(house) == 1


@pytest.mark.parametrize(
    ("kind", "inside", "words"),
    [
        pytest.param("voice", "<MediaId>m1</MediaId><Format>amr</Format>", "[语音]", id="case_25_voice"),
        pytest.param(
            "voice", "<MediaId>m1</MediaId><Recognition></Recognition>", "[语音]", id="case_25_voice_not_understood"
        ),
        pytest.param(
            "voice", "<Recognition>伤口疼</Recognition>", "伤口疼 [语音]", id="case_25_voice_as_words_are_read"
        ),
        pytest.param(
            "image", "<PicUrl>http://x.test/p</PicUrl><MediaId>m2</MediaId>", "[图片]", id="case_25_picture"
        ),
        pytest.param(
            "location", "<Location_X>30.2</Location_X><Label>杭州市</Label>", "杭州市 [位置]", id="case_25_place"
        ),
        pytest.param("shortvideo", "<MediaId>m3</MediaId>", "[视频]", id="case_25_video"),
        pytest.param("link", "<Title>种植牙</Title><Url>http://x.test</Url>", "种植牙 [链接]", id="case_25_link"),
        pytest.param("text", "<Content><![CDATA[/::)]]></Content>", "/::)", id="case_25_sticker_as_text"),
        pytest.param("text", "<Content></Content>", "", id="case_26_nothing"),
        pytest.param("text", "<Content><![CDATA[   ]]></Content>", "", id="case_26_white_space"),
        pytest.param("text", "<Content><![CDATA[😀👨‍👩‍👧]]></Content>", "😀👨‍👩‍👧", id="case_26_emoji"),
        pytest.param("text", f"<Content>{'牙' * 5_000}</Content>", "牙" * 5_000, id="case_26_five_thousand"),
        pytest.param("text", "<Content>左\u200b右\u202e上</Content>", "左\u200b右\u202e上", id="case_26_invisible"),
    ],
)
async def test_what_members_send_is_kept_as_words(
    house: House, hook: Hook, kind: str, inside: str, words: str
) -> None:
    answer = await hook.brings(cb.message(LAN, kind, inside, at=AT))

    assert answer.text == "success"
    assert said_by(house, LAN) == [words]


async def test_case_28_a_tapped_quick_reply_is_the_button_and_a_stale_one_is_its_words(
    house: House, hook: Hook
) -> None:
    message = say(house, a_patient(house), "确认吗？", buttons=(Button("确认", "/affirm"),))
    strangers = say(house, a_patient(house, BAO), "好吗？", buttons=(Button("好", "/affirm"),))
    menus = [
        f"anxin:{button_token(message, 0)}",
        "anxin:" + "0" * 32 + ":0",
        f"anxin:{button_token(strangers, 0)}",
        "101",
    ]

    for number, menu in enumerate(menus):
        await hook.brings(cb.text(LAN, f"第{number}个", menu=menu, at=AT))

    with house.unit_of_work() as uow:
        identity = uow.members.identity("wechat", LAN)
    assert identity is not None
    said = [(one.text, one.payload) for one in everything_said(house, identity.member_id) if one.author == "member"]
    assert said[1:] == [("确认", "/affirm"), ("第1个", None), ("第2个", None), ("第3个", None)]


async def test_a_double_tap_is_one_answer(house: House, hook: Hook) -> None:
    message = say(house, a_patient(house), "确认吗？", buttons=(Button("确认", "/affirm"),))

    for _ in range(2):
        await hook.brings(cb.text(LAN, "确认", menu=f"anxin:{button_token(message, 0)}", at=AT))

    assert said_by(house, LAN) == ["你好", "确认"]


async def test_a_menu_entry_with_words_says_them(house: House, hook: Hook) -> None:
    await hook.brings(cb.event(LAN, "CLICK", "我想预约", at=AT))

    assert said_by(house, LAN) == ["我想预约"]
