"""A whole pipeline on a scratch database, with a scripted model, a recording toolbox and one fake network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from homarus.agent.loop import Turn
from homarus.channels.contract import (
    Attachment,
    Capabilities,
    ChatKind,
    ConnectionState,
    Inbound,
    Ingress,
    OutboundPart,
    ProbeResult,
    Receipt,
    Sender,
    Verdict,
)
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.channels.sdk.rate import TokenBucket
from homarus.channels.sdk.standing import Standing
from homarus.clock import Clock, SystemClock
from homarus.config.schema import Config
from homarus.gateway.outgoing_files import OutgoingFiles
from homarus.ids import Address, AgentId, RunId
from homarus.labels import Confidentiality, Integrity, Label
from homarus.models.contract import Model, ToolCall
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import Account, Accounts, ReplyMode
from homarus.pipeline.collected_files import FileCollector
from homarus.pipeline.contract import Requester, RunEvent, Submission
from homarus.pipeline.delivery import Delivery
from homarus.pipeline.run_store import Begun
from homarus.pipeline.service import Parts, Pipeline
from homarus.storage.database import Database
from homarus.storage.inbound import select_messages
from homarus.storage.media import MediaStore
from homarus.storage.opening import open_database
from homarus.storage.records import InboundMessage, MessageFilter
from homarus.tools.contract import ToolContext, ToolOutput
from homarus.tools.runner import ToolOutcome

EXTERNAL = Label(Integrity.EXTERNAL, Confidentiality.PRIVATE, ("tool:test",))
OWNER = Requester(device_id="d1", conn_id="c1", is_admin=True)


@dataclass
class FakeToolbox:
    """Runs functions by name; everything else answers `ran NAME`."""

    functions: dict[str, Callable[[ToolCall], str | ToolOutput]] = field(default_factory=dict)
    idempotent: frozenset[str] = frozenset({"read"})
    runs: list[ToolCall] = field(default_factory=list)

    def is_idempotent(self, name: str) -> bool:
        return name in self.idempotent

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        self.runs.append(call)
        context.report("working\n")
        work = self.functions.get(call.name, lambda c: f"ran {c.name}")
        done = work(call)
        return ToolOutcome(done if isinstance(done, ToolOutput) else ToolOutput(done), EXTERNAL, 1)


@dataclass
class FakeNetwork:
    """A channel that records what it is sent.

    `failures` are raised by the next sends, in order; `refusals` by the first send of the part with that index.
    """

    sent: list[OutboundPart] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    refusals: dict[int, Exception] = field(default_factory=dict)
    verdict: Verdict = Verdict.UNKNOWN
    standing: Standing = field(default_factory=lambda: Standing(ConnectionState.CONNECTED))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def state(self) -> ConnectionState:
        return self.standing.state

    async def until_connected(self) -> None:
        await self.standing.until_connected()

    async def run(self, ingress: Ingress) -> None:
        await asyncio.Event().wait()

    async def send(self, part: OutboundPart) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        if part.index in self.refusals:
            raise self.refusals.pop(part.index)
        self.sent.append(part)
        self.arrived.set()
        return Receipt(f"p{len(self.sent)}")

    async def send_media(self, part: OutboundPart, attachment: Attachment) -> Receipt:
        receipt = await self.send(part)
        self.files.append(attachment)
        return receipt

    async def reconcile(self, part: OutboundPart) -> Verdict:
        return self.verdict

    async def set_typing(self, address: Address, *, is_typing: bool) -> None:
        return None

    async def probe(self) -> ProbeResult:
        return ProbeResult(is_ok=True, detail="fake")

    async def close(self) -> None:
        return None


class Factory:
    """Gives every run the same model."""

    def __init__(self, model: Model, workspace: Path, timeout: float) -> None:
        self.model = model
        self._workspace = workspace
        self._timeout = timeout

    async def make(self, begun: Begun) -> Turn:
        info = begun.info
        return Turn(
            info.run_id,
            info.agent_id,
            info.session_key,
            self._workspace,
            self.model,
            "system",
            (),
            is_resumed=begun.starts > 1,
        )

    def timeout(self, begun: Begun) -> float:
        return self._timeout

    async def status(self, begun: Begun) -> str:
        return f"status of {begun.info.session_key}"


class World:
    """One pipeline with its surroundings."""

    def __init__(
        self, pipeline: Pipeline, parts: Parts, network: FakeNetwork, delivery: Delivery, media: MediaStore
    ) -> None:
        self.pipeline = pipeline
        self.parts = parts
        self.network = network
        self.delivery = delivery
        self.media = media
        self.events: list[RunEvent] = []
        pipeline.listen(self.events.append)

    async def messages(self) -> list[InboundMessage]:
        return await self.parts.database.read(select_messages, MessageFilter(limit=1000))

    async def until(self, condition: Callable[[Sequence[InboundMessage]], bool]) -> list[InboundMessage]:
        """Wait until the journal satisfies a condition; the test's own timeout bounds it."""
        while True:
            messages = await self.messages()
            if condition(messages):
                return messages
            await asyncio.sleep(0.005)

    async def until_settled(self) -> list[InboundMessage]:
        return await self.until(lambda rows: all(m.state not in {"queued", "running", "replied"} for m in rows))

    def event_names(self) -> list[str]:
        return [type(event.event).__name__ for event in self.events]


