"""The routes of the gateway's port. Any upgrade, on whatever path, is the gateway's WebSocket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, cast

from aiohttp import web

from homarus.errors import HomarusError
from homarus.gateway.connection import Connection
from homarus.gateway.core import GatewayCore
from homarus.gateway.http.login import login
from homarus.gateway.http.media import PATH as MEDIA
from homarus.gateway.http.media import serve_media
from homarus.gateway.http.page import Page
from homarus.gateway.http.page_config import PATHS as CONFIG_PATHS
from homarus.gateway.http.page_config import page_config
from homarus.gateway.http.pages import share
from homarus.gateway.http.probes import Probes
from homarus.gateway.http.responses import error_response, text_response
from homarus.gateway.http.surfaces import WEBHOOKS, Surfaces
from homarus.gateway.json_rpc.opening import RPC_PATH, Opening
from homarus.gateway.origin import is_host_allowed
from homarus.gateway.peer import Peer, identify_peer
from homarus.gateway.socket import ClientSocket

log = logging.getLogger("homarus.gateway.http")

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request body, unless a route has less."""
WEBHOOK_TIMEOUT: Final = 30.0
"""Seconds a platform's call may take, its body included."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Handlers over the parts of the gateway."""

    def __init__(self, core: GatewayCore, page: Page) -> None:
        self._core = core
        self._page = page
        self._probes = Probes(core)
        self._surfaces = Surfaces(core)
        self._open: set[Connection] = set()
        self._idle = asyncio.Event()

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY, middlewares=[self._guard])
        for path in ("/health", "/healthz"):
            app.router.add_route("*", path, self._health)
        for path in ("/ready", "/readyz"):
            app.router.add_route("*", path, self._ready)
        for path in ("/startup", "/startupz"):
            app.router.add_route("*", path, self._startup)
        for path in CONFIG_PATHS:
            app.router.add_route("*", path, self._page_config)
        app.router.add_route("*", "/metrics", self._metrics)
        app.router.add_post("/api/login", self._login)
        app.router.add_get(MEDIA, self._media)
        app.router.add_route("*", "/api/{rest:[\\s\\S]*}", self._api)
        app.router.add_route("*", "/openapi.json", self._api)
        app.router.add_route("*", RPC_PATH, self._rpc)
        app.router.add_route("*", f"{WEBHOOKS}{{channel}}", self._channel_webhook)
        app.router.add_post("/{path:[\\s\\S]*}", self._webhook)
        app.router.add_route("*", "/{path:[\\s\\S]*}", self._serve_page)
        return app

    async def disconnect_all(self, code: int, reason: str, timeout: float) -> None:
        """Close every WebSocket and wait for that, at most `timeout` seconds."""
        self._idle.clear()
        for connection in self._open:
            connection.disconnect(code, reason)
        if not self._open:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d connection(s) did not close in time", len(self._open))

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Take upgrades, refuse foreign Host headers, and answer failures as JSON without their inner workings."""
        if is_upgrade(request):
            return await self._websocket(request)
        settings = self._core.settings
        # A platform calls by the owner's public name; its calls prove themselves by their own secret.
        is_call = request.method == "POST" and self._is_called(request.path)
        if not is_call and not is_host_allowed(request.host, settings.browser, is_loopback_bind=settings.is_loopback):
            message = f"unexpected host name {request.host[:100]!r}: open the gateway as 127.0.0.1 or localhost"
            return error_response(421, message, "misdirected_request")
        try:
            return await handler(request)
        except web.HTTPException as error:
            return error_response(error.status, error.reason, "invalid_request_error")
        except HomarusError as error:
            log.warning("%s %s failed: %s", request.method, request.path, error.message)
            return error_response(503, error.message, "unavailable")
        except Exception:
            log.exception("%s %s failed unexpectedly", request.method, request.path)
            return error_response(500, "the gateway's log says what went wrong", "api_error")

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        peer = self._peer(request)
        if not self._core.budget.take(peer):
            return text_response("Too many unauthenticated sockets", 503)
        socket = ClientSocket()
        try:
            await socket.prepare(request)
        except web.HTTPException as error:
            self._core.budget.release(peer)
            return text_response(error.text or error.reason, error.status)
        except BaseException:
            self._core.budget.release(peer)
            raise
        connection = Connection(self._core, socket, peer, Opening(request.headers, request.path == RPC_PATH))
        self._open.add(connection)
        try:
            await connection.serve()
        except ConnectionError:
            log.debug("a client left during its handshake")
        finally:
            self._open.discard(connection)
            if not self._open:
                self._idle.set()
        return socket

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        """Pass a platform's call on to its channel; the answer is only a status."""
        channel = self._core.services.channels.webhook(request.path)
        if channel is None and request.path.startswith(WEBHOOKS):
            return await self._surfaces.webhook(request, self._peer(request))
        if channel is None:
            return await self._serve_page(request)
        async with asyncio.timeout(WEBHOOK_TIMEOUT):
            body = await request.content.read(MAX_BODY + 1)
            while len(body) <= MAX_BODY and not request.content.at_eof():
                body += await request.content.read(MAX_BODY + 1 - len(body))
            return web.Response(status=await channel.handle_webhook(request.headers, body))

    async def _channel_webhook(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return await self._webhook(request)
        return error_response(405, "POST a signed call here", "method_not_allowed", {"Allow": "POST"})

    def _is_called(self, path: str) -> bool:
        return self._core.services.channels.webhook(path) is not None or self._surfaces.takes_webhooks(path)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return self._probes.health(request)

    async def _ready(self, request: web.Request) -> web.StreamResponse:
        return await self._probes.ready(request, self._peer(request))

    async def _startup(self, request: web.Request) -> web.StreamResponse:
        return self._probes.startup(request)

    async def _page_config(self, request: web.Request) -> web.StreamResponse:
        if not self._core.settings.browser.is_enabled:
            return text_response("Not Found", 404)
        return page_config(self._core, request)

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        return await self._probes.metrics(request, self._peer(request))

    async def _login(self, request: web.Request) -> web.StreamResponse:
        return await login(self._core, request, self._peer(request))

    async def _api(self, request: web.Request) -> web.StreamResponse:
        return share(request, await self._surfaces.rest(request, self._peer(request)), self._core.settings.browser)

    async def _rpc(self, request: web.Request) -> web.StreamResponse:
        return share(request, await self._surfaces.rpc(request, self._peer(request)), self._core.settings.browser)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        return await serve_media(self._core.services.files, request)

    async def _serve_page(self, request: web.Request) -> web.StreamResponse:
        if not self._core.settings.browser.is_enabled:
            return text_response("Not Found", 404)
        return await self._page.serve(request)

    def _peer(self, request: web.Request) -> Peer:
        settings = self._core.settings
        name: object = request.transport.get_extra_info("peername") if request.transport is not None else None
        return identify_peer(
            request.remote,
            request.headers,
            settings.trusted_proxies,
            port=int(cast("tuple[str, int]", name)[1]) if isinstance(name, tuple) else 0,
            uses_real_ip=settings.uses_real_ip,
        )


def is_upgrade(request: web.Request) -> bool:
    """Tell whether a request wants to become a WebSocket."""
    return request.headers.get("Upgrade", "").strip().lower() == "websocket"
