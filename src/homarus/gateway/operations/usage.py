"""Usage methods: what sessions used, from their entries, and what was used per day, from running totals."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import read_key
from homarus.gateway.session_rows import model_defaults, session_row
from homarus.gateway.session_usage import SessionUsage, Totals, aggregate, count_usage, tokens_of, usage_json
from homarus.protocol.base import IgnoredParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.names import CAP_USAGE_REFRESHING
from homarus.protocol.scopes import Scope
from homarus.protocol.usage import SessionsUsageParams, UsageCostParams, UsageLogsParams, UsageSeriesParams
from homarus.storage.records import Session, SessionFilter
from homarus.storage.usage import UsageRow, select_usage

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366
DEFAULT_SESSIONS: Final = 50
MAX_SESSIONS: Final = 200
MAX_ENTRIES: Final = 2_000
"""Newest entries of one session that are counted."""
MAX_POINTS: Final = 200
DEFAULT_LOGS: Final = 200
MAX_LOG_CHARS: Final = 2_000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ROW = (
    "key", "label", "sessionId", "updatedAt", "channel", "chatType", "origin", "modelOverride", "providerOverride",
    "modelProvider", "model",
)  # fmt: skip


@operation("sessions.usage", scope=Scope.READ, rest=Get("/api/usage/sessions"))
async def sessions_usage(call: Call, params: SessionsUsageParams) -> JsonObject:
    """Return what sessions used in a span of days."""
    since, until = _span(call, params.start_date, params.end_date, DEFAULT_DAYS)
    limit = min(params.limit or DEFAULT_SESSIONS, MAX_SESSIONS)
    if params.key is not None:
        found = [await _session(call, params.key)]
    else:
        found = await call.services.sessions.list(SessionFilter(limit=limit))
    defaults = model_defaults(call.services)
    pairs: list[tuple[JsonObject, SessionUsage]] = []
    for session in found:
        entries = await call.services.sessions.entries(session.session_id, MAX_ENTRIES)
        used = count_usage(entries, since, until)
        row = session_row(session, defaults)
        file = f"{call.services.state_dir}/sessions/{session.session_id}"
        shown = {name: row[name] for name in _ROW if name in row}
        shown |= {"agentId": session.agent_id, "usage": usage_json(used, session.session_id, file)}
        if params.include_context_weight:
            shown["contextWeight"] = await _weight(call, session)
        pairs.append((shown, used))
    total, aggregates = aggregate(pairs)
    return {
        "updatedAt": call.services.clock.now_ms(),
        "startDate": since,
        "endDate": until,
        "sessions": [row for row, _ in pairs],
        "totals": total.json(),
        "aggregates": aggregates,
    }


@operation("sessions.usage.timeseries", scope=Scope.READ)
async def usage_series(call: Call, params: UsageSeriesParams) -> JsonObject:
    """Return the tokens of a session's last model calls."""
    session = await _session(call, params.key)
    points: list[JsonObject] = []
    sum_tokens = 0
    for entry in await call.services.sessions.entries(session.session_id, MAX_ENTRIES):
        if entry.type != "assistant":
            continue
        tokens = tokens_of(entry)
        sum_tokens += tokens["totalTokens"]
        points.append(
            {
                "timestamp": entry.created_at,
                **tokens,
                "cost": 0,
                "cumulativeTokens": sum_tokens,
                "cumulativeCost": 0,
            }
        )
    return {"sessionId": session.session_id, "points": points[-MAX_POINTS:]}


