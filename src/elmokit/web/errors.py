"""What goes wrong, told the same way everywhere: `{"error": {"code", "message", "hint", "field"}}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from elmokit.errors import ConfigError, DataError, ElmokitError, ModelError
from elmokit.web.requests import UNKNOWN_KEY

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "not_loaded",
    413: "too_large",
    422: "invalid",
    500: "internal",
    503: "busy",
}


class Problem(BaseModel):
    """One mistake: a stable `code`, what came and what was expected, what mends it, and the field it lies in."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None


class ErrorAnswer(BaseModel):
    """The body of every answer of 400 and above."""

    error: Problem


class ApiError(Exception):
    """An answer of 400 or above; `retry_after` in seconds."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        field: str | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem = Problem(
            code=code or _CODES.get(status, f"http_{status}"), message=message, hint=hint, field=field
        )
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)

    def response(self) -> Response:
        """As JSON in ASCII: what came may contain what UTF-8 cannot write."""
        content = json.dumps({"error": self.problem.model_dump()})
        return Response(content, self.status, media_type="application/json", headers=self.headers)


def invalid(message: str, *, field: str | None = None, hint: str | None = None) -> ApiError:
    """422."""
    return ApiError(422, message, field=field, hint=hint)


def too_large(message: str, hint: str) -> ApiError:
    """413."""
    return ApiError(413, message, hint=hint)


def busy(message: str, *, seconds: int = 1) -> ApiError:
    """503: nothing is wrong, come back."""
    return ApiError(503, message, hint=f"Try again in {seconds} s.", retry_after=seconds)


def from_elmokit(error: ElmokitError) -> ApiError:
    """The answer to an error of the library: a model without the part asked for is a 409, a wrong value a 422."""
    text = " ".join(str(error).split())
    if isinstance(error, ModelError):
        return ApiError(409, text)
    return ApiError(422 if isinstance(error, ConfigError | DataError) else 500, text)


def install(app: FastAPI) -> None:
    """Answer every error of the app in the one shape."""

    async def known(_: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return error.response()

    async def library(_: Request, error: Exception) -> Response:
        assert isinstance(error, ElmokitError)
        return from_elmokit(error).response()

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = {404: "Not found.", 405: f"{request.method} is not allowed here."}
        text = said.get(error.status_code, str(error.detail))
        hint = "GET /openapi.json lists what there is." if error.status_code in said else None
        return ApiError(error.status_code, text, hint=hint, headers=error.headers).response()

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _first(error, request.headers.get("content-type")).response()

    async def bug(_: Request, error: Exception) -> Response:
        return ApiError(500, "Internal server error.", hint="Its log has the details.").response()

    app.add_exception_handler(ApiError, known)
    app.add_exception_handler(ElmokitError, library)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(Exception, bug)


def _first(error: RequestValidationError, kind: str | None) -> ApiError:
    """The first mistake; what was sent is not echoed, but for the name of a key that is unknown.

    Args:
        error: All of them.
        kind: The request's Content-Type.
    """
    problems = error.errors()
    first = problems[0]
    place = [str(part)[:60] for part in first["loc"] if part not in ("body", "text", "words")]
    field = ".".join(place) or None
    if first["type"] == "json_invalid":
        return ApiError(422, f"The body is no JSON: {first['ctx']['error']}.")
    if not place and "json" not in (kind or "").lower():
        came = "without Content-Type" if kind is None else f"as {kind[:60]}"
        return invalid(
            f"The body was sent {came}; expected JSON.", hint="Send the header 'Content-Type: application/json'."
        )
    if first["type"] == UNKNOWN_KEY:
        key, known = first["ctx"]["key"][:60], first["ctx"]["known"]
        near = get_close_matches(key, known, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        where = f" in {field}" if field else ""
        whole = ".".join([*place, key])
        hint = f"Known: {', '.join(known)}."
        return invalid(f"{whole}: the key {key!r} is unknown{where}.{meant}", field=whole, hint=hint)
    text = str(first["msg"]).removeprefix("Value error, ")
    more = f" ({len(problems) - 1} more mistakes)" if len(problems) > 1 else ""
    return invalid(f"{field}: {text}{more}" if field else f"{text}{more}", field=field)
