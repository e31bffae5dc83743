"""The rooms below the gateway, in memory where they are not ours and real where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from msgspec import Struct
from tests.gateway.fake_runs import FakeRuns

from homarus.channels.contract import Acceptance, Capabilities, Inbound, WebhookChannel
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.clock import Clock, SystemClock
from homarus.config.environment import HOME
from homarus.config.load import LoadedConfig, load_text
from homarus.errors import UserError
from homarus.gateway.agents import ConfiguredAgents
from homarus.gateway.outgoing_files import OutgoingFiles
from homarus.gateway.services import (
    ChannelAccount,
    MessageRecord,
    MessageStory,
    PairingRequest,
    ProbeOutcome,
    Services,
    ToolFacts,
)
from homarus.ids import Address
from homarus.models.contract import Model, ModelInfo, ModelRequest
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import Account
from homarus.pipeline.direct_send import DirectSend
from homarus.sessions.store import Sessions
from homarus.storage.media import MediaStore
from homarus.storage.sqlite import SqliteDatabase, create_sqlite_engine
from homarus.storage.tables import metadata
from homarus.tools.runner import ToolRunner

TOKEN = "gateway-token-0123456789abcdef"
MOCK = ModelInfo("mock", "mock-1", "Mock", 200_000, 8_000)


class FixedConfig(Struct):
    """A configuration that stays."""

    current: LoadedConfig


class FakeModel:
    def __init__(self, info: ModelInfo) -> None:
        self.info = info

    def stream(self, request: ModelRequest):  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType]  # noqa: ANN201
        raise NotImplementedError


class FakeModels:
    """One model."""

    def resolve(self, ref: str | None) -> Model:
        if ref not in (None, MOCK.ref, MOCK.id):
            raise UserError(f"unknown model {ref!r}")
        return FakeModel(MOCK)

    def list_models(self) -> tuple[ModelInfo, ...]:
        return (MOCK,)


class FakeHook:
    """Takes calls whose `X-Secret` is right."""

    webhook_path = "/hook"

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def handle_webhook(self, headers: Mapping[str, str], body: bytes) -> int:
        await asyncio.sleep(0)
        if headers.get("X-Secret") != "right":
            return 401
        if len(body) > 1024 * 1024:
            return 413
        self.bodies.append(body)
        return 200


class FakeChannels:
    """One IRC account that is connected, and whatever takes webhooks in `hooks`, by path."""

    def __init__(self) -> None:
        self.hooks: dict[str, FakeHook] = {}
        self.accepted: dict[str, Inbound] = {}

    async def accept(self, message: Inbound) -> Acceptance | None:
        if message.address.channel != "irc":
            return None
        if message.external_id in self.accepted:
            return Acceptance.DUPLICATE
        self.accepted[message.external_id] = message
        return Acceptance.ACCEPTED

    def find(self, address: Address) -> None:
        """Its one account can do nothing but send."""

    def webhook(self, path: str) -> WebhookChannel | None:
        return cast("WebhookChannel | None", self.hooks.get(path))

    def accounts(self) -> tuple[ChannelAccount, ...]:
        return (ChannelAccount("irc", "IRC", "default", is_running=True, is_connected=True),)

    async def probe(self, channel: str, account: str) -> ProbeOutcome:
        await asyncio.sleep(0)
        return ProbeOutcome(is_ok=True, detail="here", latency_ms=3)


MESSAGE = MessageRecord(
    "m1",
    "irc",
    "default",
    "#room",
    "nick",
    "nick",
    "hello",
    "failed",
    "model refused",
    None,
    None,
    1,
    2,
    ("1 received",),
)


class FakeMessages:
    """One failed message."""

    async def list(self, *, state: str | None, channel: str | None, limit: int) -> tuple[MessageRecord, ...]:
        found = (MESSAGE,) if state in (None, "failed") and channel in (None, "irc") else ()
        return found[:limit]

    async def show(self, message_id: str) -> MessageStory | None:
        return MessageStory(MESSAGE) if message_id == "m1" else None

    async def retry(self, message_id: str) -> MessageRecord:
        if message_id != "m1":
            raise UserError(f"no message {message_id}")
        return MESSAGE


class FakePairing:
    """One stranger with the code CODE1234."""

    request = PairingRequest("irc", "default", "stranger", "Stranger", "CODE1234", 1, 2)

    async def list(self, channel: str | None) -> tuple[PairingRequest, ...]:
        return (self.request,) if channel in (None, "irc") else ()

    async def approve(self, channel: str, code: str, *, tells: bool = True) -> PairingRequest | None:
        return self.request if (channel, code) == ("irc", "CODE1234") else None

    async def dismiss(self, channel: str, code: str) -> bool:
        return (channel, code) == ("irc", "CODE1234")


class FakeTools:
    """One tool, which can be called when there is a runner."""

    def __init__(self, runner: ToolRunner | None = None) -> None:
        self.runner = runner

    def list(self, agent_id: str) -> tuple[ToolFacts, ...]:
        return (ToolFacts("exec", "exec", f"Run a command for {agent_id}", "runtime"),)


@cache
def empty_database() -> bytes:
    """Return the file of a database with every table: to make them for each test took half of its time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        engine = create_sqlite_engine(path)
        with engine.begin() as connection:
            metadata.create_all(connection)
        engine.dispose()
        return path.read_bytes()


def make_database(path: Path) -> SqliteDatabase:
    """Return the database of a folder, an empty one in a new folder."""
    if not path.exists():
        path.write_bytes(empty_database())
    return SqliteDatabase(create_sqlite_engine(path))


def make_files(folder: Path, clock: Clock) -> OutgoingFiles:
    """Return a shelf for a channel that takes files of 1000 bytes."""
    files = OutgoingFiles(MediaStore(folder / "media", clock))
    can = Capabilities(has_media=True, max_file=1000)
    files.accounts.replace((Account("irc", "default", AccessRules(ChannelPolicyConfig()), can),))
    return files


def make_services(
    folder: Path, config_text: str = "{}", clock: Clock | None = None, *, is_manual: bool = False
) -> tuple[Services, FakeRuns]:
    """Return services over a fresh database in a folder."""
    clock = clock or SystemClock()
    database = make_database(folder / "homarus.db")
    config = FixedConfig(load_text(config_text, folder / "homarus.json", {HOME: str(folder)}))
    runs = FakeRuns(clock, is_manual=is_manual)
    log_file = folder / "gateway.log"
    (folder / "workspace").mkdir(exist_ok=True)
    files = make_files(folder, clock)
    services = Services(
        clock=clock,
        database=database,
        state_dir=folder,
        config=config,
        runs=runs,
        sessions=Sessions(database, clock),
        models=FakeModels(),
        agents=ConfiguredAgents(config),
        channels=FakeChannels(),
        messages=FakeMessages(),
        pairing=FakePairing(),
        sender=DirectSend(
            database, clock, files.accounts, lambda _channel, _account: None, lambda _channel, _account: None
        ),
        tools=FakeTools(),
        files=files,
        log_file=log_file,
    )
    return services, runs
