"""What a tool is: a named operation with declared effects, typed arguments and a bounded result."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from msgspec import Struct, field
from pydantic import BaseModel

from homarus.ids import Address, AgentId, RunId
from homarus.labels import Label
from homarus.models.contract import Image
from homarus.tools.policy import ToolPolicy


class Effect(StrEnum):
    """What a tool can do to the world. A tool that declares none has every effect."""

    PURE = "pure"
    READ_PRIVATE = "read-private"
    WRITE_LOCAL = "write-local"
    WRITE_SHARED = "write-shared"
    EXTERNAL_SEND = "external-send"
    EXEC = "exec"
    CONTROL_PLANE = "control-plane"
    DESTRUCTIVE = "destructive"


ALL_EFFECTS = frozenset(Effect) - {Effect.PURE}
ArgsT = TypeVar("ArgsT", bound=BaseModel)


class ToolContext(Struct, frozen=True):
    """What a tool call is given. `label` joins everything the model has read in this context so far.

    `report` takes a piece of live output for viewers (at most a few KB a call, never stored); `workspace` is the
    agent's folder and the only one tools may touch; `policy` narrows the agent's rules for this turn; `began` takes
    the number of a process that works on the call.
    """

    agent_id: AgentId
    session_key: str
    run_id: RunId
    call_id: str
    workspace: Path
    label: Label
    address: Address | None = None
    policy: ToolPolicy | None = None
    report: Callable[[str], None] = field(default=lambda _text: None)
    began: Callable[[int], None] = field(default=lambda _pid: None)


class ToolOutput(Struct, frozen=True):
    """What a call gave back. `text` goes to the model (bounded by the runner); `details` only to viewers.

    `label` None means the tool's default: external integrity, origin `tool:<name>`.
    """

    text: str
    is_error: bool = False
    images: tuple[Image, ...] = ()
    details: dict[str, object] = field(default_factory=dict)
    label: Label | None = None


class Tool(Protocol, Generic[ArgsT]):
    """One tool. `control` names the arguments that decide who, where, how much or which; others are payload.

    `is_idempotent` False means: after a crash with unknown outcome it is not run again.
    `timeout` is in seconds and bounds one call.
    """

    name: str
    description: str
    args: type[ArgsT]
    effects: frozenset[Effect]
    control: frozenset[str]
    is_idempotent: bool
    timeout: float

    async def run(self, context: ToolContext, args: ArgsT) -> ToolOutput:
        """Do it. Raise UserError for a call that cannot be done as asked; its text goes back to the model."""
        ...
