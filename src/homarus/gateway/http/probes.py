"""`/health`, `/ready` and `/metrics`: what supervisors, load balancers and Prometheus ask."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

from aiohttp import web

from homarus import __version__
from homarus.errors import HomarusError, StorageError
from homarus.gateway.http.responses import error_response, json_response, text_response
from homarus.storage.kv import put_value
from homarus.storage.readiness import expect_writable

if TYPE_CHECKING:
    from homarus.gateway.auth import AuthResult
    from homarus.gateway.core import GatewayCore
    from homarus.gateway.peer import Peer

WRITE_TIMEOUT: Final = 5.0
"""Seconds a write may take before the database counts as unusable."""
FRESH: Final = 5.0
"""Seconds an answer about the database is good for: a probe takes the lock of writers for a moment."""
BEARER: Final = "bearer "


class Probes:
    """Answers the questions of machines; keeps what the database said last."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core
        self._checked_at = float("-inf")
        self._problem: str | None = None

    def health(self, request: web.Request) -> web.Response:
        """Say that the process answers."""
        if refusal := only_get(request):
            return refusal
        body = {"status": "healthy", "version": __version__, "uptime": round(self._core.uptime), "ok": True}
        return json_response(body)

    def startup(self, request: web.Request) -> web.Response:
        """Say whether the gateway has taken up what it left unfinished: 200, or 503 while it starts."""
        if refusal := only_get(request):
            return refusal
        is_open = self._core.gate.is_open
        return json_response({"ok": is_open, "status": "started" if is_open else "starting"}, 200 if is_open else 503)

    async def ready(self, request: web.Request, peer: Peer) -> web.Response:
        """Say whether messages can be taken: 200 or 503. Details are for this machine and whoever shows the secret."""
        if refusal := only_get(request):
            return refusal
        checks = {"database": await self._database_problem(), "model": self._model_problem()}
        is_ready = not any(checks.values())
        body: dict[str, object] = {"ready": is_ready}
        if peer.is_local or (await self._authenticate(request, peer)).is_ok:
            accounts = self._core.services.channels.accounts()
            body["checks"] = {
                **{name: {"ok": problem is None, "detail": problem or "ok"} for name, problem in checks.items()},
                "channels": {
                    f"{each.channel}/{each.account}": {"ok": each.is_connected, "detail": each.last_error or "ok"}
                    for each in accounts
                },
            }
            body["failing"] = [each.channel for each in accounts if each.last_error]
            body["uptimeMs"] = round(self._core.uptime * 1000)
        return json_response(body, 200 if is_ready else 503)

    async def metrics(self, request: web.Request, peer: Peer) -> web.Response:
        """Return the metrics to whoever shows the gateway's secret as a bearer token."""
        if refusal := only_get(request):
            return refusal
        auth = await self._authenticate(request, peer)
        if auth.wait > 0:
            wait = {"Retry-After": str(math.ceil(auth.wait))}
            return error_response(429, "too many failed authentication attempts", "rate_limited", wait)
        if not auth.is_ok:
            message = "send the gateway's token: `Authorization: Bearer TOKEN`"
            return error_response(401, message, "unauthorized", {"WWW-Authenticate": "Bearer"})
        from homarus.gateway.exposition import CONTENT_TYPE  # noqa: PLC0415 - most gateways are never asked
        from homarus.gateway.metrics import render_metrics  # noqa: PLC0415 - most gateways are never asked

        body = (await render_metrics(self._core)).encode()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    async def _authenticate(self, request: web.Request, peer: Peer) -> AuthResult:
        header = request.headers.get("Authorization", "")
        secret = header[len(BEARER) :].strip() if header[: len(BEARER)].lower() == BEARER else None
        return await self._core.auth.check_bearer(secret or None, peer)

    async def _database_problem(self) -> str | None:
        clock = self._core.services.clock
        if clock.monotonic() - self._checked_at >= FRESH:
            self._problem = await self._find_fault()
            self._checked_at = clock.monotonic()
        return self._problem

    async def _find_fault(self) -> str | None:
        services = self._core.services
        database = services.database
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                if database.is_failing:
                    # Nobody sends work to a gateway that is not ready: only a commit can show that it is again.
                    await database.write(put_value, "probe", "ready", 1, services.clock.now_ms())
                else:
                    await database.write(expect_writable)
        except StorageError as error:
            return error.message
        except TimeoutError:
            return f"a write took longer than {WRITE_TIMEOUT:g} s"
        return None

    def _model_problem(self) -> str | None:
        try:
            self._core.services.models.resolve(None)
        except HomarusError as error:
            return error.message
        return None


def only_get(request: web.Request) -> web.Response | None:
    """Return the refusal of any other method than GET and HEAD."""
    if request.method in ("GET", "HEAD"):
        return None
    return text_response("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
