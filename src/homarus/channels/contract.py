"""What a channel is: it reports facts inwards and carries parts outwards, and decides nothing.

The core owns policy, routing, retries, rate limits, chunking, streaming cadence and reconnects. A channel is created
from its validated configuration, run by a supervisor, and asked to send by the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field

from homarus.ids import Address
from homarus.manner import ORDINARY, Manner


class ChatKind(StrEnum):
    """What kind of chat a message came from."""

    DIRECT = "direct"
    GROUP = "group"


class Sender(Struct, frozen=True):
    """Who wrote. `id` is what allowlists match: the strongest identity the platform verified.

    `aliases` are weaker identities that an allowlist may name as well (an unverified nick, a handle).
    """

    id: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    is_bot: bool = False


class Attachment(Struct, frozen=True):
    """A file that came with a message: `data` when already fetched, else `ref` to fetch it by."""

    mime: str
    name: str = ""
    data: bytes | None = None
    ref: str | None = None
    size: int | None = None


class Inbound(Struct, frozen=True):
    """One message as the platform reported it: facts only.

    `external_id` is unique per channel and account and is what duplicates are recognised by. `sent_at` is the
    platform's time in milliseconds since the epoch, None when it gives none. `is_mentioned` means the text addresses
    the bot; `is_reply_to_me` that it answers one of the bot's messages. `quoted` is text the sender quoted.
    `is_event` is something they did (a reaction) to the message whose platform id is `reply_to`: nothing to answer, but
    the next answer is told of it.
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
    is_event: bool = False


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


class OutboundPart(Struct, frozen=True):
    """One part of a reply, already chunked and in the channel's markup.

    `id` is stable over attempts: use it as the platform's idempotency key where there is one. `attempt` counts from 1.
    `reply_to` is the platform's id of the message being answered, set on the first part only. `manner` is what a
    channel that can do it does beyond sending the text.
    """

    id: str
    address: Address
    text: str
    index: int = 0
    count: int = 1
    attempt: int = 1
    reply_to: str | None = None
    manner: Manner = ORDINARY


class Receipt(Struct, frozen=True):
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


class ProbeResult(Struct, frozen=True):
    """What a round trip that we started found: `detail` says who we are there or what failed."""

    is_ok: bool
    detail: str
    latency_ms: int | None = None


class Capabilities(Struct, frozen=True):
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
    has_buttons: bool = False
    has_polls: bool = False
    has_stickers: bool = False
    max_file: int = 20_000_000  # bytes of the largest file it takes
    is_transcript: bool = False  # delivering is being in the transcript; nothing is sent
    burst: int = 5  # parts that may go at once
    interval: float = 1.0  # seconds per part after the burst


class Manifest(Struct, frozen=True):
    """A channel's manifest.toml, readable without importing the channel.

    `setup` names the keys that somebody who connects the channel is asked for; `unused` those that are accepted and
    have no effect, below the channel's section and with `*` for any name in it.
    """

    id: str
    name: str
    capabilities: Capabilities
    module: str
    extra: str | None = None
    docs: str = ""
    aliases: tuple[str, ...] = field(default=())
    setup: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


class Channel(Protocol):
    """One account on one network. Called by the supervisor (run) and the outbox (the rest)."""

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands now."""
        ...

    async def until_connected(self) -> None:
        """Return once the connection stands; at once when it does. Never raises; the kit's `Standing` does it."""
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


class EditingChannel(Channel, Protocol):
    """A channel whose manifest says `can_edit`: what was sent can be changed, so a reply can be shown while it grows.

    A preview is an ordinary part: sent once with `send`, then edited under the same part id until its text is final.
    """

    async def edit(self, part: OutboundPart, platform_id: str) -> Receipt:
        """Give the message `platform_id` the text of `part`; a message that has it already is a success.

        Editing twice is harmless, so a lost answer raises Transient, never Ambiguous. Raises Permanent when the message
        is gone or may not be changed any more (send the part anew), AuthFailed.
        """
        ...

    async def delete(self, address: Address, platform_id: str) -> None:
        """Remove a message; one that is gone already is a success. Raises Permanent, Transient, AuthFailed."""
        ...


class ReactingChannel(Channel, Protocol):
    """A channel whose manifest says `can_react`."""

    async def react(self, address: Address, platform_id: str, emoji: str | None) -> None:
        """Put our one emoji on a message (the inbound `external_id`, or a receipt's id), None to take it off.

        Raises Permanent for an emoji or message the platform does not know, Transient, AuthFailed.
        """
        ...


class MediaChannel(Channel, Protocol):
    """A channel whose manifest says `has_media`."""

    async def send_media(self, part: OutboundPart, attachment: Attachment) -> Receipt:
        """Send a file whose `data` is set, with the part's text, which may be empty, as its caption.

        The part gives it identity over attempts, as in `send`, and the same errors are raised. Raises Permanent for a
        file the platform does not take.
        """
        ...

    async def fetch_media(self, attachment: Attachment) -> bytes:
        """Return the bytes of an inbound file by its `ref`. Raises Permanent (gone, too large), Transient."""
        ...


class TopicChannel(Channel, Protocol):
    """A channel whose chats have topics that we may open and name."""

    async def create_topic(self, address: Address, name: str) -> str:
        """Open a topic in a chat and return its thread id. Raises Permanent when the platform does not allow it,
        Transient, AuthFailed, and Ambiguous when it may have been opened."""
        ...

    async def rename_topic(self, address: Address, name: str) -> None:
        """Name the topic of an address; one that has the name already is a success. Raises Permanent when the platform
        does not allow it, Transient, AuthFailed."""
        ...


class WebhookChannel(Channel, Protocol):
    """A channel that the platform may call: the gateway serves the path and passes every POST on."""

    @property
    def webhook_path(self) -> str | None:
        """Return the path to serve, None when this account does not receive by webhook."""
        ...

    async def handle_webhook(self, headers: Mapping[str, str], body: bytes) -> int:
        """Check and commit one call; return the HTTP status to answer with, and nothing else in the answer.

        The caller reads at most 1 MB and one byte of the body before it asks. Never raises for what the caller sent;
        200 means committed, 503 that the platform shall call again.
        """
        ...


class Ambiguous(Exception):
    """The connection broke while a part was being sent; the platform may or may not have it."""
