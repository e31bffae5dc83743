"""What a run used, added to the totals of its day in the commit that ends it."""

from __future__ import annotations

from datetime import UTC, datetime

from homarus.storage import usage
from homarus.storage.database import Connection
from homarus.storage.records import Run


def count_usage(connection: Connection, end: Run, now: int) -> None:
    """Count the tokens of a run that ended; nothing for one that asked no model."""
    provider, _, model = (end.model or "").partition("/")
    if not model:
        return
    day = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%d")
    used = end.usage
    usage.add_usage(
        connection,
        end.agent_id,
        day,
        provider,
        model,
        input_tokens=used["input"],
        output_tokens=used["output"],
        cache_read_tokens=used["cacheRead"],
        cache_write_tokens=used["cacheWrite"],
    )
