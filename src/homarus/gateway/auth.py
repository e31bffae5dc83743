"""Shared secrets: the configured token or password, and the tokens browsers get at login (reference 01 §7)."""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Literal

from msgspec import Struct

from homarus.errors import ProtocolError
from homarus.gateway.origin import origin_problem
from homarus.gateway.peer import Peer
from homarus.gateway.rate_limit import AuthLimiter
from homarus.gateway.settings import AuthSettings, BrowserSettings
from homarus.gateway.setup_codes import SetupGrant
from homarus.gateway.tokens import BrowserTokens
from homarus.gateway.vouching import Voucher, VouchReason
from homarus.protocol.errors import INVALID_REQUEST
from homarus.protocol.handshake import ClientFacts, ConnectAuth

log = logging.getLogger("homarus.gateway.auth")

SHARED_SECRET = "shared-secret"  # noqa: S105 - a kind, no secret
DEVICE_TOKEN = "device-token"  # noqa: S105 - a kind, no secret
_NOT_TRIED = frozenset(("token_missing", "password_missing"))
"""Refusals of clients that tried nothing, which do not count as failures."""

AuthMethod = Literal["none", "token", "password", "device-token", "bootstrap-token", "trusted-proxy", "tailscale"]
Reason = Literal[
    "token_missing",
    "token_mismatch",
    "password_missing",
    "password_mismatch",
    "device_token_mismatch",
    "scope_mismatch",
    "bootstrap_token_invalid",
    "rate_limited",
    VouchReason,
]


class AuthResult(Struct, frozen=True):
    """What became of the presented secrets: a method, or the reason they were refused.

    `wait` is how many seconds to wait before the next try, 0 when waiting does not help. `user` is who a proxy or
    Tailscale says it is, `grant` what a setup code lets the device do.
    """

    method: AuthMethod | None = None
    reason: Reason | None = None
    wait: float = 0.0
    user: str | None = None
    grant: SetupGrant | None = None

    @property
    def is_ok(self) -> bool:
        """Tell whether the client is in."""
        return self.method is not None

    @property
    def is_shared_secret(self) -> bool:
        """Tell whether the client knew the owner's secret, or came in through the owner's proxy in its place."""
        return self.method in ("token", "password", "trusted-proxy")


class SharedAuth:
    """Checks shared secrets in constant time and counts failures."""

    def __init__(
        self,
        settings: AuthSettings,
        browsers: BrowserTokens,
        limiter: AuthLimiter,
        voucher: Voucher | None = None,
        pages: BrowserSettings | None = None,
    ) -> None:
        self._settings = settings
        self._browsers = browsers
        self._limiter = limiter
        self._voucher = voucher
        self._pages = pages or BrowserSettings()

    @property
    def mode(self) -> str:
        """Return the mode, as hello-ok names it."""
        return self._settings.mode

    async def check(self, auth: ConnectAuth | None, peer: Peer) -> AuthResult:
        """Return whether the presented secrets are the owner's."""
        if self._settings.mode == "none":
            return AuthResult("none")
        wait = self._limiter.locked_for(peer, SHARED_SECRET)
        if wait > 0:
            return AuthResult(reason="rate_limited", wait=wait)
        given = auth or ConnectAuth()
        vouched = await self._ask_voucher(given, peer)
        return self._count(peer, vouched or await self._compare(given))

    async def check_bearer(self, secret: str | None, peer: Peer) -> AuthResult:
        """Return whether the secret of an HTTP request is the owner's.

        Where others vouch for users, any page a user has open could make requests in the user's name: the word of
        Tailscale counts for connections only, that of a proxy only for pages that may connect.
        """
        if self._voucher is not None and not secret and not peer.is_local:
            if self._voucher.method == "tailscale":
                return AuthResult(reason="password_missing" if self._settings.mode == "password" else "token_missing")
            if peer.is_cross_site or (peer.origin is not None and origin_problem(peer, self._pages) is not None):
                return AuthResult(reason="trusted_proxy_untrusted_source")
        return await self.check(ConnectAuth(token=secret, password=secret), peer)

    def knows(self, secret: str) -> bool:
        """Tell whether a secret is the shared one, counting nothing; whoever asks goes on to `check_bearer`."""
        return same_secret(secret, self._settings.secret)

    def _count(self, peer: Peer, result: AuthResult) -> AuthResult:
        if result.is_ok:
            self._limiter.succeed(peer, SHARED_SECRET)
        elif result.reason not in _NOT_TRIED:
            self._limiter.fail(peer, SHARED_SECRET)
        return result

    async def _ask_voucher(self, given: ConnectAuth, peer: Peer) -> AuthResult | None:
        """Return what somebody else says about the client, None when its own secrets decide.

        A client on this machine shows its secret: nobody stands in front of it.
        """
        if self._voucher is None or peer.is_local:
            return None
        method = self._voucher.method
        if method == "tailscale" and (given.token or given.password):
            return None
        vouched = await self._voucher.identify(peer)
        if vouched.user is not None:
            log.info("%s is in by %s from %s", vouched.user, method, peer.address)
            return AuthResult(method, user=vouched.user)
        return None if vouched.reason == "tailscale_user_missing" else AuthResult(reason=vouched.reason)

    async def _compare(self, auth: ConnectAuth) -> AuthResult:
        if auth.token and await self._browsers.is_valid(auth.token):
            return AuthResult("token")
        is_password = self._settings.mode == "password"
        # Clients of version 4 send the one secret they were given in either field, or in both.
        given = [secret for secret in (auth.token, auth.password) if secret]
        if not given:
            return AuthResult(reason="password_missing" if is_password else "token_missing")
        expected = self._settings.password if is_password else self._settings.token
        if max(same_secret(secret, expected) for secret in given):
            return AuthResult("password" if is_password else "token")
        return AuthResult(reason="password_mismatch" if is_password else "token_mismatch")


