"""The whole exception tree.

HomarusError
├── UserError            the caller asked for something impossible; shown as it is
├── ConfigError          a configuration value is wrong: carries path and fix
├── Transient            may work later: carries retry_after (seconds)
├── AuthFailed           a credential was refused; trying again with it is pointless
├── Permanent            will never work as asked
├── StorageError         the database cannot be used (locked, full, newer schema)
├── Cancelled            the owner stopped it
├── BudgetExceeded       a cost ceiling was reached before the call
├── ApprovalNeeded       policy wants a human decision first
└── ProtocolError        a wire-level refusal: carries code and details
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

ErrorT = TypeVar("ErrorT", bound=BaseException)


class HomarusError(Exception):
    """Base of every expected failure. `fix` says what to do or type next."""

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UserError(HomarusError):
    """The caller asked for something that cannot be done as asked."""


class ConfigError(HomarusError):
    """A configuration value is wrong. `path` is dotted, e.g. `gateway.port`."""

    def __init__(self, message: str, *, path: str = "", fix: str | None = None) -> None:
        super().__init__(message, fix=fix)
        self.path = path


class Transient(HomarusError):
    """The same request may succeed later. `retry_after` is in seconds, None when the peer gave no hint."""

    def __init__(self, message: str, *, retry_after: float | None = None, fix: str | None = None) -> None:
        super().__init__(message, fix=fix)
        self.retry_after = retry_after


class AuthFailed(HomarusError):
    """A credential was refused by its peer."""


class Permanent(HomarusError):
    """The request can never succeed as it is."""


class StorageError(HomarusError):
    """The database cannot be opened, read or written."""


class Cancelled(HomarusError):
    """The owner stopped the work."""


class BudgetExceeded(HomarusError):
    """A cost ceiling was reached; nothing was sent."""


class ApprovalNeeded(HomarusError):
    """Policy wants a human decision before this action."""


class ProtocolError(HomarusError):
    """A request is refused on the wire with `code` and optional `details`.

    Codes are those of the gateway protocol: INVALID_REQUEST, UNAVAILABLE, NOT_PAIRED, NOT_LINKED, AGENT_TIMEOUT,
    APPROVAL_NOT_FOUND, and FORBIDDEN (protocol 4).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        retryable: bool | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = details
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms


def first_error(group: BaseExceptionGroup[ErrorT], *kinds: type[BaseException]) -> ErrorT:
    """Return the error that explains a group best, however deep it is: of the first of `kinds` there is, else the
    first of all."""
    matching = (group.subgroup(kind) for kind in kinds)
    error: object = next((found for found in matching if found is not None), group)
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return cast("ErrorT", error)
