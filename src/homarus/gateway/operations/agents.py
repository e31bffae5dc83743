"""Agent methods: runs with a final answer, waiting for runs, and who the agents are."""

from __future__ import annotations

from typing import Final

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.message_input import clean_message, read_images
from homarus.gateway.operations.registry import Get, Post, operation
from homarus.gateway.operations.run_start import failed_run, start_run
from homarus.gateway.operations.target import default_agent, find_agent, known_agent, main_key, read_key
from homarus.gateway.run_meta import run_meta
from homarus.gateway.services import AgentFacts
from homarus.ids import Address, RunId
from homarus.pipeline.contract import RunOutcome, Submission
from homarus.protocol.base import NoParams
from homarus.protocol.chat import AgentIdentityParams, AgentParams, AgentWaitParams, AgentWaitResult
from homarus.protocol.errors import UNAVAILABLE, Refusal, invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.sessions.keys import MAIN, SessionKey
from homarus.storage.records import SessionFilter

DEFAULT_WAIT_MS: Final = 30_000
WAIT_SLICE: Final = 600.0
"""Seconds of one wait for a run that has no limit of its own."""
EXPLICIT: Final = "explicit"
"""Part of the key of a session that a client of version 4 named by an id of its own."""


@operation("agent", scope=Scope.WRITE, rest=Post("/api/agent"))
async def agent(call: Call, params: AgentParams) -> JsonObject:
    """Run an agent: a first answer accepts the message, the final one carries the reply."""
    _check_rights(call, params)
    text = clean_message(params.message)
    images = read_images(params.attachments, "agent")
    _check_agent(call, params)
    known = await call.services.runs.outcome(params.idempotency_key)
    if known is not None and known.state != "running":
        return await _result(call, known)
    run_id = params.idempotency_key
    accepted = {"runId": run_id, "status": "accepted", "acceptedAt": call.services.clock.now_ms()}
    key = await _target(call, params)
    if "voice_wake_trigger" in params.model_fields_set and _is_routable(call, params, key):
        key = await _woken(call, params) or key
    if key is None:
        call.send(accepted)
        summary = "Error: Pass --to <E.164>, --session-id, or --agent to choose a session"
        raise Refusal(UNAVAILABLE, summary, {"runId": run_id, "status": "error", "summary": summary})
    accepted["agentId"] = key.agent_id
    submission = Submission(
        run_id=RunId(run_id),
        agent_id=key.agent_id,
        session_key=str(key),
        text=text,
        kind="agent",
        requester=call.caller.requester,
        images=images,
        model=_model(params),
        thinking=params.thinking or None,
        extra_system_prompt=params.extra_system_prompt or None,
        timeout=float(params.timeout) if params.timeout else None,
        deliver_to=_delivery(params),
    )
    await start_run(call, submission, key, params.session_key or str(key))
    call.send(accepted)
    call.finish()
    return await _result(call, await _wait(call, run_id))


@operation("agent.wait", scope=Scope.WRITE)
async def wait(call: Call, params: AgentWaitParams) -> AgentWaitResult:
    """Wait for the end of a run; `timeoutMs` 0 only looks."""
    timeout = DEFAULT_WAIT_MS if params.timeout_ms is None else params.timeout_ms
    runs = call.services.runs
    outcome = await (runs.wait(params.run_id, timeout / 1000) if timeout else runs.outcome(params.run_id))
    if outcome is None or outcome.state == "running":
        return {"runId": params.run_id, "status": "timeout"}
    result: AgentWaitResult = {
        "runId": params.run_id,
        "status": "error" if outcome.state == "failed" else "ok",
        "startedAt": outcome.started_at,
    }
    if outcome.ended_at is not None:
        result["endedAt"] = outcome.ended_at
    if outcome.error:
        result["error"] = outcome.error
    return result


