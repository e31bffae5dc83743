"""What a channel is: it reports facts inwards and carries parts outwards, and decides nothing.

The core owns policy, routing, retries, rate limits, chunking, streaming cadence and reconnects. A channel is created
from its validated configuration, run by a supervisor, and asked to send by the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from homarus.ids import Address


class ChatKind(StrEnum):
    """What kind of chat a message came from."""

    DIRECT = "direct"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote. `id` is what allowlists match: the strongest identity the platform verified.

    `aliases` are weaker identities that an allowlist may name as well (an unverified nick, a handle).
    """

    id: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: `data` when already fetched, else `ref` to fetch it by."""

    mime: str
    name: str = ""
    data: bytes | None = None
    ref: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as the platform reported it: facts only.

    `external_id` is unique per channel and account and is what duplicates are recognised by. `sent_at` is the
    platform's time in milliseconds since the epoch, None when it gives none. `is_mentioned` means the text addresses
    the bot; `is_reply_to_me` that it answers one of the bot's messages. `quoted` is text the sender quoted.
    """

    address: Address
    external_id: str
    sender: Sender
    kind: ChatKind
    text: str
    is_mentioned: bool = False
    is_reply_to_me: bool = False
    reply_to: str | None = None
    quoted: str | None = None
    attachments: tuple[Attachment, ...] = ()
    sent_at: int | None = None


class Acceptance(StrEnum):
    """What became of an inbound message at the journal: either way it may be acknowledged to the platform."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


class Ingress(Protocol):
    """Where a channel hands messages in."""

    async def accept(self, message: Inbound) -> Acceptance:
        """Commit a message; acknowledge it to the platform only after this returns. Raises StorageError when it
        could not be committed: do not acknowledge, let the platform deliver it again."""
        ...


@dataclass(frozen=True, slots=True)
class OutboundPart:
    """One part of a reply, already chunked and in the channel's markup.

    `id` is stable over attempts: use it as the platform's idempotency key where there is one. `attempt` counts from 1.
    `reply_to` is the platform's id of the message being answered, set on the first part only.
    """

    id: str
    address: Address
    text: str
    index: int = 0
    count: int = 1
    attempt: int = 1
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform took the part. `platform_id` is the id it gave, None when it gives none."""

    platform_id: str | None = None


class Verdict(StrEnum):
    """What reconciling an interrupted send found out."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class ConnectionState(StrEnum):
    """Where a channel's connection stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a round trip that we started found: `detail` says who we are there or what failed."""

    is_ok: bool
    detail: str
    latency_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do, from its manifest. `max_text` is in `text_unit`s per part."""

    max_text: int = 4000
    text_unit: str = "chars"  # chars, utf16 or bytes
    markup: str = "plain"  # plain, markdown, irc, html, mrkdwn
    can_edit: bool = False
    can_react: bool = False
    can_type: bool = False
    has_threads: bool = False
    has_groups: bool = False
    has_media: bool = False
    is_transcript: bool = False  # delivering is being in the transcript; nothing is sent
    burst: int = 5  # parts that may go at once
    interval: float = 1.0  # seconds per part after the burst


@dataclass(frozen=True, slots=True)
class Manifest:
    """A channel's manifest.toml, readable without importing the channel."""

    id: str
    name: str
    capabilities: Capabilities
    module: str
    extra: str | None = None
    docs: str = ""
    aliases: tuple[str, ...] = field(default=())


class Channel(Protocol):
    """One account on one network. Called by the supervisor (run) and the outbox (the rest)."""

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands now."""
        ...

    async def run(self, ingress: Ingress) -> None:
        """Connect and receive until cancelled or the connection ends.

        Raises Transient when the connection was lost (the supervisor reconnects with backoff), AuthFailed when the
        credentials were refused (it stops and says so). Must not retry by itself.
        """
        ...

    async def send(self, part: OutboundPart) -> Receipt:
        """Send one part. Raises Transient (not sent, try again), Permanent (never will be), AuthFailed.

        A failure after which it is unknown whether the platform took the part must raise `Ambiguous`.
        """
        ...

    async def reconcile(self, part: OutboundPart) -> Verdict:
        """Find out whether an interrupted send of this part reached the platform."""
        ...

    async def set_typing(self, address: Address, *, is_typing: bool) -> None:
        """Show or hide the typing sign; does nothing where there is none."""
        ...

    async def probe(self) -> ProbeResult:
        """Make one round trip. Never raises."""
        ...

    async def close(self) -> None:
        """Release everything; called once, after run has ended."""
        ...


class Ambiguous(Exception):
    """The connection broke while a part was being sent; the platform may or may not have it."""
