"""Reads the journal of a gateway from outside, and checks that its history is one that may happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from tests.crash.script import final_text, token_of

from homarus.clock import SystemClock
from homarus.storage.database import Connection, Database
from homarus.storage.entries import select_entries
from homarus.storage.inbound import select_messages
from homarus.storage.opening import open_database
from homarus.storage.outbound import select_parts
from homarus.storage.records import Entry, InboundMessage, MessageFilter, OutboundMessage, Run
from homarus.storage.runs import select_run

END_STATES = frozenset({"delivered", "silent", "dropped", "failed"})
LOOK = 0.02  # seconds between looks at a journal that another process writes


class Story(Struct, frozen=True):
    """One message with everything that followed from it."""

    message: InboundMessage
    run: Run | None
    entries: tuple[Entry, ...]
    parts: tuple[OutboundMessage, ...]


class History:
    """The journal as it stands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def messages(self) -> list[InboundMessage]:
        return await self._database.read(select_messages, MessageFilter(limit=10_000))

    async def stories(self) -> list[Story]:
        return await self._database.read(_stories)

    async def until_ended(self, tokens: Sequence[str]) -> None:
        """Wait until the messages of these tokens are there and every message has ended."""
        while True:
            rows = await self.messages()
            if {token_of(row.text) for row in rows} >= set(tokens) and all(row.state in END_STATES for row in rows):
                return
            await asyncio.sleep(LOOK)


@asynccontextmanager
async def open_history(url: str | None, home: Path) -> AsyncGenerator[History]:
    database = await open_database(url, home, SystemClock())
    try:
        yield History(database)
    finally:
        await database.close()


def check_stories(stories: Sequence[Story], tokens: Sequence[str], *, has_outbox: bool) -> None:
    """Fail unless every token has one message, delivered, asked once and answered once."""
    assert sorted(token_of(story.message.text) for story in stories) == sorted(tokens)
    for story in stories:
        _check_story(story, token_of(story.message.text), has_outbox=has_outbox)


def _check_story(story: Story, token: str, *, has_outbox: bool) -> None:
    message, run = story.message, story.run
    assert message.state == "delivered", f"{token} ended {message.state} ({message.reason}):\n{message.trail}"
    assert run is not None
    assert (run.state, run.text, run.error) == ("done", final_text(token), None)
    types = [entry.type for entry in story.entries]
    assert types == ["user", "assistant", "tool_result", "assistant", "tool_result", "assistant"], (token, types)
    assert token in str(story.entries[0].payload["text"])
    finals = [entry for entry in story.entries if entry.type == "assistant" and not entry.payload.get("tool_calls")]
    assert [entry.payload["text"] for entry in finals] == [final_text(token)]
    assert [part.state for part in story.parts] == ["sent"] * has_outbox
    steps = [line.split(" ")[1] for line in message.trail.splitlines()]
    assert steps[0] == "received"
    assert steps[-1] == "delivered"
    assert steps.count("delivered") == 1


def _stories(connection: Connection) -> list[Story]:
    found = select_messages(connection, MessageFilter(limit=10_000))
    return [_story(connection, message) for message in reversed(found)]


def _story(connection: Connection, message: InboundMessage) -> Story:
    run = select_run(connection, message.run_id or "")
    if run is None:
        return Story(message, None, (), ())
    entries = select_entries(connection, run.session_id)
    own = tuple(entry for entry in entries if entry.run_id == run.id)
    return Story(message, run, own, tuple(select_parts(connection, run.id)))
