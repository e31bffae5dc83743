from __future__ import annotations

import asyncio

from homarus.channels.contract import ConnectionState
from homarus.channels.sdk.standing import Standing


async def test_who_waits_is_told_of_the_connection_and_of_no_other_state() -> None:
    standing = Standing()
    waiting = asyncio.create_task(standing.until_connected())
    standing.change(ConnectionState.CONNECTING)
    await asyncio.sleep(0)
    assert (waiting.done(), standing.state) == (False, ConnectionState.CONNECTING)
    standing.change(ConnectionState.CONNECTED)
    await waiting


async def test_a_connection_that_stands_keeps_nobody_waiting_and_a_lost_one_does() -> None:
    standing = Standing(ConnectionState.CONNECTED)
    await standing.until_connected()
    standing.change(ConnectionState.DISCONNECTED)
    waiting = asyncio.create_task(standing.until_connected())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
