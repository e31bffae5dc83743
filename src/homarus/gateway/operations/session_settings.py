"""Methods that change a session: its settings, its transcript, whether it is there at all."""

from __future__ import annotations

from typing import Final

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Delete, Post, operation
from homarus.gateway.operations.session_marks import MARKS, marked
from homarus.gateway.operations.target import read_key
from homarus.gateway.session_rows import model_defaults, session_entry, session_row
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.sessions import SessionsDeleteParams, SessionsPatchParams, SessionsResetParams
from homarus.protocol.usage import SessionsCompactParams
from homarus.sessions.keys import SessionKey
from homarus.storage.records import Session

DEFAULT_KEPT: Final = 400
MAX_KEPT: Final = 10_000
_NO_SETTING: Final = frozenset({"key", "agent_id", "label", "model", "expected_session_id", *MARKS})


@operation("sessions.patch", scope=Scope.ADMIN)
async def patch_session(call: Call, params: SessionsPatchParams) -> JsonObject:
    """Change the settings of a session; null clears one. Makes the session when it is missing."""
    if call.caller.client_mode == "webchat" and call.caller.client_id != "openclaw-control-ui":
        raise invalid("webchat clients cannot patch sessions; use chat.send for session-scoped updates")
    key = read_key(call, params.key, params.agent_id)
    session = await call.services.sessions.ensure(key)
    check_expected(session, params.expected_session_id)
    settings = params.model_dump(by_alias=True, exclude_unset=True, exclude=set(_NO_SETTING))
    marks = marked(session, params, call.services.clock.now_ms())
    meta = {name: value for name, value in {**session.meta, **settings, **marks}.items() if value is not None}
    is_use = bool(settings) or not params.model_fields_set.isdisjoint({"label", "model"})
    if "model" in params.model_fields_set:
        meta = _with_model(call, meta, params.model)
    label = params.label if "label" in params.model_fields_set else session.label
    if is_use or marks:
        session = await call.services.sessions.update(key, label=label, meta=meta, is_use=is_use)
        call.core.session_feed.changed(key, "patch")
    return await _patched(call, key, session)


@operation("sessions.reset", scope=Scope.ADMIN, rest=Post("/api/sessions/{key}/reset"))
async def reset_session(call: Call, params: SessionsResetParams) -> JsonObject:
    """Begin a new transcript under the same key; the old one stays stored."""
    key = read_key(call, params.key, params.agent_id)
    check_expected(await call.services.sessions.get(key), params.expected_session_id)
    await _stop_runs(call, key)
    session = await call.services.sessions.reset(key)
    call.core.session_feed.changed(key, params.reason or "reset")
    entry = session_entry(session, model_defaults(call.services), str(call.services.state_dir))
    record = await prompt_record(call, key)
    record.pop("systemPromptReport", None)
    fresh = {"systemSent": False, "abortedLastRun": False, "inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
    return {"ok": True, "key": session.key, "entry": {**entry, **record, **fresh}}


@operation("sessions.compact", scope=Scope.ADMIN)
async def compact_session(call: Call, params: SessionsCompactParams) -> JsonObject:
    """Cut a transcript to its last entries, without a model; the whole one stays stored."""
    key = read_key(call, params.key, params.agent_id)
    before = await call.services.sessions.get(key)
    if before is None:
        return {"ok": True, "key": str(key), "compacted": False, "reason": "no sessionId"}
    await _stop_runs(call, key)
    limit = min(params.max_lines or DEFAULT_KEPT, MAX_KEPT)
    kept = await call.services.sessions.keep_last(key, limit)
    if kept is None:
        count = len(await call.services.sessions.entries(before.session_id, limit))
        return {"ok": True, "key": str(key), "compacted": False, "kept": count}
    call.core.session_feed.changed(key, "compact")
    archived = f"{call.services.state_dir}/sessions/{before.session_id}"
    return {"ok": True, "key": str(key), "compacted": True, "archived": archived, "kept": kept[1]}


@operation("sessions.delete", scope=Scope.ADMIN, rest=Delete("/api/sessions/{key}"))
async def delete_session(call: Call, params: SessionsDeleteParams) -> JsonObject:
    """Delete a session and its transcript; the main session of an agent cannot be deleted."""
    key = read_key(call, params.key, params.agent_id)
    if key.is_main:
        raise invalid(f"Cannot delete the main session ({key}).")
    session = await call.services.sessions.get(key)
    check_expected(session, params.expected_session_id)
    if session is not None:
        _check_deletable(session, params)
    await _stop_runs(call, key)
    is_deleted = await call.services.sessions.delete(key)
    if is_deleted:
        if call.services.prompts is not None:
            await call.services.prompts.forget(str(key))
        call.core.session_feed.changed(key, "delete", is_gone=True)
    archived = [f"{call.services.state_dir}/sessions/{session.session_id}"] if session is not None else []
    return {"ok": True, "key": str(key), "deleted": is_deleted, "archived": archived}


def check_expected(session: Session | None, session_id: str | None) -> None:
    """Refuse a change that was meant for another transcript of the session. Raises ProtocolError."""
    if session_id is not None and (session is None or session.session_id != session_id):
        name = session.key if session is not None else "the session"
        raise invalid(f"{name} changed in the meantime; look at it again", {"reason": "session-changed"})


async def prompt_record(call: Call, key: SessionKey) -> JsonObject:
    """Return what the last prompt of a session was made of, empty before its first turn."""
    prompts = call.services.prompts
    return await prompts.find(str(key)) if prompts is not None else {}


def _check_deletable(session: Session, params: SessionsDeleteParams) -> None:
    if params.archived_only and session.meta.get("archivedAt") is None:
        raise invalid(f"{session.key} is not archived; archive it first")
    expected = params.expected_session_updated_at
    if expected is not None and session.updated_at != expected:
        raise invalid(f"{session.key} changed in the meantime; look at it again", {"reason": "session-changed"})


async def _patched(call: Call, key: SessionKey, session: Session) -> JsonObject:
    defaults = model_defaults(call.services)
    row = session_row(session, defaults)
    path = str(call.services.state_dir)
    return {
        "ok": True,
        "path": path,
        "key": session.key,
        "entry": {**session_entry(session, defaults, path), **await prompt_record(call, key)},
        "resolved": {"modelProvider": row["modelProvider"], "model": row["model"]},
    }


async def _stop_runs(call: Call, key: SessionKey) -> None:
    await call.services.runs.abort(str(key), None, "rpc", call.caller.requester)


def _with_model(call: Call, meta: JsonObject, model: str | None) -> JsonObject:
    rest = {name: value for name, value in meta.items() if name not in ("modelOverride", "providerOverride")}
    if model is None:
        return rest
    provider, name = _resolve_model(call, model)
    return {**rest, "providerOverride": provider, "modelOverride": name}


def _resolve_model(call: Call, model: str) -> tuple[str, str]:
    """Return provider and id of a model; one that its provider does not list may still exist there.

    Raises UserError when there is no such model and no such provider.
    """
    try:
        info = call.services.models.resolve(model).info
    except UserError:
        provider, _, name = model.partition("/")
        if name and any(known.provider == provider for known in call.services.models.list_models()):
            return provider, name
        raise
    return info.provider, info.id
