"""Invokes that wait for their node: each ends once, by a result, by time or by the node's leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from homarus.clock import Clock
from homarus.errors import Transient
from homarus.nodes.registry import NodeSession

REQUEST_EVENT: Final = "node.invoke.request"
DEFAULT_TIMEOUT_MS: Final = 30_000
"""Milliseconds a node gets unless the caller says otherwise (reference nodes §3)."""
MAX_WAITING: Final = 128
"""Invokes of one node that may wait; more are refused."""

Verdict = Literal["taken", "ignored", "foreign"]


class InvokeResult(Struct, frozen=True):
    """What a node answered. `payload_json` is JSON text as the node wrote it, `payload` a value in its place."""

    is_ok: bool
    payload: object = None
    payload_json: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class NodeCommand(Struct, frozen=True):
    """A command for a node. `params_json` is None when the caller gave no parameters."""

    name: str
    params_json: str | None = None
    timeout_ms: int | None = None
    key: str | None = None


class NodeDisconnected(Transient):
    """The node left before it answered."""


class _Waiting(Struct):
    session: NodeSession
    command: str
    future: asyncio.Future[InvokeResult]


class Invocations:
    """Sends commands to nodes and matches their results. `send` puts an event on a node's connection."""

    def __init__(self, clock: Clock, send: Callable[[str, str, object], None]) -> None:
        self._clock = clock
        self._send = send
        self._waiting: dict[str, _Waiting] = {}

    async def invoke(self, session: NodeSession, command: NodeCommand) -> InvokeResult:
        """Send a command and return the node's answer; TIMEOUT is an answer too.

        Raises NodeDisconnected, or Transient when too many commands wait for that node.
        """
        if sum(each.session is session for each in self._waiting.values()) >= MAX_WAITING:
            raise Transient("too many commands wait for this node", retry_after=1.0)
        identifier = self._clock.uuid()
        waiting = _Waiting(session, command.name, asyncio.get_running_loop().create_future())
        self._waiting[identifier] = waiting
        try:
            self._send(session.conn_id, REQUEST_EVENT, _request(identifier, session.node_id, command))
            async with asyncio.timeout((command.timeout_ms or DEFAULT_TIMEOUT_MS) / 1000):
                return await waiting.future
        except TimeoutError:
            return InvokeResult(is_ok=False, error_code="TIMEOUT", error_message="node invoke timed out")
        finally:
            self._waiting.pop(identifier, None)

    def settle(self, identifier: str, node_id: str, result: InvokeResult) -> Verdict:
        """Hand in a node's answer: `ignored` when nobody waits for it, `foreign` when another node was asked."""
        waiting = self._waiting.get(identifier)
        if waiting is None or waiting.future.done():
            return "ignored"
        if waiting.session.node_id != node_id:
            return "foreign"
        waiting.future.set_result(result)
        return "taken"

    def disconnect(self, conn_id: str) -> None:
        """Fail what waits for a connection that closed."""
        for waiting in self._waiting.values():
            if waiting.session.conn_id == conn_id and not waiting.future.done():
                waiting.future.set_exception(NodeDisconnected(f"node disconnected ({waiting.command})"))


def _request(identifier: str, node_id: str, command: NodeCommand) -> dict[str, object]:
    body: dict[str, object] = {
        "id": identifier,
        "nodeId": node_id,
        "command": command.name,
        "paramsJSON": command.params_json,
    }
    if command.timeout_ms is not None:
        body["timeoutMs"] = command.timeout_ms
    if command.key is not None:
        body["idempotencyKey"] = command.key
    return body
