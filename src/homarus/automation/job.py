"""A job: its row, read; and the rules a job must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from pydantic import ValidationError

from homarus.errors import StorageError, UserError
from homarus.ids import AgentId
from homarus.sessions.keys import MAIN, SessionKey, parse_key
from homarus.storage.jobs import JobRow

if TYPE_CHECKING:
    from homarus.protocol.cron import AgentTurn, Delivery, JobSpec

_MAIN_TURN = 'main jobs need payload kind "systemEvent"; isolated and session jobs need "agentTurn"'
_NOT_YET = "is not available yet; leave it out"


class Job(Struct, frozen=True):
    """A job and what it says."""

    row: JobRow
    spec: JobSpec

    @property
    def id(self) -> str:
        """Return the id."""
        return self.row.id

    @property
    def is_main(self) -> bool:
        """Tell whether it speaks into the main session."""
        return self.spec.session_target == MAIN

    @property
    def is_isolated(self) -> bool:
        """Tell whether each of its runs begins with an empty transcript."""
        return self.spec.session_target in {"isolated", "current"}

    @property
    def session_key(self) -> SessionKey:
        """Return the session its runs happen in."""
        if self.is_main:
            return SessionKey(self.row.agent_id, MAIN)
        if self.is_isolated:
            return SessionKey(self.row.agent_id, f"cron:{self.id}")
        return parse_key(self.spec.session_target.removeprefix("session:"), self.row.agent_id)

    @property
    def text(self) -> str:
        """Return what is to be said."""
        payload = self.spec.payload
        return payload.text if payload.kind == "systemEvent" else payload.message


def read_job(row: JobRow) -> Job:
    """Return a stored job. Raises StorageError when a newer or broken program wrote it."""
    from homarus.protocol.cron import JobSpec  # noqa: PLC0415 - two dozen models, for those who have jobs

    try:
        return Job(row, JobSpec.model_validate(row.spec))
    except ValidationError as error:
        raise StorageError(f"job {row.id} cannot be read: {error.error_count()} problem(s)") from error


def write_spec(spec: JobSpec) -> dict[str, object]:
    """Return the stored form of a job."""
    return spec.model_dump(by_alias=True, exclude_none=True)


def check_spec(spec: JobSpec, agent: AgentId, default_agent: AgentId) -> JobSpec:
    """Return the job with its target written out. Raises UserError naming the rule it breaks and the fix."""
    target = spec.session_target
    if target == "current":
        target = f"session:{spec.session_key}" if spec.session_key else "isolated"
    if target.startswith("session:"):
        _check_key(target.removeprefix("session:"), agent)
    if (target == MAIN) != (spec.payload.kind == "systemEvent"):
        raise UserError(_MAIN_TURN, fix="change payload.kind or sessionTarget")
    if target == MAIN and agent != default_agent:
        raise UserError(f"main jobs belong to the default agent {default_agent!r}", fix='use sessionTarget "isolated"')
    if spec.payload.kind == "agentTurn":
        _check_turn(spec.payload)
    _check_delivery(spec, spec.delivery, is_main=target == MAIN)
    return spec.model_copy(update={"session_target": target, "agent_id": spec.agent_id})


def _check_key(text: str, agent: AgentId) -> None:
    if any(sign in text for sign in "/\\\0"):
        raise UserError("sessionTarget: a session id holds no slash, backslash or NUL", fix="use session:<name>")
    key = parse_key(text, agent)
    if key.agent_id != agent:
        raise UserError(
            f"sessionTarget names a session of agent {key.agent_id!r}", fix=f'set agentId to "{key.agent_id}"'
        )


def _check_turn(turn: AgentTurn) -> None:
    if turn.tools_allow is not None:
        raise UserError(f"payload.toolsAllow {_NOT_YET}", fix="set the tool policy of the agent instead")
    if turn.fallbacks:
        raise UserError(f"payload.fallbacks {_NOT_YET}", fix="set the fallbacks of the agent's model instead")


def _check_delivery(spec: JobSpec, delivery: Delivery | None, *, is_main: bool) -> None:
    places = (delivery, delivery and delivery.failure_destination, spec.failure_alert)
    if any(getattr(place, "mode", None) == "webhook" for place in places):
        raise UserError(f"delivery by webhook {_NOT_YET}", fix='use mode "announce" or "none"')
    if delivery is None:
        return
    if is_main and delivery.mode == "announce":
        raise UserError("delivery: main jobs answer in the main session", fix='use sessionTarget "isolated"')
    if is_main and delivery.failure_destination is not None:
        raise UserError("delivery.failureDestination is for isolated and session jobs", fix="leave it out")
    if delivery.channel in {None, "last"} and delivery.to is not None:
        raise UserError("delivery.to needs delivery.channel", fix="name the channel, such as telegram")
    if delivery.channel not in {None, "last"} and delivery.mode == "announce" and delivery.to is None:
        raise UserError("delivery.channel needs delivery.to", fix="say who or where: a chat id, a nick, a room")
