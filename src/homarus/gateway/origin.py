"""Which web pages may talk to the gateway (reference 01 §5, step 4), and the Host check against DNS rebinding."""

from __future__ import annotations

from urllib.parse import urlsplit

from homarus.errors import ProtocolError
from homarus.gateway.peer import Peer
from homarus.gateway.settings import BrowserSettings
from homarus.protocol.addresses import is_loopback, is_loopback_name
from homarus.protocol.errors import invalid
from homarus.protocol.handshake import ClientFacts

BROWSER_CLIENTS = frozenset({"openclaw-control-ui", "webchat-ui"})
_MESSAGE = (
    "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)"
)


def check_origin(client: ClientFacts, peer: Peer, settings: BrowserSettings) -> ProtocolError | None:
    """Return why a connection is refused for its origin, None when it is not."""
    is_browser = client.id in BROWSER_CLIENTS or client.mode == "webchat"
    if peer.origin is None and not is_browser and not peer.is_cross_site:
        return None
    reason = origin_problem(peer, settings)
    if reason is None:
        return None
    return invalid(_MESSAGE, {"code": "CONTROL_UI_ORIGIN_NOT_ALLOWED", "reason": reason})


def origin_problem(peer: Peer, settings: BrowserSettings) -> str | None:
    """Return what is wrong with an origin, None when it is allowed."""
    host = _origin_host(peer.origin)
    if host is None or peer.origin is None:
        return "origin missing or invalid"
    if "*" in settings.origins or peer.origin.strip().lower() in settings.origins:
        return None
    if settings.trusts_host_header and host == peer.host.strip().lower():
        return None
    if peer.is_local and is_loopback_name(_without_port(host)):
        return None
    if _is_own_tailnet_page(peer, host, settings):
        return None
    return "origin not allowed"


def is_host_allowed(host: str, settings: BrowserSettings, *, is_loopback_bind: bool) -> bool:
    """Tell whether a Host header may be answered: a page of another site whose name now points here may not.

    On other binds the name is the owner's to choose, and every answer needs a secret.
    """
    if not is_loopback_bind or "*" in settings.origins:
        return True
    name = host.strip().lower()
    if is_loopback_name(_without_port(name)) or (settings.is_on_tailnet and _is_tailnet_name(name)):
        return True
    return any(_origin_host(origin) == name for origin in settings.origins)


def _is_own_tailnet_page(peer: Peer, host: str, settings: BrowserSettings) -> bool:
    """Tell whether a page was served by tailscaled under this machine's tailnet name.

    Tailscale holds the certificate of that name, so no other site can be shown under it, and it only forwards
    requests for it.
    """
    is_served = settings.is_on_tailnet and peer.is_proxy and not peer.is_local and is_loopback(peer.socket)
    return is_served and _is_tailnet_name(host) and host == peer.host.strip().lower()


def _is_tailnet_name(host: str) -> bool:
    return _without_port(host).endswith(".ts.net")


def _origin_host(origin: str | None) -> str | None:
    """Return `host[:port]` of an origin in lower case, None when it is no origin (`null` included)."""
    if not origin or origin.strip().lower() == "null":
        return None
    try:
        parts = urlsplit(origin.strip().lower())
        is_origin = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/")
    except ValueError:
        return None
    return parts.netloc if is_origin and "@" not in parts.netloc else None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.rsplit(":", 1)[0] if host.count(":") == 1 else host
