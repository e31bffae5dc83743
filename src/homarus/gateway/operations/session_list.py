"""Methods that find sessions and describe them."""

from __future__ import annotations

from typing import Final

from homarus.errors import ProtocolError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import read_key
from homarus.gateway.session_rows import model_defaults, running, session_row
from homarus.gateway.transcript import messages_of, preview_of
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.sessions import (
    SessionDescription,
    SessionsDescribeParams,
    SessionsGetParams,
    SessionsListParams,
    SessionsListResult,
    SessionsPreviewParams,
    SessionsResolveParams,
)
from homarus.storage.records import Session, SessionFilter

DEFAULT_LIMIT: Final = 100
"""Sessions of a page when a client of version 4 names no number; older clients mean all of them."""
MAX_PREVIEWS: Final = 64
MAX_PREVIEW_ITEMS: Final = 50
DEFAULT_PREVIEW_ITEMS: Final = 12
DEFAULT_PREVIEW_CHARS: Final = 240
MAX_PREVIEW_CHARS: Final = 2000
DEFAULT_MESSAGES: Final = 200
MAX_MESSAGES: Final = 1000
_FOREIGN: Final = (
    "project_id",
    "workspace_dir",
    "creator_id",
    "owner_id",
    "profile_relation",
    "involving_profile_id",
)
"""What no session here has: asking for it finds none."""


@operation("sessions.list", scope=Scope.READ, rest=Get("/api/sessions"))
async def list_sessions(call: Call, params: SessionsListParams) -> SessionsListResult:
    """List sessions, newest activity first; those put away only when asked for."""
    return await page_of(call, params)


@operation("sessions.describe", scope=Scope.READ, rest=Get("/api/sessions/{key}"))
async def describe_session(call: Call, params: SessionsDescribeParams) -> SessionDescription:
    """Describe one session as the list does; null when there is none."""
    session = await call.services.sessions.get(read_key(call, params.key, params.agent_id))
    if session is None:
        return {"session": None}
    row = session_row(
        session,
        model_defaults(call.services),
        has_title=bool(params.include_derived_titles),
        has_preview=bool(params.include_last_message),
        runs=running(call.services),
    )
    return {"session": row}


@operation("sessions.get", scope=Scope.READ, rest=Get("/api/sessions/{key}/messages"))
async def get_session(call: Call, params: SessionsGetParams) -> dict[str, list[JsonObject]]:
    """Return the last messages of a session as they are stored."""
    text = (params.key or params.session_key or "").strip()
    if not text:
        raise invalid("key required")
    session = await call.services.sessions.get(read_key(call, text))
    if session is None:
        return {"messages": []}
    limit = min(MAX_MESSAGES, max(1, params.limit or DEFAULT_MESSAGES))
    entries = await call.services.sessions.entries(session.session_id, limit)
    return {"messages": messages_of(entries, call.caller.protocol)}


@operation("sessions.preview", scope=Scope.READ)
async def preview_sessions(call: Call, params: SessionsPreviewParams) -> JsonObject:
    """Return the last lines of some sessions."""
    limit = min(MAX_PREVIEW_ITEMS, params.limit or DEFAULT_PREVIEW_ITEMS)
    chars = min(MAX_PREVIEW_CHARS, params.max_chars or DEFAULT_PREVIEW_CHARS)
    previews = [await _preview(call, text, limit, chars) for text in params.keys[:MAX_PREVIEWS]]
    return {"ts": call.services.clock.now_ms(), "previews": previews}


@operation("sessions.resolve", scope=Scope.READ)
async def resolve_session(call: Call, params: SessionsResolveParams) -> JsonObject:
    """Find the one session with a key, a session id (or the beginning of one) or a label."""
    given = [each for each in (params.key, params.session_id, params.label, params.short_id) if each is not None]
    if not given:
        raise invalid("Either key, sessionId, or label is required")
    if len(given) > 1:
        raise invalid("Provide either key, sessionId, or label (not multiple)")
    try:
        found = await _find_one(call, params)
    except ProtocolError:
        if params.allow_missing:
            return {"ok": False}
        raise
    return {"ok": True, "key": found.key, "agentId": found.agent_id}


async def page_of(call: Call, params: SessionsListParams) -> SessionsListResult:
    """Return the sessions a list asks for."""
    services = call.services
    now, runs, defaults = services.clock.now_ms(), running(services), model_defaults(services)
    default_limit = DEFAULT_LIMIT if call.caller.is_v4 else None
    limit = params.limit if params.limit is not None else default_limit
    where = _filter(call, params, limit, now, tuple(runs))
    found, total = ([], 0) if _asks_for_foreign(params) else await services.sessions.page(where)
    has_title, has_preview = bool(params.include_derived_titles), bool(params.include_last_message)
    rows = [session_row(each, defaults, has_title=has_title, has_preview=has_preview, runs=runs) for each in found]
    end = where.offset + len(rows)
    return {
        "ts": now,
        "path": "(multiple)",
        "count": len(rows),
        "totalCount": total,
        "limitApplied": limit,
        "nextOffset": end if end < total else None,
        "hasMore": end < total,
        "owners": [],
        "defaults": defaults.json(),
        "sessions": rows,
    }


def _filter(
    call: Call, params: SessionsListParams, limit: int | None, now: int, active: tuple[str, ...]
) -> SessionFilter:
    agents = tuple(agent.id for agent in call.services.agents.list())
    hides = ((params.exclude_subagents, ":subagent:"), (params.exclude_cron, ":cron:"))
    return SessionFilter(
        agent_id=params.agent_id.strip().lower() if params.agent_id is not None else None,
        agent_ids=agents if params.configured_agents_only else None,
        limit=limit,
        offset=(params.offset or 0) if limit is not None else 0,
        label=params.label,
        search=params.search or None,
        active_since=now - params.active_minutes * 60_000 if params.active_minutes is not None else None,
        keys=active if params.active_only else None,
        without=tuple(part for is_hidden, part in hides if is_hidden),
        spawned_by=params.spawned_by,
        category=params.group or None,
        is_archived=None if params.archived == "all" else bool(params.archived),
        is_pinned=params.pinned,
        was_run=True if params.require_last_interaction else None,
        order="run" if params.sort_by in {"lastInteractionAt", "activity"} else "updated",
    )


def _asks_for_foreign(params: SessionsListParams) -> bool:
    """Tell whether a filter asks for what this gateway does not have: projects, boards, other people's sessions."""
    has_foreign = any(getattr(params, name) is not None for name in _FOREIGN)
    return has_foreign or params.board_face == "dashboard" or bool(params.has_board)


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
    if params.key is not None:
        session = await call.services.sessions.get(read_key(call, params.key, params.agent_id))
        if session is None:
            raise invalid(f"No session found: {params.key[:200]}")
        return session
    label, session_id = params.label, params.session_id or params.short_id
    where = SessionFilter(params.agent_id, label=label, search=session_id, spawned_by=params.spawned_by)
    found = await call.services.sessions.list(where)
    if params.session_id is not None:
        found = [session for session in found if session.session_id == params.session_id]
    elif params.short_id is not None:
        found = [session for session in found if session.session_id.startswith(params.short_id.lower())]
    if not found:
        raise invalid(f"No session found with label: {label}" if label else f"No session found: {session_id}")
    if len(found) > 1:
        keys = ", ".join(session.key for session in found[:5])
        what = f"with label: {label}" if label else f"for sessionId: {session_id}"
        raise invalid(f"Multiple sessions found {what} ({keys})")
    return found[0]
