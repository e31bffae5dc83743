"""What a session used, counted from its stored entries. Prices are not known here, so such entries count as missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from msgspec import Struct, field

from homarus.protocol.frames import JsonObject
from homarus.storage.records import Entry

COUNTS = ("input", "output", "cacheRead", "cacheWrite", "totalTokens")


class Totals(Struct):
    """Tokens of some model calls."""

    tokens: Counter[str] = field(default_factory=Counter[str])
    calls: int = 0
    unpriced: int = 0

    def add(self, used: dict[str, int]) -> None:
        """Add one call."""
        self.tokens.update(used)
        self.calls += 1
        self.unpriced += used["totalTokens"] > 0

    def merge(self, other: Totals) -> None:
        """Add another sum."""
        self.tokens.update(other.tokens)
        self.calls += other.calls
        self.unpriced += other.unpriced

    def json(self) -> JsonObject:
        """Return it as clients see it."""
        costs = dict.fromkeys(("totalCost", "inputCost", "outputCost", "cacheReadCost", "cacheWriteCost"), 0)
        return {**{name: self.tokens[name] for name in COUNTS}, **costs, "missingCostEntries": self.unpriced}


class SessionUsage(Struct):
    """The counts of one session."""

    totals: Totals = field(default_factory=Totals)
    models: dict[tuple[str, str], Totals] = field(default_factory=dict[tuple[str, str], Totals])
    daily_models: dict[tuple[str, str, str], Totals] = field(default_factory=dict[tuple[str, str, str], Totals])
    days: dict[str, Totals] = field(default_factory=dict[str, Totals])
    messages: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    tools: Counter[str] = field(default_factory=Counter[str])
    latencies: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    first_at: int | None = None
    last_at: int | None = None


def day_of(at_ms: int) -> str:
    """Return the UTC day of a time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def tokens_of(entry: Entry) -> dict[str, int]:
    """Return the tokens of an assistant entry."""
    given = entry.payload.get("usage")
    known = cast("JsonObject", given) if isinstance(given, dict) else {}
    return {name: value if isinstance(value := known.get(name), int) else 0 for name in COUNTS}


def count_usage(entries: Sequence[Entry], since_day: str, until_day: str) -> SessionUsage:
    """Count the entries of a span of UTC days, both ends included."""
    used = SessionUsage()
    asked_at: int | None = None
    for entry in entries:
        day = day_of(entry.created_at)
        if not since_day <= day <= until_day:
            continue
        used.first_at = entry.created_at if used.first_at is None else used.first_at
        used.last_at = entry.created_at
        _count(used, entry, day)
        if entry.type == "user":
            asked_at = entry.created_at
        elif entry.type == "assistant" and asked_at is not None:
            used.latencies.setdefault(day, []).append(entry.created_at - asked_at)
            asked_at = None
    return used


def _count(used: SessionUsage, entry: Entry, day: str) -> None:
    counts = used.messages.setdefault(day, Counter())
    if entry.type == "user":
        counts.update(total=1, user=1)
    elif entry.type == "assistant":
        counts.update(total=1, assistant=1, errors=int(bool(entry.payload.get("error"))))
        calls = entry.payload.get("tool_calls")
        names = [str(call.get("name")) for call in cast("list[JsonObject]", calls or [])]
        counts.update(toolCalls=len(names))
        used.tools.update(names)
        _add_call(used, entry, day)
    elif entry.type == "tool_result":
        counts.update(toolResults=1, errors=int(bool(entry.payload.get("is_error"))))


def _add_call(used: SessionUsage, entry: Entry, day: str) -> None:
    tokens = tokens_of(entry)
    model = (str(entry.payload.get("provider") or ""), str(entry.payload.get("model") or ""))
    used.totals.add(tokens)
    used.days.setdefault(day, Totals()).add(tokens)
    if model[1]:
        used.models.setdefault(model, Totals()).add(tokens)
        used.daily_models.setdefault((day, *model), Totals()).add(tokens)


def messages_json(counts: Counter[str]) -> JsonObject:
    """Return message counts as clients see them."""
    return {name: counts[name] for name in ("total", "user", "assistant", "toolCalls", "toolResults", "errors")}


def latency_json(values: Sequence[int]) -> JsonObject:
    """Return the spread of some durations in milliseconds."""
    ordered = sorted(values)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    average = round(sum(ordered) / len(ordered))
    return {"count": len(ordered), "avgMs": average, "p95Ms": worst, "minMs": ordered[0], "maxMs": ordered[-1]}


