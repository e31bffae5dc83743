"""Session methods that start and stop runs."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.message_input import clean_message, read_images
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.run_start import acknowledge, interrupt, start_run
from homarus.gateway.operations.target import known_agent, read_key, runnable_key
from homarus.gateway.session_rows import model_defaults, session_entry, session_row
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
        key = runnable_key(call, params.key, params.agent_id)
    session = await call.services.sessions.ensure(key)
    meta = {**session.meta, **_settings(call, params)}
    if params.label is not None or meta != session.meta:
        session = await call.services.sessions.update(key, label=params.label or session.label, meta=meta)
    call.core.session_feed.changed(key, "create")
    defaults = model_defaults(call.services)
    entry = session_entry(session, defaults, str(call.services.state_dir))
    row = session_row(session, defaults)
    resolved = {"modelProvider": row["modelProvider"], "model": row["model"]}
    answer: JsonObject = {"ok": True, "key": str(key), "sessionId": session.session_id, "entry": entry}
    answer["resolved"] = resolved
    text = params.message or params.task
    if not text:
        return {**answer, "runStarted": False}
    given = params.model_dump(include={"attachments", "timeout_ms", "idempotency_key"})
    first = SessionsSendParams.model_validate({**given, "key": str(key), "message": text}, by_name=True)
    return {**answer, "runStarted": True, **await _send(call, key, str(key), clean_message(text), first)}


@operation("sessions.send", scope=Scope.WRITE, rest=Post("/api/sessions/{key}/messages"))
async def send_to_session(call: Call, params: SessionsSendParams) -> JsonObject:
    """Send a message to a session that exists."""
    return await _send_to(call, params, is_interrupting=False)


@operation("sessions.steer", scope=Scope.WRITE)
async def steer_session(call: Call, params: SessionsSendParams) -> JsonObject:
    """Stop what a session does and send it a message instead."""
    return await _send_to(call, params, is_interrupting=True)


@operation("sessions.abort", scope=Scope.WRITE, rest=Post("/api/sessions/{key}/abort"))
async def abort_session(call: Call, params: SessionsAbortParams) -> JsonObject:
    """Stop the runs of a session, or one of them; `clearQueued` drops the messages that wait there as well."""
    key = _abort_key(call, params)
    if key is None:
        return {"ok": True, "abortedRunId": None, "status": "no-active-run"}
    clears = bool(params.clear_queued) and params.run_id is None
    stopped = await call.services.runs.abort(str(key), params.run_id, "rpc", call.caller.requester, clears_queue=clears)
    if stopped:
        call.core.session_feed.changed(key, "abort")
    first = stopped[0] if stopped else None
    return {"ok": True, "abortedRunId": first, "status": "aborted" if stopped else "no-active-run"}


def _settings(call: Call, params: SessionsCreateParams) -> JsonObject:
    """Return what a new session is set to."""
    given: JsonObject = {
        "thinkingLevel": params.thinking_level,
        "fastMode": params.fast_mode,
        "category": params.category,
        "autoLabel": params.display_name,
    }
    if params.model is not None:
        info = call.services.models.resolve(params.model).info
        given |= {"providerOverride": info.provider, "modelOverride": info.id}
    if params.parent_session_key is not None:
        given["parentSessionKey"] = str(read_key(call, params.parent_session_key))
    return {name: value for name, value in given.items() if value is not None}


async def _send_to(call: Call, params: SessionsSendParams, *, is_interrupting: bool) -> JsonObject:
    key = runnable_key(call, params.key, params.agent_id)
    if await call.services.sessions.get(key) is None:
        raise invalid(f"session not found: {params.key[:200]}")
    text = clean_message(params.message)
    if not text.strip() and not params.attachments:
        raise invalid("message or attachment required")
    stopped = await interrupt(call, key) if is_interrupting else False
    answer = await _send(call, key, params.key, text, params)
    return {**answer, "interruptedActiveRun": True} if stopped else answer


def _abort_key(call: Call, params: SessionsAbortParams) -> SessionKey | None:
    """Return the session to stop; for a run alone its own, None when that run does not go on."""
    if params.key is not None:
        return read_key(call, params.key, params.agent_id)
    if params.run_id is None:
        raise invalid("key required")
    found = next((run for run in call.services.runs.active() if run.run_id == params.run_id), None)
    return None if found is None else read_key(call, found.session_key)


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
