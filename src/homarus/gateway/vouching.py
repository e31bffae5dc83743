"""Users that somebody else vouches for: a proxy in front, or Tailscale on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from msgspec import Struct

from homarus.gateway.peer import Peer, header_lines

VouchMethod = Literal["trusted-proxy", "tailscale"]
VouchReason = Literal[
    "trusted_proxy_untrusted_source",
    "trusted_proxy_secret_mismatch",
    "trusted_proxy_missing_header",
    "trusted_proxy_user_missing",
    "trusted_proxy_user_not_allowed",
    "tailscale_user_missing",
    "tailscale_proxy_missing",
    "tailscale_whois_failed",
    "tailscale_user_mismatch",
]
MAX_USER = 256


class Vouched(Struct, frozen=True):
    """A user somebody vouches for, or the reason nobody does."""

    user: str | None = None
    reason: VouchReason | None = None


class Voucher(Protocol):
    """Asked by the authentication for each connection that shows no secret; must not believe a header by itself."""

    @property
    def method(self) -> VouchMethod:
        """Return how such users are let in."""
        ...

    async def identify(self, peer: Peer) -> Vouched:
        """Return who is at the other end; never raises for what a client sent."""
        ...


def single_header(headers: Mapping[str, str], name: str) -> str | None:
    """Return the value of a header that was sent once, None when it is missing, blank, overlong or sent twice.

    Sent twice means that a proxy added its own beside one of the client, and either could be the forged one.
    """
    values = header_lines(headers, name)
    if len(values) != 1:
        return None
    value = values[0].strip()
    return value if 0 < len(value) <= MAX_USER and value.isprintable() else None
