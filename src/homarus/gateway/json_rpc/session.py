"""A JSON-RPC client on its socket: who it is, then its requests and notifications until either side closes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType

from homarus import __version__
from homarus.errors import ProtocolError
from homarus.gateway.http.admission import admit, bearer_of, declared_scopes
from homarus.gateway.http.pages import check_page
from homarus.gateway.http.refusal import HttpRefusal
from homarus.gateway.json_rpc.answering import Answerer
from homarus.gateway.json_rpc.messages import (
    UNAVAILABLE,
    Identifier,
    Malformed,
    error_message,
    failure_message,
    read_message,
    result_message,
)
from homarus.gateway.json_rpc.methods import METHODS
from homarus.gateway.json_rpc.notifications import NOTIFICATIONS, RpcOutbox
from homarus.gateway.operations.call import Call
from homarus.protocol.base import Params
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject, decode
from homarus.protocol.names import CONNECT
from homarus.protocol.scopes import Scope
from homarus.protocol.validation import parse_params

if TYPE_CHECKING:
    from collections.abc import Callable

    from homarus.gateway.caller import Caller
    from homarus.gateway.core import GatewayCore
    from homarus.gateway.json_rpc.opening import Opening
    from homarus.gateway.peer import Peer
    from homarus.gateway.socket import ClientSocket

log = logging.getLogger("homarus.gateway.rpc")

MAX_CONCURRENT: Final = 128
"""Messages of one connection that may be worked on at once; more are refused, not queued."""
_HOW: Final = (
    "authenticate first: send `Authorization: Bearer TOKEN` with the upgrade, or call "
    '`connect` with {"token": TOKEN} as the first request'
)


class ConnectParams(Params):
    """`connect` over JSON-RPC: the gateway's token or password, or a device's token; `scopes` keeps only these."""

    token: str | None = None
    password: str | None = None
    scopes: list[str] | None = None


class NotAdmitted(Exception):
    """The client is not let in; it was told why."""


class RpcSession:
    """An admitted client. Implements homarus.gateway.hub.Subscriber.

    `first` is its first message, when that is still to be answered.
    """

    def __init__(
        self,
        core: GatewayCore,
        socket: ClientSocket,
        caller: Caller,
        disconnect: Callable[[int, str], None],
        first: str | None,
    ) -> None:
        self._core = core
        self._socket = socket
        self._disconnect = disconnect
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
        core.hub.add(self)
        if self.caller.has(Scope.READ):
            core.hub.watch_sessions(conn_id)
        log.info("conn %s: a JSON-RPC client connected", conn_id)

    def leave(self) -> None:
        """Take part no longer."""
        self._core.hub.remove(self.caller.conn_id)
        self._core.feed.forget(self.caller.conn_id)

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


async def admit_rpc(
    core: GatewayCore,
    socket: ClientSocket,
    peer: Peer,
    opening: Opening,
    first: str,
    disconnect: Callable[[int, str], None],
) -> RpcSession:
    """Return the client that sent a first message; `connect` is answered here.

    Raises NotAdmitted once the client was told why; StorageError.
    """
    identifier = _id_of(first)
    try:
        check_page(opening.headers, peer, core.settings.browser)
        secret, declared = bearer_of(opening.headers), declared_scopes(opening.headers)
        params = _read_connect(first)
        if params is not None:
            secret = params.token or params.password or secret
            declared = declared if params.scopes is None else params.scopes
        caller = await admit(core, secret, declared, peer, _HOW)
    except HttpRefusal as refusal:
        await _tell(socket, failure_message(identifier, refusal.error))
        raise NotAdmitted(refusal.error.message) from refusal
    if params is not None:
        await _tell(socket, result_message(identifier, _greeting(core, caller)))
    return RpcSession(core, socket, caller, disconnect, None if params is not None else first)


def _greeting(core: GatewayCore, caller: Caller) -> JsonObject:
    find, listed = core.registry.find, core.registry.listed_in(caller.protocol)
    native = [name for name in listed if (found := find(name)) and found.role in (None, caller.role)]
    return {
        "server": {"name": "homarus", "version": __version__, "connId": caller.conn_id},
        "auth": {"role": str(caller.role), "scopes": sorted(caller.scopes), "method": caller.auth_method},
        "methods": [*METHODS, *native],
        "notifications": list(NOTIFICATIONS),
    }


def _read_connect(text: str) -> ConnectParams | None:
    """Return the parameters of a `connect` request, None for anything else. Raises HttpRefusal."""
    try:
        request = read_message(decode(text))
    except (ValueError, Malformed):
        return None
    if request.method != CONNECT:
        return None
    try:
        return parse_params(ConnectParams, CONNECT, request.params)
    except ProtocolError as error:
        raise HttpRefusal(400, error) from error


def _id_of(text: str) -> Identifier:
    """Return the id to refuse a first message under."""
    try:
        return read_message(decode(text)).identifier
    except Malformed as error:
        return error.identifier
    except ValueError:
        return None


def _busy(text: str) -> str:
    shape = {"code": "UNAVAILABLE", "retryable": True, "retryAfterMs": 1000}
    return error_message(_id_of(text), UNAVAILABLE, "too many requests at once", shape)


async def _tell(socket: ClientSocket, text: str) -> None:
    await socket.send_text(text.encode("utf-8", "backslashreplace"))
