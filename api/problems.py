"""Refusals as problem details (RFC 9457): a stable code, a sentence, the field, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Sequence

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

FIELD_LIMIT = 80  # characters of a field's name that are said back; a stranger chose it
HTTP_CODE = {
    400: "malformed_json",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    422: "invalid_input",
}

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
        if any(item["type"] == "json_invalid" for item in error.errors()):
            return problem(400, "malformed_json", "the body is not JSON")
        fields = [
            {"field": _name(item["loc"]), "problem": item["msg"].removeprefix("Value error, ")}
            for item in error.errors()
        ]
        return problem(422, "invalid_input", "some fields cannot be accepted", fields=fields)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        code = HTTP_CODE.get(error.status_code, "http_error")
        answer = problem(error.status_code, code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, error: Exception) -> JSONResponse:
        logger.error("request failed", exc_info=error)
        return problem(500, "internal", "something went wrong on our side; nothing was changed")


def _name(place: Sequence[int | str]) -> str:
    """Return where in the request a value stands, in letters that can be written back."""
    name = ".".join(str(part) for part in place if part not in {"body", "query", "path"})
    return name[:FIELD_LIMIT].encode("utf-8", "replace").decode()
