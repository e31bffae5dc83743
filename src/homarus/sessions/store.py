"""Sessions and their transcripts as a service over storage."""

from __future__ import annotations

from msgspec.structs import replace

from homarus.clock import Clock
from homarus.errors import UserError
from homarus.labels import Label
from homarus.sessions.keys import SessionKey
from homarus.storage import entries as entry_rows
from homarus.storage import entry_pages
from homarus.storage import sessions as session_rows
from homarus.storage.database import Connection, Database
from homarus.storage.entry_pages import EntryPage
from homarus.storage.records import Entry, EntryType, Session, SessionFilter


def new_session(key: SessionKey, clock: Clock) -> Session:
    """Return the row of a session that has said nothing yet."""
    now = clock.now_ms()
    return Session(
        key=str(key),
        agent_id=key.agent_id,
        session_id=clock.uuid(),
        kind=key.kind,
        channel=key.channel,
        created_at=now,
        updated_at=now,
    )


class Sessions:
    """Reads and changes sessions; runs write their transcripts through `agent`, not through this."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def list(self, where: SessionFilter | None = None) -> list[Session]:
        """Return sessions, newest activity first."""
        return await self._database.read(session_rows.select_sessions, where or SessionFilter())

    async def page(self, where: SessionFilter) -> tuple[list[Session], int]:
        """Return a page of sessions, newest activity first, and how many there are in all."""
        return await self._database.read(session_rows.page_of_sessions, where)

    async def count(self, agent_id: str | None = None) -> int:
        """Return how many sessions there are."""
        return await self._database.read(session_rows.count_sessions, SessionFilter(agent_id))

    async def get(self, key: SessionKey) -> Session | None:
        """Return one session, None when it does not exist."""
        return await self._database.read(session_rows.select_session, str(key))

    async def ensure(self, key: SessionKey) -> Session:
        """Return the session of a key, made now when it does not exist."""
        return await self._database.write(session_rows.ensure_session, new_session(key, self._clock))

    async def update(
        self, key: SessionKey, *, label: str | None, meta: dict[str, object], is_use: bool = True
    ) -> Session:
        """Set the label and the settings of a session, made when missing. Raises UserError for a label in use.

        `is_use` False leaves its place in the list: a mark such as read or pinned is no activity.
        """
        await self.ensure(key)
        now = self._clock.now_ms() if is_use else None
        taken = await self._database.write(session_rows.update_settings, str(key), label, meta, now)
        if taken:
            raise UserError(f"label already in use: {label}")
        return await self.ensure(key)

    async def reset(self, key: SessionKey) -> Session:
        """Begin a new transcript under the same key; the old one stays stored."""
        fresh = new_session(key, self._clock)
        return await self._database.write(_renew, fresh, self._clock.uuid(), self._clock.now_ms())

    async def keep_last(self, key: SessionKey, count: int) -> tuple[Session, int] | None:
        """Go on with the last `count` entries only, in a transcript of their own; the old one stays stored.

        Clients count the head of a transcript as a line too, so one with exactly `count` entries is cut as well.
        Returns the session and how many entries it has now, None when it had fewer anyway.
        """
        now, clock = self._clock.now_ms(), self._clock
        return await self._database.write(
            _keep_last, str(key), count, clock.uuid(), [clock.uuid() for _ in range(count)], now
        )

    async def delete(self, key: SessionKey) -> bool:
        """Remove a session and its transcript. Raises UserError for a main session."""
        if key.is_main:
            raise UserError(f"Cannot delete the main session ({key}).", fix="reset it instead")
        return await self._database.write(session_rows.delete_session, str(key))

    async def entries(self, session_id: str, limit: int | None = None) -> list[Entry]:
        """Return the last `limit` entries of a transcript in order."""
        return await self._database.read(entry_rows.select_entries, session_id, limit)

    async def page_of(self, session_id: str, limit: int, offset: int = 0, anchor: str | None = None) -> EntryPage:
        """Return a page of a transcript, counted from its end; with `anchor`, the one around the entry of that id."""
        return await self._database.read(entry_pages.select_page, session_id, limit, offset, anchor)

    async def since(self, session_id: str, seq: int, limit: int) -> list[Entry]:
        """Return the first `limit` entries after a position."""
        return await self._database.read(entry_pages.select_since, session_id, seq, limit)

    async def entry(self, session_id: str, entry_id: str) -> Entry | None:
        """Return one entry of a transcript, None when it is not there."""
        return await self._database.read(entry_pages.select_entry, session_id, entry_id)

    async def append(
        self,
        session: Session,
        entry_type: EntryType,
        payload: dict[str, object],
        label: Label,
        run_id: str | None = None,
    ) -> Entry:
        """Add one entry outside a run (an injected message, a note)."""
        entry = Entry(
            0, self._clock.uuid(), session.session_id, run_id, entry_type, payload, label, 0, self._clock.now_ms()
        )
        return await self._database.write(entry_rows.insert_entry, entry)


def _renew(connection: Connection, fresh: Session, session_id: str, now: int) -> Session:
    """In one commit, so that the session cannot be deleted between being there and being renewed."""
    session_rows.ensure_session(connection, fresh)
    return session_rows.renew_session(connection, fresh.key, session_id, now)


def _keep_last(
    connection: Connection, key: str, count: int, session_id: str, ids: list[str], now: int
) -> tuple[Session, int] | None:
    session = session_rows.select_session(connection, key)
    if session is None:
        return None
    last = entry_rows.select_entries(connection, session.session_id, count + 1)
    if len(last) < count:
        return None
    session_rows.move_transcript(connection, key, session_id, now)
    for entry, identifier in zip(last[-count:], ids, strict=False):
        entry_rows.insert_entry(connection, replace(entry, id=identifier, session_id=session_id))
    return replace(session, session_id=session_id, updated_at=now), count
