"""`POST /api/login`: a one-time code for a browser token."""

from __future__ import annotations

import logging
from typing import cast

from aiohttp import web

from homarus.gateway.core import GatewayCore
from homarus.gateway.http.responses import error_response, json_response
from homarus.gateway.origin import origin_problem
from homarus.gateway.peer import Peer
from homarus.protocol.frames import JsonObject, decode

log = logging.getLogger("homarus.gateway.login")

LOGIN = "login"
MAX_BODY = 4096
MAX_CODE = 256


async def login(core: GatewayCore, request: web.Request, peer: Peer) -> web.Response:
    """Answer `{token}` for a good code. 403 foreign page, 429 too many failures, 401 wrong or used code."""
    if peer.origin is not None and not _is_own_page(core, peer):
        return error_response(403, "this page may not sign in here", "forbidden")
    wait = core.limiter.locked_for(peer, LOGIN)
    if wait > 0:
        message = "Too many failed authentication attempts. Please try again later."
        return error_response(429, message, "rate_limited", {"Retry-After": str(max(1, round(wait)))})
    code = _code(await request.content.read(MAX_BODY + 1))
    if code is None:
        return error_response(400, 'send {"code": "…"} as JSON', "invalid_request_error")
    if not core.logins.redeem(code):
        core.limiter.fail(peer, LOGIN)
        message = "this login link was used or is too old; make a new one with `homarus link`"
        return error_response(401, message, "unauthorized")
    core.limiter.succeed(peer, LOGIN)
    log.info("a browser at %s signed in", peer.address)
    return json_response({"token": await core.browsers.issue()})


def _is_own_page(core: GatewayCore, peer: Peer) -> bool:
    """Tell whether a page was served by this gateway, or its origin is allowed."""
    origin = (peer.origin or "").lower()
    is_same = origin.partition("://")[2].rstrip("/") == peer.host.strip().lower()
    return is_same or origin_problem(peer, core.settings.browser) is None


def _code(body: bytes) -> str | None:
    if len(body) > MAX_BODY:
        return None
    try:
        parsed = decode(body)
    except ValueError:
        return None
    code = cast("JsonObject", parsed).get("code") if isinstance(parsed, dict) else None
    return code if isinstance(code, str) and 0 < len(code) <= MAX_CODE else None
