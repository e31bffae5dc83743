"""Where a connection comes from, as far as it can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import cast

from msgspec import field

from homarus.discreet import Discreet
from homarus.errors import ProtocolError
from homarus.protocol.addresses import is_loopback
from homarus.protocol.errors import invalid

SCOPES_HEADER = "x-openclaw-scopes"
"""Narrows the scopes of a connection: set by a proxy that lets its users do less than the secret would."""
MAX_SCOPES_HEADER = 2048
FORWARDING_HEADERS = (
    *("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "x-forwarded-host", "x-forwarded-port"),
    *("x-forwarded-server", "x-client-ip", "true-client-ip", "cf-connecting-ip", "tailscale-user-login", "via"),
)
"""What proxies and tunnels add; one of them is enough to know that a connection was passed on."""


class Peer(Discreet, frozen=True):
    """A client's address. `address` is the believed client IP; `is_local` means directly from this machine.

    A connection from loopback that carries forwarding headers came through a proxy and counts as remote, whatever
    the headers say. `origin` is the Origin header, which only web pages send; `host` the Host header. `scope_cap` is
    the most that may be granted, None without a cap. `socket` and `socket_port` are the other end of the connection,
    `is_proxy` when it is one the owner trusts. `is_attributed` is False when a program that is no trusted proxy passed
    the connection on: whose it is, is unknown.
    """

    hidden = frozenset({"headers"})

    address: str
    is_local: bool
    origin: str | None = None
    host: str = ""
    scope_cap: frozenset[str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    socket: str = ""
    socket_port: int = 0
    is_proxy: bool = False
    is_attributed: bool = True

    @property
    def is_cross_site(self) -> bool:
        """Tell whether a browser says that a page of another site makes it do this."""
        return self.headers.get("sec-fetch-site", "").strip().lower() == "cross-site"


def identify_peer(
    remote: str | None,
    headers: Mapping[str, str],
    trusted_proxies: frozenset[str],
    *,
    port: int = 0,
    uses_real_ip: bool = False,
) -> Peer:
    """Return who is at the other end of the connection from `remote` and `port`.

    `headers` compares names without case. `uses_real_ip` takes X-Real-IP of a trusted proxy that sends nothing better.
    """
    socket = (remote or "").removeprefix("::ffff:")
    is_forwarded = any(name in headers for name in FORWARDING_HEADERS)
    is_proxy = _is_trusted(socket, trusted_proxies)
    address = socket
    if is_forwarded and is_proxy:
        address = _forwarded_address(headers, trusted_proxies, uses_real_ip=uses_real_ip) or socket
    return Peer(
        address=address or "unknown",
        is_local=is_loopback(socket) and not is_forwarded,
        origin=headers.get("origin"),
        host=headers.get("host", ""),
        scope_cap=_scope_cap(header_lines(headers, SCOPES_HEADER)),
        headers=headers,
        socket=socket,
        socket_port=port,
        is_proxy=is_proxy,
        is_attributed=is_proxy or not is_forwarded,
    )


def header_lines(headers: Mapping[str, str], name: str) -> list[str]:
    """Return every value a header was sent with: a proxy may add its own line below one of the client."""
    get_all = getattr(headers, "getall", None)
    if get_all is None:
        return [headers[name]] if name in headers else []
    return cast("list[str]", get_all(name, []))


def _scope_cap(lines: list[str]) -> frozenset[str] | None:
    """Return what every line allows: an empty or overlong one nothing."""
    if not lines:
        return None
    allowed = [frozenset(line.replace(",", " ").split() if len(line) <= MAX_SCOPES_HEADER else ()) for line in lines]
    return allowed[0].intersection(*allowed[1:])


def _forwarded_address(headers: Mapping[str, str], trusted: frozenset[str], *, uses_real_ip: bool) -> str | None:
    chain = header_lines(headers, "x-forwarded-for")
    if chain:
        return _last_foreign_hop(",".join(chain), trusted)
    real = header_lines(headers, "x-real-ip")
    return _last_foreign_hop(real[-1], frozenset()) if real and uses_real_ip else None


def _last_foreign_hop(chain: str, trusted: frozenset[str]) -> str | None:
    """Return the last hop that is not one of our proxies: hops before it may be invented by the client."""
    for hop in reversed([part.strip() for part in chain.split(",") if part.strip()]):
        try:
            ip_address(hop)
        except ValueError:
            return None
        if not _is_trusted(hop, trusted):
            return hop
    return None


def unattributed() -> ProtocolError:
    """Return the refusal of a connection that a program passed on which is not listed as a proxy.

    Version 4 refuses such upgrades with HTTP 403; a gateway that serves version 3 too learns the version afterwards.
    """
    message = "proxy attribution required: list the proxy's address in gateway.trustedProxies"
    return invalid(message, {"code": "PROXY_ATTRIBUTION_REQUIRED", "type": "proxy_attribution_required"})


@lru_cache(maxsize=1024)
def _is_trusted(address: str, trusted: frozenset[str]) -> bool:
    if not trusted:
        return False
    try:
        parsed = ip_address(address)
        return any(parsed in ip_network(entry, strict=False) for entry in trusted)
    except ValueError:
        return False
