"""`tools.invoke`: a tool called by a program instead of a model, through the one runner all calls go through."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.target import known_agent, main_key, runnable_key
from homarus.gateway.services import AgentFacts
from homarus.ids import RunId
from homarus.labels import OPERATOR
from homarus.models.contract import ToolCall
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import encode
from homarus.protocol.scopes import Scope
from homarus.protocol.tools_invoke import ToolOutputBody, ToolsInvokeError, ToolsInvokeParams, ToolsInvokeResult
from homarus.sessions.keys import SessionKey
from homarus.tools.contract import ToolContext
from homarus.tools.policy import ToolPolicy

HELD_BACK: Final = (
    "exec",
    "process",
    "spawn",
    "shell",
    "write",
    "edit",
    "fs_write",
    "fs_delete",
    "fs_move",
    "apply_patch",
    "sessions_spawn",
    "sessions_send",
    "cron",
    "gateway",
    "nodes",
    "whatsapp_login",
)
"""Tools programs may not call unless `gateway.tools.allow` names them (reference 04, POST /tools/invoke)."""


@operation("tools.invoke", scope=Scope.WRITE, rest=Post("/api/tools/{name}/invoke"))
async def invoke_tool(call: Call, params: ToolsInvokeParams) -> ToolsInvokeResult:
    """Call a tool of an agent, in its workspace and under its rules; nothing of it enters a conversation.

    Tools that run commands or change files are held back unless `gateway.tools.allow` names them.
    """
    runner = call.services.tools.runner
    if runner is None:
        raise unavailable("this gateway has no tools")
    key = _session(call, params)
    agent = known_agent(call, key.agent_id)
    if params.name not in {spec.name for spec in runner.specs(key.agent_id)}:
        return _failed(params.name, {"code": "not_found", "message": f"Tool not available: {params.name}"})
    if (rule := _refusing_rule(call, params.name)) is not None:
        message = f"{params.name} may not be called from outside: `{rule}` in the configuration decides"
        return _failed(params.name, {"code": "tool_call_blocked", "message": message})
    run_id = params.idempotency_key or call.services.clock.uuid()
    workspace = await _workspace(agent)
    context = ToolContext(key.agent_id, str(key), RunId(run_id), run_id, workspace, OPERATOR)
    outcome = await runner.run(ToolCall(run_id, params.name, encode(params.args or {})), context)
    if outcome.refused is not None:
        return _failed(params.name, {"code": "tool_call_blocked", "message": outcome.output.text})
    if outcome.output.is_error:
        return _failed(params.name, {"code": "tool_error", "message": outcome.output.text})
    output: ToolOutputBody = {
        "content": [{"type": "text", "text": outcome.output.text}],
        "details": outcome.output.details,
    }
    return {"ok": True, "toolName": params.name, "output": output}


def _failed(name: str, error: ToolsInvokeError) -> ToolsInvokeResult:
    return {"ok": False, "toolName": name, "error": error}


def _session(call: Call, params: ToolsInvokeParams) -> SessionKey:
    if params.session_key is None:
        return main_key(known_agent(call, params.agent_id))
    key = runnable_key(call, params.session_key)
    if params.agent_id is not None and known_agent(call, params.agent_id).id != key.agent_id:
        raise invalid(f"the session {str(key)[:200]} belongs to another agent than agentId")
    return key


def _refusing_rule(call: Call, name: str) -> str | None:
    """Return the key that keeps a tool from being called from outside, None when it may be."""
    rules = call.services.config.current.config.gateway.tools
    if not ToolPolicy(deny=tuple(rules.deny)).is_allowed(name):
        return "gateway.tools.deny"
    is_named = rules.allow is not None and ToolPolicy(allow=tuple(rules.allow)).is_allowed(name)
    return "gateway.tools.allow" if name in HELD_BACK and not is_named else None


async def _workspace(agent: AgentFacts) -> Path:
    if agent.workspace is None:
        raise invalid(f'agent "{agent.id}" has no workspace')
    folder = Path(agent.workspace)
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unavailable(f"the workspace {folder} cannot be used: {error.strerror}") from error
    return folder
