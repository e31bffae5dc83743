"""What describes the interfaces: `/openapi.json`, `/api/docs` and its style; made once, when first asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from homarus.gateway.http.openapi import build_document
from homarus.gateway.http.probes import only_get
from homarus.gateway.http.reference_page import PAGE_POLICY, STYLE, STYLE_PATH, render_page
from homarus.gateway.http.responses import SECURITY_HEADERS
from homarus.protocol.frames import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from homarus.gateway.core import GatewayCore

OPENAPI_PATH: Final = "/openapi.json"
PAGE_PATH: Final = "/api/docs"
_BASE: Final = "http://127.0.0.1"


class Documents:
    """Keeps what was made. None of it is secret: it is the same on every installation of a version."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core
        self._made: dict[str, bytes] = {}
        self._lock = asyncio.Lock()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD for one of the paths."""
        if refusal := only_get(request):
            return refusal
        if request.path == OPENAPI_PATH:
            return _response(await self._get(OPENAPI_PATH, self._openapi), "application/json")
        if request.path == STYLE_PATH:
            return _response(await self._get(STYLE_PATH, STYLE.read_bytes), "text/css")
        return _response(await self._get(PAGE_PATH, self._page), "text/html")

    async def _get(self, path: str, make: Callable[[], bytes]) -> bytes:
        async with self._lock:
            if path not in self._made:
                self._made[path] = await asyncio.to_thread(make)
            return self._made[path]

    def _openapi(self) -> bytes:
        return encode(build_document(self._core.registry.operations)).encode()

    def _page(self) -> bytes:
        base = f"{_BASE}:{self._core.port()}"
        return render_page(self._core.registry.operations, base).encode()


def _response(body: bytes, kind: str) -> web.Response:
    headers = {
        **SECURITY_HEADERS,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": PAGE_POLICY,
        "X-Frame-Options": "DENY",
    }
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
