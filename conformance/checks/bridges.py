"""`openclaw acp` and `openclaw mcp serve`: the gateway as an editor and as a model's tools see it."""

from __future__ import annotations

import json
from typing import Any, cast

from conformance.family import Family, check, expect
from conformance.model import TOOL_OUTPUT, USE_TOOL
from conformance.stage import TOKEN
from conformance.stdio import JsonRpc, speaking


class AcpBridge(Family):
    """An editor's conversation in a session with a name."""

    title = "ACP bridge"
    editor = cast("JsonRpc", None)
    session = ""

    @check("initialize")
    async def initialize(self) -> str:
        """The bridge connects and names itself."""
        arguments = ("acp", "--url", self.stage.ours.url, "--token", TOKEN, "--session", "agent:main:acptest")
        env = self.stage.openclaw_env("acp")
        self.editor = await self.stack.enter_async_context(speaking(self.stage.openclaw(*arguments), env))
        found = await self.editor.ask("initialize", {"protocolVersion": 1, "clientCapabilities": {}})
        return str(found["agentInfo"]["name"])

    @check("session/new")
    async def new_session(self) -> str:
        """A session is opened."""
        found = await self.editor.ask("session/new", {"cwd": str(self.stage.scratch), "mcpServers": []})
        self.session = found["sessionId"]
        return "opened"

    @check("session/prompt")
    async def prompt(self) -> str:
        """A turn streams text and ends."""
        text = await self._prompt("hello from the editor")
        expect("echo: " in text and "hello from the editor" in text, text)
        return text

    @check("session/prompt with a tool call")
    async def tool(self) -> str:
        """Its output reaches the answer; the bridge of protocol 3 does not ask for the announcement of tool calls."""
        before = len(self.editor.heard)
        text = await self._prompt(USE_TOOL)
        kinds = [_update(each).get("sessionUpdate") for each in self.editor.heard[before:]]
        expect(TOOL_OUTPUT in text, text)
        expect("tool_call" in kinds or self.stage.release.protocol == 3, kinds)
        return text

    async def _prompt(self, text: str) -> str:
        before = len(self.editor.heard)
        prompt = [{"type": "text", "text": text}]
        found = await self.editor.ask("session/prompt", {"sessionId": self.session, "prompt": prompt})
        expect(found["stopReason"] == "end_turn", found)
        updates = [_update(each) for each in self.editor.heard[before:]]
        chunks = [each for each in updates if each.get("sessionUpdate") == "agent_message_chunk"]
        return "".join(str(each["content"].get("text", "")) for each in chunks)


class McpBridge(Family):
    """A model's view of the conversations."""

    title = "MCP bridge"
    server = cast("JsonRpc", None)

    @check("initialize, tools/list")
    async def initialize(self) -> str:
        """The bridge connects and offers its tools."""
        await self.stage.call("chat.send", {"sessionKey": "main", "message": "for MCP", "idempotencyKey": "mcp-1"})
        arguments = ("mcp", "serve", "--url", self.stage.ours.url, "--token", TOKEN)
        env = self.stage.openclaw_env("mcp")
        self.server = await self.stack.enter_async_context(speaking(self.stage.openclaw(*arguments), env))
        who = {"name": "conformance", "version": "1"}
        hello = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": who}
        await self.server.ask("initialize", hello)
        self.server.tell("notifications/initialized")
        tools = [tool["name"] for tool in (await self.server.ask("tools/list", {}))["tools"]]
        expect("conversations_list" in tools, tools)
        return f"{len(tools)} tools"

    @check("conversations_list")
    async def conversations(self) -> str:
        """The conversations are asked for over the gateway."""
        found = await self._use("conversations_list", {})
        return f"{len(found.get('conversations', []))} conversations with a route"

    @check("permissions_list_open")
    async def permissions(self) -> str:
        """Nothing waits for an approval."""
        found = await self._use("permissions_list_open", {})
        expect(found.get("approvals") == [], found)
        return "none"

    @check("messages_read")
    async def read(self) -> str:
        """The rows of a conversation are read."""
        found = await self._use("messages_read", {"session_key": "agent:main:main", "limit": 10})
        expect("for MCP" in json.dumps(found), found)
        return f"{len(found['messages'])} messages"

    async def _use(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = await self.server.ask("tools/call", {"name": name, "arguments": arguments})
        expect(not result.get("isError"), result)
        return cast("dict[str, Any]", result["structuredContent"])


def _update(message: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", message.get("params", {}).get("update", {}))