@operation("agents.list", scope=Scope.READ, rest=Get("/api/agents"))
async def list_agents(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """List the agents of the configuration."""
    return agents_json(call)


def agents_json(call: Call) -> JsonObject:
    """Return the agents as clients list them."""
    agents = call.services.agents.list()
    default_model = call.services.models.resolve(None).info.ref
    return {
        "defaultId": next(each.id for each in agents if each.is_default),
        "ownership": "sole" if len(agents) == 1 else "explicit",
        "selectionRequired": False,
        "mainKey": MAIN,
        "scope": call.services.config.current.config.session.scope,
        "agents": [_summary(each, default_model) for each in agents],
    }


@operation("agent.identity.get", scope=Scope.READ)
async def agent_identity(call: Call, params: AgentIdentityParams) -> JsonObject:
    """Return the name and look of an agent."""
    agent_id = params.agent_id
    if agent_id is None and params.session_key:
        agent_id = read_key(call, params.session_key).agent_id
    found = known_agent(call, agent_id)
    name = found.identity.get("name") or found.name
    identity: JsonObject = {
        "agentId": found.id,
        "name": name or "Assistant",
        "nameSource": "config" if name else "default",
        "avatar": found.identity.get("avatar") or "A",
    }
    if "emoji" in found.identity:
        identity["emoji"] = found.identity["emoji"]
    return identity


def _check_rights(call: Call, params: AgentParams) -> None:
    if (params.provider or params.model) and not call.caller.is_admin:
        raise invalid("provider/model overrides are not authorized for this caller.")


def _check_agent(call: Call, params: AgentParams) -> None:
    if params.agent_id is not None and find_agent(call, params.agent_id) is None:
        raise invalid(f'invalid agent params: unknown agent id "{params.agent_id[:64]}"')


async def _target(call: Call, params: AgentParams) -> SessionKey | None:
    """Return the session a run belongs to, None when the parameters name none."""
    if params.session_key:
        key = read_key(call, params.session_key)
        if params.agent_id is not None and params.agent_id.strip().lower() != key.agent_id:
            wanted = f'agent "{params.agent_id}" does not match session key agent "{key.agent_id}"'
            raise invalid(f"invalid agent params: {wanted}")
        if find_agent(call, key.agent_id) is None:
            raise invalid(f'invalid agent params: unknown agent id "{key.agent_id}"')
        return key
    if params.session_id:
        found = await call.services.sessions.list(SessionFilter(agent_id=params.agent_id, search=params.session_id))
        match = next((each for each in found if each.session_id == params.session_id), None)
        if match is not None:
            return read_key(call, match.key)
        if call.caller.is_v4:
            return read_key(call, f"{EXPLICIT}:{params.session_id}", known_agent(call, params.agent_id).id)
    if params.agent_id is not None:
        return main_key(known_agent(call, params.agent_id))
    return main_key(default_agent(call)) if params.to else None


def _is_routable(call: Call, params: AgentParams, key: SessionKey | None) -> bool:
    """Tell whether a wake word may decide where a message goes: only when the caller named nothing but the default."""
    is_named = params.agent_id is not None or params.session_id or params.to or params.reply_to
    return not is_named and key in (None, main_key(default_agent(call)))


async def _woken(call: Call, params: AgentParams) -> SessionKey | None:
    """Return the session a wake word leads to, None for the current one and for an agent that is gone."""
    from homarus.nodes.wake_routing import find_target  # noqa: PLC0415 - only for what was spoken

    target = await find_target(call.services.database, params.voice_wake_trigger)
    named = target.get("sessionKey") or (f"agent:{target['agentId']}:main" if target.get("agentId") else None)
    if not isinstance(named, str):
        return None
    key = read_key(call, named)
    return key if find_agent(call, key.agent_id) is not None else None


def _model(params: AgentParams) -> str | None:
    if params.provider and params.model:
        return f"{params.provider}/{params.model}"
    return params.model or None


def _delivery(params: AgentParams) -> Address | None:
    """Return where the reply goes besides the answer: only when asked for, to a channel and a recipient."""
    if not params.deliver:
        return None
    channel, chat = params.reply_channel or params.channel, params.reply_to or params.to
    if not channel or channel == "webchat":
        if params.best_effort_deliver:
            return None
        raise invalid("delivery channel is required: pass --channel/--reply-channel or use a session with a channel")
    if not chat:
        raise invalid("delivery target is required: pass --to or --reply-to")
    return Address(channel, params.reply_account_id or params.account_id or "default", chat, params.thread_id)


async def _wait(call: Call, run_id: str) -> RunOutcome:
    """Wait until a run has ended, however long it takes: its own time limit ends it."""
    while True:
        outcome = await call.services.runs.wait(run_id, WAIT_SLICE)
        if outcome is not None and outcome.state != "running":
            return outcome
        if outcome is None and all(run.run_id != run_id for run in call.services.runs.active()):
            raise UserError(f"run {run_id} was dropped before it began")


async def _result(call: Call, outcome: RunOutcome) -> JsonObject:
    if outcome.state == "failed":
        raise failed_run(outcome)
    payloads = [{"text": outcome.text, "mediaUrl": None}] if outcome.text else []
    meta = await run_meta(call.services, outcome)
    result = {"payloads": payloads, "meta": meta, "sourceReplyDeliveryState": "missing"}
    return {"runId": outcome.run_id, "status": "ok", "summary": "completed", "result": result}


def _summary(each: AgentFacts, default_model: str) -> JsonObject:
    summary: JsonObject = {"id": each.id}
    if each.name:
        summary["name"] = each.name
    if each.identity:
        summary["identity"] = dict(each.identity)
    if each.workspace:
        summary["workspace"] = each.workspace
    model: JsonObject = {"primary": each.model or default_model}
    if each.fallbacks:
        model["fallbacks"] = list(each.fallbacks)
    return {**summary, "model": model}
