"""Who is behind a connection that `tailscale serve` passed on, as tailscaled on this machine says."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Final, cast

from homarus.gateway.peer import Peer, header_lines
from homarus.gateway.socket_owner import owners_of_port
from homarus.gateway.vouching import Vouched, VouchMethod, single_header
from homarus.protocol.addresses import is_loopback

log = logging.getLogger("homarus.gateway.tailscale")

_LINUX_SOCKET = "/var/run/tailscale/tailscaled.sock"
LOGIN_HEADER: Final = "tailscale-user-login"
PROXY_HEADERS: Final = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
"""What `tailscale serve` adds to every request."""
TAGGED: Final = "tagged-devices"
"""The login of machines that belong to nobody."""
USUAL_SOCKET: Final = Path("/var/run/tailscaled.socket" if sys.platform == "darwin" else _LINUX_SOCKET)
WHOIS_TIMEOUT: Final = 5.0
"""Seconds tailscaled gets to answer."""
MAX_ANSWER: Final = 256 * 1024
"""Bytes of an answer that are read."""


class WhoisFailed(Exception):
    """tailscaled did not say who it is."""


class TailscaleIdentities:
    """Believes the login header of `tailscale serve` when tailscaled itself names the same user for that address.

    Header and address could be forged by any program on this machine, so the kernel is asked as well whose program
    holds the other end: only the user that runs tailscaled counts.
    """

    method: VouchMethod = "tailscale"

    def __init__(
        self, socket: Path | None = None, owners: Callable[[int], frozenset[int] | None] = owners_of_port
    ) -> None:
        self._socket = socket or USUAL_SOCKET
        self._owners = owners

    async def identify(self, peer: Peer) -> Vouched:
        """Return the user a request comes from."""
        login = single_header(peer.headers, LOGIN_HEADER)
        if login is None:
            return Vouched(reason="tailscale_user_missing")
        address = _last_hop(peer)
        if address is None or not self._is_tailscaled(peer):
            return Vouched(reason="tailscale_proxy_missing")
        try:
            known = await whois(self._socket, address)
        except WhoisFailed as failure:
            log.warning("tailscaled does not vouch for %s: %s", address, failure)
            return Vouched(reason="tailscale_whois_failed")
        if known.lower() != login.lower() or known == TAGGED:
            return Vouched(reason="tailscale_user_mismatch")
        return Vouched(known)

    def _is_tailscaled(self, peer: Peer) -> bool:
        """Tell whether the connection was made by the user that runs tailscaled; true where that cannot be seen."""
        owners = self._owners(peer.socket_port)
        if owners is None:
            return True
        try:
            return owners == frozenset((self._socket.stat().st_uid,))
        except OSError:
            return False


def _last_hop(peer: Peer) -> str | None:
    """Return the address tailscaled forwarded for; it is the last one in the chain, those before are the client's."""
    if not is_loopback(peer.socket) or any(name not in peer.headers for name in PROXY_HEADERS):
        return None
    hop = header_lines(peer.headers, "x-forwarded-for")[-1].rpartition(",")[2].strip()
    try:
        return str(ip_address(hop))
    except ValueError:
        return None


async def whois(socket: Path, address: str) -> str:
    """Return the login of the user at a tailnet address. Raises WhoisFailed."""
    import aiohttp  # noqa: PLC0415 - loaded by now

    try:
        timeout = aiohttp.ClientTimeout(total=WHOIS_TIMEOUT)
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=timeout) as session,
            session.get("http://local-tailscaled.sock/localapi/v0/whois", params={"addr": address}) as answer,
        ):
            if answer.status != 200:
                raise WhoisFailed(f"it answered {answer.status}")
            body = bytearray()
            async for part in answer.content.iter_chunked(16 * 1024):
                body += part
                if len(body) > MAX_ANSWER:
                    raise WhoisFailed("its answer is too long")
            return _login(bytes(body))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise WhoisFailed(f"{socket}: {error or type(error).__name__}") from error


def _login(body: bytes) -> str:
    try:
        profile = cast("dict[str, object]", json.loads(body))["UserProfile"]
        login = cast("dict[str, object]", profile)["LoginName"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WhoisFailed("its answer names no user") from error
    if not isinstance(login, str) or not login.strip():
        raise WhoisFailed("its answer names no user")
    return login.strip()
