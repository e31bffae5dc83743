"""Heartbeats on a real pipeline with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from tests.automation.world import FakePost
from tests.pipeline.harness import FakeNetwork, World, world

from homarus.automation.heartbeat.heart import Heartbeats
from homarus.automation.heartbeat.record import HeartbeatEvent
from homarus.pipeline.contract import Runs
from homarus.pipeline.outbox import Outbox
from homarus.storage.entries import select_entries
from homarus.storage.records import Entry, Session
from homarus.storage.sessions import select_session
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel

HALF_HOUR = 1800.0
MAIN = "agent:main:main"


@dataclass
class Pulse:
    """Running heartbeats and what they reported."""

    here: World
    clock: ManualClock
    hearts: Heartbeats
    model: ScriptedModel
    events: list[HeartbeatEvent] = field(default_factory=list[HeartbeatEvent])

    async def event(self, number: int = 1) -> HeartbeatEvent:
        """Wait for so many events; the test's own timeout bounds it."""
        while len(self.events) < number:
            await asyncio.sleep(0.002)
        return self.events[number - 1]

    async def beat(self, seconds: float = HALF_HOUR) -> HeartbeatEvent:
        """Let time pass once the heart sleeps, and return what comes of it."""
        count = len(self.events)
        await self.clock.sleeping(seconds)
        self.clock.advance(seconds)
        return await self.event(count + 1)

    async def merge(self) -> None:
        """Let the moment pass in which events are collected."""
        await self.clock.sleeping(0.25)
        self.clock.advance(0.25)

    async def session(self, key: str = MAIN) -> Session | None:
        return await self.here.parts.database.read(select_session, key)

    async def entries(self, key: str = MAIN) -> list[Entry]:
        session = await self.session(key)
        return await self.here.parts.database.read(select_entries, session.session_id) if session else []

    async def sent(self, count: int = 1) -> list[str]:
        """Wait for so many parts and return their texts."""
        while len(self.here.network.sent) < count:
            await asyncio.sleep(0.002)
        return [part.text for part in self.here.network.sent]


@asynccontextmanager
async def beating(
    root: Path,
    model: ScriptedModel,
    *,
    config: dict[str, object] | None = None,
    clock: ManualClock | None = None,
    network: FakeNetwork | None = None,
    runs: Runs | None = None,
) -> AsyncGenerator[Pulse]:
    """Start hearts in `root`; leaving is a stop, entering again with the same clock a restart."""
    clock = clock or ManualClock()
    async with world(root, model, config=config, clock=clock, network=network) as here:
        post = FakePost(Outbox(here.parts.accounts, clock))
        post.wake = lambda _address: here.delivery.wake()  # type: ignore[method-assign]
        hearts = Heartbeats(
            here.parts.database,
            clock,
            runs or here.pipeline,
            post,
            here.parts.config,
            lambda: UTC,
            lambda _agent: root / "workspace",
        )
        made = Pulse(here, clock, hearts, model)
        hearts.listen(made.events.append)
        task = asyncio.create_task(hearts.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def checklist(root: Path, text: str) -> None:
    """Write HEARTBEAT.md."""
    (root / "workspace").mkdir(exist_ok=True)
    (root / "workspace" / "HEARTBEAT.md").write_text(text, encoding="utf-8")


def to_net(**more: object) -> dict[str, object]:
    """Return a configuration whose heartbeats go to a chat."""
    return {"agents": {"defaults": {"heartbeat": {"target": "net", "to": "ann", **more}}}}
