"""Sessions as rows for clients (reference 02, SessionRow and SessionEntry; version 4: v4-differences §9.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from homarus.gateway.services import Services
from homarus.protocol.frames import JsonObject
from homarus.sessions.keys import MAIN
from homarus.storage.records import Session

WEBCHAT: Final = "webchat"
SETTINGS: Final = frozenset(
    (
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
        "autoLabel",
        "icon",
        "color",
        "category",
        "archivedAt",
        "archiveReason",
        "pinnedAt",
        "lastReadAt",
        "markedUnreadAt",
    )
)
"""Settings kept in a session's `meta` under their wire names."""
THINKING: Final = ("off", "minimal", "low", "medium", "high")
"""How hard a model that thinks can be asked to think."""
_BACKGROUND: Final = ("cron:", "subagent:", "acp:")
_ROW_ONLY: Final = frozenset({"key", "derivedTitle", "lastMessagePreview"})


class ModelDefaults(Struct, frozen=True):
    """The model of sessions that name none."""

    provider: str
    model: str
    context_tokens: int
    thinking: str = "off"
    has_reasoning: bool = False

    def json(self) -> JsonObject:
        """Return them as lists of sessions and histories carry them."""
        options = thinking_options(has_reasoning=self.has_reasoning)
        return {
            "modelProvider": self.provider,
            "model": self.model,
            "contextTokens": self.context_tokens,
            "thinkingLevels": [{"id": option, "label": option} for option in options],
            "thinkingOptions": list(options),
            "thinkingDefault": self.thinking if self.thinking in options else "off",
        }


def thinking_options(*, has_reasoning: bool) -> tuple[str, ...]:
    """Return the levels a model can be asked for."""
    return THINKING if has_reasoning else THINKING[:1]


def model_defaults(services: Services) -> ModelDefaults:
    """Return the default model's facts."""
    info = services.models.resolve(None).info
    thinking = services.config.current.config.agents.defaults.thinking_default or "off"
    return ModelDefaults(info.provider, info.id, info.context_window, thinking, info.has_reasoning)


def running(services: Services) -> dict[str, list[str]]:
    """Return the ids of the runs that go on or wait, by session key."""
    found: dict[str, list[str]] = {}
    for run in services.runs.active():
        found.setdefault(run.session_key, []).append(run.run_id)
    return found


def session_row(
    session: Session,
    defaults: ModelDefaults,
    *,
    has_title: bool = False,
    has_preview: bool = False,
    runs: Mapping[str, Sequence[str]] | None = None,
) -> JsonObject:
    """Return a session as clients list it; absent means unknown. `runs` are those that go on, None: not asked."""
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
        "agentId": session.agent_id,
        "updatedAt": session.updated_at,
        "createdAt": session.created_at,
        **_use(session),
        "sessionId": session.session_id,
        "systemSent": True,
        "abortedLastRun": session.status == "killed",
        **{name: value for name, value in session.meta.items() if name in SETTINGS},
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
    if runs is not None:
        going = runs.get(session.key, ())
        row |= {"hasActiveRun": bool(going), "activeRunIds": list(going) or None}
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


def is_unread(session: Session) -> bool:
    """Tell whether something happened that nobody looked at, or somebody marked the session so."""
    if session.meta.get("markedUnreadAt") is not None:
        return True
    read_at = session.meta.get("lastReadAt")
    since = read_at if isinstance(read_at, (int, float)) else session.created_at
    return max(session.started_at or 0, session.ended_at or 0) > since


def _use(session: Session) -> JsonObject:
    """Return when and how a session was used, and where people put it."""
    rest = session.key.split(":", 2)[-1]
    active_at = max(session.started_at or 0, session.ended_at or 0)
    return {
        "isMain": rest == MAIN,
        "isBackground": rest.startswith(_BACKGROUND),
        "lastInteractionAt": session.started_at,
        "lastActivityAt": active_at or None,
        "archived": session.meta.get("archivedAt") is not None,
        "pinned": session.meta.get("pinnedAt") is not None,
        "unread": is_unread(session),
    }


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
