"""The health snapshot: made at most once a minute, sent to every client when it changes (reference 02)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from homarus.errors import HomarusError
from homarus.gateway.heartbeat_view import heartbeat_settings
from homarus.gateway.services import AgentFacts, ChannelAccount, Services
from homarus.protocol.events import HEALTH
from homarus.protocol.frames import JsonObject
from homarus.storage.records import Session, SessionFilter

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore

log = logging.getLogger("homarus.gateway.health")

REFRESH_SECONDS: Final = 60.0
MIN_REFRESH_SECONDS: Final = 1.0
"""Snapshots younger than this are not replaced, however many clients connect at once."""
CLIENT_SECONDS: Final = 0.005
"""What each connected client adds to that: telling one takes 0.3 ms, and ten thousand may connect one after another."""
RECENT: Final = 5
"""Sessions listed in a snapshot."""
PROBE_TIMEOUT: Final = 10.0


class HealthBoard:
    """Keeps the latest snapshot. `run` belongs to the gateway's task group."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._wanted = asyncio.Event()
        self._taken_at = float("-inf")
        self.snapshot: JsonObject | None = None
        self.version = 1

    async def run(self, core: GatewayCore) -> None:
        """Refresh every minute and when asked, and broadcast."""
        while True:
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            clients = len(core.hub.connections)
            if not clients or self._age() < min(MIN_REFRESH_SECONDS + clients * CLIENT_SECONDS, REFRESH_SECONDS):
                continue
            try:
                await self.refresh()
            except HomarusError as error:
                log.warning("no health snapshot: %s", error.message)
                continue
            core.hub.broadcast(HEALTH, self.snapshot or {}, core.state_version())

    def refresh_soon(self) -> None:
        """Take a new snapshot in the background and broadcast it."""
        self._wanted.set()

    async def get(self, *, should_probe: bool = False) -> JsonObject:
        """Return a snapshot of the last minute, or a new one."""
        if self.snapshot is None or should_probe or self._age() >= REFRESH_SECONDS:
            await self.refresh(should_probe=should_probe)
        self.refresh_soon()
        return self.snapshot or {}

    async def refresh(self, *, should_probe: bool = False) -> None:
        """Take a new snapshot. Raises StorageError."""
        services = self._services
        start = services.clock.monotonic()
        accounts = services.channels.accounts()
        probes = await self._probe(accounts) if should_probe else {}
        body = await self._collect(accounts, probes)
        body["durationMs"] = round((services.clock.monotonic() - start) * 1000)
        self._taken_at = services.clock.monotonic()
        self.version += 1
        self.snapshot = body

    def _age(self) -> float:
        return self._services.clock.monotonic() - self._taken_at

    async def _probe(self, accounts: tuple[ChannelAccount, ...]) -> dict[tuple[str, str], JsonObject]:
        results: dict[tuple[str, str], JsonObject] = {}

        async def probe_one(account: ChannelAccount) -> None:
            try:
                async with asyncio.timeout(PROBE_TIMEOUT):
                    outcome = await self._services.channels.probe(account.channel, account.account)
            except TimeoutError:
                results[account.channel, account.account] = {"ok": False, "error": "timeout"}
                return
            key = "detail" if outcome.is_ok else "error"
            result: JsonObject = {"ok": outcome.is_ok, key: outcome.detail, "elapsedMs": outcome.latency_ms}
            results[account.channel, account.account] = result

        async with asyncio.TaskGroup() as tasks:
            for account in accounts:
                tasks.create_task(probe_one(account))
        return results

    async def _collect(
        self, accounts: tuple[ChannelAccount, ...], probes: dict[tuple[str, str], JsonObject]
    ) -> JsonObject:
        services = self._services
        now = services.clock.now_ms()
        agents = services.agents.list()
        default = next(agent.id for agent in agents if agent.is_default)
        path = str(services.state_dir)
        per_agent = {agent.id: await self._sessions(agent.id, path, now) for agent in agents}
        return {
            "ok": True,
            "ts": now,
            "durationMs": 0,
            "channels": channel_summaries(accounts, probes),
            "channelOrder": list(dict.fromkeys(account.channel for account in accounts)),
            "channelLabels": {account.channel: account.name for account in accounts},
            "heartbeatSeconds": _seconds(services, default),
            "defaultAgentId": default,
            "agents": [_agent(services, agent, per_agent[agent.id]) for agent in agents],
            "sessions": per_agent[default],
        }

    async def _sessions(self, agent_id: str, path: str, now: int) -> JsonObject:
        count = await self._services.sessions.count(agent_id)
        recent = await self._services.sessions.list(SessionFilter(agent_id=agent_id, limit=RECENT))
        return {"path": path, "count": count, "recent": [_recent(session, now) for session in recent]}


def channel_summaries(accounts: tuple[ChannelAccount, ...], probes: dict[tuple[str, str], JsonObject]) -> JsonObject:
    """Return the accounts of each channel, with the first one's facts for the channel itself."""
    channels: dict[str, JsonObject] = {}
    for account in accounts:
        row = account_row(account)
        probe = probes.get((account.channel, account.account))
        if probe is not None:
            row["probe"] = probe
        channel = channels.setdefault(account.channel, {**row, "accounts": {}})
        listed = channel["accounts"]
        if isinstance(listed, dict):
            listed[account.account] = row
    return dict(channels)


def account_row(account: ChannelAccount) -> JsonObject:
    """Return a channel account as clients see it (ChannelAccountSnapshot)."""
    row: JsonObject = {
        "accountId": account.account,
        "name": account.name,
        "enabled": True,
        "configured": account.is_configured,
        "running": account.is_running,
        "connected": account.is_connected,
        "lastError": account.last_error,
        "lastInboundAt": account.last_inbound_at,
        "lastOutboundAt": account.last_outbound_at,
    }
    return {key: value for key, value in row.items() if value is not None}


def _seconds(services: Services, agent_id: str) -> int:
    return round(services.hearts.rhythm(agent_id).every) if services.hearts is not None else 0


def _agent(services: Services, agent: AgentFacts, sessions: JsonObject) -> JsonObject:
    settings = heartbeat_settings(services.hearts, agent.id)
    row: JsonObject = {"agentId": agent.id, "isDefault": agent.is_default, "heartbeat": settings}
    if agent.name:
        row["name"] = agent.name
    row["sessions"] = sessions
    return row


def _recent(session: Session, now: int) -> JsonObject:
    return {"key": session.key, "updatedAt": session.updated_at, "age": now - session.updated_at}
