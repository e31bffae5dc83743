"""Reading the body of a request: bounded in bytes and time, JSON only."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from homarus.gateway.http.refusal import refused
from homarus.protocol.frames import JsonObject, as_object, decode

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request body, unless a route has another limit."""
READ_TIMEOUT: Final = 30.0
"""Seconds a client may take to send its body."""


async def read_body(request: web.Request, limit: int = MAX_BODY) -> bytes:
    """Return the raw body. Raises HttpRefusal 413 or 408."""
    too_large = refused(413, "INVALID_REQUEST", f"Payload too large: at most {limit} bytes")
    if (request.content_length or 0) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        raise refused(408, "INVALID_REQUEST", "Request body timeout") from None
    except web.RequestPayloadError as error:
        raise refused(400, "INVALID_REQUEST", "the body is not what its headers say") from error
    return bytes(body)


async def read_object(request: web.Request, limit: int = MAX_BODY) -> JsonObject:
    """Return the body, a JSON object, `{}` for an empty one. Raises HttpRefusal 400, 408, 413 or 415.

    The media type must be JSON's: what a foreign page can send without asking first never is.
    """
    body = await read_body(request, limit)
    if not body:
        return {}
    kind = request.content_type.lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise refused(415, "INVALID_REQUEST", "send JSON with `Content-Type: application/json`")
    try:
        fields = as_object(decode(body))
    except ValueError as error:
        raise refused(400, "INVALID_REQUEST", f"the body is not JSON: {str(error)[:200]}") from None
    if fields is None:
        raise refused(400, "INVALID_REQUEST", "the body must be a JSON object")
    return fields
