"""Answers every route shares: JSON, JSON errors, and the headers each answer carries."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from homarus.protocol.frames import encode

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_CODES: Final = {
    "unauthorized": "UNAUTHORIZED",
    "forbidden": "FORBIDDEN",
    "not_found": "NOT_FOUND",
    "rate_limited": "RATE_LIMITED",
    "unavailable": "UNAVAILABLE",
    "api_error": "UNAVAILABLE",
}
"""`error.code` by `error.type`."""


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer that nothing caches."""
    merged = {"Cache-Control": "no-store", **SECURITY_HEADERS, **(headers or {})}
    text = encode(body).encode("utf-8", "backslashreplace")
    return web.Response(body=text, status=status, content_type="application/json", charset="utf-8", headers=merged)


def error_response(status: int, message: str, kind: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON error `{error: {message, type, code}}`."""
    code = _CODES.get(kind, "INVALID_REQUEST")
    return json_response({"error": {"message": message, "type": kind, "code": code}}, status, headers)


def text_response(text: str, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return plain text."""
    merged = {"Cache-Control": "no-store", **SECURITY_HEADERS, **(headers or {})}
    return web.Response(text=text, status=status, content_type="text/plain", headers=merged)
