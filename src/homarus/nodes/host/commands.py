"""What a headless node can do, by command name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar, cast

from msgspec import Struct

from homarus.clock import Clock
from homarus.errors import ProtocolError, UserError
from homarus.nodes.host.failure import CommandFailed, bad_request
from homarus.nodes.host.notify import notifier, notify
from homarus.nodes.host.plan import CommandLine, check_plan, find_program, make_plan, read_command
from homarus.nodes.host.process import Finished, run_program
from homarus.nodes.host.run_policy import check_run, read_rules, remember
from homarus.nodes.host.variables import override
from homarus.security.exec_approvals import ExecApprovalsFile

Params = dict[str, object]
T = TypeVar("T")
Handler = Callable[[Params], Awaitable[object]]
Report = Callable[[str, Params], Awaitable[None]]
MAX_BINS: Final = 256
MAX_TIMEOUT: Final = 24 * 60 * 60 * 1000
"""Milliseconds a command may be given."""
MAX_REPORT: Final = 20_000
"""Characters of output in `exec.finished`."""
_APPROVING: Final = ("allow-once", "allow-always")


class _Run(Struct, frozen=True):
    """A command that is to run, and what is said about it afterwards."""

    line: CommandLine
    params: Params
    is_approved: bool

    def about(self) -> Params:
        names = ("sessionKey", "runId", "suppressNotifyOnExit")
        facts = {name: self.params[name] for name in names if self.params.get(name) is not None}
        return {**facts, "host": "node", "command": self.line.text[:1000]}


class NodeCommands:
    """The commands of one node. `variables` is the environment of commands, `report` sends an event to the
    gateway, `extra` are commands that only some machines have."""

    def __init__(
        self,
        approvals: ExecApprovalsFile,
        variables: Mapping[str, str],
        clock: Clock,
        report: Report,
        extra: Mapping[str, Handler] | None = None,
    ) -> None:
        self._approvals = approvals
        self._variables = variables
        self._clock = clock
        self._report = report
        self._handlers: dict[str, Handler] = {
            "system.run.prepare": self._prepare,
            "system.run": self._run,
            "system.which": self._which,
            "system.execApprovals.get": self._get_approvals,
            "system.execApprovals.set": self._set_approvals,
        }
        if notifier(variables["PATH"]) is not None:
            self._handlers["system.notify"] = self._notify
        self._handlers |= extra or {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the commands this machine can do."""
        return tuple(self._handlers)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Return the families of commands this machine has, such as system and camera."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self._handlers))

    async def do(self, command: str, params: Params) -> object:
        """Do a command and return its payload, None for none. Raises CommandFailed."""
        handler = self._handlers.get(command)
        if handler is None:
            raise CommandFailed("UNAVAILABLE", "command not supported")
        return await handler(params)

    async def _prepare(self, params: Params) -> object:
        line = read_command(params, self._variables["PATH"])
        return {"plan": await asyncio.to_thread(make_plan, line, params)}

    async def _run(self, params: Params) -> object:
        line = read_command(params, self._variables["PATH"])
        is_approved = params.get("approved") is True or params.get("approvalDecision") in _APPROVING
        run = _Run(line, params, is_approved)
        try:
            finished = await self._execute(run)
        except CommandFailed as failure:
            if failure.reason:
                await self._report("exec.denied", {**run.about(), "reason": failure.reason})
            raise
        output = (finished.stdout + finished.stderr)[-MAX_REPORT:]
        outcome = {name: value for name, value in finished.shown().items() if name in _REPORTED}
        await self._report("exec.finished", {**run.about(), **outcome, "output": output})
        return finished.shown()

    async def _execute(self, run: _Run) -> Finished:
        params, agent = run.params, _text(run.params.get("agentId"))
        if params.get("needsScreenRecording") is True:
            raise CommandFailed(
                "UNAVAILABLE", "PERMISSION_MISSING: screenRecording", reason="permission:screenRecording"
            )
        body = (await self._off_loop(self._approvals.read)).body
        check_run(read_rules(body, agent), run.line, is_approved=run.is_approved)
        plan = params.get("systemRunPlan")
        if isinstance(plan, dict):
            await asyncio.to_thread(check_plan, cast("Params", plan), run.line)
        variables = override(self._variables, _strings(params.get("env")), is_shell=run.line.is_shell)
        timeout = _milliseconds(params.get("timeoutMs"))
        if params.get("approvalDecision") == "allow-always":
            await self._off_loop(lambda: self._allow_for_good(agent, run.line))
        return await run_program(run.line.argv, run.line.cwd, variables, timeout)

    def _allow_for_good(self, agent: str | None, line: CommandLine) -> None:
        found = self._approvals.read()
        body = remember(found.body, agent, line, self._clock.uuid(), self._clock.now_ms())
        if body != found.body:
            self._approvals.replace(body, found.hash)

    async def _which(self, params: Params) -> object:
        bins = params.get("bins")
        names = [name for name in cast("list[object]", bins) if isinstance(name, str)] if isinstance(bins, list) else []
        if not names:
            raise bad_request("bins required")
        found = {name: find_program(name.strip(), self._variables["PATH"]) for name in names[:MAX_BINS]}
        return {"bins": {name: path for name, path in found.items() if path is not None}}

    async def _notify(self, params: Params) -> object:
        await notify(params, self._variables)

    async def _get_approvals(self, params: Params) -> object:  # noqa: ARG002 - the signature of commands
        return (await self._off_loop(self._approvals.ensure)).shown()

    async def _set_approvals(self, params: Params) -> object:
        from homarus.protocol.approvals import ExecApprovalsSetParams  # noqa: PLC0415 - pydantic, needed here only
        from homarus.protocol.validation import parse_params  # noqa: PLC0415

        try:
            given = parse_params(ExecApprovalsSetParams, "system.execApprovals.set", params)
        except ProtocolError as error:
            raise bad_request(error.message) from error
        body = cast("Params", given.file.model_dump(by_alias=True, exclude_none=True))
        return (await self._off_loop(lambda: self._approvals.replace(body, given.base_hash))).shown()

    async def _off_loop(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except UserError as error:
            raise bad_request(error.message) from error


_REPORTED: Final = ("exitCode", "timedOut", "success")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _strings(value: object) -> dict[str, str]:
    if value is None:
        return {}
    pairs = cast("dict[object, object]", value) if isinstance(value, dict) else None
    if pairs is None or not all(isinstance(name, str) and isinstance(each, str) for name, each in pairs.items()):
        raise bad_request("env must map names to strings")
    return cast("dict[str, str]", pairs)


def _milliseconds(value: object) -> float | None:
    """Return seconds; None, which is no limit, when none is given."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise bad_request("timeoutMs must be a number of milliseconds")
    return min(value, MAX_TIMEOUT) / 1000 or None
