"""What a gateway does to be reached from elsewhere, as far as the configuration asks for it."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from homarus.gateway.bind import ALL_INTERFACES
from homarus.gateway.settings import GatewaySettings

if TYPE_CHECKING:
    from homarus.config.discovery import Discovery
    from homarus.gateway.server import GatewayServer

Work = Callable[[], Awaitable[None]]


def check_discovery(discovery: Discovery) -> None:
    """Raise ConfigError when being found was asked for and cannot be done."""
    if discovery.mdns.mode != "off":
        from homarus.gateway.discovery.multicast import check_installed  # noqa: PLC0415 - off for most

        check_installed()


def exposures(server: GatewayServer, discovery: Discovery) -> Iterator[tuple[str, Work]]:
    """Yield the tasks that make a started gateway reachable, by name; none with the defaults."""
    settings = server.core.settings
    if settings.tailscale.mode != "off":
        yield f"tailscale {settings.tailscale.mode}", _tailscale(settings, server.port)
    mode = discovery.mdns.mode
    if mode != "off":
        from homarus.gateway.discovery.beacon import Beacon  # noqa: PLC0415 - off for most
        from homarus.gateway.discovery.multicast import advertise  # noqa: PLC0415

        pin = server.tls_fingerprint
        host_name = socket.gethostname().partition(".")[0] if mode == "full" else None
        beacon = Beacon(
            name=f"Homarus on {host_name}" if host_name else "Homarus",
            port=server.port,
            addresses=_addresses(settings.host),
            fingerprint=None if pin is None else pin.replace(":", "").lower(),
            has_tls=pin is not None,
            host_name=host_name,
            label=host_name or f"homarus-{server.core.services.clock.uuid()[:8]}",
        )
        yield "mdns", partial(advertise, beacon, mode)


def _tailscale(settings: GatewaySettings, port: int) -> Work:
    from homarus.gateway.tailscale.exposure import TailscaleExposure  # noqa: PLC0415 - off for most
    from homarus.gateway.tailscale.program import TailscaleProgram  # noqa: PLC0415

    scheme = "http" if settings.tls is None else "https+insecure"
    program = TailscaleProgram(str(settings.tailscale.socket) if settings.tailscale.socket else None)
    return TailscaleExposure(settings.tailscale, program, f"{scheme}://127.0.0.1:{port}").run


def _addresses(host: str) -> tuple[str, ...]:
    """Return the addresses clients can use: the one that is bound, or all of this machine but loopback."""
    if host != ALL_INTERFACES:
        return (host,)
    from ifaddr import get_adapters  # noqa: PLC0415 - comes with zeroconf

    found = [str(ip.ip) for adapter in get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return tuple(address for address in found if not IPv4Address(address).is_loopback)
