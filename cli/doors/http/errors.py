"""Failures in OpenAI's shape, with the statuses that its clients act on: they wait after 429 and 503, and not after 400."""

from __future__ import annotations

import math
import time
from typing import Any, Final

from starlette.responses import JSONResponse

from protocol.errors import BatosError

SOON_S: Final = 1
"""After so many seconds a client may try again what was busy."""
_LATER_S: Final = 5
"""And what was not running or not ready."""

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
_STATUSES: Final = {
    "UNKNOWN_TOKEN": 401,
    "NOT_ALLOWED": 403,
    "TOO_LARGE": 413,
    "BUSY": 429,
    "NOT_RUNNING": 503,
    "NOT_READY": 503,
    "OUT_OF_MEMORY": 503,
    "TIMEOUT": 504,
    "CANCELLED": 499,
    "CONFLICT": 409,
}


class Refusal(Exception):  # noqa: N818 - what the door itself refuses, before anybody is asked
    """A request that cannot be carried out: its `status`, a `code` as OpenAI names it, and the parameter that is at fault."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param


def unsupported(param: str, message: str) -> Refusal:
    """A parameter that this door cannot honour, and does not pass over."""
    return Refusal(400, "unsupported_parameter", message, param)


def unknown_model(name: str, known: str) -> Refusal:
    return Refusal(404, "model_not_found", f"there is no model {name[:100]!r}; {known}", "model")


def status_of(error: BatosError) -> int:
    """The status for a failure of the system."""
    if error.code in _STATUSES:
        return _STATUSES[error.code]
    if error.code.startswith("UNKNOWN_"):
        return 404
    return 400 if error.is_input else 500


def shape(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """`{"error": {"message", "type", "param", "code"}}`."""
    kind = _TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def shape_of(error: Refusal | BatosError) -> dict[str, Any]:
    """A failure in OpenAI's shape; the hint is part of the message, since nothing else of it is shown."""
    if isinstance(error, Refusal):
        return shape(error.status, error.code, error.message, error.param)
    message = f"{error.message.rstrip('.')}. {error.hint}" if error.hint else error.message
    return shape(status_of(error), error.code, message)


def _again_in(error: Refusal | BatosError, seconds: int) -> int:
    """When it is worth another try: the moment that the failure names, or after so many seconds."""
    until = error.data.get("until") if isinstance(error, BatosError) else None
    return max(seconds, math.ceil(until - time.time())) if isinstance(until, (int, float)) else seconds


def response(error: Refusal | BatosError) -> JSONResponse:
    """The failure as a whole response."""
    status = error.status if isinstance(error, Refusal) else status_of(error)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="batos"'
    if status in {429, 503}:
        headers["Retry-After"] = str(_again_in(error, SOON_S if status == 429 else _LATER_S))
    if status == 413:
        headers["Connection"] = "close"
    return JSONResponse(shape_of(error), status, headers)
