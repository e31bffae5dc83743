"""Exit codes, and which error ends with which."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from homarus.errors import AuthFailed, ConfigError, HomarusError, ProtocolError
from homarus.protocol.client_errors import NotRunning

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExitCode(IntEnum):
    """What the shell sees."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_RUNNING = 3
    REFUSED = 4
    CONFIG = 5
    INTERRUPTED = 130


MEANINGS: Final[Mapping[ExitCode, str]] = {
    ExitCode.OK: "it worked",
    ExitCode.FAILURE: "it did not work; the error says why",
    ExitCode.USAGE: "the command was typed wrongly",
    ExitCode.NOT_RUNNING: "no gateway answers",
    ExitCode.REFUSED: "the gateway refused: wrong token, device not paired, or a missing scope",
    ExitCode.CONFIG: "the configuration is invalid",
    ExitCode.INTERRUPTED: "stopped with Ctrl-C",
}


class UsageFailure(HomarusError):
    """The command was typed wrongly."""


def exit_code_of(error: HomarusError) -> ExitCode:
    """Return the exit code an error ends the command with."""
    if isinstance(error, UsageFailure):
        return ExitCode.USAGE
    if isinstance(error, NotRunning):
        return ExitCode.NOT_RUNNING
    if isinstance(error, ConfigError):
        return ExitCode.CONFIG
    if isinstance(error, AuthFailed) or (isinstance(error, ProtocolError) and is_refusal(error)):
        return ExitCode.REFUSED
    return ExitCode.FAILURE


def fix_of(error: HomarusError) -> str:
    """Return what to do about an error; every error has an answer."""
    if len(getattr(error, "issues", ())) > 1:
        return "correct all of these; docs/reference/config.md lists every key"
    if error.fix:
        return error.fix
    if isinstance(error, ProtocolError) and error.message.startswith("unknown method"):
        return "update the gateway, or see what it has: homarus gateway call status"
    if isinstance(error, ProtocolError) and error.message.startswith("missing scope"):
        return "use a device or token that has this scope"
    if isinstance(error, ProtocolError) and error.message.startswith("no message"):
        return "homarus messages list"
    if isinstance(error, ProtocolError) and error.code == "INVALID_REQUEST":
        return "correct the value; --help behind the command says what it takes"
    return "homarus doctor"


def is_refusal(error: ProtocolError) -> bool:
    """Tell whether the gateway refused who asked rather than what was asked."""
    if error.code in ("NOT_PAIRED", "FORBIDDEN"):
        return True
    return error.message.startswith(("unauthorized", "missing scope", "device ", "pairing required"))
