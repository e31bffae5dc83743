"""Running totals of model use per agent, UTC day, provider and model."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, select

from homarus.storage.dialect import upsert
from homarus.storage.tables import usage


class UsageRow(Struct, frozen=True):
    """What one agent used of one model on one day. `cost_usd` is complete only when `is_priced`."""

    agent_id: str
    day: str
    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float
    is_priced: bool


TOTALS = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")


def add_usage(
    connection: Connection,
    agent_id: str,
    day: str,
    provider: str,
    model: str,
    *,
    input_tokens: int = 0,
    output_tokens: int = 0,
    cache_read_tokens: int = 0,
    cache_write_tokens: int = 0,
    cost_usd: float | None = None,
) -> None:
    """Add one model call to the totals of `day` (UTC, YYYY-MM-DD); `cost_usd` None is a call without a known price."""
    values = {
        "agent_id": agent_id,
        "day": day,
        "provider": provider,
        "model": model,
        "calls": 1,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cache_read_tokens": cache_read_tokens,
        "cache_write_tokens": cache_write_tokens,
        "cost_usd": cost_usd or 0.0,
        "is_priced": cost_usd is not None,
    }
    upsert(connection, usage, values, add=TOTALS, both=("is_priced",))


def select_usage(connection: Connection, since_day: str, until_day: str, agent_id: str | None = None) -> list[UsageRow]:
    """Return the totals of a span of days, both ends included, oldest first."""
    query = select(usage).where(usage.c.day >= since_day, usage.c.day <= until_day)
    if agent_id is not None:
        query = query.where(usage.c.agent_id == agent_id)
    query = query.order_by(usage.c.day, usage.c.agent_id, usage.c.provider, usage.c.model)
    return [UsageRow(**dict(row._mapping)) for row in connection.execute(query)]  # noqa: SLF001 - documented mapping
