"""What a client tells its user when the gateway cannot be reached or refuses it."""

from __future__ import annotations

from typing import Final, cast

from homarus.errors import AuthFailed, ConfigError, HomarusError, ProtocolError, Transient
from homarus.protocol.fingerprint import read_fingerprint

START: Final = "start it with `homarus gateway run`"
_FIXES: Final = {
    "token": "use the token of that gateway: set HOMARUS_GATEWAY_TOKEN, or gateway.remote.token in homarus.json",
    "password": "use the password of that gateway: set HOMARUS_GATEWAY_PASSWORD, or gateway.remote.password",
}


class NotRunning(Transient):
    """No gateway answers at the address."""


class Starting(Transient):
    """The gateway listens already, but does not let anybody in yet."""


class ConnectionLost(Transient):
    """The connection ended before an answer came; whether the gateway acted on the request is unknown."""


def not_running(url: str, reason: str) -> NotRunning:
    """Return the error for an address where nothing answers."""
    return NotRunning(f"the gateway is not running at {url} ({reason})", fix=START)


def read_pin(url: str, fingerprint: str) -> bytes:
    """Return the bytes of a pinned fingerprint. Raises ConfigError when it is none, or the connection has no TLS."""
    path = "gateway.remote.tlsFingerprint"
    if not url.startswith("wss://"):
        raise ConfigError(f"{url} has no certificate to pin", path=path, fix="use a wss:// address")
    try:
        return read_fingerprint(fingerprint)
    except ValueError as error:
        fix = "copy what the gateway prints when it starts, or `homarus gateway fingerprint` there"
        raise ConfigError(f"no fingerprint of a certificate: {error}", path=path, fix=fix) from None


def wrong_certificate(url: str, got: bytes) -> AuthFailed:
    """Return the error for a server that shows another certificate than the pinned one."""
    message = f"{url} shows another certificate than the pinned one: sha256:{got.hex(':').upper()}"
    fix = "if the gateway got a new one, pin that: compare it with `homarus gateway fingerprint` there; else stop here"
    return AuthFailed(message, fix=fix)


def unknown_certificate(url: str, reason: str) -> AuthFailed:
    """Return the error for a certificate no authority vouches for."""
    fix = "pin it: --tls-fingerprint with what `homarus gateway fingerprint` prints on the gateway's machine"
    return AuthFailed(f"the certificate of {url} is not trusted ({reason})", fix=fix)


def timed_out(method: str, timeout: float) -> Transient:
    """Return the error for an answer that did not come in time."""
    fix = "look at `homarus logs`; the gateway may be busy or stuck"
    return Transient(f"no answer to {method} within {timeout:g} s", fix=fix)


def read_error(error: object) -> ProtocolError:
    """Return the error in a failed response."""
    shape = cast("dict[str, object]", error) if isinstance(error, dict) else {}
    details, delay, retryable = shape.get("details"), shape.get("retryAfterMs"), shape.get("retryable")
    return ProtocolError(
        str(shape.get("code") or "UNAVAILABLE"),
        str(shape.get("message") or "the gateway refused without saying why"),
        details=cast("dict[str, object]", details) if isinstance(details, dict) else None,
        retryable=retryable if isinstance(retryable, bool) else None,
        retry_after_ms=delay if isinstance(delay, int) else None,
    )


def refused_handshake(error: ProtocolError) -> HomarusError:
    """Return the refusal of a connect request with what to do about it."""
    code = str((error.details or {}).get("code") or "")
    if code == "PAIRING_REQUIRED":
        request = (error.details or {}).get("requestId")
        call = f'homarus gateway call device.pair.approve --params \'{{"requestId":"{request}"}}\''
        return AuthFailed("this device waits to be approved on the gateway", fix=f"run there: {call}")
    if code == "AUTH_RATE_LIMITED":
        return Transient(error.message, retry_after=60.0, fix="wait a few minutes, then try again")
    if code.startswith("AUTH_"):
        return AuthFailed(error.message, fix=_FIXES["password" if "PASSWORD" in code else "token"])
    if (error.details or {}).get("reason") == "startup-sidecars":
        pause = (error.retry_after_ms or 500) / 1000
        return Starting(error.message, retry_after=pause, fix="wait until the gateway has started")
    if error.message == "protocol mismatch":
        return ProtocolError(error.code, "this client and the gateway speak no common protocol version; update one")
    return error
