"""Where a channel's connection stands, kept so that others can wait for it instead of looking again and again."""

from __future__ import annotations

import asyncio
import logging

from homarus.channels.contract import ConnectionState

log = logging.getLogger("homarus.channels")


class Standing:
    """The state of one connection; `state` and `until_connected` are what a channel owes its contract."""

    def __init__(self, state: ConnectionState = ConnectionState.DISCONNECTED) -> None:
        self._is_connected = asyncio.Event()
        self._state = state
        self._wake()

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands now."""
        return self._state

    def change(self, state: ConnectionState) -> None:
        """Note a new state and wake who waited for it. Coming and going stand in the log."""
        before, self._state = self._state, state
        if (state is ConnectionState.CONNECTED) != (before is ConnectionState.CONNECTED):
            log.info("%s", "connected" if state is ConnectionState.CONNECTED else f"not connected any more: {state}")
        self._wake()

    def _wake(self) -> None:
        if self._state is ConnectionState.CONNECTED:
            self._is_connected.set()
        else:
            self._is_connected.clear()

    async def until_connected(self) -> None:
        """Return once the connection stands; by then it may be lost again."""
        await self._is_connected.wait()
