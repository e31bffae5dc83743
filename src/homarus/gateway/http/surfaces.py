"""The programming interfaces on the gateway's port, each loaded when it is asked for the first time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from homarus.gateway.http.responses import error_response

if TYPE_CHECKING:
    from aiohttp import web

    from homarus.gateway.core import GatewayCore
    from homarus.gateway.http.channel_webhook import ChannelWebhooks
    from homarus.gateway.http.documents import Documents
    from homarus.gateway.http.rest import Rest
    from homarus.gateway.peer import Peer

DOCUMENTS: Final = ("/api/docs", "/api/docs/", "/api/docs.css", "/openapi.json")
"""Paths that describe the interfaces."""
WEBHOOKS: Final = "/webhook/"


class Surfaces:
    """Keeps what was loaded."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core
        self._rest: Rest | None = None
        self._loading = asyncio.Lock()
        self._documents: Documents | None = None
        self._webhooks: ChannelWebhooks | None = None

    async def rest(self, request: web.Request, peer: Peer) -> web.Response:
        """Answer `/api/...`."""
        if request.path in DOCUMENTS:
            return await self.documents(request)
        async with self._loading:
            self._rest = self._rest or await asyncio.to_thread(self._load_rest)
        return await self._rest.answer(request, peer)

    def _load_rest(self) -> Rest:
        """Load every operation, to know the routes; that takes long enough to keep it off the event loop."""
        from homarus.gateway.http.rest import Rest  # noqa: PLC0415 - most gateways are never asked

        return Rest(self._core)

    async def documents(self, request: web.Request) -> web.Response:
        """Answer `/openapi.json` and the reference page."""
        if self._documents is None:
            from homarus.gateway.http.documents import Documents  # noqa: PLC0415 - most gateways are never asked

            self._documents = Documents(self._core)
        return await self._documents.answer(request)

    async def rpc(self, request: web.Request, peer: Peer) -> web.Response:
        """Answer JSON-RPC by POST."""
        from homarus.gateway.http.rpc import answer_rpc  # noqa: PLC0415 - most gateways are never asked

        return await answer_rpc(self._core, request, peer)

    def takes_webhooks(self, path: str) -> bool:
        """Tell whether programs may speak on the channel a path names: its secret is configured."""
        if not path.startswith(WEBHOOKS):
            return False
        return path.removeprefix(WEBHOOKS) in self._core.services.config.current.config.gateway.http.webhooks

    async def webhook(self, request: web.Request, peer: Peer) -> web.Response:
        """Answer `POST /webhook/<channel>`; without a secret there is no such route."""
        if not self.takes_webhooks(request.path):
            return error_response(404, f"no route {request.method} {request.path[:200]}", "not_found")
        if self._webhooks is None:
            from homarus.gateway.http.channel_webhook import ChannelWebhooks  # noqa: PLC0415 - few configure one

            self._webhooks = ChannelWebhooks(self._core)
        return await self._webhooks.answer(request, peer, request.path.removeprefix(WEBHOOKS))
