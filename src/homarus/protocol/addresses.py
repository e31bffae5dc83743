"""What an address or a host name says by itself: this machine, a tailnet, or anywhere."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Final

TAILNET: Final = IPv4Network("100.64.0.0/10")
"""The addresses Tailscale gives to machines (carrier-grade NAT, RFC 6598)."""


def is_loopback(address: str) -> bool:
    """Tell whether an IP address or host name means this machine."""
    if address.lower() == "localhost" or address == "::1":
        return True
    address = address.removeprefix("::ffff:")
    try:
        return IPv4Address(address).is_loopback
    except ValueError:
        return False


def is_loopback_name(name: str) -> bool:
    """Tell whether a host name or address literal means this machine."""
    name = name.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost") or is_loopback(name):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_tailnet(address: str) -> bool:
    """Tell whether an address belongs to a machine on a tailnet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return isinstance(parsed, IPv4Address) and parsed in TAILNET
