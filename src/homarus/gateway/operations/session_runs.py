"""Session methods that start and stop runs."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.message_input import clean_message, read_images
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.run_start import acknowledge, start_run
from homarus.gateway.operations.target import known_agent, read_key, runnable_key
from homarus.gateway.session_rows import model_defaults, session_entry
from homarus.ids import AgentId, RunId
from homarus.pipeline.contract import Submission
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.sessions import SessionsAbortParams, SessionsCreateParams, SessionsSendParams
from homarus.sessions.keys import SessionKey


@operation("sessions.create", scope=Scope.WRITE, rest=Post("/api/sessions"))
async def create_session(call: Call, params: SessionsCreateParams) -> JsonObject:
    """Make a session, and start a run in it when a message is given."""
    agent = known_agent(call, params.agent_id)
    key = SessionKey(AgentId(agent.id), f"dashboard:{call.services.clock.uuid()}")
    if params.key is not None:
        key = runnable_key(call, params.key)
    session = await call.services.sessions.ensure(key)
    meta = dict(session.meta)
    if params.model is not None:
        info = call.services.models.resolve(params.model).info
        meta |= {"providerOverride": info.provider, "modelOverride": info.id}
    if params.parent_session_key is not None:
        meta["parentSessionKey"] = str(read_key(call, params.parent_session_key))
    if params.label is not None or meta != session.meta:
        session = await call.services.sessions.update(key, label=params.label or session.label, meta=meta)
    call.core.session_feed.changed(key, "create")
    entry = session_entry(session, model_defaults(call.services), str(call.services.state_dir))
    answer: JsonObject = {"ok": True, "key": str(key), "sessionId": session.session_id, "entry": entry}
    text = params.message or params.task
    if not text:
        return {**answer, "runStarted": False}
    run = await _send(call, key, str(key), clean_message(text), SessionsSendParams(key=str(key), message=text))
    return {**answer, "runStarted": True, **run}


@operation("sessions.send", scope=Scope.WRITE, rest=Post("/api/sessions/{key}/messages"))
async def send_to_session(call: Call, params: SessionsSendParams) -> JsonObject:
    """Send a message to a session that exists."""
    key = runnable_key(call, params.key)
    if await call.services.sessions.get(key) is None:
        raise invalid(f"session not found: {params.key[:200]}")
    text = clean_message(params.message)
    if not text.strip() and not params.attachments:
        raise invalid("message or attachment required")
    return await _send(call, key, params.key, text, params)


@operation("sessions.abort", scope=Scope.WRITE, rest=Post("/api/sessions/{key}/abort"))
async def abort_session(call: Call, params: SessionsAbortParams) -> JsonObject:
    """Stop the runs of a session, or one of them."""
    key = read_key(call, params.key)
    stopped = await call.services.runs.abort(str(key), params.run_id, "rpc", call.caller.requester)
    if stopped:
        call.core.session_feed.changed(key, "abort")
    first = stopped[0] if stopped else None
    return {"ok": True, "abortedRunId": first, "status": "aborted" if stopped else "no-active-run"}


async def _send(call: Call, key: SessionKey, raw_key: str, text: str, params: SessionsSendParams) -> JsonObject:
    run_id = params.idempotency_key or call.services.clock.uuid()
    submission = Submission(
        run_id=RunId(run_id),
        agent_id=key.agent_id,
        session_key=str(key),
        text=text,
        kind="chat",
        requester=call.caller.requester,
        images=read_images(params.attachments, "sessions.send"),
        thinking=params.thinking,
        timeout=params.timeout_ms / 1000 if params.timeout_ms else None,
    )
    ack = acknowledge(run_id, await start_run(call, submission, key, raw_key))
    session = await call.services.sessions.get(key)
    last = await call.services.sessions.entries(session.session_id, 1) if session is not None else []
    return {**ack, "messageSeq": last[-1].seq + 1 if last else 1}
