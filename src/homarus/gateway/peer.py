"""Where a connection comes from, as far as it can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from homarus.gateway.settings import is_loopback

SCOPES_HEADER = "x-openclaw-scopes"
"""Narrows the scopes of a connection: set by a proxy that lets its users do less than the secret would."""
MAX_SCOPES_HEADER = 2048
FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "x-forwarded-host")


@dataclass(frozen=True, slots=True)
class Peer:
    """A client's address. `address` is the believed client IP; `is_local` means directly from this machine.

    A connection from loopback that carries forwarding headers came through a proxy and counts as remote, whatever
    the headers say. `origin` is the Origin header, which only web pages send; `host` the Host header. `scope_cap` is
    the most that may be granted, None without a cap.
    """

    address: str
    is_local: bool
    origin: str | None = None
    host: str = ""
    scope_cap: frozenset[str] | None = None


def identify_peer(remote: str | None, headers: Mapping[str, str], trusted_proxies: frozenset[str]) -> Peer:
    """Return who is at the other end. `headers` compares names without case."""
    socket_address = (remote or "").removeprefix("::ffff:")
    is_forwarded = any(name in headers for name in FORWARDING_HEADERS)
    address = socket_address
    if is_forwarded and _is_trusted(socket_address, trusted_proxies):
        address = _forwarded_address(headers.get("x-forwarded-for", ""), trusted_proxies) or socket_address
    return Peer(
        address=address or "unknown",
        is_local=is_loopback(socket_address) and not is_forwarded,
        origin=headers.get("origin"),
        host=headers.get("host", ""),
        scope_cap=_scope_cap(headers.get(SCOPES_HEADER)),
    )


def _scope_cap(header: str | None) -> frozenset[str] | None:
    """Return what a header allows: an empty or overlong one nothing."""
    if header is None:
        return None
    names = header.replace(",", " ").split() if len(header) <= MAX_SCOPES_HEADER else []
    return frozenset(names)


def _forwarded_address(chain: str, trusted: frozenset[str]) -> str | None:
    """Return the last hop that is not one of our proxies: hops before it may be invented by the client."""
    for hop in reversed([part.strip() for part in chain.split(",") if part.strip()]):
        try:
            ip_address(hop)
        except ValueError:
            return None
        if not _is_trusted(hop, trusted):
            return hop
    return None


def _is_trusted(address: str, trusted: frozenset[str]) -> bool:
    if not trusted:
        return False
    try:
        parsed = ip_address(address)
        return any(parsed in ip_network(entry, strict=False) for entry in trusted)
    except ValueError:
        return False
