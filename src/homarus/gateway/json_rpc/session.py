"""A JSON-RPC client on its socket: who it is, then its requests and notifications until either side closes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType

from homarus.gateway.json_rpc.answering import Answerer
from homarus.gateway.json_rpc.messages import UNAVAILABLE, error_message, identifier_of
from homarus.gateway.json_rpc.notifications import RpcOutbox
from homarus.gateway.operations.call import Call
from homarus.protocol.errors import invalid
from homarus.protocol.names import CONNECT
from homarus.protocol.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from homarus.gateway.caller import Caller
    from homarus.gateway.core import GatewayCore
    from homarus.gateway.socket import ClientSocket
    from homarus.protocol.frames import JsonObject

log = logging.getLogger("homarus.gateway.rpc")

MAX_CONCURRENT: Final = 128
"""Messages of one connection that may be worked on at once; more are refused, not queued."""


class RpcSession:
    """An admitted client. Implements homarus.gateway.hub.Subscriber.

    `entry` is what others see of it, None for one that comes and goes; `first` is its first message, when that is
    still to be answered.
    """

    def __init__(
        self,
        core: GatewayCore,
        socket: ClientSocket,
        caller: Caller,
        disconnect: Callable[[int, str], None],
        entry: JsonObject | None,
        first: str | None,
    ) -> None:
        self._core = core
        self._socket = socket
        self._disconnect = disconnect
        self._entry = entry
        self._first = first
        self._active = 0
        self.caller = caller
        self.outbox = RpcOutbox()
        self._answerer = Answerer(core, caller, self._invoke)

    def disconnect(self, code: int, reason: str) -> None:
        """Close soon; never waits."""
        self._disconnect(code, reason)

    def enter(self) -> None:
        """Take part from now on: the whole size of frames, and events the caller may have."""
        self._socket.trust()
        core, conn_id = self._core, self.caller.conn_id
        if self._entry is not None:
            core.presence.join(conn_id, self._entry)
            core.broadcast_presence(is_arrival=True)  # to the others: the first thing a client hears is an answer
        core.hub.add(self)
        if self.caller.has(Scope.READ):
            core.hub.watch_sessions(conn_id)
        log.info("conn %s: a JSON-RPC client connected", conn_id)

    def leave(self) -> None:
        """Take part no longer."""
        core, conn_id = self._core, self.caller.conn_id
        core.hub.remove(conn_id)
        core.feed.forget(conn_id)
        if self._entry is not None:
            core.presence.disconnect(conn_id)
            core.broadcast_presence()

    def put(self, text: str) -> None:
        """Queue a message."""
        self.outbox.put(text.encode("utf-8", "backslashreplace"))

    async def receive(self, tasks: asyncio.TaskGroup) -> None:
        """Answer what the client sends until it is gone."""
        if self._first is not None:
            self._begin(self._first, tasks)
            self._first = None
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                self._begin(message.data, tasks)

    def _begin(self, text: str, tasks: asyncio.TaskGroup) -> None:
        if self._active >= MAX_CONCURRENT:
            self.put(_busy(text))
            return
        self._active += 1
        tasks.create_task(self._answer(text))

    async def _answer(self, text: str) -> None:
        try:
            answer = await self._answerer.answer(text)
            if answer is not None:
                self.put(answer)
        finally:
            self._active -= 1

    async def _invoke(self, method: str, params: object) -> object:
        if method == CONNECT:
            raise invalid("connect is only valid as the first request")
        call = Call(self._core, self.caller, method)
        try:
            return await self._core.registry.invoke(call, params)
        finally:
            # The events a call holds back follow its answer, which is queued once this task goes on.
            asyncio.get_running_loop().call_soon(call.finish)


def _busy(text: str) -> str:
    shape = {"code": "UNAVAILABLE", "retryable": True, "retryAfterMs": 1000}
    return error_message(identifier_of(text), UNAVAILABLE, "too many requests at once", shape)
