"""Session methods."""

from __future__ import annotations

from typing import Final

from homarus.errors import ProtocolError, UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Delete, Get, Post, operation
from homarus.gateway.operations.target import read_key
from homarus.gateway.session_rows import ModelDefaults, model_defaults, session_entry, session_row
from homarus.gateway.transcript import messages_of, preview_of
from homarus.protocol.base import IgnoredParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.sessions import (
    SessionKeyParams,
    SessionsDeleteParams,
    SessionsGetParams,
    SessionsListParams,
    SessionsListResult,
    SessionsPatchParams,
    SessionsPreviewParams,
    SessionsResetParams,
    SessionsResolveParams,
    Subscription,
)
from homarus.protocol.usage import SessionsCompactParams
from homarus.sessions.keys import SessionKey
from homarus.storage.records import Session, SessionFilter

MAX_PREVIEWS: Final = 64
MAX_PREVIEW_ITEMS: Final = 50
DEFAULT_PREVIEW_ITEMS: Final = 12
DEFAULT_PREVIEW_CHARS: Final = 240
MAX_PREVIEW_CHARS: Final = 2000
DEFAULT_MESSAGES: Final = 200
MAX_MESSAGES: Final = 1000
DEFAULT_KEPT: Final = 400
MAX_KEPT: Final = 10_000


@operation("sessions.list", scope=Scope.READ, rest=Get("/api/sessions"))
async def list_sessions(call: Call, params: SessionsListParams) -> SessionsListResult:
    """List sessions, newest activity first."""
    services = call.services
    now = services.clock.now_ms()
    since = now - params.active_minutes * 60_000 if params.active_minutes is not None else None
    where = SessionFilter(params.agent_id, params.limit, params.label, params.search or None, since)
    found = await services.sessions.list(where)
    if params.spawned_by is not None:
        found = [session for session in found if session.meta.get("spawnedBy") == params.spawned_by]
    defaults = model_defaults(services)
    has_title, has_preview = bool(params.include_derived_titles), bool(params.include_last_message)
    rows = [session_row(session, defaults, has_title=has_title, has_preview=has_preview) for session in found]
    return {
        "ts": now,
        "path": "(multiple)",
        "count": len(rows),
        "defaults": _defaults_json(defaults),
        "sessions": rows,
    }


@operation("sessions.get", scope=Scope.READ, is_listed=False, rest=Get("/api/sessions/{key}/messages"))
async def get_session(call: Call, params: SessionsGetParams) -> dict[str, list[JsonObject]]:
    """Return the last messages of a session as they are stored."""
    text = (params.key or params.session_key or "").strip()
    if not text:
        raise invalid("key required")
    session = await call.services.sessions.get(read_key(call, text))
    if session is None:
        return {"messages": []}
    limit = min(MAX_MESSAGES, max(1, params.limit or DEFAULT_MESSAGES))
    return {"messages": messages_of(await call.services.sessions.entries(session.session_id, limit))}


@operation("sessions.preview", scope=Scope.READ)
async def preview_sessions(call: Call, params: SessionsPreviewParams) -> JsonObject:
    """Return the last lines of some sessions."""
    limit = min(MAX_PREVIEW_ITEMS, params.limit or DEFAULT_PREVIEW_ITEMS)
    chars = min(MAX_PREVIEW_CHARS, params.max_chars or DEFAULT_PREVIEW_CHARS)
    previews = [await _preview(call, text, limit, chars) for text in params.keys[:MAX_PREVIEWS]]
    return {"ts": call.services.clock.now_ms(), "previews": previews}


@operation("sessions.resolve", scope=Scope.READ, is_listed=False)
async def resolve_session(call: Call, params: SessionsResolveParams) -> JsonObject:
    """Find the one session with a key, a session id or a label."""
    given = [value for value in (params.key, params.session_id, params.label) if value is not None]
    if not given:
        raise invalid("Either key, sessionId, or label is required")
    if len(given) > 1:
        raise invalid("Provide either key, sessionId, or label (not multiple)")
    if params.key is not None:
        session = await call.services.sessions.get(read_key(call, params.key))
        if session is None:
            raise invalid(f"No session found: {params.key[:200]}")
        return {"ok": True, "key": session.key}
    return {"ok": True, "key": (await _find_one(call, params)).key}


