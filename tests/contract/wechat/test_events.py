"""Every event WeChat documents, as we understand it; and the telephone of `anxin dev fake-wechat`."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from anxin.dev import wechat_callbacks as cb
from anxin.dev.wechat_phone import PERSON, Phone
from bot.app import BotEdge
from bot.channels.wechat.app import CALLBACK, WeChat
from bot.channels.wechat.parse import Clicked, Followed, Heard, OptedIn, Receipt, Said, Unfollowed, heard
from care.bootstrap import House
from care.model.rights import Trigger
from care.services.conversations import Media
from tests.conftest import free_port
from tests.contract.wechat.account import LAN, said_by
from tests.member_edge import a_small_house, clock_of

AT = 1_772_589_600.0


def an_event(name: str, key: str = "", inside: str = "") -> list[Heard]:
    return heard(cb.event(LAN, name, key, inside, at=AT))


def a_list(kind: str, *entries: str) -> str:
    return f"<{kind}>{''.join(f'<List>{entry}</List>' for entry in entries)}</{kind}>"


def test_a_follow_by_a_scanned_code_is_a_follow_that_says_where() -> None:
    (plain,) = an_event("subscribe")
    (scanned,) = an_event("subscribe", "qrscene_front-desk", "<Ticket>T</Ticket>")
    (again,) = an_event("SCAN", "front-desk", "<Ticket>T</Ticket>")

    assert isinstance(plain, Followed)
    assert isinstance(scanned, Followed)
    assert isinstance(again, Followed)
    assert [(one.trigger, one.scene) for one in (plain, scanned, again)] == [
        (Trigger.FOLLOW, None),
        (Trigger.FOLLOW, "front-desk"),
        (Trigger.SCAN, "front-desk"),
    ]
    assert len({one.vendor_id for one in (plain, scanned, again)}) == 3


def test_leaving_tapping_and_scanning() -> None:
    assert isinstance(an_event("unsubscribe")[0], Unfollowed)
    (push,), (wait,) = an_event("scancode_push", "k"), an_event("scancode_waitmsg", "k")
    assert isinstance(push, Clicked)
    assert isinstance(wait, Clicked)
    assert (push.account, wait.account) == ("", cb.ACCOUNT)
    (said,) = an_event("CLICK", "我想预约")
    assert isinstance(said, Said)
    assert (said.inbound.text, said.inbound.trigger) == ("我想预约", Trigger.CLICK)


@pytest.mark.parametrize("name", ["LOCATION", "VIEW", "view_miniprogram", "user_get_card", "kf_create_session", "x"])
def test_what_is_none_of_ours_says_nothing(name: str) -> None:
    assert an_event(name, "k") == []


def test_subscriptions_are_one_answer_a_template() -> None:
    def entry(template: str, answer: str) -> str:
        return f"<TemplateId>{template}</TemplateId><SubscribeStatusString>{answer}</SubscribeStatusString>"

    one = an_event("subscribe_msg_popup_event", inside=a_list("SubscribeMsgPopupEvent", entry("a", "accept")))
    two = an_event(
        "subscribe_msg_popup_event",
        inside=a_list("SubscribeMsgPopupEvent", entry("a", "accept"), entry("b", "reject"), entry("c", "?")),
    )
    changed = an_event("subscribe_msg_change_event", inside=a_list("SubscribeMsgChangeEvent", entry("a", "reject")))

    def told(found: list[Heard]) -> list[tuple[str, bool]]:
        return [(each.template, each.accepted) for each in found if isinstance(each, OptedIn)]

    assert told(one) == [("a", True)]
    assert told(two) == [("a", True), ("b", False)]
    assert told(changed) == [("a", False)]


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ("success", "delivered", None),
        ("failed:user block", "refused", "blocked"),
        ("failed: system failed", "refused", "not_delivered"),
    ],
)
def test_a_receipt_says_in_our_words_what_became_of_a_notice(status: str, outcome: str, reason: str | None) -> None:
    (finished,) = an_event("TEMPLATESENDJOBFINISH", inside=f"<MsgID>7</MsgID><Status>{status}</Status>")
    entry = f"<TemplateId>a</TemplateId><MsgID>8</MsgID><ErrorCode>1</ErrorCode><ErrorStatus>{status}</ErrorStatus>"
    (sent,) = an_event("subscribe_msg_sent_event", inside=a_list("SubscribeMsgSentEvent", entry))

    for found, number in ((finished, "7"), (sent, "8")):
        assert isinstance(found, Receipt)
        assert (found.provider_id, found.outcome, found.reason) == (number, outcome, reason)


def test_a_picture_and_a_voice_carry_the_name_wechat_gave_them() -> None:
    (picture,) = heard(cb.message(LAN, "image", "<MediaId>m1</MediaId>", at=AT))
    (voice,) = heard(cb.message(LAN, "voice", "<MediaId>m2</MediaId>", at=AT))
    (video,) = heard(cb.message(LAN, "video", "<MediaId>m3</MediaId>", at=AT))

    media = [one.inbound.media for one in (picture, voice, video) if isinstance(one, Said)]
    assert media == [Media("picture", "m1"), Media("voice", "m2"), None]


def test_names_of_events_do_not_tell_whose_they_are() -> None:
    (found,) = an_event("subscribe")

    assert isinstance(found, Followed)
    assert LAN not in found.vendor_id


@pytest.mark.parametrize(("mode", "status"), [("on", 403), ("off", 404)])
async def test_the_member_edge_opens_the_callback_only_where_it_is_switched_on(
    tmp_path: Path, mode: str, status: int
) -> None:
    account = {"wechat_app_id": cb.APP_ID, "wechat_secret": "s", "wechat_token": cb.TOKEN, "wechat_aes_key": cb.KEY}
    with a_small_house(tmp_path, wechat_mode=mode, **account) as house:
        app = FastAPI()
        app.include_router(BotEdge(house).routes())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hook.test") as client:
            assert (await client.get(CALLBACK)).status_code == status


async def test_a_phone_in_the_terminal_reaches_the_application(house: House) -> None:
    shown: list[str] = []
    phone = Phone(f"http://127.0.0.1:{free_port()}", shown.append, port=0)
    with phone.server:
        phone.types("有人吗")
    nobody = list(shown)

    shown.clear()
    wechat = WeChat(house, stored=lambda _: None)
    clock_of(house).set(datetime.now(UTC))  # the phone lives in the present
    app = FastAPI()
    app.include_router(wechat.routes())
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    await asyncio.to_thread(until_started, server)
    phone = Phone(f"http://127.0.0.1:{port}", shown.append, port=0)
    with phone.server:
        goes_on = [
            await asyncio.to_thread(phone.types, line) for line in ("你好", "/follow", "/click", "/image", "/quit")
        ]
        phone.server._receives(
            PERSON,
            {"msgtype": "msgmenu", "msgmenu": {"head_content": "哪天？", "list": [{"id": "x", "content": "周六"}]}},
        )
        await asyncio.to_thread(phone.types, "1")
    server.should_exit = True
    await asyncio.to_thread(thread.join, 10)

    assert nobody == ["（微信）该公众号提供的服务出现故障，请稍后再试"]
    assert goes_on == [True, True, True, True, False]
    assert shown == ["小安：channel.here", "小安：哪天？", "      [1] 周六"]
    assert said_by(house, PERSON) == ["你好", "[图片]", "周六"]
    assert "ANXIN_WECHAT_BASE_URL=http://127.0.0.1" in phone.settings()


def until_started(server: uvicorn.Server) -> None:
    for _ in range(500):
        if server.started:
            return
        time.sleep(0.02)
    raise AssertionError("the server did not start")
