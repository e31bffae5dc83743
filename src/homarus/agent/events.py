"""What a running turn tells its viewers. Events are for display; the transcript is what counts."""

from __future__ import annotations

from msgspec import Struct, field

from homarus.models.contract import Failed, Usage


class TurnStarted(Struct, frozen=True):
    """The turn began. `started_at` in milliseconds since the epoch."""

    started_at: int


class TextStreamed(Struct, frozen=True):
    """More visible text. `text` is all text of this turn so far, `delta` what was added."""

    text: str
    delta: str


class ThinkingStreamed(Struct, frozen=True):
    """More reasoning."""

    text: str
    delta: str


class ToolStarted(Struct, frozen=True):
    """A tool call begins; `arguments` as parsed, or `{"_raw": text}` when the model wrote invalid JSON."""

    call_id: str
    name: str
    arguments: dict[str, object]


class ToolProgressed(Struct, frozen=True):
    """Live output of a running call: all output so far, cut to its last few KB.

    `cwd` is where it runs, `pid` the number of its process on this machine, 0 for one that has none.
    """

    call_id: str
    name: str
    output: str
    cwd: str = ""
    pid: int = 0


class ToolFinished(Struct, frozen=True):
    """A call ended and its result is committed. `output` is what the model will read."""

    call_id: str
    name: str
    output: str
    is_error: bool
    duration_ms: int
    details: dict[str, object] = field(default_factory=dict)


class TurnFinished(Struct, frozen=True):
    """The turn ended well. `text` is the final reply, empty or silent when nothing is to be said."""

    text: str
    stop_reason: str
    usage: Usage
    ended_at: int


class TurnAborted(Struct, frozen=True):
    """The owner stopped it; `text` is what had been said so far. `reason` is rpc, stop, timeout or shutdown."""

    text: str
    reason: str
    ended_at: int


class TurnFailed(Struct, frozen=True):
    """The turn could not be finished. `error` is safe to show to the user; `failure` is there when the model failed."""

    error: str
    ended_at: int
    failure: Failed | None = None


AgentEvent = (
    TurnStarted
    | TextStreamed
    | ThinkingStreamed
    | ToolStarted
    | ToolProgressed
    | ToolFinished
    | TurnFinished
    | TurnAborted
    | TurnFailed
)
