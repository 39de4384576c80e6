"""The action server: what Rasa calls over loopback. One house a process, one instance of each action."""

from __future__ import annotations

from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker
from rasa_sdk.types import DomainDict

from actions import (
    appointments,
    booking_asks,
    booking_form,
    data_rights,
    fallback,
    information,
    people,
    recovery,
    relationship,
    social,
)
from actions.turn import CareAction
from actions.wishes import Wishes
from care.bootstrap import House

TOPICS = (
    appointments,
    booking_asks,
    booking_form,
    data_rights,
    fallback,
    information,
    people,
    recovery,
    relationship,
    social,
)


def all_actions(house: House) -> dict[str, CareAction]:
    """Return one instance of every action, by the name Rasa calls it; together they see to every wish."""
    made = {kind.code: kind(house) for topic in TOPICS for kind in topic.ACTIONS}
    wishes = Wishes(made)
    for action in made.values():
        action.attention = wishes
    return made


def application(house: House) -> FastAPI:
    """Return the server that Rasa calls."""
    actions = all_actions(house)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/webhook")
    async def webhook(request: Request) -> JSONResponse:
        call: dict[str, Any] = await request.json()
        name = str(call.get("next_action") or "")
        action = actions.get(name)
        if action is None:
            return JSONResponse({"error": "no such action", "action_name": name}, status_code=404)
        dispatcher = CollectingDispatcher()
        domain: DomainDict = call.get("domain", {})
        events = await action.run(dispatcher, Tracker.from_dict(call["tracker"]), domain)
        return JSONResponse({"events": events, "responses": dispatcher.messages})

    return app


def serve(house: House) -> None:
    """Serve until told to stop; on this machine only."""
    uvicorn.run(
        application(house),
        host="127.0.0.1",
        port=house.settings.actions_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
