from __future__ import annotations

from homarus.gateway.session_usage import aggregate, count_usage, usage_json
from homarus.labels import Confidentiality, Integrity, Label
from homarus.storage.records import Entry, EntryType

DAY = 86_400_000


def entry(kind: EntryType, at: int, **payload: object) -> Entry:
    return Entry(0, f"e{at}", "s", "r", kind, payload, Label(Integrity.EXTERNAL, Confidentiality.PUBLIC), 0, at)


def test_tokens_messages_tools_and_latency_are_counted_by_day() -> None:
    tokens = {"input": 10, "output": 5, "cacheRead": 2, "cacheWrite": 0, "totalTokens": 15}
    rows = [
        entry("user", 1_000, text="hi"),
        entry("assistant", 1_250, provider="p", model="m", usage=tokens, tool_calls=[{"name": "read"}]),
        entry("tool_result", 1_300, is_error=True),
        entry("assistant", DAY + 5, provider="p", model="m", usage=tokens),
        entry("user", 9 * DAY, text="out of range"),
    ]
    used = count_usage(rows, "1970-01-01", "1970-01-02")
    shown = usage_json(used, "s", "f")
    assert shown["totalTokens"] == 30
    assert shown["missingCostEntries"] == 2
    assert shown["activityDates"] == ["1970-01-01", "1970-01-02"]
    assert shown["messageCounts"] == {
        "total": 3, "user": 1, "assistant": 2, "toolCalls": 1, "toolResults": 1, "errors": 1,
    }  # fmt: skip
    assert shown["latency"] == {"count": 1, "avgMs": 250, "p95Ms": 250, "minMs": 250, "maxMs": 250}
    assert shown["toolUsage"] == {"totalCalls": 1, "uniqueTools": 1, "tools": [{"name": "read", "count": 1}]}


def test_sessions_add_up() -> None:
    tokens = {"input": 1, "output": 1, "totalTokens": 2}
    used = count_usage([entry("assistant", 5, provider="p", model="m", usage=tokens)], "1970-01-01", "1970-01-01")
    total, sums = aggregate([({"agentId": "a"}, used), ({"agentId": "b"}, used)])
    assert total.tokens["totalTokens"] == 4
    assert str(sums["byAgent"]).index("'a'") < str(sums["byAgent"]).index("'b'")
