"""What pages of other sites may ask: nothing, unless their origin is listed in `gateway.controlUi.allowedOrigins`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from homarus.gateway.http.refusal import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homarus.gateway.peer import Peer
    from homarus.gateway.settings import BrowserSettings

_PREFLIGHT: Final = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, X-OpenClaw-Scopes",
    "Access-Control-Max-Age": "600",
    "Cache-Control": "no-store",
}
_EXPOSED: Final = "Retry-After, WWW-Authenticate"


def check_page(headers: Mapping[str, str], peer: Peer, settings: BrowserSettings) -> None:
    """Refuse requests a foreign page made. Raises HttpRefusal 403.

    Requests without an Origin that the browser marks as another site's (pictures, scripts, links) are refused too.
    """
    if peer.origin is None:
        if headers.get("Sec-Fetch-Site", "none").lower() in ("none", "same-origin"):
            return
    elif is_own_page(peer) or is_listed(peer.origin, settings):
        return
    message = "pages of this origin may not call the gateway (list it in gateway.controlUi.allowedOrigins)"
    raise refused(403, "FORBIDDEN", message)


def is_own_page(peer: Peer) -> bool:
    """Tell whether a page was served by this gateway, under whatever name it was opened."""
    host = (peer.origin or "").lower().partition("://")[2].rstrip("/")
    return bool(host) and host == peer.host.strip().lower()


def is_listed(origin: str, settings: BrowserSettings) -> bool:
    """Tell whether the owner listed an origin. `null`, which sandboxed pages send, never is."""
    name = origin.strip().rstrip("/").lower()
    return name != "null" and ("*" in settings.origins or name in settings.origins)


def share(request: web.Request, response: web.StreamResponse, settings: BrowserSettings) -> web.StreamResponse:
    """Let a listed page read an answer; no cookie is ever looked at, so no credentials are announced."""
    if response.prepared:
        return response
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin is not None and is_listed(origin, settings):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    return response


def preflight(request: web.Request, allowed: str, settings: BrowserSettings) -> web.Response:
    """Answer OPTIONS: which methods there are, and to a listed page that it may use them."""
    headers = {"Allow": allowed}
    origin = request.headers.get("Origin")
    if origin is not None and is_listed(origin, settings):
        headers |= {"Access-Control-Allow-Methods": allowed, **_PREFLIGHT}
    return web.Response(status=204, headers=headers)