@operation("sessions.usage.logs", scope=Scope.READ)
async def usage_logs(call: Call, params: UsageLogsParams) -> JsonObject:
    """Return the last entries of a session with their tokens."""
    session = await _session(call, params.key)
    logs: list[JsonObject] = []
    for entry in await call.services.sessions.entries(session.session_id, params.limit or DEFAULT_LOGS):
        if entry.type == "note":
            continue
        role = "toolResult" if entry.type == "tool_result" else entry.type
        text = str(entry.payload.get("text") or "")[:MAX_LOG_CHARS]
        row: JsonObject = {"timestamp": entry.created_at, "role": role, "content": text}
        if entry.type == "assistant":
            row |= {"tokens": tokens_of(entry)["totalTokens"], "cost": 0}
        logs.append(row)
    return {"logs": logs}


@operation("usage.status", scope=Scope.READ)
async def usage_status(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Return the quota windows of providers; none reports any to this gateway, so the list is empty."""
    return {"updatedAt": call.services.clock.now_ms(), "providers": []}


@operation("usage.cost", scope=Scope.READ, rest=Get("/api/usage/cost"))
async def usage_cost(call: Call, params: UsageCostParams) -> JsonObject:
    """Return what was used per UTC day, from the running totals."""
    days = params.days if isinstance(params.days, int) and 1 <= params.days <= MAX_DAYS else DEFAULT_DAYS
    since, until = _span(call, _day(params.start_date), _day(params.end_date), days)
    rows = await call.services.database.read(select_usage, since, until)
    daily = defaultdict[str, list[UsageRow]](list)
    for row in rows:
        daily[row.day].append(row)
    count = (date.fromisoformat(until) - date.fromisoformat(since)).days + 1
    return {
        "updatedAt": call.services.clock.now_ms(),
        "days": count,
        "daily": [{"date": day, **_cost(each)} for day, each in sorted(daily.items())],
        "totals": _cost(rows),
        "cacheStatus": {"status": _freshness(call, until), "cachedFiles": 0, "pendingFiles": 0, "staleFiles": 0},
    }


def _freshness(call: Call, until: str) -> str:
    """Return `refreshing` while the last day still counts; a client that would ask again for that is told `fresh`."""
    today = datetime.fromtimestamp(call.services.clock.now_ms() / 1000, UTC).date().isoformat()
    return "refreshing" if until >= today and CAP_USAGE_REFRESHING not in call.caller.caps else "fresh"


async def _session(call: Call, text: str) -> Session:
    session = await call.services.sessions.get(read_key(call, text))
    if session is None:
        raise invalid(f"No transcript found for session: {text[:200]}")
    return session


async def _weight(call: Call, session: Session) -> object:
    prompts = call.services.prompts
    record = await prompts.find(session.key) if prompts is not None else {}
    return record.get("systemPromptReport")


def _span(call: Call, since: str | None, until: str | None, days: int) -> tuple[str, str]:
    """Return first and last day. Raises ProtocolError for a day that is none, or a span that is too long."""
    try:
        last = (
            date.fromisoformat(until)
            if until
            else datetime.fromtimestamp(call.services.clock.now_ms() / 1000, UTC).date()
        )
        first = date.fromisoformat(since) if since else last - timedelta(days=days - 1)
    except (ValueError, OverflowError) as error:
        raise invalid("startDate and endDate must be days such as 2026-11-21") from error
    if not 0 <= (last - first).days < MAX_DAYS:
        raise invalid(f"endDate must be on or after startDate, at most {MAX_DAYS} days")
    return first.isoformat(), last.isoformat()


def _day(value: object) -> str | None:
    return value if isinstance(value, str) and _DAY.fullmatch(value) else None


def _cost(rows: list[UsageRow]) -> JsonObject:
    totals = Totals()
    for row in rows:
        tokens = {
            "input": row.input_tokens,
            "output": row.output_tokens,
            "cacheRead": row.cache_read_tokens,
            "cacheWrite": row.cache_write_tokens,
            "totalTokens": row.input_tokens + row.output_tokens,
        }
        totals.tokens.update(tokens)
        totals.unpriced += row.calls if not row.is_priced and tokens["totalTokens"] else 0
    return {**totals.json(), "totalCost": round(sum(row.cost_usd for row in rows), 6)}
