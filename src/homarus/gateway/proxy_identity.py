"""Users a proxy in front has authenticated: `gateway.auth.mode: trusted-proxy`."""

from __future__ import annotations

from typing import Final

from homarus.gateway.auth import same_secret
from homarus.gateway.peer import Peer
from homarus.gateway.settings import ProxySettings
from homarus.gateway.vouching import Vouched, VouchMethod, VouchReason, single_header
from homarus.protocol.addresses import is_loopback

SECRET_HEADER: Final = "x-homarus-proxy-secret"  # noqa: S105 - a name, no secret


class TrustedProxy:
    """Believes the user header of a listed proxy only.

    On loopback every program of this machine could pass for the proxy, so there it has to show its secret.
    """

    method: VouchMethod = "trusted-proxy"

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings

    async def identify(self, peer: Peer) -> Vouched:
        """Return the user a request comes from."""
        reason = self._distrust(peer)
        if reason is not None:
            return Vouched(reason=reason)
        user = single_header(peer.headers, self._settings.user_header)
        if user is None:
            return Vouched(reason="trusted_proxy_user_missing")
        users = self._settings.users
        if users is not None and user.lower() not in users:
            return Vouched(reason="trusted_proxy_user_not_allowed")
        return Vouched(user)

    def _distrust(self, peer: Peer) -> VouchReason | None:
        settings = self._settings
        if not peer.is_proxy or (settings.secret is None and is_loopback(peer.socket)):
            return "trusted_proxy_untrusted_source"
        if settings.secret is not None and not same_secret(peer.headers.get(SECRET_HEADER, ""), settings.secret):
            return "trusted_proxy_secret_mismatch"
        if any(name not in peer.headers for name in settings.required_headers):
            return "trusted_proxy_missing_header"
        return None
