"""What session_status needs: somebody who knows the session."""

from __future__ import annotations

from typing import Protocol


class StatusSource(Protocol):
    """Describes sessions in words."""

    async def describe(self, session_key: str) -> str:
        """Return a few lines: time, model, tokens used and the like; nothing a chat may not see."""
        ...
