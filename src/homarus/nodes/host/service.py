"""The node host: stays connected to a gateway and does what it asks, as the rules of this machine allow."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from msgspec import field

from homarus.clock import Clock
from homarus.discreet import Discreet
from homarus.errors import HomarusError
from homarus.nodes.host.commands import Handler, NodeCommands
from homarus.nodes.host.failure import CommandFailed
from homarus.nodes.host.variables import base_variables
from homarus.nodes.invoke import REQUEST_EVENT
from homarus.protocol.client import Event, GatewayClient
from homarus.protocol.client_handshake import ClientFacts
from homarus.protocol.scopes import Role
from homarus.security.exec_approvals import NAME, ExecApprovalsFile

if TYPE_CHECKING:
    from homarus.config.node_host import NodeHost as Settings

log = logging.getLogger("homarus.nodes.host")

MAX_RUNNING: Final = 16
"""Commands that run at once; more are refused, not queued."""
REPLY_TIMEOUT: Final = 15.0
"""Seconds the gateway gets to take a result or an event."""


class HostOptions(Discreet, frozen=True):
    """Where the gateway is and who this node is. `folder` holds the node's key, tokens and rules.

    `settings` say what the gateway may look at; None for nothing.
    """

    hidden = frozenset({"token", "password", "setup_token", "environment"})

    url: str
    folder: Path
    display_name: str
    token: str | None = None
    password: str | None = None
    setup_token: str | None = None
    tls_fingerprint: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Settings | None = None


class NodeHost:
    """One node. `on_ready` hears the node's id and commands after each connect."""

    def __init__(self, options: HostOptions, clock: Clock, on_ready: Callable[[str, tuple[str, ...]], None]) -> None:
        variables = base_variables(options.environment)
        approvals = ExecApprovalsFile(options.folder / NAME)
        extra = _captures(options.settings, variables, clock) if options.settings is not None else None
        self.commands = NodeCommands(approvals, variables, clock, self._report, extra)
        self._options = options
        self._on_ready = on_ready
        self._running = 0
        self._client = GatewayClient(
            options.url,
            identity=options.folder / "device.json",
            token=options.token,
            password=options.password,
            setup_token=options.setup_token,
            tls_fingerprint=options.tls_fingerprint,
            facts=ClientFacts(
                id="node-host",
                mode="node",
                display_name=options.display_name,
                role=Role.NODE,
                caps=self.commands.capabilities,
                commands=self.commands.names,
                path_env=variables["PATH"],
            ),
            scopes=(),
            clock=clock,
        )

    @property
    def node_id(self) -> str:
        """Return the id the gateway knows this node by."""
        from homarus.protocol.device_identity import DeviceIdentity  # noqa: PLC0415 - loads cryptography

        return DeviceIdentity.load(self._options.folder / "device.json").id

    async def run(self) -> None:
        """Serve until cancelled. Raises AuthFailed, ProtocolError, NotRunning or Transient when it cannot connect."""
        await self._client.connect()
        try:
            async with asyncio.TaskGroup() as tasks:
                # Listening begins with the first step of the loop, before anybody is told that the node is there.
                events = self._client.events(REQUEST_EVENT, "client.connected")
                self._on_ready(self.node_id, self.commands.names)
                async for event in events:
                    self._take(event, tasks)
        except* HomarusError as group:
            raise group.exceptions[0] from None
        finally:
            await self._client.close()

    def _take(self, event: Event, tasks: asyncio.TaskGroup) -> None:
        if event.name != REQUEST_EVENT:
            self._on_ready(self.node_id, self.commands.names)
        elif self._running >= MAX_RUNNING:
            busy = {"code": "UNAVAILABLE", "message": f"this node runs {MAX_RUNNING} commands already"}
            tasks.create_task(self._reply(event.payload, {"ok": False, "error": busy}))
        else:
            self._running += 1
            tasks.create_task(self._answer(event.payload))

    async def _answer(self, request: Mapping[str, object]) -> None:
        try:
            await self._reply(request, await self._result(request))
        finally:
            self._running -= 1

    async def _result(self, request: Mapping[str, object]) -> dict[str, object]:
        command = str(request.get("command") or "")
        try:
            payload = await self.commands.do(command, _params(request.get("paramsJSON")))
        except CommandFailed as failure:
            log.info("%s refused: %s", command, failure.message)
            return {"ok": False, "error": {"code": failure.code, "message": failure.message}}
        except Exception:
            log.exception("%s failed unexpectedly", command)
            error = {"code": "UNAVAILABLE", "message": f"{command} failed unexpectedly; the node's log says why"}
            return {"ok": False, "error": error}
        return {"ok": True} if payload is None else {"ok": True, "payloadJSON": json.dumps(payload)}

    async def _reply(self, request: Mapping[str, object], result: dict[str, object]) -> None:
        body = {"id": request.get("id"), "nodeId": request.get("nodeId"), **result}
        try:
            await self._client.call("node.invoke.result", body, timeout=REPLY_TIMEOUT)
        except HomarusError as error:
            log.warning("the gateway did not take a result: %s", error.message)

    async def _report(self, event: str, payload: dict[str, object]) -> None:
        """Tell the gateway what happened; losing that is no reason to fail the command."""
        with suppress(HomarusError):
            body = {"event": event, "payloadJSON": json.dumps(payload)}
            await self._client.call("node.event", body, timeout=REPLY_TIMEOUT)


def _captures(settings: Settings, variables: Mapping[str, str], clock: Clock) -> Mapping[str, Handler]:
    from homarus.nodes.host.capture import Capture  # noqa: PLC0415 - only machines that may be looked at need it

    return Capture(settings, variables, clock).handlers


def _params(text: object) -> dict[str, object]:
    if not isinstance(text, str) or not text:
        return {}
    try:
        parsed = cast("object", json.loads(text))
    except (ValueError, RecursionError):
        raise CommandFailed("INVALID_REQUEST", "INVALID_REQUEST: paramsJSON is not JSON") from None
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
