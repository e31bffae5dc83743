"""The REST surface: every operation that declares a route, under `/api`, with the checks all callers meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from homarus.errors import HomarusError
from homarus.gateway.http.admission import admit_request
from homarus.gateway.http.body import MAX_BODY, read_object
from homarus.gateway.http.pages import check_page, preflight
from homarus.gateway.http.query import read_query
from homarus.gateway.http.refusal import HttpRefusal, as_refusal, refusal_response, refused
from homarus.gateway.http.responses import json_response
from homarus.gateway.http.route_table import Match, RouteTable
from homarus.gateway.operations.once import call_once
from homarus.gateway.operations.registry import UnauthorizedRole
from homarus.protocol.errors import as_protocol_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from homarus.gateway.core import GatewayCore
    from homarus.gateway.peer import Peer
    from homarus.protocol.frames import JsonObject

MAX_LARGE_BODY: Final = 16 * 1024 * 1024
"""Bytes of a body that may carry attachments: eight pictures, as base64, of a common size."""
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"


class Rest:
    """Answers `/api/...`; made when the first such request comes."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core
        self._routes = RouteTable(core.registry.operations)

    async def answer(self, request: web.Request, peer: Peer) -> web.Response:
        """Answer one request; refusals are answers too."""
        try:
            found = self._routes.find(request.rel_url.raw_path)
            if not found:
                raise refused(404, "NOT_FOUND", f"no route {request.method} {request.path[:200]}")
            allowed = ", ".join(("OPTIONS", *found))
            if request.method == "OPTIONS":
                return preflight(request, allowed, self._core.settings.browser)
            match = found.get(request.method)
            if match is None:
                message = f"{request.path[:200]} takes {allowed} only"
                raise refused(405, "INVALID_REQUEST", message, {"Allow": allowed})
            return await self._call(request, peer, match)
        except HttpRefusal as refusal:
            return refusal_response(refusal)

    async def _call(self, request: web.Request, peer: Peer, match: Match) -> web.Response:
        """Check page, secret, rate and scope, in this order, before the body is read."""
        check_page(request.headers, peer, self._core.settings.browser)
        caller = await admit_request(self._core, request.headers, peer)
        limits = self._core.services.config.current.config.gateway.http.rate_limit
        self._core.rates.take(caller.identity, limits.max_requests, limits.window_ms / 1000)
        try:
            self._core.registry.authorise(match.operation.name, caller, _given(request, match))
            with self._core.rates.working(caller.identity):
                params = await self._params(request, match)
                return json_response(await call_once(self._core, caller, match.operation.name, params))
        except UnauthorizedRole as error:
            raise HttpRefusal(403, error) from error
        except HomarusError as error:
            failure = as_protocol_error(error)
            if failure is not error:
                failure.__cause__ = error
            raise as_refusal(failure) from error

    async def _params(self, request: web.Request, match: Match) -> JsonObject:
        """Return path, query (GET, DELETE) and body (POST, PATCH) as one object. Raises HttpRefusal."""
        model, given = match.operation.params, _given(request, match)
        if request.method in ("GET", "DELETE"):
            pass
        elif request.query:
            names = ", ".join(name[:64] for name in list(request.query)[:5])
            raise refused(400, "INVALID_REQUEST", f"put parameters into the body, not into the query: {names}")
        else:
            is_large = "attachments" in model.model_fields
            given = _joined(await read_object(request, MAX_LARGE_BODY if is_large else MAX_BODY), given)
        if "idempotency_key" in model.model_fields:
            key = request.headers.get(IDEMPOTENCY_HEADER) or self._core.services.clock.uuid()
            given.setdefault("idempotencyKey", key)
        return given


def _given(request: web.Request, match: Match) -> JsonObject:
    """Return what path and, for GET and DELETE, query say; known before a body is read."""
    query = read_query(match.operation.params, request.query) if request.method in ("GET", "DELETE") else {}
    return _joined(query, match.values)


def _joined(given: JsonObject, path: Mapping[str, object]) -> JsonObject:
    for name, value in path.items():
        if given.get(name, value) != value:
            raise refused(400, "INVALID_REQUEST", f"{name} is given twice, and differs from {name} in the path")
    return {**given, **path}
