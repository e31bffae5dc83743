"""How an agent's heart beats: its settings, and the hours in which it does (`agents.defaults.heartbeat`)."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from homarus.config.schema import Config
from homarus.config.units import parse_duration
from homarus.errors import UserError
from homarus.ids import AgentId
from homarus.sessions.keys import MAIN, SessionKey, parse_key

if TYPE_CHECKING:
    from homarus.config.heartbeat import ActiveHours, Heartbeat

DEFAULT_EVERY: Final = "30m"
ACK_CHARS: Final = 300
"""Interval, and the longest remark beside the token that is still dropped, without settings (reference automation
§2)."""
NONE: Final = "none"
LAST: Final = "last"
"""Targets that are no channel: nobody, and the chat the agent answered last."""


class Hours(Struct, frozen=True):
    """Minutes of the day in which a heart beats: from `start` up to, not including, `end`; over midnight too."""

    start: int
    end: int
    zone: str | None

    def cover(self, now_ms: int, zone: tzinfo) -> bool:
        """Tell whether a moment lies inside. `zone` is the owner's."""
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(_zone(self.zone, zone))
        minute = moment.hour * 60 + moment.minute
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


class Rhythm(Struct, frozen=True):
    """The heartbeat of one agent. `every` in seconds, 0 when it is off; `said` is how the file writes it."""

    agent_id: AgentId
    every: float = 1800.0
    said: str = DEFAULT_EVERY
    hours: Hours | None = None
    model: str | None = None
    session: str = MAIN
    target: str = NONE
    to: str | None = None
    account: str | None = None
    prompt: str | None = None
    ack_chars: int = ACK_CHARS
    is_light: bool = False
    is_isolated: bool = False
    blocks_direct: bool = False

    @property
    def key(self) -> SessionKey:
        """Return the session it beats in."""
        try:
            named = parse_key(self.session, self.agent_id)
        except UserError:
            named = SessionKey(self.agent_id, MAIN)
        key = named if named.agent_id == self.agent_id else SessionKey(self.agent_id, MAIN)
        return SessionKey(key.agent_id, f"{key.rest}:heartbeat") if self.is_isolated else key


def read_rhythms(config: Config) -> tuple[Rhythm, ...]:
    """Return the heartbeats there are: of the agents that set one up, else that of the default agent."""
    agents = config.agents
    chosen = [agent.id for agent in agents.list if agent.heartbeat is not None] or [agents.default_id]
    return tuple(_rhythm(config, AgentId(each)) for each in chosen)


def find_rhythm(config: Config, agent_id: str) -> Rhythm | None:
    """Return the heartbeat of an agent, None when it has none."""
    return next((each for each in read_rhythms(config) if each.agent_id == agent_id), None)


def _rhythm(config: Config, agent_id: AgentId) -> Rhythm:
    entry = config.agents.entry(agent_id)
    is_default = "heartbeat" not in config.agents.defaults.model_fields_set
    if is_default and (entry is None or entry.heartbeat is None):
        return Rhythm(agent_id)
    found: Heartbeat = config.agents.effective(agent_id).heartbeat
    return Rhythm(
        agent_id,
        every=parse_duration(found.every, unit="m"),
        said=found.every,
        hours=_hours(found.active_hours),
        model=found.model,
        session=found.session,
        target=found.target.strip() or NONE,
        to=found.to,
        account=found.account_id,
        prompt=found.prompt,
        ack_chars=found.ack_max_chars,
        is_light=found.light_context,
        is_isolated=found.isolated_session,
        blocks_direct=found.direct_policy == "block",
    )


def _hours(found: ActiveHours | None) -> Hours | None:
    if found is None:
        return None
    start, end = _minute(found.start or "00:00"), _minute(found.end or "24:00")
    return Hours(start, end, found.timezone)


def _minute(text: str) -> int:
    """Return the minute of the day of HH:MM; the configuration was checked when it was loaded."""
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def _zone(name: str | None, owner: tzinfo) -> tzinfo | None:
    """Return the zone a name means, None for that of the machine."""
    if name in {None, "user"}:
        return owner
    if name == "local":
        return None
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return owner