POLICY = ChannelPolicyConfig(allow_from=["ann"], groups={"#room": {}}, group_allow_from=["*"])  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def world(
    root: Path,
    model: Model,
    *,
    toolbox: FakeToolbox | None = None,
    policy: ChannelPolicyConfig = POLICY,
    config: dict[str, object] | None = None,
    clock: Clock | None = None,
    timeout: float = 30.0,
    network: FakeNetwork | None = None,
    is_streaming: bool = False,
    has_media: bool = True,
    reply_mode: ReplyMode = "first",
    history_limit: int = 50,
    url: str | None = None,
    collector: FileCollector | None = None,
    wrap: Callable[[Database], Database] = lambda database: database,
) -> AsyncGenerator[World]:
    """Open a pipeline in `root`; leaving it is a stop, entering again a restart."""
    clock = clock or SystemClock()
    database = wrap(await open_database(url, root, clock))
    network = network or FakeNetwork()
    accounts = Accounts(
        (
            Account(
                "net",
                "default",
                AccessRules(policy),
                Capabilities(max_text=200, burst=1000, has_media=has_media),
                is_streaming=is_streaming,
                reply_mode=reply_mode,
                history_limit=history_limit,
            ),
        )
    )
    bucket = TokenBucket(clock, burst=1000, interval=0.0)
    media = MediaStore(root / "media", clock)
    delivery = Delivery(database, clock, network, ("net", "default"), bucket, files=OutgoingFiles(media))
    settings = {"messages": {"queue": {"debounceMs": 0}}, **(config or {})}
    loaded = Config.model_validate(settings)
    parts = Parts(
        database=database,
        clock=clock,
        accounts=accounts,
        config=lambda: loaded,
        factory=Factory(model, root, timeout),
        toolbox=toolbox or FakeToolbox(),
        stamp=lambda _ms: "[stamp]",
        on_parts=lambda _channel, _account: delivery.wake(),
        on_preview=delivery.show,
        collector=collector,
    )
    pipeline = Pipeline(parts)
    await pipeline.recover()
    sender = asyncio.create_task(delivery.run())
    try:
        yield World(pipeline, parts, network, delivery, media)
    finally:
        await pipeline.stop()
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        await database.close()


def direct(text: str, number: int = 1, sender: str = "ann") -> Inbound:
    """Return a direct message."""
    return Inbound(Address("net", "default", sender), f"m{number}", Sender(sender), ChatKind.DIRECT, text)


def group(text: str, number: int = 1, sender: str = "bob", *, is_mentioned: bool = False) -> Inbound:
    """Return a message in a room."""
    address = Address("net", "default", "#room")
    return Inbound(address, f"g{number}", Sender(sender), ChatKind.GROUP, text, is_mentioned=is_mentioned)


def chat(text: str, run_id: str = "r1", key: str = "agent:main:main") -> Submission:
    """Return a message of an authenticated surface."""
    return Submission(RunId(run_id), AgentId("main"), key, text, "chat", OWNER)
