"""How a command of a node fails on the wire."""

from __future__ import annotations

from homarus.errors import HomarusError


class CommandFailed(HomarusError):
    """A command was refused or could not be done. `code` and `reason` are words of the protocol."""

    def __init__(self, code: str, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


def bad_request(message: str) -> CommandFailed:
    """Return the failure for parameters that make no sense."""
    return CommandFailed("INVALID_REQUEST", f"INVALID_REQUEST: {message}")


def denied(message: str, reason: str) -> CommandFailed:
    """Return the failure for a command that policy forbids."""
    return CommandFailed("UNAVAILABLE", message, reason=reason)
