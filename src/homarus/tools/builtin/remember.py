"""`remember`: keep a fact for later sessions."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.memory_port import MemoryStore


class RememberArgs(Arguments):
    """Arguments of `remember`."""

    fact: str = Field(min_length=1, validation_alias=AliasChoices("fact", "text", "content"))


class RememberTool:
    """Stores a fact with the label of everything this context has read, so that memory launders nothing."""

    name = "remember"
    description = "Remember one fact for later conversations."
    args = RememberArgs
    effects = frozenset({Effect.WRITE_LOCAL})
    control: frozenset[str] = frozenset()
    is_idempotent = False
    timeout = 30.0

    def __init__(self, memory: MemoryStore) -> None:
        self._memory = memory

    async def run(self, context: ToolContext, args: RememberArgs) -> ToolOutput:
        """Store it. Raises UserError for a text the memory does not take."""
        number = await self._memory.remember(context.agent_id, args.fact, context.label, context.run_id)
        return ToolOutput(f"remembered as fact {number}", details={"id": number}, label=context.label)
