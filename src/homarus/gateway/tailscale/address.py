"""The address of this machine on its tailnet."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Final

SERVICE: Final = ("100.100.100.100", 53)
"""Tailscale's own name service, which every machine on a tailnet has a route to."""
TAILNET: Final = IPv4Network("100.64.0.0/10")
"""The addresses Tailscale gives to machines (carrier-grade NAT, RFC 6598)."""


def tailnet_address() -> str | None:
    """Return this machine's tailnet address, None when it is on none.

    The kernel is asked which address it would use towards Tailscale's name service; nothing is sent.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SERVICE)
            address = str(probe.getsockname()[0])
        except OSError:
            return None
    return address if is_tailnet(address) else None


def is_tailnet(address: str) -> bool:
    """Tell whether an address belongs to a machine on a tailnet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return isinstance(parsed, IPv4Address) and parsed in TAILNET
