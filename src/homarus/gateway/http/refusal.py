"""Refusals of the HTTP surfaces: which status a failure has, and the one body every error has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from homarus.errors import ProtocolError, StorageError
from homarus.gateway.http.responses import json_response
from homarus.protocol.errors import UNAVAILABLE, Refusal, error_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

KINDS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    502: "api_error",
    503: "unavailable",
    504: "timeout",
}
"""`error.type` by status."""
_STATUSES: Final[Mapping[str, int]] = {
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_PAIRED": 403,
    "NOT_FOUND": 404,
    "APPROVAL_NOT_FOUND": 404,
    "NOT_LINKED": 409,
    "RATE_LIMITED": 429,
    "AGENT_TIMEOUT": 504,
}


class HttpRefusal(Exception):
    """A request is refused with a status, an error of the wire, and headers such as `Allow`."""

    def __init__(self, status: int, error: ProtocolError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = dict(headers or {})


def refused(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> HttpRefusal:
    """Return a refusal without details."""
    return HttpRefusal(status, ProtocolError(code, message), headers)


def too_many(seconds: float, message: str) -> HttpRefusal:
    """Return a 429 that says when to come back."""
    wait = max(1, math.ceil(seconds))
    error = ProtocolError("RATE_LIMITED", message, retryable=True, retry_after_ms=wait * 1000)
    return HttpRefusal(429, error, {"Retry-After": str(wait)})


def as_refusal(error: ProtocolError) -> HttpRefusal:
    """Return how the failure of an operation appears over HTTP."""
    if error.message.startswith("rate limit exceeded"):
        return too_many((error.retry_after_ms or 0) / 1000, error.message)
    status = _status_of(error)
    headers = {} if error.retry_after_ms is None else {"Retry-After": str(math.ceil(error.retry_after_ms / 1000))}
    return HttpRefusal(status, error, headers)


def _status_of(error: ProtocolError) -> int:
    """Return the status of a failure; what cannot be done as things stand is a conflict, not our breakdown."""
    if error.code != UNAVAILABLE:
        return _STATUSES.get(error.code, 400)
    if isinstance(error.__cause__, StorageError) or error.retryable:
        return 503
    if error.message.startswith("Error: "):  # how the reference words what the caller did wrong
        return 400
    return 502 if isinstance(error, Refusal) else 409


def refusal_response(refusal: HttpRefusal) -> web.Response:
    """Return `{"error": {type, code, message, details?, retryable?, retryAfterMs?}}`, and the payload some have."""
    kind = KINDS.get(refusal.status, "api_error")
    body: dict[str, object] = {"error": {"type": kind, **error_shape(refusal.error)}}
    if isinstance(refusal.error, Refusal):
        body["payload"] = refusal.error.payload
    return json_response(body, refusal.status, refusal.headers)
