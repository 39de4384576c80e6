"""The application process: every edge that speaks HTTP, mounted into one app, and the workers beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from api import app as rest
from bot.app import BotEdge
from care.bootstrap import House
from console import app as console


def make_app(house: House) -> FastAPI:
    """Return the application over a house."""
    bot = BotEdge(house)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(house.reading.safety.missing)  # the models are read before the first member writes
        bot.start()
        try:
            yield
        finally:
            bot.stop()

    app = FastAPI(
        title="安心 API",
        version="1",
        description="For the practice system: members, visits, treatments and what became of them.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        openapi_tags=rest.TAGS,
    )
    rest.install(app, house)
    app.include_router(bot.routes(), include_in_schema=False)
    app.include_router(console.routes(house), include_in_schema=False)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> JSONResponse:
        """Say whether the database answers, how many messages wait, and what is missing; nothing about anybody.

        Without a trained model the rules for danger still read every message: degraded, not down.
        """
        with house.unit_of_work() as uow:
            waiting = uow.inbox.waiting()
        missing = house.reading.missing()
        status = "degraded" if missing else "ok"
        return JSONResponse({"status": status, "waiting": waiting, "missing": missing})

    return app