def same_secret(given: str, expected: str | None) -> bool:
    """Compare in constant time; hashing first hides the length too."""
    if not expected:
        return False
    digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, expected)]
    return hmac.compare_digest(*digests)


def unauthorized(
    auth: AuthResult, client: ClientFacts, given: ConnectAuth | None, *, has_device: bool
) -> ProtocolError:
    """Return the refusal of a connect request, worded and coded as clients expect it."""
    given, reason = given or ConnectAuth(), auth.reason
    can_retry = reason == "token_mismatch" and has_device and bool(given.token) and not given.device_token
    details: dict[str, object] = {"code": _CODES.get(reason, "AUTH_UNAUTHORIZED") if reason else "AUTH_REQUIRED"}
    if reason is not None:
        details["authReason"] = reason
    details["canRetryWithDeviceToken"] = can_retry
    details["recommendedNextStep"] = "retry_with_device_token" if can_retry else _NEXT_STEPS.get(reason, _REVIEW)
    delay = round(auth.wait * 1000) if auth.wait > 0 else None
    message = _message(reason, client)
    return ProtocolError(
        INVALID_REQUEST, message, details=details, retryable=True if delay else None, retry_after_ms=delay
    )


_REVIEW = "review_auth_configuration"
_UPDATE_SECRET = "update_auth_credentials"  # noqa: S105 - a step, no secret
_CODES: dict[str | None, str] = {
    "token_missing": "AUTH_TOKEN_MISSING",
    "token_mismatch": "AUTH_TOKEN_MISMATCH",
    "password_missing": "AUTH_PASSWORD_MISSING",
    "password_mismatch": "AUTH_PASSWORD_MISMATCH",
    "device_token_mismatch": "AUTH_DEVICE_TOKEN_MISMATCH",
    "scope_mismatch": "AUTH_SCOPE_MISMATCH",
    "bootstrap_token_invalid": "AUTH_BOOTSTRAP_TOKEN_INVALID",
    "rate_limited": "AUTH_RATE_LIMITED",
    "tailscale_proxy_missing": "AUTH_TAILSCALE_PROXY_MISSING",
    "tailscale_whois_failed": "AUTH_TAILSCALE_WHOIS_FAILED",
    "tailscale_user_mismatch": "AUTH_TAILSCALE_IDENTITY_MISMATCH",
}
_NEXT_STEPS: dict[str | None, str] = {
    "token_missing": "update_auth_configuration",
    "password_missing": "update_auth_configuration",
    "token_mismatch": _UPDATE_SECRET,
    "password_mismatch": _UPDATE_SECRET,
    "device_token_mismatch": _UPDATE_SECRET,
    "rate_limited": "wait_then_retry",
}
_PLAIN_MESSAGES: dict[str | None, str] = {
    "device_token_mismatch": "unauthorized: device token mismatch (rotate/reissue device token)",
    "scope_mismatch": "unauthorized: requested scopes exceed those of the device token (ask for fewer)",
    "bootstrap_token_invalid": "unauthorized: bootstrap token invalid or expired (scan a fresh setup code)",
    "rate_limited": "unauthorized: too many failed authentication attempts (retry later)",
    "tailscale_proxy_missing": "unauthorized: Tailscale identity not sent by tailscaled (use its address)",
    "tailscale_whois_failed": "unauthorized: Tailscale does not know this address (use the gateway token or password)",
    "tailscale_user_mismatch": "unauthorized: Tailscale knows another user at this address",
}


def _message(reason: Reason | None, client: ClientFacts) -> str:
    if reason in _PLAIN_MESSAGES:
        return _PLAIN_MESSAGES[reason]
    if reason is None or reason.startswith("trusted_proxy"):
        return "unauthorized"
    secret, _, problem = reason.partition("_")
    return f"unauthorized: gateway {secret} {problem} ({_hint(secret, client)})"


def _hint(secret: str, client: ClientFacts) -> str:
    if client.id == "cli":
        return f"set gateway.remote.{secret} to match gateway.auth.{secret}"
    if client.mode == "webchat":
        return f"sign in again with a new login link, or enter the {secret} in the page's settings"
    return f"provide gateway auth {secret}"
