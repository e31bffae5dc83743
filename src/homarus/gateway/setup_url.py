"""The address a new device is told to connect to."""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import urlsplit

from homarus.errors import ProtocolError
from homarus.gateway.bind import ALL_INTERFACES
from homarus.gateway.settings import GatewaySettings
from homarus.protocol.addresses import is_loopback_name, is_tailnet
from homarus.protocol.errors import invalid

SOMEWHERE: Final = ("192.0.2.1", 9)
"""An address for documentation: asked only which way the kernel would go; nothing is sent."""
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def setup_url(settings: GatewaySettings, public: str | None) -> str:
    """Return the WebSocket address of a setup code. Raises ProtocolError when other devices could not use it safely."""
    if public is not None:
        return _checked(_normalised(public))
    if settings.is_loopback:
        fix = "pass the address it is reached at (--url), or set gateway.bind to lan or tailnet"
        raise invalid(f"this gateway answers on this machine only; {fix}")
    host = _primary_address() if settings.host == ALL_INTERFACES else settings.host
    scheme = "ws" if settings.tls is None else "wss"
    return _checked(f"{scheme}://{host}:{settings.port}")


def is_own(url: str, settings: GatewaySettings) -> bool:
    """Tell whether an address is served with this gateway's own certificate: a proxy in front has another port."""
    return settings.tls is not None and url.startswith("wss://") and urlsplit(url).port == settings.port


def _normalised(text: str) -> str:
    try:
        parts = urlsplit(text.strip() if "://" in text else f"wss://{text.strip()}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _no_address(text) from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.username or parts.password:
        raise _no_address(text)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{host}{port}{parts.path.rstrip('/')}"


def _checked(url: str) -> str:
    """Refuse to send a token over a network in the clear; a tailnet is encrypted by itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "wss" or is_loopback_name(host) or is_tailnet(host):
        return url
    fix = "set gateway.tls.enabled to true, or use a wss:// address"
    raise invalid(f"{url} would carry the setup token in the clear; {fix}")


def _no_address(text: str) -> ProtocolError:
    return invalid(f"{text[:200]!r} is no address of a gateway, such as wss://home.example")


def _primary_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SOMEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            raise invalid("this machine has no network address; pass the address it is reached at (--url)") from None
