"""Error codes of the wire, and how our errors appear there."""

from __future__ import annotations

from collections.abc import Sequence

from homarus.errors import (
    AuthFailed,
    BudgetExceeded,
    Cancelled,
    ConfigError,
    HomarusError,
    Permanent,
    ProtocolError,
    StorageError,
    Transient,
    UserError,
)
from homarus.protocol.versions import V4

INVALID_REQUEST = "INVALID_REQUEST"
UNAVAILABLE = "UNAVAILABLE"
NOT_PAIRED = "NOT_PAIRED"
FORBIDDEN = "FORBIDDEN"
NOT_LINKED = "NOT_LINKED"
AGENT_TIMEOUT = "AGENT_TIMEOUT"
APPROVAL_NOT_FOUND = "APPROVAL_NOT_FOUND"

CLOSE_NORMAL = 1000
CLOSE_PROTOCOL = 1002
CLOSE_POLICY = 1008
CLOSE_RESTART = 1012
CLOSE_STARTING = 1013
CLOSE_DEVICE_REMOVED = 4001

MAX_MESSAGE = 2000
"""Characters of an error text on the wire."""
_CALLER_IS_WRONG = (UserError, ConfigError, Permanent)


class Refusal(ProtocolError):
    """A refusal that answers a payload beside its error, as `agent` and `chat.send` do for failed runs."""

    def __init__(self, code: str, message: str, payload: dict[str, object]) -> None:
        super().__init__(code, message)
        self.payload = payload


def invalid(message: str, details: dict[str, object] | None = None) -> ProtocolError:
    """Return an INVALID_REQUEST error."""
    return ProtocolError(INVALID_REQUEST, message, details=details)


def missing_scope(scope: str, protocol: int, required: Sequence[str] = ()) -> ProtocolError:
    """Return the refusal of a call for want of a scope, in the form of the connection's protocol version.

    `required` are all scopes the call needs, when that is more than the one.
    """
    message = f"missing scope: {scope}"
    if protocol < V4:
        return invalid(message)
    details = {"code": "MISSING_SCOPE", "missingScope": scope, "requiredScopes": list(required) or [scope]}
    return ProtocolError(FORBIDDEN, message, details=details)


def unavailable(message: str, details: dict[str, object] | None = None) -> ProtocolError:
    """Return an UNAVAILABLE error."""
    return ProtocolError(UNAVAILABLE, message, details=details)


def error_shape(error: ProtocolError) -> dict[str, object]:
    """Return the wire form `{code, message, details?, retryable?, retryAfterMs?}`."""
    shape: dict[str, object] = {"code": error.code, "message": error.message[:MAX_MESSAGE] or error.code}
    if error.details is not None:
        shape["details"] = dict(error.details)
    if error.retryable is not None:
        shape["retryable"] = error.retryable
    if error.retry_after_ms is not None:
        shape["retryAfterMs"] = error.retry_after_ms
    return shape


def as_protocol_error(error: HomarusError) -> ProtocolError:
    """Return how one of our errors appears on the wire: what the caller did is invalid, the rest unavailable."""
    if isinstance(error, ProtocolError):
        return error
    if isinstance(error, _CALLER_IS_WRONG):
        return invalid(error.message)
    message = f"{error.message} ({error.fix})" if error.fix else error.message
    if isinstance(error, Transient):
        delay = None if error.retry_after is None else round(error.retry_after * 1000)
        return ProtocolError(UNAVAILABLE, message, retryable=True, retry_after_ms=delay)
    is_lasting = isinstance(error, (AuthFailed, BudgetExceeded, Cancelled, StorageError))
    return ProtocolError(UNAVAILABLE, message, retryable=False if is_lasting else None)
