from __future__ import annotations

import asyncio
import logging

import pytest

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


def test_coming_and_going_stand_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "homarus.channels")
    assert Standing(ConnectionState.CONNECTED).state is ConnectionState.CONNECTED
    standing = Standing()
    for state in (ConnectionState.CONNECTING, ConnectionState.CONNECTED, ConnectionState.CONNECTED):
        standing.change(state)
    standing.change(ConnectionState.DISCONNECTED)
    assert caplog.messages == ["connected", "not connected any more: disconnected"]
