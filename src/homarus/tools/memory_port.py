"""What the memory tools need: somewhere that keeps facts with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from homarus.labels import Label


class Fact(Protocol):
    """A remembered text; `created_at` in milliseconds since the Unix epoch."""

    @property
    def id(self) -> int:
        """Return its number."""
        ...

    @property
    def text(self) -> str:
        """Return what was remembered."""
        ...

    @property
    def label(self) -> Label:
        """Return the label it was stored with."""
        ...

    @property
    def created_at(self) -> int:
        """Return when it was remembered."""
        ...


class MemoryStore(Protocol):
    """Keeps facts per agent. Labels are stored as given: memory does not launder."""

    async def remember(self, agent_id: str, text: str, label: Label, run_id: str | None) -> int:
        """Store a fact and return its number. Raises UserError for a text it does not take."""
        ...

    async def recall(self, agent_id: str, query: str, limit: int) -> Sequence[Fact]:
        """Return the facts that fit the query best, best first."""
        ...
