"""The programming interfaces on the gateway's port, each loaded when it is asked for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from homarus.gateway.core import GatewayCore
    from homarus.gateway.http.rates import CallerRates
    from homarus.gateway.http.rest import Rest
    from homarus.gateway.peer import Peer


class Surfaces:
    """Keeps what was loaded, and the one count of calls they share."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core
        self._rates: CallerRates | None = None
        self._rest: Rest | None = None

    @property
    def rates(self) -> CallerRates:
        """Return the count of calls per caller."""
        if self._rates is None:
            from homarus.gateway.http.rates import CallerRates  # noqa: PLC0415 - most gateways are never asked

            self._rates = CallerRates(self._core.services.clock)
        return self._rates

    async def rest(self, request: web.Request, peer: Peer) -> web.Response:
        """Answer `/api/...`."""
        if self._rest is None:
            from homarus.gateway.http.rest import Rest  # noqa: PLC0415 - most gateways are never asked

            self._rest = Rest(self._core, self.rates)
        return await self._rest.answer(request, peer)
