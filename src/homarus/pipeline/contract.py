"""What the surfaces (gateway, command line, scheduler) see of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from msgspec import Struct, field

from homarus.agent.events import AgentEvent
from homarus.ids import Address, AgentId, RunId
from homarus.labels import Label
from homarus.models.contract import Image, Usage

RunState = Literal["running", "done", "failed", "aborted"]


class Requester(Struct, frozen=True):
    """Who asked for a run: decides who may abort it."""

    device_id: str | None = None
    conn_id: str | None = None
    is_admin: bool = False


class Submission(Struct, frozen=True):
    """A message from an authenticated surface. `run_id` is the caller's idempotency key and becomes the run's id.

    `session_key` is canonical. `kind` names the operation. `timeout` in seconds, None for the configured one.
    `deliver_to` sends the reply out to a channel as well. `label` None is that of the owner at a surface.
    `keeps_session` is for what nobody wrote just now: it does not begin an expired session anew. `is_light` leaves
    the files of the workspace out of the prompt. `is_verbatim` sends an order such as `/new` to the model as text.
    """

    run_id: RunId
    agent_id: AgentId
    session_key: str
    text: str
    kind: Literal["chat", "agent"]
    requester: Requester
    images: tuple[Image, ...] = ()
    model: str | None = None
    thinking: str | None = None
    extra_system_prompt: str | None = None
    timeout: float | None = None
    deliver_to: Address | None = None
    label: Label | None = None
    keeps_session: bool = False
    is_light: bool = False
    is_verbatim: bool = False


class RunInfo(Struct, frozen=True):
    """A run as its viewers know it; `session_key` is canonical, `reply_to` the platform's id of what it answers."""

    run_id: RunId
    agent_id: AgentId
    session_key: str
    session_id: str
    kind: str
    requester: Requester
    address: Address | None = None
    reply_to: str | None = None


class RunEvent(Struct, frozen=True):
    """One event of a run. `seq` counts from 1 within the run; `at` in milliseconds."""

    run: RunInfo
    seq: int
    at: int
    event: AgentEvent


class RunOutcome(Struct, frozen=True):
    """How a run stands or ended; survives a restart."""

    run_id: RunId
    state: RunState
    session_key: str
    session_id: str
    text: str
    error: str | None
    stop_reason: str | None
    started_at: int
    ended_at: int | None
    model: str | None
    usage: Usage = field(default_factory=Usage)


class Load(Struct, frozen=True):
    """How busy the pipeline is: sessions with something to do, messages that wait, runs that go on and their limit."""

    sessions: int
    waiting: int
    running: int
    limit: int


class Submitted(Struct, frozen=True):
    """What became of a submission: `started` is new; `known` repeats an idempotency key and carries its outcome."""

    status: Literal["started", "queued", "known"]
    outcome: RunOutcome | None = None


class Runs(Protocol):
    """Starting, watching and stopping runs."""

    async def submit(self, submission: Submission) -> Submitted:
        """Commit a message and start or queue its run. Raises UserError, StorageError."""
        ...

    async def abort(
        self, session_key: str, run_id: str | None, reason: str, requester: Requester, *, clears_queue: bool = False
    ) -> tuple[RunId, ...]:
        """Stop the runs of a session (queued ones too) or one of them, and return what was stopped.

        `clears_queue` drops messages of channels that wait in the session as well, when the requester is an admin.
        Raises UserError when the requester owns none of them and is no admin, or the run belongs to another session.
        """
        ...

    async def wait(self, run_id: str, timeout: float) -> RunOutcome | None:
        """Wait until a run has ended; None when it did not within `timeout` seconds or is unknown."""
        ...

    async def outcome(self, run_id: str) -> RunOutcome | None:
        """Return how a run stands; None when it is unknown."""
        ...

    def active(self) -> tuple[RunInfo, ...]:
        """Return the runs that are going on or queued."""
        ...

    def load(self) -> Load:
        """Return how much there is to do now."""
        ...

    def listen(self, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        """Call `listener` with every event of every run, in order, until the returned function is called.

        A listener must not block and must not raise.
        """
        ...
