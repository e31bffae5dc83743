"""Where a channel's connection stands, kept so that others can wait for it instead of looking again and again."""

from __future__ import annotations

import asyncio

from homarus.channels.contract import ConnectionState


class Standing:
    """The state of one connection; `state` and `until_connected` are what a channel owes its contract."""

    def __init__(self, state: ConnectionState = ConnectionState.DISCONNECTED) -> None:
        self._is_connected = asyncio.Event()
        self.change(state)

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands now."""
        return self._state

    def change(self, state: ConnectionState) -> None:
        """Note a new state and wake who waited for it."""
        self._state = state
        if state is ConnectionState.CONNECTED:
            self._is_connected.set()
        else:
            self._is_connected.clear()

    async def until_connected(self) -> None:
        """Return once the connection stands; by then it may be lost again."""
        await self._is_connected.wait()
