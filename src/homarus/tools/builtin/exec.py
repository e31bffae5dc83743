"""`exec`: a shell command inside the sandbox.

The command line is not looked at: no reading of a string is a boundary. The sandbox is.
"""

from __future__ import annotations

from msgspec.structs import replace
from pydantic import AliasChoices, Field

from homarus.errors import UserError
from homarus.sandbox.contract import Command, Completion, Limits, Sandbox
from homarus.sandbox.registry import Unavailable
from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput

MAX_SECONDS = 1_800


class ExecArgs(Arguments):
    """Arguments of `exec`."""

    command: str = Field(min_length=1, max_length=100_000, validation_alias=AliasChoices("command", "cmd"))
    timeout: int | None = Field(default=None, ge=1, le=MAX_SECONDS, description="seconds, default 120")


class ExecTool:
    """Runs a shell line in the agent's workspace, without network and without the host's files."""

    name = "exec"
    description = "Run a shell command in the workspace. Sandboxed: no network, nothing outside the workspace."
    args = ExecArgs
    effects = frozenset({Effect.EXEC, Effect.WRITE_LOCAL, Effect.READ_PRIVATE})
    control = frozenset({"command"})
    is_idempotent = False
    timeout = MAX_SECONDS + 60.0  # the sandbox ends the command first

    def __init__(self, sandbox: Sandbox | Unavailable, limits: Limits | None = None) -> None:
        self._sandbox = sandbox
        self._limits = limits or Limits()

    async def run(self, context: ToolContext, args: ExecArgs) -> ToolOutput:
        """Return what it printed and how it ended. Raises UserError without a sandbox, Permanent when it breaks."""
        if isinstance(self._sandbox, Unavailable):
            raise UserError(f"no sandbox works here: {self._sandbox.reason}", fix=self._sandbox.fix)
        limits = replace(self._limits, timeout=float(args.timeout or self._limits.timeout))
        command = Command(("/bin/sh", "-c", args.command), context.workspace, limits=limits)
        done = await self._sandbox.run(command, context.report, context.began)
        details: dict[str, object] = {
            "durationMs": done.duration_ms,
            "isTruncated": done.is_truncated,
            "cwd": str(context.workspace),
        }
        if not done.is_timed_out:
            details["exitCode"] = done.exit_code
        return ToolOutput(_tell(done, limits), is_error=done.exit_code != 0, details=details)


def _tell(done: Completion, limits: Limits) -> str:
    end = _tell_end(done, limits)
    if not end:
        return done.output
    separator = "" if not done.output or done.output.endswith("\n") else "\n"
    return f"{done.output}{separator}[{end}]"


def _tell_end(done: Completion, limits: Limits) -> str:
    if done.is_timed_out:
        return f"timed out after {limits.timeout:g} s; every process of it was killed"
    if done.exit_code < 0:
        return f"killed by signal {-done.exit_code}"
    return f"exit code {done.exit_code}" if done.exit_code else ""
