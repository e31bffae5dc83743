"""The words that wake a node's microphone."""

from __future__ import annotations

from typing import Final, cast

from homarus.clock import Clock
from homarus.storage import kv
from homarus.storage.database import Database

DEFAULT_TRIGGERS: Final = ("homarus", "computer")
MAX_TRIGGERS: Final = 32
MAX_LENGTH: Final = 64
"""Words, and characters of one; more are cut."""
_SPACE, _NAME = "voicewake", "triggers"


async def read_triggers(database: Database) -> list[str]:
    """Return the wake words."""
    stored = await database.read(kv.get_value, _SPACE, _NAME)
    return [str(word) for word in cast("list[object]", stored)] if isinstance(stored, list) else [*DEFAULT_TRIGGERS]


async def write_triggers(database: Database, clock: Clock, triggers: list[str]) -> list[str]:
    """Store wake words and return them as kept: trimmed, each once, the defaults when none is left."""
    trimmed = dict.fromkeys(word.strip()[:MAX_LENGTH] for word in triggers)
    kept = [word for word in trimmed if word][:MAX_TRIGGERS] or [*DEFAULT_TRIGGERS]
    await database.write(kv.put_value, _SPACE, _NAME, kept, clock.now_ms())
    return kept
