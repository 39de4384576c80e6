"""One process of the member edge with WeChat alone, to be started twice, or to be killed."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from anxin.dev import fake_wechat as f
from anxin.dev import wechat_callbacks as cb
from bot.channels.wechat.app import WeChat
from bot.delivery import Delivery, Way
from bot.inbound import Workers
from bot.pulse import Pulse
from care.model.message import InboxItem
from tests.member_edge import a_small_house, answers, clock_of


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("wechat_url")
    parser.add_argument("port", type=int)
    parser.add_argument("--url", default="", help="of the database; SQLite in the folder if not given")
    parser.add_argument("--later", type=float, default=0.0, help="seconds this process starts after the morning")
    parser.add_argument("--think", type=float, default=0.0, help="seconds a turn takes")
    given = parser.parse_args()
    with a_small_house(
        given.folder,
        url=given.url,
        wechat_mode="on",
        wechat_app_id=cb.APP_ID,
        wechat_secret=f.SECRET,
        wechat_token=cb.TOKEN,
        wechat_aes_key=cb.KEY,
        wechat_base_url=given.wechat_url,
    ) as house:
        clock_of(house).move(seconds=given.later)
        answer = answers(house, "答")

        def think(item: InboxItem) -> None:
            time.sleep(given.think)
            answer(item)

        wechat = WeChat(house, stored=lambda _: workers.wake())
        delivery = Delivery(house, {"wechat": Way(wechat.sender, 4)})
        workers = Workers(house, Pulse(), spoken=delivery.wake, taken=wechat.taken, process=think)
        app = FastAPI()
        app.include_router(wechat.routes())
        for part in (wechat, delivery, workers):
            part.start()
        uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
