"""What an agent remembers, as the service its tools are given."""

from __future__ import annotations

from msgspec import Struct

from homarus.clock import Clock
from homarus.errors import UserError
from homarus.labels import Label
from homarus.storage import memory as memory_rows
from homarus.storage.database import Database

MAX_FACT = 4000
MAX_RECALL = 100


class Fact(Struct, frozen=True):
    """A remembered text with its label; `created_at` in milliseconds."""

    id: int
    text: str
    label: Label
    created_at: int


class MemoryFacts:
    """Remembers and recalls facts per agent."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def remember(self, agent_id: str, text: str, label: Label, run_id: str | None) -> int:
        """Store a fact and return its id. Raises UserError for an empty text and one over MAX_FACT characters."""
        fact = " ".join(text.split())
        if not fact:
            raise UserError("there is nothing to remember: the text is empty")
        if len(fact) > MAX_FACT:
            raise UserError(
                f"the text has {len(fact)} characters, a fact at most {MAX_FACT}",
                fix="remember it in parts, or write it to a file",
            )
        return await self._database.write(
            memory_rows.add_fact, agent_id, fact, label.as_json(), run_id, self._clock.now_ms()
        )

    async def recall(self, agent_id: str, query: str, limit: int) -> list[Fact]:
        """Return up to `limit` (at most MAX_RECALL) facts, best match first; the newest for an empty query."""
        bounded = max(1, min(limit, MAX_RECALL))
        rows = await self._database.read(memory_rows.search_facts, agent_id, query, bounded)
        return [Fact(row.id, row.text, row.label, row.created_at) for row in rows]
