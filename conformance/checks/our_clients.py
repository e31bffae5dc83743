"""The other direction: Homarus's command line, its Python client and its node host on OpenClaw's gateway."""

from __future__ import annotations

import json
from typing import Any, cast

from conformance import command
from conformance.command import Running
from conformance.family import Family, check, expect
from conformance.model import NAME, TOOL_OUTPUT, USE_TOOL
from conformance.nodes import RULES, wait_for_node
from conformance.stage import TOKEN, Gateway, homarus_command, their_gateway
from homarus.protocol.client import GatewayClient


class OurClients(Family):
    """One OpenClaw gateway; what it answers is judged by what our programs print."""

    title = "Homarus on an OpenClaw gateway"
    gateway = cast("Gateway", None)
    node = ""

    @check("their gateway starts")
    async def start(self) -> str:
        """OpenClaw's gateway runs with the scripted model."""
        self.gateway = await self.stack.enter_async_context(their_gateway(self.stage))
        return f"openclaw {self.stage.release.version}"

    @check("homarus gateway status")
    async def status(self) -> str:
        """We connect, and the handshake agrees on a version."""
        found = (await self._homarus("gateway", "status", "--json")).json()
        expect(found["protocol"] == self.stage.release.protocol, found)
        return f"protocol {found['protocol']}"

    @check("homarus gateway health")
    async def health(self) -> str:
        """Its health is understood."""
        found = (await self._homarus("gateway", "health", "--json")).json()
        expect(found["ok"], found)
        (await self._homarus("gateway", "health")).text()
        return "ok"

    @check("homarus gateway call")
    async def call(self) -> str:
        """A method answers; an unknown one is an error with its words."""
        found = (await self._homarus("gateway", "call", "models.list")).json()
        expect(NAME in json.dumps(found), found)
        refused = await self._homarus("gateway", "call", "no.such.method")
        expect(refused.code != 0 and "unknown method" in refused.err, refused)
        return f"{len(found['models'])} models"

    @check("homarus agent")
    async def agent(self) -> str:
        """A turn is answered."""
        found = await self._homarus("agent", "--message", "hello from homarus", "--json")
        expect("echo: " in found.text() and "hello from homarus" in found.out, found)
        return "answered"

    @check("homarus agent with a tool call")
    async def tool(self) -> str:
        """The answer after a tool is shown."""
        found = await self._homarus("agent", "--message", USE_TOOL, "--json")
        expect(TOOL_OUTPUT in found.text(), found)
        return "answered after the tool"

    @check("homarus sessions list, cron list, nodes list")
    async def lists(self) -> str:
        """Lists are understood."""
        for words in (("sessions", "list"), ("cron", "list"), ("nodes", "list")):
            (await self._homarus(*words, "--json")).json()
            (await self._homarus(*words)).text()
        return "understood"

    @check("the Python client")
    async def client(self) -> str:
        """It connects with a device of its own, calls, and hears events."""
        identity = self.stage.scratch / "python-client" / "device.json"
        identity.parent.mkdir(exist_ok=True, mode=0o700)
        async with GatewayClient(self.gateway.url, identity=identity, token=TOKEN) as client:
            found = cast("dict[str, Any]", await client.call("sessions.list"))
            expect("sessions" in found, found)
            return f"protocol {client.hello['protocol']}, {len(client.methods)} methods"

    @check("homarus node run: connect and pair")
    async def connect_node(self) -> str:
        """Our node host connects to their gateway."""
        folder = self.stage.scratch / "homarus-node"
        env = self.stage.homarus_env(self.gateway.url, "homarus-node")
        (folder / "node").mkdir(exist_ok=True, mode=0o700)
        (folder / "node" / "exec-approvals.json").write_text(json.dumps(RULES), encoding="utf-8")
        (folder / "node" / "exec-approvals.json").chmod(0o600)
        aimed = ("--host", "127.0.0.1", "--port", str(self.gateway.port))
        start = homarus_command("node", "run", *aimed, "--display-name", "homarus-node")
        program: Running = await self.stack.enter_async_context(command.running(start, env))
        await program.wait_for("ready as node")
        self.node = (await wait_for_node(self.gateway, self.stage.scratch / "watcher" / "device.json"))["nodeId"]
        return "connected"

    @check("approve it, invoke it")
    async def invoke(self) -> str:
        """Approved with their command line, it runs a program for their gateway."""
        await self._approve()
        asked = {"nodeId": self.node, "command": "system.run", "params": {"command": ["/bin/echo", "from-homarus"]}}
        found = await self._their("gateway", "call", "node.invoke", "--json", "--params",
                                  json.dumps({**asked, "idempotencyKey": "conformance-run"}))  # fmt: skip
        expect("from-homarus" in found["payload"]["stdout"], found)
        return str(found["payload"]["stdout"]).strip()

    @check("homarus nodes invoke")
    async def own_invoke(self) -> str:
        """Our command line invokes our node through their gateway."""
        params = ("system.which", "--params", '{"bins": ["sh"]}')
        found = await self._homarus("nodes", "invoke", "homarus-node", *params, "--json")
        expect("sh" in found.text(), found)
        return "answered"

    async def _approve(self) -> None:
        for row in await self._their("nodes", "pending", "--json"):
            aimed = ("--url", self.gateway.url, "--token", TOKEN)
            words = self.stage.openclaw("nodes", "approve", row["requestId"], *aimed)
            (await command.run(words, self.stage.openclaw_env())).text()

    async def _nodes(self) -> list[dict[str, Any]]:
        found = await self._their("gateway", "call", "node.list", "--json", "--params", "{}")
        return cast("list[dict[str, Any]]", found["nodes"])

    async def _their(self, *words: str) -> Any:
        aimed = self.stage.openclaw(*words, "--url", self.gateway.url, "--token", TOKEN)
        return (await command.run(aimed, self.stage.openclaw_env())).json()

    async def _homarus(self, *words: str) -> command.Finished:
        return await self.stage.homarus(*words, url=self.gateway.url)
