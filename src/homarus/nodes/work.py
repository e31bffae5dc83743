"""Work that waits for nodes that are away or in the background, kept across restarts."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from homarus.clock import Clock
from homarus.storage import node_work as rows
from homarus.storage.database import Database
from homarus.storage.node_work import NodeWork

ACTION_TTL_MS: Final = 10 * 60 * 1000
MAX_ACTIONS: Final = 64
"""Milliseconds an action waits for the app to come to the front, and actions per node (reference nodes §7)."""
MAX_REQUESTS: Final = 16
DEFAULT_DRAIN: Final = 4
"""Items a drain answers when the node names no number."""
BASELINE_ID: Final = "baseline-status"
_PRIORITIES: Final = {"high": 0, "normal": 1, "default": 2}


class Drained(Struct, frozen=True):
    """What a node is to do now. `revision` grows with every enqueued item."""

    revision: int
    items: tuple[NodeWork, ...]
    has_more: bool


class WaitingWork:
    """The queue of each node."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def enqueue(self, node_id: str, type_: str, priority: str, expires_in_ms: int | None) -> tuple[NodeWork, int]:
        """Ask a node for something when it next drains, once per type; return the item and the revision."""
        now = self._clock.now_ms()
        expires = None if expires_in_ms is None else now + expires_in_ms
        work = NodeWork(self._clock.uuid(), node_id, "request", type_, now, expires, {"priority": priority})
        stored = await self._database.write(rows.enqueue_once, work, most=MAX_REQUESTS)
        return stored, await self._database.read(rows.read_revision, node_id, "request")

    async def drain(self, node_id: str, limit: int | None) -> Drained:
        """Return what is asked of a node, most urgent first; nothing is removed, items leave when they expire."""
        now = self._clock.now_ms()
        items = await self._database.read(rows.select_work, node_id, "request", now)
        if all(item.type != "status.request" for item in items):
            baseline = NodeWork(BASELINE_ID, node_id, "request", "status.request", now, None, {"priority": "default"})
            items.append(baseline)
        items.sort(key=lambda item: (_PRIORITIES.get(str(item.payload.get("priority")), 2), item.created_at))
        most = limit or DEFAULT_DRAIN
        revision = await self._database.read(rows.read_revision, node_id, "request")
        return Drained(revision, tuple(items[:most]), len(items) > most)

    async def defer(self, node_id: str, command: str, params_json: str | None, key: str) -> NodeWork:
        """Keep an invoke until the app is in front again; the same key waits once."""
        now = self._clock.now_ms()
        payload: dict[str, object] = {"key": key, "paramsJSON": params_json}
        work = NodeWork(self._clock.uuid(), node_id, "action", command, now, now + ACTION_TTL_MS, payload)
        return await self._database.write(rows.enqueue_once, work, most=MAX_ACTIONS)

    async def actions(self, node_id: str) -> list[NodeWork]:
        """Return the invokes that wait for a node, oldest first."""
        return await self._database.read(rows.select_work, node_id, "action", self._clock.now_ms())

    async def acknowledge(self, node_id: str, ids: list[str]) -> tuple[list[str], int]:
        """Remove actions the node has taken; return their ids and how many still wait."""
        taken = await self._database.write(rows.acknowledge, node_id, "action", ids)
        return taken, len(await self.actions(node_id))
