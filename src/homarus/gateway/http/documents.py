"""What describes the interfaces: `/openapi.json`, `/api/docs` and its style, as `make docs` has written them.

To make them takes a second of CPU and 20 MB that are not given back, so a gateway only reads them.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from homarus.gateway.http.probes import only_get
from homarus.gateway.http.responses import SECURITY_HEADERS

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore

OPENAPI_PATH: Final = "/openapi.json"
PAGE_PATH: Final = "/api/docs"
STYLE_PATH: Final = "/api/docs.css"
FOLDER: Final = Path(__file__).parent
PORT_MARK: Final = b"__PORT__"
"""What stands in the page for the port of the gateway that serves it."""
_FILES: Final = {
    OPENAPI_PATH: (FOLDER / "openapi.json", "application/json"),
    PAGE_PATH: (FOLDER / "reference_page.html", "text/html"),
    STYLE_PATH: (FOLDER / "reference_page.css", "text/css"),
}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Documents:
    """Serves them. None of it is secret: it is the same on every installation of a version."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core

    async def answer(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD for one of the paths."""
        if refusal := only_get(request):
            return refusal
        file, kind = _FILES.get(request.path) or _FILES[PAGE_PATH]
        body = await asyncio.to_thread(file.read_bytes)
        return _response(body.replace(PORT_MARK, str(self._core.port()).encode()), kind)


def _response(body: bytes, kind: str) -> web.Response:
    headers = {
        **SECURITY_HEADERS,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _POLICY,
        "X-Frame-Options": "DENY",
    }
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
