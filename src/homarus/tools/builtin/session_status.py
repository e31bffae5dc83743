"""`session_status`: time, model and usage of this session."""

from __future__ import annotations

from homarus.labels import Confidentiality, Integrity, Label
from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.status_port import StatusSource

LABEL = Label(Integrity.OPERATOR, Confidentiality.CHAT, ("tool:session_status",))


class SessionStatusArgs(Arguments):
    """`session_status` takes nothing: it always speaks of the session it is called in."""


class SessionStatusTool:
    """Describes the session of the call."""

    name = "session_status"
    description = "Show the time, the model and the usage of this session."
    args = SessionStatusArgs
    effects = frozenset({Effect.PURE})
    control: frozenset[str] = frozenset()
    is_idempotent = True
    timeout = 15.0

    def __init__(self, source: StatusSource) -> None:
        self._source = source

    async def run(self, context: ToolContext, args: SessionStatusArgs) -> ToolOutput:  # noqa: ARG002 - nothing in them
        """Return the description."""
        return ToolOutput(await self._source.describe(context.session_key), label=LABEL)
