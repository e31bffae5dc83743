"""A pipeline with a supervised sender on a scratch database, for tests that make single actions of it fail."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from msgspec import Struct, field
from tests.crash.history import END_STATES, History
from tests.pipeline.harness import POLICY, Factory, FakeNetwork, FakeToolbox

from homarus.channels.contract import Capabilities, Inbound
from homarus.channels.sdk.rate import TokenBucket
from homarus.config.schema import Config
from homarus.errors import StorageError
from homarus.gateway.supervisor import Supervisor
from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Failed,
    Model,
    ModelRequest,
    ToolResultMessage,
    UserMessage,
)
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import Account, Accounts
from homarus.pipeline.delivery import Delivery
from homarus.pipeline.outbox import NOTICE
from homarus.pipeline.service import Parts, Pipeline
from homarus.storage.opening import open_database
from homarus.storage.sqlite import SqliteDatabase
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel, call, say

NAME = ("net", "default")
PATIENCE = 45.0  # seconds of real time for a conversation to come to rest


class LeapingClock(ManualClock):
    """Whoever sleeps wakes at once, and it is later: no test waits for a retry."""

    async def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)


class Surroundings(Struct):
    """What outlives a restart: the folder, time, the network, the tools' effects, the model."""

    root: Path
    model: Model
    clock: LeapingClock = field(default_factory=LeapingClock)
    network: FakeNetwork = field(default_factory=FakeNetwork)
    toolbox: FakeToolbox = field(default_factory=FakeToolbox)

    def payments(self) -> Counter[str]:
        """Return how often each payment was made, by its arguments."""
        return Counter(run.arguments for run in self.toolbox.runs if run.name == "pay")


class SmallWorld(Struct):
    """One life of the pipeline."""

    pipeline: Pipeline
    database: SqliteDatabase
    clock: LeapingClock
    taken_up: int

    async def receive(self, message: Inbound) -> None:
        """Hand a message in as a platform does that delivers again what was not acknowledged."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self.pipeline.accept(message)
                except StorageError:
                    await self.clock.sleep(1.0)
                else:
                    return

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has become true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.002)

    async def rest(self, count: int) -> None:
        """Wait until so many messages are there and all have ended."""
        history = History(self.database)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    rows = await history.messages()
                except StorageError:
                    continue
                if len(rows) == count and all(row.state in END_STATES for row in rows):
                    return
                await asyncio.sleep(0.002)


@asynccontextmanager
async def alive(around: Surroundings) -> AsyncGenerator[SmallWorld]:
    """Start a pipeline; leaving is a stop."""
    clock, network = around.clock, around.network
    database = cast("SqliteDatabase", await open_database(None, around.root, clock))
    account = Account(*NAME, AccessRules(POLICY), Capabilities(max_text=2000, burst=1000))
    delivery = Delivery(database, clock, network, NAME, TokenBucket(clock, burst=1000, interval=0.0))
    config = Config.model_validate({"messages": {"queue": {"debounceMs": 0}}})
    parts = Parts(
        database=database,
        clock=clock,
        accounts=Accounts((account,)),
        config=lambda: config,
        factory=Factory(around.model, around.root, 30.0),
        toolbox=around.toolbox,
        stamp=lambda _ms: "[stamp]",
        on_parts=lambda _channel, _account: delivery.wake(),
    )
    pipeline, supervisor = Pipeline(parts), Supervisor(clock)
    taken_up = await pipeline.recover()
    supervisor.start("delivery", delivery.run)
    try:
        yield SmallWorld(pipeline, database, clock, taken_up)
    finally:
        await supervisor.stop()
        await pipeline.stop()
        await database.close()


def paying_model() -> ScriptedModel:
    """Return a model that pays once for each message (not idempotent), looks something up, and answers."""
    return ScriptedModel([_answer])


def _answer(request: ModelRequest) -> Completed | Failed:
    check_pairs(request)
    last = max(index for index, row in enumerate(request.messages) if isinstance(row, UserMessage))
    text = "".join(getattr(part, "text", "") for part in cast("UserMessage", request.messages[last]).content)
    token = text.split()[-1]
    done = sum(isinstance(row, ToolResultMessage) for row in request.messages[last:])
    if done == 0:
        return call(("c1", "pay", json.dumps(token)))
    if done == 1:
        return call(("c1", "read", "{}"))
    return say(f"answer to {token}")


def check_pairs(request: ModelRequest) -> None:
    """Fail for a request whose calls and results are not paired one to one, in order."""
    waiting: list[str] = []
    for row in request.messages:
        if isinstance(row, ToolResultMessage):
            assert row.call_id == waiting.pop(0)
            continue
        assert not waiting
        waiting = [item.id for item in row.tool_calls] if isinstance(row, AssistantMessage) else []
    assert not waiting


def check_replies(network: FakeNetwork, tokens: list[str]) -> None:
    """Fail unless every token was answered, and at most once without the notice."""
    texts = [part.text for part in network.sent]
    for token in tokens:
        own = [text for text in texts if text.removeprefix(NOTICE) == f"answer to {token}"]
        assert own, f"no answer to {token} in {texts}"
        assert sum(not text.startswith(NOTICE) for text in own) <= 1, texts
        assert len(own) <= 2, texts
