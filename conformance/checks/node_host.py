"""`openclaw node run`: OpenClaw's node host as a node of our gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from conformance import command
from conformance.command import Running
from conformance.family import Family, check, expect
from conformance.nodes import RULES, wait_for_node
from conformance.stage import TOKEN


class NodeHost(Family):
    """The node is connected by the first check and stays until the end."""

    title = "node host"
    program = cast("Running", None)
    node = ""

    @check("node run: connect and pair")
    async def connect(self) -> str:
        """The device is paired silently on loopback, and the node is seen connected."""
        env = self.stage.openclaw_env("node", {"OPENCLAW_GATEWAY_TOKEN": TOKEN})
        state = Path(env["OPENCLAW_STATE_DIR"])
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.stage.release.protocol == 3:  # later releases let everything run by default, and keep rules elsewhere
            (state / "exec-approvals.json").write_text(json.dumps(RULES), encoding="utf-8")
        arguments = ("node", "run", "--host", "127.0.0.1", "--port", str(self.stage.ours.port))
        start = self.stage.openclaw(*arguments, "--display-name", "conformance-node")
        self.program = await self.stack.enter_async_context(command.running(start, env))
        found = await wait_for_node(self.stage.ours, self.stage.scratch / "watcher" / "device.json")
        self.node = found["nodeId"]
        return f"connected as {found.get('displayName')}"

    @check("nodes pending, nodes approve")
    async def approve(self) -> str:
        """The node waits for an approval and gets it."""
        pending = (await self.stage.client("nodes", "pending", "--json")).json()
        expect([row["nodeId"] for row in pending] == [self.node], pending)
        (await self.stage.client("nodes", "approve", pending[0]["requestId"])).text()
        expect((await self.stage.client("nodes", "pending", "--json")).json() == [], "still pending")
        return "approved"

    @check("nodes status, nodes describe")
    async def describe(self) -> str:
        """Its commands can be used now."""
        row = (await self._nodes())[0]
        expect(row["paired"] and row["connected"], row)
        found = (await self.stage.client("nodes", "describe", "--node", "conformance-node", "--json")).json()
        expect({"system.run", "system.which"} <= set(found["commands"]), found["commands"])
        return f"{len(found['commands'])} commands"

    @check("nodes invoke system.which")
    async def which(self) -> str:
        """A command of the node answers."""
        params = ("--command", "system.which", "--params", '{"bins": ["sh", "nope"]}')
        found = (await self.stage.client("nodes", "invoke", "--node", "conformance-node", *params, "--json")).json()
        expect(found["ok"] and "sh" in found["payload"]["bins"], found)
        return json.dumps(found["payload"])

    @check("gateway call node.invoke system.run")
    async def run(self) -> str:
        """A program runs on the node, and its output comes back."""
        asked = {"nodeId": self.node, "command": "system.run", "params": {"command": ["/bin/echo", "from-the-node"]}}
        found = await self.stage.call("node.invoke", {**asked, "idempotencyKey": "conformance-run"})
        expect(found["payload"]["exitCode"] == 0 and "from-the-node" in found["payload"]["stdout"], found)
        return found["payload"]["stdout"].strip()

    @check("approvals get --node")
    async def approvals(self) -> str:
        """The rules of the node's machine are shown."""
        found = (await self.stage.client("approvals", "get", "--node", "conformance-node", "--json")).json()
        expect(found["file"]["version"] == 1, found)
        return f"version {found['file']['version']}"

    @check("nodes rename, devices list")
    async def rename(self) -> str:
        """Its name can be changed; its device is listed."""
        (await self.stage.client("nodes", "rename", "--node", self.node, "--name", "renamed-node")).text()
        row = (await self._nodes())[0]
        expect(row["displayName"] == "renamed-node", row)
        devices = (await self.stage.client("devices", "list", "--json")).json()["paired"]
        expect(self.node in [device["deviceId"] for device in devices], devices)
        return "renamed"

    @check("leaving")
    async def leave(self) -> str:
        """A node whose program ends is shown as not connected."""
        await self.program.stop()
        row = (await self._nodes())[0]
        expect(not row["connected"], row)
        return "not connected"

    async def _nodes(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", (await self.stage.call("node.list", {}))["nodes"])
