"""What the gateway is given at composition: the rooms below it, behind the smallest interfaces it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from homarus.clock import Clock
from homarus.manner import ORDINARY, Manner
from homarus.models.contract import ModelCatalog
from homarus.pipeline.contract import Runs
from homarus.pipeline.direct_send import Sending
from homarus.sessions.store import Sessions
from homarus.storage.database import Database
from homarus.storage.records import Entry

if TYPE_CHECKING:
    from homarus.automation.heartbeat.heart import Heartbeats
    from homarus.automation.service import Jobs
    from homarus.channels.contract import Acceptance, Capabilities, Channel, Inbound, WebhookChannel
    from homarus.channels.policy_config import ChannelPolicyConfig
    from homarus.config.load import LoadedConfig
    from homarus.gateway.agent_skills import AgentSkills
    from homarus.gateway.instruments import Instruments
    from homarus.gateway.outgoing_files import OutgoingFiles
    from homarus.gateway.prompt_ledger import PromptLedger
    from homarus.gateway.reload import Reloader
    from homarus.gateway.wizard import Wizards
    from homarus.ids import Address
    from homarus.nodes.voice.speaker import Speaker
    from homarus.pipeline.attachments import Attached
    from homarus.tools.runner import ToolRunner


class ConfigSource(Protocol):
    """Where the configuration in force is found; it may change while the gateway runs."""

    @property
    def current(self) -> LoadedConfig:
        """Return the configuration in force."""
        ...


class AgentFacts(Struct, frozen=True):
    """An agent as clients see it. `model` is `provider/id`, None for the default model."""

    id: str
    is_default: bool = False
    name: str | None = None
    workspace: str | None = None
    model: str | None = None
    fallbacks: tuple[str, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict[str, str])


class AgentDirectory(Protocol):
    """Which agents there are."""

    def list(self) -> tuple[AgentFacts, ...]:
        """Return all agents; at least one, exactly one of them the default."""
        ...


class ChannelAccount(Struct, frozen=True):
    """How one account of a channel stands. Times in milliseconds, None when it never happened."""

    channel: str
    name: str
    account: str
    is_configured: bool = True
    is_running: bool = False
    is_connected: bool = False
    last_error: str | None = None
    last_inbound_at: int | None = None
    last_outbound_at: int | None = None


class ProbeOutcome(Struct, frozen=True):
    """What a round trip to a platform found."""

    is_ok: bool
    detail: str
    latency_ms: int | None = None


class HostedChannel(Protocol):
    """An account of a channel that runs, with what it can do and its settings."""

    @property
    def channel(self) -> Channel:
        """Return the channel itself."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        ...

    @property
    def settings(self) -> ChannelPolicyConfig:
        """Return its section of the configuration."""
        ...


class ChannelDirectory(Protocol):
    """Which channels there are, in order of configuration."""

    def accounts(self) -> tuple[ChannelAccount, ...]:
        """Return every account of every channel."""
        ...

    def find(self, address: Address) -> HostedChannel | None:
        """Return the account an address belongs to, None when it is not configured or only a transcript."""
        ...

    def webhook(self, path: str) -> WebhookChannel | None:
        """Return the channel whose platform calls this path, None for any other path."""
        ...

    async def accept(self, message: Inbound) -> Acceptance | None:
        """Take a message as if its channel had heard it; None when the channel has no such account.

        Raises StorageError when it could not be committed.
        """
        ...

    async def probe(self, channel: str, account: str) -> ProbeOutcome:
        """Make a round trip to the platform; bounded by the caller. Must not raise for platform failures."""
        ...


class MessageRecord(Struct, frozen=True):
    """An inbound message and what became of it. `trail` are lines `<ms> <step> <detail>`; times in milliseconds."""

    id: str
    channel: str
    account: str
    chat: str
    sender_id: str
    sender_name: str
    text: str
    state: str
    reason: str
    session_key: str | None
    run_id: str | None
    received_at: int
    updated_at: int
    trail: tuple[str, ...] = ()


class OutboundRecord(Struct, frozen=True):
    """One part of a reply and how far it came. Times in milliseconds."""

    id: str
    channel: str
    chat: str
    part: int
    parts: int
    state: str
    attempts: int
    text: str
    error: str | None
    platform_id: str | None
    updated_at: int
    created_at: int = 0
    next_at: int = 0


