"""`recall`: find remembered facts."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import AliasChoices, Field

from homarus.labels import join_all
from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.memory_port import Fact, MemoryStore

MAX_FACTS = 20


class RecallArgs(Arguments):
    """Arguments of `recall`."""

    query: str = Field(max_length=1_000, validation_alias=AliasChoices("query", "q", "text"))


class RecallTool:
    """Finds facts; its answer has the label of the facts in it."""

    name = "recall"
    description = "Search the facts remembered earlier."
    args = RecallArgs
    effects = frozenset({Effect.READ_PRIVATE})
    control: frozenset[str] = frozenset()
    is_idempotent = True
    timeout = 30.0

    def __init__(self, memory: MemoryStore) -> None:
        self._memory = memory

    async def run(self, context: ToolContext, args: RecallArgs) -> ToolOutput:
        """Return one line per fact, best first."""
        facts = await self._memory.recall(context.agent_id, args.query, MAX_FACTS)
        if not facts:
            return ToolOutput(f"nothing is remembered about {args.query!r}", label=context.label)
        text = "\n".join(_line(fact) for fact in facts)
        return ToolOutput(text, details={"facts": len(facts)}, label=join_all(fact.label for fact in facts))


def _line(fact: Fact) -> str:
    day = datetime.fromtimestamp(fact.created_at / 1000, UTC).date().isoformat()
    return f"- {fact.text} ({day})"
