from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import Connection

from homarus.storage.database import Database
from homarus.storage.usage import UsageRow, add_usage, select_usage


def add(connection: Connection, day: str, agent: str = "main", cost: float | None = 0.25) -> None:
    add_usage(
        connection,
        agent,
        day,
        "openai",
        "m",
        input_tokens=10,
        output_tokens=5,
        cache_read_tokens=3,
        cache_write_tokens=2,
        cost_usd=cost,
    )


async def test_concurrent_calls_add_up_exactly(database: Database) -> None:
    await asyncio.gather(*(database.write(add, "2026-01-01") for _ in range(100)))

    rows = await database.read(select_usage, "2026-01-01", "2026-01-01")
    assert rows == [UsageRow("main", "2026-01-01", "openai", "m", 100, 1000, 500, 300, 200, 25.0, True)]


async def test_one_call_without_a_price_marks_the_total_as_incomplete(database: Database) -> None:
    for cost in (0.25, None, 0.25):
        await database.write(partial(add, cost=cost), "2026-01-01")

    (row,) = await database.read(select_usage, "2026-01-01", "2026-01-01")
    assert (row.cost_usd, row.is_priced) == (0.5, False)


async def test_a_span_includes_both_ends_and_can_be_one_agents(database: Database) -> None:
    for day, agent in (("2026-01-03", "a"), ("2026-01-01", "a"), ("2026-01-02", "b"), ("2026-01-04", "a")):
        await database.write(add, day, agent)

    rows = await database.read(select_usage, "2026-01-01", "2026-01-03")
    assert [(row.day, row.agent_id) for row in rows] == [("2026-01-01", "a"), ("2026-01-02", "b"), ("2026-01-03", "a")]
    mine = await database.read(select_usage, "2026-01-02", "2026-01-09", "a")
    assert [row.day for row in mine] == ["2026-01-03", "2026-01-04"]