@operation("sessions.patch", scope=Scope.ADMIN)
async def patch_session(call: Call, params: SessionsPatchParams) -> JsonObject:
    """Change the settings of a session; null clears one. Makes the session when it is missing."""
    if call.caller.client_mode == "webchat" and call.caller.client_id != "openclaw-control-ui":
        raise invalid("webchat clients cannot patch sessions; use chat.send for session-scoped updates")
    key = read_key(call, params.key)
    session = await call.services.sessions.ensure(key)
    changes = params.model_dump(by_alias=True, exclude_unset=True, exclude={"key", "label", "model"})
    meta = {name: value for name, value in {**session.meta, **changes}.items() if value is not None}
    if "model" in params.model_fields_set:
        meta = _with_model(call, meta, params.model)
    label = params.label if "label" in params.model_fields_set else session.label
    updated = await call.services.sessions.update(key, label=label, meta=meta)
    call.core.session_feed.changed(key, "patch")
    defaults = model_defaults(call.services)
    row = session_row(updated, defaults)
    path = str(call.services.state_dir)
    return {
        "ok": True,
        "path": path,
        "key": updated.key,
        "entry": {**session_entry(updated, defaults, path), **await prompt_record(call, key)},
        "resolved": {"modelProvider": row["modelProvider"], "model": row["model"]},
    }


@operation("sessions.reset", scope=Scope.ADMIN, rest=Post("/api/sessions/{key}/reset"))
async def reset_session(call: Call, params: SessionsResetParams) -> JsonObject:
    """Begin a new transcript under the same key; the old one stays stored."""
    key = read_key(call, params.key)
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
    key = read_key(call, params.key)
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
    key = read_key(call, params.key)
    if key.is_main:
        raise invalid(f"Cannot delete the main session ({key}).")
    await _stop_runs(call, key)
    session = await call.services.sessions.get(key)
    is_deleted = await call.services.sessions.delete(key)
    if is_deleted:
        if call.services.prompts is not None:
            await call.services.prompts.forget(str(key))
        call.core.session_feed.changed(key, "delete", is_gone=True)
    archived = [f"{call.services.state_dir}/sessions/{session.session_id}"] if session is not None else []
    return {"ok": True, "key": str(key), "deleted": is_deleted, "archived": archived}


@operation("sessions.subscribe", scope=Scope.READ)
async def subscribe(call: Call, params: IgnoredParams) -> Subscription:  # noqa: ARG001 - the signature of operations
    """Send this connection the events of all sessions."""
    call.core.hub.watch_sessions(call.caller.conn_id)
    return {"subscribed": True}


@operation("sessions.unsubscribe", scope=Scope.READ)
async def unsubscribe(call: Call, params: IgnoredParams) -> Subscription:  # noqa: ARG001
    """Stop sending this connection the events of all sessions."""
    call.core.hub.unwatch_sessions(call.caller.conn_id)
    return {"subscribed": False}


@operation("sessions.messages.subscribe", scope=Scope.READ)
async def subscribe_messages(call: Call, params: SessionKeyParams) -> Subscription:
    """Send this connection the messages of one session."""
    key = str(read_key(call, params.key))
    call.core.hub.watch_messages(call.caller.conn_id, key)
    return {"subscribed": True, "key": key}


@operation("sessions.messages.unsubscribe", scope=Scope.READ)
async def unsubscribe_messages(call: Call, params: SessionKeyParams) -> Subscription:
    """Stop sending this connection the messages of one session."""
    key = str(read_key(call, params.key))
    call.core.hub.unwatch_messages(call.caller.conn_id, key)
    return {"subscribed": False, "key": key}


async def prompt_record(call: Call, key: SessionKey) -> JsonObject:
    """Return what the last prompt of a session was made of, empty before its first turn."""
    prompts = call.services.prompts
    return await prompts.find(str(key)) if prompts is not None else {}


def _defaults_json(defaults: ModelDefaults) -> JsonObject:
    tokens = defaults.context_tokens
    return {"modelProvider": defaults.provider, "model": defaults.model, "contextTokens": tokens}


async def _preview(call: Call, text: str, limit: int, chars: int) -> JsonObject:
    try:
        session = await call.services.sessions.get(read_key(call, text))
    except ProtocolError:
        return {"key": text, "status": "error", "items": []}
    if session is None:
        return {"key": text, "status": "missing", "items": []}
    entries = await call.services.sessions.entries(session.session_id, limit * 2)
    lines = [line for entry in entries if (line := preview_of(entry, chars)) is not None][-limit:]
    return {"key": text, "status": "ok" if lines else "empty", "items": lines}


async def _find_one(call: Call, params: SessionsResolveParams) -> Session:
    label, session_id = params.label, params.session_id
    where = SessionFilter(agent_id=params.agent_id, label=label, search=session_id)
    found = await call.services.sessions.list(where)
    if session_id is not None:
        found = [session for session in found if session.session_id == session_id]
    if params.spawned_by is not None:
        found = [session for session in found if session.meta.get("spawnedBy") == params.spawned_by]
    if not found:
        raise invalid(f"No session found with label: {label}" if label else f"No session found: {session_id}")
    if len(found) > 1:
        keys = ", ".join(session.key for session in found[:5])
        what = f"with label: {label}" if label else f"for sessionId: {session_id}"
        raise invalid(f"Multiple sessions found {what} ({keys})")
    return found[0]


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
