"""The gateway's nodes: who is connected, who is approved, what waits, and how one is asked to do something."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec.structs import replace

from homarus.clock import Clock
from homarus.nodes.invoke import Invocations
from homarus.nodes.listing import PairedDevice, known_nodes, stored_names
from homarus.nodes.pairing import NodePairing
from homarus.nodes.policy import Refusal, allowed_commands, check_command, filter_commands, platform_of
from homarus.nodes.registry import NodeFacts, NodeRegistry, NodeSession
from homarus.nodes.work import WaitingWork
from homarus.storage.database import Database
from homarus.storage.nodes import NodeRequest, NodeRow


class CommandRules(Protocol):
    """`gateway.nodes` of the configuration in force."""

    @property
    def allow_commands(self) -> Iterable[str]:
        """Return commands admitted beyond the platform's own list."""
        ...

    @property
    def deny_commands(self) -> Iterable[str]:
        """Return commands refused whatever else is said."""
        ...


class NodeDesk:
    """Everything about nodes that lives as long as the gateway.

    `send` puts an event on a connection; `rules` returns the configuration in force.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        send: Callable[[str, str, object], None],
        rules: Callable[[], CommandRules],
    ) -> None:
        self._clock = clock
        self._rules = rules
        self.registry = NodeRegistry()
        self.pairing = NodePairing(database, clock)
        self.work = WaitingWork(database, clock)
        self.invocations = Invocations(clock, send)
        self._granted: dict[str, NodeFacts] = {}

    def allowed(self, platform: str | None, family: str | None) -> frozenset[str]:
        """Return the commands a node of that kind may be asked for now."""
        rules = self._rules()
        return allowed_commands(platform, family, rules.allow_commands, rules.deny_commands)

    async def admit(self, node_id: str, facts: NodeFacts, *, is_gated: bool = False) -> NodeRequest | None:
        """Note a connecting node; return its pairing request when it is new, None when there is nothing to announce.

        A gated node can do only what was approved of it, so what it declares beyond that asks as well.
        """
        known = await self.pairing.get(node_id) if await self.pairing.greet(node_id) else None
        shown = self.filtered(facts)
        granted = granted_part(shown, known)
        if is_gated:
            self._granted[node_id] = granted
        if known is not None and not (is_gated and granted != shown):
            return None
        request, is_new = await self.pairing.request(node_id, shown.record())
        return request if is_new else None

    def connect(self, node_id: str, conn_id: str, facts: NodeFacts) -> NodeSession:
        """Let a node be invoked from now on, with the commands policy allows it."""
        shown = self.filtered(facts)
        facts = self._granted.pop(node_id, shown)
        session = NodeSession(node_id, conn_id, facts, self._clock.now_ms(), shown)
        self.registry.add(session)
        return session

    def grant(self, node: NodeRow) -> NodeSession | None:
        """Let a connected node do what was approved, without a new connection; None when it is not connected."""
        session = self.registry.get(node.id)
        if session is None:
            return None
        session = replace(session, facts=granted_part(session.declared, node))
        self.registry.add(session)
        return session

    def disconnect(self, conn_id: str) -> None:
        """Forget a connection and fail what waits for it."""
        if self.registry.remove(conn_id) is not None:
            self.invocations.disconnect(conn_id)

    def filtered(self, facts: NodeFacts) -> NodeFacts:
        """Return what a node says, its commands reduced to the allowed ones."""
        allowed = self.allowed(facts.platform, facts.device_family)
        return replace(facts, commands=filter_commands(facts.commands, allowed))

    def refusal(self, session: NodeSession, command: str) -> Refusal | None:
        """Return why a connected node may not be asked for a command, None when it may."""
        facts = session.facts
        if command in session.declared.commands and command not in facts.commands:
            text = f'node command not allowed: "{command}" waits for approval; see `homarus nodes pending`'
            return Refusal(text, "command not approved")
        allowed = self.allowed(facts.platform, facts.device_family)
        named = platform_of(facts.platform, facts.device_family)
        shown = facts.platform if named == "unknown" else named
        return check_command(command, facts.commands, allowed, shown or named)

    async def list(self, devices: Iterable[PairedDevice]) -> list[dict[str, object]]:
        """Return every known node (reference 02, KnownNode)."""
        return known_nodes(self.registry.list(), await self.pairing.nodes(), devices, await self.pairing.requests())


def granted_part(facts: NodeFacts, node: NodeRow | None) -> NodeFacts:
    """Return what a node says, reduced to what was approved of it."""
    caps, commands = (stored_names(node, name) for name in ("caps", "commands"))
    return replace(
        facts,
        caps=tuple(cap for cap in facts.caps if cap in caps),
        commands=tuple(command for command in facts.commands if command in commands),
    )


def as_json(params: object) -> str:
    """Return parameters as a node gets them."""
    return json.dumps(params, ensure_ascii=False, separators=(",", ":"))
