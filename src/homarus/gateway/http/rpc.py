"""JSON-RPC by POST: one message or batch in, its response out; nothing out when only notifications came in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from homarus.gateway.http.admission import admit_request
from homarus.gateway.http.body import read_body
from homarus.gateway.http.pages import check_page, preflight
from homarus.gateway.http.refusal import HttpRefusal, refused
from homarus.gateway.http.responses import SECURITY_HEADERS
from homarus.gateway.json_rpc.answering import Answerer
from homarus.gateway.json_rpc.messages import failure_message
from homarus.gateway.operations.once import call_once

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore
    from homarus.gateway.peer import Peer

MAX_RPC_BODY: Final = 16 * 1024 * 1024
"""Bytes of a message or batch; it may carry attachments."""
ALLOWED: Final = "OPTIONS, POST"


async def answer_rpc(core: GatewayCore, request: web.Request, peer: Peer) -> web.Response:
    """Answer 200 with a response, 204 without one; refusals before the message is read have their own status."""
    if request.method == "OPTIONS":
        return preflight(request, ALLOWED, core.settings.browser)
    try:
        text = await _answer(core, request, peer)
    except HttpRefusal as refusal:
        return _response(failure_message(None, refusal.error), refusal.status, refusal.headers)
    return web.Response(status=204) if text is None else _response(text)


async def _answer(core: GatewayCore, request: web.Request, peer: Peer) -> str | None:
    if request.method != "POST":
        raise refused(405, "INVALID_REQUEST", "POST a JSON-RPC message here", {"Allow": ALLOWED})
    check_page(request.headers, peer, core.settings.browser)
    caller = await admit_request(core, request.headers, peer)
    if request.content_type.lower() not in ("application/json", "application/json-rpc"):
        raise refused(415, "INVALID_REQUEST", "send JSON with `Content-Type: application/json`")
    with core.rates.working(caller.identity):
        body = await read_body(request, MAX_RPC_BODY)
        return await Answerer(core, caller, partial(call_once, core, caller)).answer(body)


def _response(text: str, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    body = text.encode("utf-8", "backslashreplace")
    merged = {"Cache-Control": "no-store", **SECURITY_HEADERS, **(headers or {})}
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8", headers=merged)