def usage_json(used: SessionUsage, session_id: str, session_file: str) -> JsonObject:
    """Return the SessionCost shape of the reference (02)."""
    messages = sum(used.messages.values(), Counter[str]())
    latencies = [value for values in used.latencies.values() for value in values]
    answer: JsonObject = {
        "sessionId": session_id,
        "sessionFile": session_file,
        "firstActivity": used.first_at,
        "lastActivity": used.last_at,
        "durationMs": (used.last_at or 0) - (used.first_at or 0),
        "activityDates": sorted(used.messages),
        "dailyBreakdown": [
            {"date": day, "tokens": totals.tokens["totalTokens"], "cost": 0}
            for day, totals in sorted(used.days.items())
        ],
        "dailyMessageCounts": [{"date": day, **messages_json(each)} for day, each in sorted(used.messages.items())],
        "dailyLatency": [{"date": day, **latency_json(each)} for day, each in sorted(used.latencies.items())],
        "dailyModelUsage": daily_models_json(used.daily_models),
        "messageCounts": messages_json(messages),
        "modelUsage": models_json(used.models),
        **used.totals.json(),
    }
    if latencies:
        answer["latency"] = latency_json(latencies)
    if used.tools:
        answer["toolUsage"] = tools_json(used.tools)
    return answer


def tools_json(tools: Counter[str]) -> JsonObject:
    """Return tool calls as clients see them."""
    named = [{"name": name, "count": count} for name, count in tools.most_common()]
    return {"totalCalls": tools.total(), "uniqueTools": len(tools), "tools": named}


def models_json(models: dict[tuple[str, str], Totals]) -> list[JsonObject]:
    """Return the sums per model."""
    return [
        {"provider": provider, "model": model, "count": totals.calls, "totals": totals.json()}
        for (provider, model), totals in models.items()
    ]


def daily_models_json(models: dict[tuple[str, str, str], Totals]) -> list[JsonObject]:
    """Return the sums per day and model."""
    rows: list[JsonObject] = []
    for (day, provider, model), totals in sorted(models.items()):
        tokens = totals.tokens["totalTokens"]
        row: JsonObject = {
            "date": day,
            "provider": provider,
            "model": model,
            "tokens": tokens,
            "cost": 0,
            "count": totals.calls,
        }
        rows.append(row)
    return rows


def aggregate(pairs: Sequence[tuple[JsonObject, SessionUsage]]) -> tuple[Totals, JsonObject]:
    """Return the sum over sessions and its aggregates; each pair is a session's row and counts."""
    total, models, providers = Totals(), dict[tuple[str, str], Totals](), defaultdict[str, Totals](Totals)
    agents, channels = defaultdict[str, Totals](Totals), defaultdict[str, Totals](Totals)
    daily_models, days = dict[tuple[str, str, str], Totals](), defaultdict[str, Totals](Totals)
    messages, tools = defaultdict[str, Counter[str]](Counter), Counter[str]()
    latencies = defaultdict[str, list[int]](list)
    for row, used in pairs:
        total.merge(used.totals)
        agents[str(row.get("agentId"))].merge(used.totals)
        channels[str(row.get("channel") or "webchat")].merge(used.totals)
        tools += used.tools
        for model, each in used.models.items():
            models.setdefault(model, Totals()).merge(each)
            providers[model[0]].merge(each)
        for key, each in used.daily_models.items():
            daily_models.setdefault(key, Totals()).merge(each)
        for day, each in used.days.items():
            days[day].merge(each)
        for day, counts in used.messages.items():
            messages[day].update(counts)
        for day, values in used.latencies.items():
            latencies[day] += values
    aggregates: JsonObject = {
        "messages": messages_json(sum(messages.values(), Counter[str]())),
        "tools": tools_json(tools),
        "byModel": models_json(models),
        "byProvider": [
            {"provider": name, "count": each.calls, "totals": each.json()} for name, each in providers.items()
        ],
        "byAgent": [{"agentId": name, "totals": each.json()} for name, each in agents.items()],
        "byChannel": [{"channel": name, "totals": each.json()} for name, each in channels.items()],
        "dailyLatency": [{"date": day, **latency_json(values)} for day, values in sorted(latencies.items())],
        "modelDaily": daily_models_json(daily_models),
        "daily": [
            {
                "date": day,
                "tokens": days[day].tokens["totalTokens"],
                "cost": 0,
                "messages": counts["total"],
                "toolCalls": counts["toolCalls"],
                "errors": counts["errors"],
            }
            for day, counts in sorted(messages.items())
        ],
    }
    everything = [value for values in latencies.values() for value in values]
    if everything:
        aggregates["latency"] = latency_json(everything)
    return total, aggregates
