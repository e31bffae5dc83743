"""The programming interfaces on the gateway's port, each loaded when it is asked for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from homarus.gateway.core import GatewayCore
    from homarus.gateway.http.rest import Rest
    from homarus.gateway.peer import Peer


class Surfaces:
    """Keeps what was loaded."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core
        self._rest: Rest | None = None

    async def rest(self, request: web.Request, peer: Peer) -> web.Response:
        """Answer `/api/...`."""
        if self._rest is None:
            from homarus.gateway.http.rest import Rest  # noqa: PLC0415 - most gateways are never asked

            self._rest = Rest(self._core)
        return await self._rest.answer(request, peer)

    async def rpc(self, request: web.Request, peer: Peer) -> web.Response:
        """Answer JSON-RPC by POST."""
        from homarus.gateway.http.rpc import answer_rpc  # noqa: PLC0415 - most gateways are never asked

        return await answer_rpc(self._core, request, peer)
