"""System events: what an agent learns with its next turn, without a message of anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from homarus.clock import Clock
from homarus.labels import OPERATOR, Label
from homarus.sessions.keys import SessionKey
from homarus.sessions.store import new_session
from homarus.storage import entries, sessions
from homarus.storage.database import Connection, Database
from homarus.storage.records import Entry

MAX_TEXT = 8_000
"""Characters of one event."""


class SystemEvents:
    """Puts events into sessions. `zone` is the owner's, in which times are written."""

    def __init__(self, database: Database, clock: Clock, zone: Callable[[], tzinfo]) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    def line(self, text: str, label: Label = OPERATOR) -> str:
        """Return an event as an agent reads it; what a stranger may have written is marked."""
        moment = datetime.fromtimestamp(self._clock.now_ms() / 1000, self._zone())
        who = "System (untrusted)" if label.is_tainted else "System"
        return f"{who}: [{moment:%Y-%m-%d %H:%M:%S %Z}] {text[:MAX_TEXT]}"

    async def note(self, key: SessionKey, text: str, label: Label = OPERATOR, run_id: str | None = None) -> None:
        """Let a session know of an event with its next turn; one that only repeats the last entry is dropped."""
        entry = await self.entry(key, text, label, run_id)
        await self._database.write(_insert_new, entry, text[:MAX_TEXT])

    async def entry(self, key: SessionKey, text: str, label: Label = OPERATOR, run_id: str | None = None) -> Entry:
        """Return the entry of an event, for a session that is there from now on; storing it is the caller's."""
        session = await self._database.write(sessions.ensure_session, new_session(key, self._clock))
        payload: dict[str, object] = {"text": self.line(text, label)}
        now = self._clock.now_ms()
        return Entry(0, self._clock.uuid(), session.session_id, run_id, "user", payload, label, 0, now)


def _insert_new(connection: Connection, entry: Entry, text: str) -> None:
    last = entries.select_entries(connection, entry.session_id, 1)
    said = str(last[-1].payload.get("text") or "") if last and last[-1].type == "user" else ""
    if not (said.startswith("System") and said.endswith(f"] {text}")):
        entries.insert_entry(connection, entry)
