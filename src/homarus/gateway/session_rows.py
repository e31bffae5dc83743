"""Sessions as rows for clients (reference 02, SessionRow and SessionEntry)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from homarus.gateway.services import Services
from homarus.protocol.frames import JsonObject
from homarus.storage.records import Session

WEBCHAT: Final = "webchat"
SETTINGS: Final = (
    "thinkingLevel",
    "fastMode",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "sendPolicy",
    "responseUsage",
    "groupActivation",
    "execHost",
    "execSecurity",
    "execAsk",
    "execNode",
    "modelOverride",
    "providerOverride",
    "spawnedBy",
    "spawnedWorkspaceDir",
    "spawnDepth",
    "subagentRole",
    "subagentControlScope",
    "parentSessionKey",
)
"""Settings kept in a session's `meta` under their wire names."""
_ROW_ONLY: Final = frozenset({"key", "derivedTitle", "lastMessagePreview"})


@dataclass(frozen=True, slots=True)
class ModelDefaults:
    """The model of sessions that name none."""

    provider: str
    model: str
    context_tokens: int


def model_defaults(services: Services) -> ModelDefaults:
    """Return the default model's facts."""
    info = services.models.resolve(None).info
    return ModelDefaults(info.provider, info.id, info.context_window)


def session_row(
    session: Session, defaults: ModelDefaults, *, has_title: bool = False, has_preview: bool = False
) -> JsonObject:
    """Return a session as clients list it; absent means unknown."""
    channel = session.channel or WEBCHAT
    provider, model = _model(session, defaults)
    row: JsonObject = {
        "key": session.key,
        "kind": "group" if session.kind == "group" else "direct",
        "label": session.label,
        "displayName": session.label,
        "derivedTitle": session.title if has_title else None,
        "lastMessagePreview": session.last_preview if has_preview else None,
        "channel": session.channel,
        "chatType": session.kind,
        "origin": {"provider": channel, "surface": channel, "chatType": session.kind},
        "updatedAt": session.updated_at,
        "sessionId": session.session_id,
        "systemSent": True,
        "abortedLastRun": session.status == "killed",
        **{name: session.meta[name] for name in SETTINGS if session.meta.get(name) is not None},
        "inputTokens": session.input_tokens or None,
        "outputTokens": session.output_tokens or None,
        "totalTokens": session.total_tokens or None,
        "totalTokensFresh": False,
        "estimatedCostUsd": 0,
        "status": session.status,
        "startedAt": session.started_at,
        "endedAt": session.ended_at,
        "runtimeMs": _runtime(session),
        "modelProvider": provider,
        "model": model,
        "contextTokens": defaults.context_tokens,
        "deliveryContext": _delivery(session, channel),
        "lastChannel": channel,
    }
    if session.address is not None:
        row |= {"lastTo": session.address.chat, "lastAccountId": session.address.account}
    return {name: value for name, value in row.items() if value is not None}


def snapshot_fields(row: JsonObject) -> JsonObject:
    """Return the row as events carry it beside their own fields."""
    return {name: value for name, value in row.items() if name not in _ROW_ONLY}


def session_entry(session: Session, defaults: ModelDefaults, state_dir: str) -> JsonObject:
    """Return a session as `sessions.reset`, `patch` and `create` answer it."""
    row = session_row(session, defaults)
    for name in ("key", "kind", "displayName", "estimatedCostUsd"):
        row.pop(name, None)
    row["sessionFile"] = f"{state_dir}/sessions/{session.session_id}"
    return row


def _model(session: Session, defaults: ModelDefaults) -> tuple[str, str]:
    model = session.meta.get("modelOverride")
    if not isinstance(model, str) or not model:
        return defaults.provider, defaults.model
    provider = session.meta.get("providerOverride")
    if isinstance(provider, str) and provider:
        return provider, model
    head, slash, tail = model.partition("/")
    return (head, tail) if slash else (defaults.provider, model)


def _runtime(session: Session) -> int | None:
    if session.started_at is None or session.ended_at is None:
        return None
    return max(0, session.ended_at - session.started_at)


def _delivery(session: Session, channel: str) -> JsonObject:
    address = session.address
    if address is None:
        return {"channel": channel}
    context: JsonObject = {"channel": address.channel, "to": address.chat, "accountId": address.account}
    if address.thread is not None:
        context["threadId"] = address.thread
    return context
