"""The REST interface `/api/v1` for the practice system. Thin: one service call an endpoint."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api import bodies as b
from api import problems
from api.book_routes import book_routes
from api.care_routes import care_routes
from api.guard import PREFIX, Guard, fits
from api.member_routes import member_routes
from care.bootstrap import House

TAGS = [
    {"name": "clinic", "description": "The clinic as its pack describes it."},
    {"name": "members", "description": "Members, their channel accounts and what was said."},
    {"name": "appointments", "description": "Free times and visits."},
    {"name": "recovery", "description": "Treatments, the recoveries they open, planned contacts and answers."},
    {"name": "cases", "description": "What humans owe members, with level and moment."},
]
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": b.ProblemOut, "description": "The body is not JSON."},
    401: {"model": b.ProblemOut, "description": "The token is missing or wrong."},
    404: {"model": b.ProblemOut, "description": "There is nothing with this id."},
    409: {"model": b.ProblemOut, "description": "Taken, or not in the state this needs; may offer `alternatives`."},
    422: {"model": b.ProblemOut, "description": "A value cannot be accepted; `field` or `fields` say which."},
}

bearer = HTTPBearer(auto_error=False, description="The token of ANXIN_API_TOKEN.")


def install(app: FastAPI, house: House) -> None:
    """Add the interface, its refusals and its guard to an application."""
    problems.install(app)
    app.include_router(routes(house))
    app.add_middleware(Guard, token=house.settings.api_token.get_secret_value())


def routes(house: House) -> APIRouter:
    """Return the interface over a house. Without a configured token every call is refused."""
    token = house.settings.api_token.get_secret_value()

    def known(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        if given is None or not fits(f"bearer {given.credentials}", token):
            raise HTTPException(401, "a valid token is needed", {"WWW-Authenticate": "Bearer"})

    router = APIRouter(prefix=PREFIX, dependencies=[Depends(known)], responses=REFUSALS)
    member_routes(router, house)
    book_routes(router, house)
    care_routes(router, house)
    return router
