from __future__ import annotations

import asyncio

from homarus.log_context import log_fields, logging_as


def test_fields_count_inside_only_and_inner_ones_win() -> None:
    with logging_as(run="r1", channel="irc"):
        with logging_as(channel="net", session=None):
            assert log_fields() == {"run": "r1", "channel": "net"}
        assert log_fields() == {"run": "r1", "channel": "irc"}
    assert log_fields() == {}


async def test_tasks_keep_the_fields_they_began_with() -> None:
    async def fields() -> dict[str, str]:
        await asyncio.sleep(0)
        return log_fields()

    with logging_as(run="r1"):
        first = asyncio.create_task(fields())
    with logging_as(run="r2"):
        second = asyncio.create_task(fields())
    assert [await first, await second] == [{"run": "r1"}, {"run": "r2"}]