class RunRecord(Struct, frozen=True):
    """The run that answered a message. `starts` counts begins, more than one after restarts; tokens None: unknown."""

    id: str
    state: str
    model: str | None
    starts: int
    started_at: int
    ended_at: int | None
    error: str | None
    stop_reason: str | None
    input_tokens: int | None
    output_tokens: int | None


class StepRecord(Struct, frozen=True):
    """One step of a run: `kind` is user, assistant, tool_result or note; `detail` says which tools, never what text."""

    kind: str
    detail: str
    at: int
    is_error: bool = False


class MessageStory(Struct, frozen=True):
    """An inbound message with the run that worked on it, its steps, and the parts that answered it."""

    message: MessageRecord
    parts: tuple[OutboundRecord, ...] = ()
    run: RunRecord | None = None
    steps: tuple[StepRecord, ...] = ()


class MessageDesk(Protocol):
    """The journal of messages as people look at it."""

    async def list(self, *, state: str | None, channel: str | None, limit: int) -> tuple[MessageRecord, ...]:
        """Return messages, newest first."""
        ...

    async def show(self, message_id: str) -> MessageStory | None:
        """Return one message by its id or an unambiguous beginning of it, None when there is none."""
        ...

    async def retry(self, message_id: str) -> MessageRecord:
        """Take a failed message up again, or send its dead parts again. Raises UserError when it is not failed."""
        ...


class PairingRequest(Struct, frozen=True):
    """A stranger who asked to be let in on a channel. Times in milliseconds."""

    channel: str
    account: str
    sender_id: str
    sender_name: str
    code: str
    created_at: int
    last_seen_at: int


class PairingDesk(Protocol):
    """Strangers on chat channels who wait to be let in."""

    async def list(self, channel: str | None) -> tuple[PairingRequest, ...]:
        """Return open requests."""
        ...

    async def approve(self, channel: str, code: str, *, tells: bool = True) -> PairingRequest | None:
        """Let the owner of a code in and, with `tells`, send them a word; None when no open request has it."""
        ...

    async def dismiss(self, channel: str, code: str) -> bool:
        """Drop a request; False when no open request has the code."""
        ...


class Sender(Protocol):
    """Sends what no run wrote."""

    async def send(
        self,
        key: str,
        address: Address,
        text: str,
        mirror: Entry | None,
        *,
        within: float,
        files: Sequence[Attached] = (),
        reply_to: str | None = None,
        manner: Manner = ORDINARY,
    ) -> Sending:
        """Commit a text and files, once per key, with the transcript entry `mirror`, and wait for delivery.

        `reply_to` is the platform's id of the message they answer, `manner` how they go.

        Raises UserError when there is nothing to send and for a key that was used for another chat.
        """
        ...


class ToolFacts(Struct, frozen=True):
    """A tool as listed to clients; `group` such as fs, runtime, memory."""

    id: str
    label: str
    description: str
    group: str


class ToolLister(Protocol):
    """Which tools agents have, and the one way to call them."""

    @property
    def runner(self) -> ToolRunner | None:
        """Return what calls tools, None when there are none."""
        ...

    def list(self, agent_id: str) -> tuple[ToolFacts, ...]:
        """Return the tools of one agent."""
        ...


class Services(Struct, frozen=True):
    """Everything operations work with.

    `files` keeps what goes out as a file, `log_file` is the file `logs.tail` reads, `sender` what `send` sends with,
    `instruments` what `/metrics` shows, `reloader` what reads the configuration again, `jobs` the scheduler's,
    `hearts` the heartbeats of agents, `speaker` makes speech, `wizards` sets up by
    questions, `skills` those of workspaces,
    `prompts` what prompts were made of; None when there is none.
    """

    clock: Clock
    database: Database
    state_dir: Path
    config: ConfigSource
    runs: Runs
    sessions: Sessions
    models: ModelCatalog
    agents: AgentDirectory
    channels: ChannelDirectory
    messages: MessageDesk
    pairing: PairingDesk
    sender: Sender
    tools: ToolLister
    files: OutgoingFiles | None = None
    log_file: Path | None = None
    instruments: Instruments | None = None
    reloader: Reloader | None = None
    jobs: Jobs | None = None
    hearts: Heartbeats | None = None
    speaker: Speaker | None = None
    wizards: Wizards | None = None
    skills: AgentSkills | None = None
    prompts: PromptLedger | None = None
