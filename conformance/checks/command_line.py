"""`openclaw …`: the commands that ask a gateway something."""

from __future__ import annotations

import json

from conformance.family import Family, check, expect
from conformance.model import TOOL_OUTPUT, USE_TOOL


class CommandLine(Family):
    """Every command is a process of its own with nothing but address and token, or with a remote configuration."""

    title = "command line"

    @check("gateway health")
    async def health(self) -> str:
        """It is well and has an agent."""
        found = (await self.stage.client("gateway", "health", "--json")).json()
        expect(found["ok"] is True and found["agents"], found)
        return f"{len(found['agents'])} agent"

    @check("gateway status")
    async def gateway_status(self) -> str:
        """The connection works."""
        found = (await self.stage.client("gateway", "status", "--json")).json()
        expect(found["rpc"]["ok"], found["rpc"])
        return "rpc ok"

    @check("gateway probe")
    async def probe(self) -> str:
        """The target that was named is reachable."""
        found = (await self.stage.client("gateway", "probe", "--json")).json()
        target = next(each for each in found["targets"] if each["kind"] == "explicit")
        expect(target["connect"]["ok"], target)
        return "connected"

    @check("gateway call, and a method nobody has")
    async def call(self) -> str:
        """Answers come through; an unknown method is refused with the words clients look for."""
        found = await self.stage.call("status", {})
        expect("sessions" in found, found)
        refused = await self.stage.client("gateway", "call", "no.such.method", "--json")
        said = refused.out + refused.err
        expect(refused.code != 0 and "unknown method: no.such.method" in said, said)
        return "refused as unknown"

    @check("gateway call with a wrong token")
    async def wrong_token(self) -> str:
        """A wrong token does not get in."""
        refused = await self.stage.client("gateway", "call", "health", token="wrong")
        said = refused.out + refused.err
        expect(refused.code != 0 and "token mismatch" in said, said)
        return "refused: token mismatch"

    @check("status")
    async def status(self) -> str:
        """The overview reaches the gateway."""
        found = (await self.stage.remote_client("status", "--json")).json()
        expect(found["gateway"]["reachable"], found["gateway"])
        return "reachable"

    @check("status --deep")
    async def deep_status(self) -> str:
        """It also shows health and the last heartbeat."""
        found = (await self.stage.remote_client("status", "--json", "--deep")).json()
        expect(found["gateway"]["reachable"] and found["health"]["ok"], found.get("health"))
        return "health ok"

    @check("health")
    async def configured_health(self) -> str:
        """It is well, asked by a configured client."""
        found = (await self.stage.remote_client("health", "--json")).json()
        expect(found["ok"], found)
        return "ok"

    @check("agent")
    async def agent(self) -> str:
        """A turn is answered."""
        found = (await self.stage.remote_client(*_turn("hello there"))).json()
        text = found["result"]["payloads"][0]["text"]
        expect(found["status"] == "ok" and text.startswith("echo: ") and "hello there" in text, found)
        return text

    @check("agent with a tool call")
    async def agent_tool(self) -> str:
        """A turn uses a tool and says what the tool said."""
        found = (await self.stage.remote_client(*_turn(USE_TOOL))).json()
        text = found["result"]["payloads"][-1]["text"]
        expect(TOOL_OUTPUT in text, text)
        return text

    @check("gateway call chat.history")
    async def history(self) -> str:
        """The turns are in the conversation."""
        key = await self._session_key()
        found = await self.stage.call("chat.history", {"sessionKey": key})
        roles = [row["role"] for row in found["messages"]]
        expect(roles[:2] == ["user", "assistant"] and "hello there" in json.dumps(found["messages"][0]), found)
        return f"{len(roles)} rows in {key}"

    @check("gateway usage-cost")
    async def usage(self) -> str:
        """The tokens of the turns are counted."""
        found = (await self.stage.client("gateway", "usage-cost", "--json")).json()
        expect(found["totals"]["totalTokens"] > 0, found["totals"])
        return f"{found['totals']['totalTokens']} tokens"

    @check("logs")
    async def logs(self) -> str:
        """Lines have level and text."""
        printed = (await self.stage.client("logs", "--limit", "20", "--json")).text()
        rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        lines = [row for row in rows if row["type"] == "log"]
        expect(lines and all(row.get("message") and row.get("level") for row in lines), printed[-400:])
        return f"{len(lines)} lines"

    @check("system presence")
    async def presence(self) -> str:
        """The gateway itself is among those present."""
        found = (await self.stage.client("system", "presence", "--json")).json()
        expect(any(row.get("mode") == "gateway" for row in found), found)
        return f"{len(found)} entries"

    @check("system event, system heartbeat last")
    async def event(self) -> str:
        """An event is taken; the last heartbeat can be asked for."""
        (await self.stage.client("system", "event", "--text", "conformance event", "--mode", "next-heartbeat")).text()
        (await self.stage.client("system", "heartbeat", "last", "--json")).json()
        return "taken"

    @check("devices list")
    async def devices(self) -> str:
        """Paired devices are listed."""
        found = (await self.stage.client("devices", "list", "--json")).json()
        expect(isinstance(found["paired"], list) and found["pending"] == [], found)
        return f"{len(found['paired'])} paired"

    @check("nodes status, nodes list, nodes pending")
    async def nodes(self) -> str:
        """There are none yet."""
        found = (await self.stage.client("nodes", "status", "--json")).json()
        expect(found["nodes"] == [], found)
        listed = (await self.stage.client("nodes", "list", "--json")).json()
        expect(listed["pending"] == [], listed)
        expect((await self.stage.client("nodes", "pending", "--json")).json() == [], "pending nodes")
        return "none"

    @check("approvals get")
    async def approvals(self) -> str:
        """The file of the gateway is shown."""
        found = (await self.stage.client("approvals", "get", "--gateway", "--json")).json()
        expect(found["file"]["version"] == 1 and found["hash"], found)
        return "version 1"

    @check("channels status")
    async def channels(self) -> str:
        """Channels are shown."""
        found = (await self.stage.remote_client("channels", "status", "--timeout", "60000", "--json")).json()
        expect(isinstance(found["channels"], dict), found)
        return ", ".join(found["channels"]) or "none"

    async def _session_key(self) -> str:
        rows = (await self.stage.call("sessions.list", {}))["sessions"]
        found: list[str] = [row["key"] for row in rows if row["key"].endswith("conformance")]
        expect(found, rows)
        return found[0]


def _turn(message: str) -> tuple[str, ...]:
    return ("agent", "--session-id", "conformance", "--message", message, "--json")
