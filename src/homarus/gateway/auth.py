"""Shared secrets: the configured token or password, and the tokens browsers get at login (reference 01 §7)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from homarus.errors import ProtocolError
from homarus.gateway.peer import Peer
from homarus.gateway.rate_limit import AuthLimiter
from homarus.gateway.settings import AuthSettings
from homarus.gateway.tokens import BrowserTokens
from homarus.protocol.errors import INVALID_REQUEST
from homarus.protocol.handshake import ClientFacts, ConnectAuth

SHARED_SECRET = "shared-secret"  # noqa: S105 - a kind, no secret
DEVICE_TOKEN = "device-token"  # noqa: S105 - a kind, no secret

AuthMethod = Literal["none", "token", "password", "device-token"]
Reason = Literal[
    "token_missing",
    "token_mismatch",
    "password_missing",
    "password_mismatch",
    "device_token_mismatch",
    "scope_mismatch",
    "bootstrap_token_invalid",
    "rate_limited",
]


@dataclass(frozen=True, slots=True)
class AuthResult:
    """What became of the presented secrets: a method, or the reason they were refused.

    `wait` is how many seconds to wait before the next try, 0 when waiting does not help.
    """

    method: AuthMethod | None = None
    reason: Reason | None = None
    wait: float = 0.0

    @property
    def is_ok(self) -> bool:
        """Tell whether the client is in."""
        return self.method is not None

    @property
    def is_shared_secret(self) -> bool:
        """Tell whether the client knew the owner's secret."""
        return self.method in ("token", "password")


class SharedAuth:
    """Checks shared secrets in constant time and counts failures."""

    def __init__(self, settings: AuthSettings, browsers: BrowserTokens, limiter: AuthLimiter) -> None:
        self._settings = settings
        self._browsers = browsers
        self._limiter = limiter

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
        result = await self._compare(auth or ConnectAuth())
        if result.is_ok:
            self._limiter.succeed(peer, SHARED_SECRET)
        elif result.reason in ("token_mismatch", "password_mismatch"):
            self._limiter.fail(peer, SHARED_SECRET)
        return result

    async def check_bearer(self, secret: str | None, peer: Peer) -> AuthResult:
        """Return whether the secret of an HTTP request is the owner's."""
        auth = ConnectAuth(token=secret, password=secret)
        return await self.check(auth, peer)

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
}


def _message(reason: Reason | None, client: ClientFacts) -> str:
    if reason in _PLAIN_MESSAGES:
        return _PLAIN_MESSAGES[reason]
    if reason is None:
        return "unauthorized"
    secret, _, problem = reason.partition("_")
    return f"unauthorized: gateway {secret} {problem} ({_hint(secret, client)})"


def _hint(secret: str, client: ClientFacts) -> str:
    if client.id == "cli":
        return f"set gateway.remote.{secret} to match gateway.auth.{secret}"
    if client.mode == "webchat":
        return f"sign in again with a new login link, or enter the {secret} in the page's settings"
    return f"provide gateway auth {secret}"
