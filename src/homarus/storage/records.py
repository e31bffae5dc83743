"""Stored things as values: sessions and transcript entries."""

from __future__ import annotations

from typing import Literal, Self

from msgspec import Struct, field

from homarus.ids import Address, AgentId
from homarus.labels import Label
from homarus.manner import ORDINARY, Manner

EntryType = Literal["user", "assistant", "tool_result", "note"]


class Entry(Struct, frozen=True):
    """One line of a transcript. `seq` rises within the database; payload by type:

    - user: `{text, images: [{mime, data(base64)}], late?, stamp?, speaker?, sender?: {id, name}, channel?,
      key?: idempotency key, heard?: [lines others said in the group before]}`
    - assistant: `{text, thinking, tool_calls: [{id, name, arguments}], provider, model, stop_reason,
      usage: {input, output, cacheRead, cacheWrite}, error?, aborted?, injected?,
      response_id?}`
    - tool_result: `{call_id, name, text, is_error, images, details}`
    - note: `{text, kind}`; shown to people, never sent to a model
    """

    seq: int
    id: str
    session_id: str
    run_id: str | None
    type: EntryType
    payload: dict[str, object]
    label: Label
    tokens: int
    created_at: int


class Session(Struct, frozen=True):
    """A session row. `status` is running, done, failed, killed or None; `meta` holds settings such as
    thinkingLevel, verboseLevel, modelOverride. Token totals are running sums."""

    key: str
    agent_id: AgentId
    session_id: str
    kind: str
    created_at: int
    updated_at: int
    channel: str | None = None
    address: Address | None = None
    label: str | None = None
    title: str | None = None
    last_preview: str | None = None
    status: str | None = None
    meta: dict[str, object] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    started_at: int | None = None
    ended_at: int | None = None


class SessionFilter(Struct, frozen=True):
    """What to list. `search` matches key, label, title, session id; `active_since` in milliseconds.

    `is_archived` and `is_pinned` None mean either; `keys` are the only ones wanted; `without` are parts of keys that
    are not wanted, such as `:cron:`; `order` is the time sessions are ordered by, the newest first.
    """

    agent_id: str | None = None
    limit: int | None = None
    label: str | None = None
    search: str | None = None
    active_since: int | None = None
    offset: int = 0
    agent_ids: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    spawned_by: str | None = None
    category: str | None = None
    is_archived: bool | None = None
    is_pinned: bool | None = None
    was_run: bool | None = None
    order: Literal["updated", "run"] = "updated"


class InboundMessage(Struct, frozen=True):
    """A journalled inbound message. `trail` is its story, one line per step; times in milliseconds."""

    id: str
    address: Address
    external_id: str
    kind: str
    sender_id: str
    sender_name: str
    text: str
    payload: dict[str, object]
    label: Label
    state: str
    received_at: int
    reason: str = ""
    agent_id: str | None = None
    session_key: str | None = None
    run_id: str | None = None
    sent_at: int | None = None
    trail: str = ""
    seq: int = 0


class MessageFilter(Struct, frozen=True):
    """Which inbound messages to list: newest `limit` before the cursor `before`."""

    limit: int = 50
    state: str | None = None
    channel: str | None = None
    before: int | None = None


class Run(Struct, frozen=True):
    """A turn. `origin` keeps what is needed to resume it; `usage` as `{input, output, cacheRead, cacheWrite}`."""

    id: str
    agent_id: AgentId
    session_key: str
    session_id: str
    state: str
    started_at: int
    origin: dict[str, object]
    starts: int = 1
    address: Address | None = None
    text: str = ""
    error: str | None = None
    stop_reason: str | None = None
    model: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    ended_at: int | None = None


class StoredFile(Struct, frozen=True):
    """A file kept in the state folder (storage/media.py). `id` is its handle, `size` in bytes."""

    id: str
    name: str
    mime: str
    size: int

    def as_json(self) -> dict[str, object]:
        """Return it as stored with parts and transcript entries."""
        return {"id": self.id, "name": self.name, "mime": self.mime, "size": self.size}

    @classmethod
    def from_json(cls, value: object) -> Self | None:
        """Return what `as_json` gave, None for anything else."""
        match value:
            case {"id": str(handle), "name": str(name), "mime": str(mime), "size": int(size)}:
                return cls(handle, name, mime, size)
            case _:
                return None


class OutboundMessage(Struct, frozen=True):
    """One part on its way out: a text, or a file with `text` as its caption."""

    id: str
    dedupe_key: str
    run_id: str | None
    address: Address
    part_index: int
    part_count: int
    text: str
    state: str
    created_at: int
    next_at: int
    reply_to: str | None = None
    attempts: int = 0
    platform_id: str | None = None
    error: str | None = None
    updated_at: int = 0
    seq: int = 0
    media: StoredFile | None = None
    manner: Manner = ORDINARY


def single_part(part_id: str, key: str, address: Address, text: str, now: int) -> OutboundMessage:
    """Return a text that no run wrote, in one part that may go at once."""
    return OutboundMessage(part_id, key, None, address, 0, 1, text, "pending", now, now)


class PairingRequest(Struct, frozen=True):
    """Someone unknown who wrote and was given a code."""

    channel: str
    account: str
    sender_id: str
    sender_name: str
    code: str
    created_at: int
    last_seen_at: int
