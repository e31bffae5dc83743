"""The tools agents have: the built-in ones, on the best sandbox of this machine, behind the one runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from homarus.clock import Clock
from homarus.gateway.outgoing_files import OutgoingFiles
from homarus.gateway.services import ConfigSource, Services, ToolFacts
from homarus.gateway.session_status import SessionStatus
from homarus.ids import AgentId
from homarus.sandbox.contract import Limits
from homarus.sandbox.registry import Unavailable, backends, select
from homarus.sessions.memory import MemoryFacts
from homarus.storage.database import Database
from homarus.storage.media import MediaStore
from homarus.tools.builtins import builtin_registry
from homarus.tools.policy import GROUPS, ToolPolicy
from homarus.tools.runner import ToolRunner

if TYPE_CHECKING:
    from homarus.config.schema import Config


class LateStatus:
    """Implements homarus.tools' StatusSource; the services it describes exist only after the tools."""

    def __init__(self) -> None:
        self.source: SessionStatus | None = None

    async def describe(self, session_key: str) -> str:
        """Return a session in words."""
        return await self.source.describe(session_key) if self.source is not None else "the gateway is starting"


class Toolkit(Struct, frozen=True):
    """The runner and what surrounds it; implements homarus.gateway.services.ToolLister."""

    runner: ToolRunner
    status: LateStatus
    files: OutgoingFiles
    warnings: tuple[str, ...] = ()
    is_sandboxed: bool = True

    def attach(self, services: Services) -> None:
        """Give the status tool what it describes."""
        self.status.source = SessionStatus(services)

    def list(self, agent_id: str) -> tuple[ToolFacts, ...]:
        """Return the tools of one agent."""
        specs = self.runner.specs(AgentId(agent_id))
        return tuple(ToolFacts(spec.name, spec.name, spec.description, group_of(spec.name)) for spec in specs)


async def open_toolkit(config: ConfigSource, database: Database, media: MediaStore, clock: Clock) -> Toolkit:
    """Try the sandboxes of this machine and return the tools on the first that works."""
    sandbox = await select(backends(clock))
    status, files = LateStatus(), OutgoingFiles(media)
    limits = _limits(config.current.config)
    registry = builtin_registry(sandbox, MemoryFacts(database, clock), status, files, limits)
    runner = ToolRunner(registry, lambda agent_id: policy_of(config.current.config, agent_id), sandbox, clock)
    return Toolkit(runner, status, files, _warnings(sandbox), not isinstance(sandbox, Unavailable))


def policy_of(config: Config, agent_id: AgentId) -> ToolPolicy:
    """Return the tool rules of an agent: the shared ones, and its own on top; a tool either denies is denied."""
    shared, entry = config.tools, config.agents.entry(agent_id)
    own = entry.tools if entry is not None else None
    if own is None:
        return ToolPolicy(shared.profile, shared.allow, tuple(shared.also_allow), tuple(shared.deny))
    return ToolPolicy(
        profile=own.profile or shared.profile,
        allow=own.allow if own.allow is not None else shared.allow,
        also_allow=(*shared.also_allow, *own.also_allow),
        deny=(*shared.deny, *own.deny),
    )


def group_of(name: str) -> str:
    """Return the group a tool belongs to, e.g. `fs`; `other` for none."""
    return next((group.removeprefix("group:") for group, names in GROUPS.items() if name in names), "other")


def _limits(config: Config) -> Limits:
    """Return the ceilings of a command; `tools.exec.timeoutSec` counts when it is written down."""
    settings = config.tools.exec
    return Limits(timeout=float(settings.timeout_sec)) if "timeout_sec" in settings.model_fields_set else Limits()


def _warnings(sandbox: object) -> tuple[str, ...]:
    if not isinstance(sandbox, Unavailable):
        return ()
    return (f"commands are switched off, no sandbox works here: {sandbox.reason}. To fix it: {sandbox.fix}",)
