"""Pairing of nodes: requests that wait five minutes, approvals with a token of which only the hash is kept."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from msgspec import Struct

from homarus.clock import Clock
from homarus.storage import nodes as rows
from homarus.storage.database import Database
from homarus.storage.nodes import NodeRequest, NodeRow

REQUEST_TTL_MS: Final = 5 * 60 * 1000
"""Milliseconds a request waits (reference nodes §6)."""
MAX_REQUESTS: Final = 64
"""Requests that may wait at once; the oldest go."""
NOT_STORED: Final = frozenset({"requestId", "nodeId", "silent", "ts"})


class ApprovedNode(Struct, frozen=True):
    """A node just approved, with its token: the only time it is seen."""

    node: NodeRow
    token: str


class NodePairing:
    """Approved nodes and those that wait, in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def greet(self, node_id: str) -> bool:
        """Note that a node connected; False when it is not approved."""
        return await self._database.write(rows.touch_node, node_id, self._clock.now_ms())

    async def request(
        self, node_id: str, record: dict[str, object], *, is_silent: bool = False
    ) -> tuple[NodeRequest, bool]:
        """File or refresh a request; return it and whether it is new."""
        now = self._clock.now_ms()
        body: dict[str, object] = {"requestId": "", "nodeId": node_id, **record, "silent": is_silent, "ts": now}
        request = NodeRequest(self._clock.uuid(), node_id, now, body)
        oldest = now - REQUEST_TTL_MS
        return await self._database.write(rows.file_request, request, oldest=oldest, most=MAX_REQUESTS)

    async def requests(self) -> list[NodeRequest]:
        """Return the requests that wait, newest first."""
        return await self._database.read(rows.select_requests, self._oldest())

    async def find_request(self, request_id: str) -> NodeRequest | None:
        """Return a request that waits."""
        return next((each for each in await self.requests() if each.id == request_id), None)

    async def approve(self, request: NodeRequest) -> ApprovedNode | None:
        """Approve a request with a fresh token; None when it is gone by now."""
        now, token = self._clock.now_ms(), self._clock.token()
        record = {name: value for name, value in request.request.items() if name not in NOT_STORED}
        node = NodeRow(request.node_id, hash_token(token), record, now, now)
        stored = await self._database.write(rows.approve_request, request.id, self._oldest(), node)
        return None if stored is None else ApprovedNode(stored, token)

    async def reject(self, request_id: str) -> NodeRequest | None:
        """Remove a request and return it, None when there is none."""
        return await self._database.write(rows.take_request, request_id, self._oldest())

    async def nodes(self) -> list[NodeRow]:
        """Return every approved node, latest approval first."""
        return await self._database.read(rows.select_nodes)

    async def get(self, node_id: str) -> NodeRow | None:
        """Return an approved node."""
        return await self._database.read(rows.select_node, node_id)

    async def rename(self, node_id: str, name: str) -> bool:
        """Call a node by another name; False when it is not approved."""
        return await self._database.write(rows.rename_node, node_id, name)

    async def remove(self, node_id: str) -> bool:
        """Forget a node; False when it was not approved."""
        return await self._database.write(rows.delete_node, node_id)

    async def verify(self, node_id: str, token: str) -> NodeRow | None:
        """Return the node a token belongs to, compared in constant time; None for a wrong one."""
        node = await self.get(node_id)
        if node is None or not hmac.compare_digest(node.token_hash, hash_token(token)):
            return None
        return node

    def _oldest(self) -> int:
        return self._clock.now_ms() - REQUEST_TTL_MS


def hash_token(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
