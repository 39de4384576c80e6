"""Refusals as problem details (RFC 9457): a stable code, a sentence, the field, and nothing else."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from care.model.errors import (
    BadCredentials,
    CareError,
    Conflict,
    HoldExpired,
    InvalidInput,
    NotAllowed,
    NotFound,
    SlotTaken,
    SlotUnavailable,
)

logger = logging.getLogger(__name__)

STATUS: dict[type[CareError], int] = {
    NotFound: 404,
    NotAllowed: 403,
    InvalidInput: 422,
    SlotTaken: 409,
    SlotUnavailable: 409,
    HoldExpired: 409,
    Conflict: 409,
    BadCredentials: 401,
}


def problem(status: int, code: str, detail: str, **more: object) -> JSONResponse:
    """Return one refusal."""
    return JSONResponse(
        {"type": f"urn:anxin:problem:{code}", "title": code, "status": status, "detail": detail, **more},
        status_code=status,
        media_type="application/problem+json",
    )


def install(app: FastAPI) -> None:
    """Make every error under `/api` a problem, also those nobody foresaw."""

    @app.exception_handler(CareError)
    async def refused(_request: Request, error: CareError) -> JSONResponse:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
        more = {"field": error.field} if isinstance(error, InvalidInput) else {}
        return problem(status, error.code, str(error), **more)

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        fields = [
            {"field": ".".join(str(part) for part in item["loc"] if part != "body"), "problem": item["msg"]}
            for item in error.errors()
        ]
        return problem(422, "invalid_input", "some fields cannot be accepted", fields=fields)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, "http_error", str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, error: Exception) -> JSONResponse:
        logger.error("request failed", exc_info=error)
        return problem(500, "internal", "something went wrong on our side; nothing was changed")
