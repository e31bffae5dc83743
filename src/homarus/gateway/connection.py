"""One WebSocket connection: challenge, handshake, then requests and events until either side closes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType
from msgspec import Struct

from homarus.errors import HomarusError, ProtocolError, first_error
from homarus.gateway.attempt import Refused
from homarus.gateway.caller import Caller
from homarus.gateway.core import GatewayCore
from homarus.gateway.handshake import Accepted
from homarus.gateway.hello import CAPABILITIES, hello_ok
from homarus.gateway.json_rpc.opening import Opening, speaks_json_rpc
from homarus.gateway.models_snapshot import tell_models
from homarus.gateway.node_entry import admit_node, enter_node, greet_node
from homarus.gateway.operations.answer import UnauthorizedRole, answer
from homarus.gateway.outbox import ClientOutbox, SlowConsumer
from homarus.gateway.peer import Peer
from homarus.gateway.presence import presence_key
from homarus.gateway.socket import ClientSocket
from homarus.protocol.errors import (
    CLOSE_NORMAL,
    CLOSE_POLICY,
    CLOSE_STARTING,
    UNAVAILABLE,
    as_protocol_error,
    error_shape,
    invalid,
)
from homarus.protocol.frames import (
    Request,
    as_object,
    decode,
    encode_event,
    encode_failure,
    encode_result,
    read_request,
    request_id,
)
from homarus.protocol.handshake import ConnectParams
from homarus.protocol.names import CHALLENGE_EVENT, CONNECT
from homarus.protocol.scopes import Role
from homarus.protocol.validation import parse_params
from homarus.protocol.versions import V3, negotiate

if TYPE_CHECKING:
    from homarus.gateway.json_rpc.session import RpcSession

log = logging.getLogger("homarus.gateway.ws")

MAX_CONCURRENT: Final = 128
"""Requests of one connection that may be worked on at once; more are refused, not queued."""
MAX_UNAUTHORIZED: Final = 10
"""Consecutive refused roles after which the connection is closed (reference 01 §11)."""
FLUSH_TIMEOUT: Final = 1.0
"""Seconds that last frames get before a close."""
MAX_REASON: Final = 120
"""Bytes of a close reason (WebSocket allows 123)."""


class _Closing(Exception):
    """The connection is to be closed with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Entry(Struct, frozen=True):
    """A client at the end of its handshake."""

    request_id: str
    params: ConnectParams
    accepted: Accepted


class Connection:
    """A client on its socket."""

    def __init__(self, core: GatewayCore, socket: ClientSocket, peer: Peer, opening: Opening | None = None) -> None:
        self._core = core
        self._opening = opening or Opening({}, is_rpc_path=False)
        self._guest: RpcSession | None = None
        self._socket = socket
        self._peer = peer
        self._conn_id = core.services.clock.uuid()
        self._caller: Caller | None = None
        self._wants_models: object = None
        self._outbox = ClientOutbox()
        self._closing: _Closing | None = None
        self._last_words: asyncio.Timeout | None = None
        self._pinged_at = 0.0
        self._active = 0
        self._unauthorized = 0

    @property
    def caller(self) -> Caller:
        """Return who is connected; only after the handshake."""
        if self._caller is None:
            raise RuntimeError("the client is not authenticated yet")
        return self._caller

    @property
    def outbox(self) -> ClientOutbox:
        """Return what waits to be sent."""
        return self._outbox

    def disconnect(self, code: int, reason: str) -> None:
        """Close soon, when what was said before has gone out; never waits."""
        if self._closing is not None:
            return
        self._closing = _Closing(code, reason)
        self._outbox.close()
        if self._last_words is not None:
            self._last_words.reschedule(asyncio.get_running_loop().time() + FLUSH_TIMEOUT)

    def beat(self, now: float, patience: float) -> None:
        """Ping the client; see Pulsed."""
        if not self._socket.awaits_pong:
            self._pinged_at = now
            self._socket.ping_now()
        elif now - self._pinged_at >= patience:
            self.disconnect(CLOSE_NORMAL, "no answer to a ping")

    async def serve(self) -> None:
        """Talk to the client until the connection ends."""
        try:
            async with asyncio.timeout(self._core.settings.handshake_timeout):
                entry = await self._shake_hands()
        except TimeoutError:
            await self._close(_Closing(CLOSE_NORMAL, ""))
            return
        except _Closing as closing:
            await self._close(closing)
            return
        finally:
            self._core.budget.release(self._peer)
        if entry is None:
            await self._host_guest()
            return
        key = self._enter(entry)
        # A connection lasts for days; what its client said at the handshake is not needed that long.
        del entry
        try:
            await self._close(await self._run())
        finally:
            self._leave(key)

    async def _host_guest(self) -> None:
        """Serve a client that speaks JSON-RPC."""
        guest = self._guest
        if guest is None:
            raise AssertionError("a handshake ends with an entry or a guest")
        self._caller, self._outbox = guest.caller, guest.outbox
        guest.enter()
        try:
            await self._close(await self._run())
        finally:
            guest.leave()

    async def _run(self) -> _Closing:
        """Serve requests and send events; return how the connection is to be closed."""
        self._core.pulse.add(self)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send())
                if self.caller.role is Role.NODE:
                    tasks.create_task(greet_node(self._core, self.caller))
                if self._wants_models is not None:
                    tasks.create_task(tell_models(self._core, self.caller, self._wants_models))
                await self._receive(tasks)
                raise _Closing(CLOSE_NORMAL, "")
        except* _Closing as group:
            closing = first_error(group)
        except* SlowConsumer:
            closing = _Closing(CLOSE_POLICY, "slow consumer")
        except* ConnectionError:
            closing = _Closing(CLOSE_NORMAL, "")
        finally:
            self._core.pulse.remove(self)
        return closing

    async def _send(self) -> None:
        """Send what waits until the connection is to be closed; what was said before a disconnect goes out first."""
        if self._closing is not None:
            self._outbox.close()
        try:
            async with asyncio.timeout(None if self._closing is None else FLUSH_TIMEOUT) as self._last_words:
                await self._outbox.drain(self._socket.send_texts)
        except TimeoutError:
            log.info("conn %s did not take the last words", self._conn_id)
        finally:
            self._last_words = None
        raise self._closing or _Closing(CLOSE_NORMAL, "")

    async def _receive(self, tasks: asyncio.TaskGroup) -> None:
        if self._guest is not None:
            await self._guest.receive(tasks)
            return
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                frame = decode(message.data)
            except ValueError:
                log.info("conn %s sent something that is not JSON", self._conn_id)
                continue
            try:
                request = read_request(frame)
            except ProtocolError as error:
                self._outbox.put(_wire(encode_failure(request_id(frame), error_shape(error))))
                continue
            self._begin(request, tasks)

    def _begin(self, request: Request, tasks: asyncio.TaskGroup) -> None:
        if self._active >= MAX_CONCURRENT:
            error = ProtocolError(UNAVAILABLE, "too many requests at once", retryable=True, retry_after_ms=1000)
            self._outbox.put(_wire(encode_failure(request.id, error_shape(error))))
            return
        self._active += 1
        tasks.create_task(self._answer(request))

    async def _answer(self, request: Request) -> None:
        try:
            await answer(self._core, self.caller, request, self._outbox.put)
            self._unauthorized = 0
        except UnauthorizedRole:
            self._unauthorized += 1
            if self._unauthorized > MAX_UNAUTHORIZED:
                self.disconnect(CLOSE_POLICY, "repeated unauthorized calls")
        finally:
            self._active -= 1

    async def _close(self, closing: _Closing) -> None:
        reason = closing.reason.encode("utf-8", "replace")[:MAX_REASON].decode("utf-8", "ignore").encode()
        await self._socket.close(code=closing.code, message=reason)

    def _enter(self, entry: _Entry) -> str | None:
        """Let the client in; return what it is listed under, None for one that is not."""
        core = self._core
        self._caller = caller = entry.accepted.caller
        self._socket.trust()
        self._wants_models = entry.params.model_catalog
        key = presence_key(entry.params, self._conn_id, caller.protocol)
        if key is not None:
            address = None if self._peer.is_local else self._peer.address
            core.presence.connect(key, entry.params, sorted(caller.scopes), address)
        self._outbox.put(_wire(encode_result(entry.request_id, hello_ok(core, entry.accepted))))
        core.hub.add(self)
        if key is not None and caller.is_v4:
            core.broadcast_presence(is_arrival=True)
        if caller.role is Role.NODE:
            enter_node(core, caller, entry.params)
        core.health.refresh_soon()
        log.info("conn %s: %s %s connected", self._conn_id, caller.client_id, caller.client_version)
        return key

    def _leave(self, key: str | None) -> None:
        core = self._core
        core.hub.remove(self._conn_id)
        core.nodes.disconnect(self._conn_id)
        core.feed.forget(self._conn_id)
        if key is not None:
            core.presence.disconnect(key)
            core.broadcast_presence()

    async def _shake_hands(self) -> _Entry | None:
        """Return the accepted client, None for a guest. Raises _Closing when it is refused or leaves."""
        clock = self._core.services.clock
        nonce = clock.uuid()
        if not self._opening.is_rpc_path:
            offer = {"nonce": nonce, "ts": clock.now_ms(), "capabilities": list(CAPABILITIES)}
            challenge = encode_event(CHALLENGE_EVENT, offer)
            await self._socket.send_text(challenge.encode())
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise _Closing(CLOSE_NORMAL, "")
        if self._opening.is_rpc_path or speaks_json_rpc(message.data):
            self._guest = await self._admit_guest(message.data, nonce)
            return None
        request = _first_request(message.data)
        try:
            params = _connect_params(request)
            if not self._core.gate.is_open:
                raise _starting()
            accepted = await self._core.handshake.evaluate(params, self._peer, nonce, self._conn_id)
            if accepted.caller.role is Role.NODE:
                await admit_node(self._core, accepted.caller, params)
        except Refused as refused:
            raise await self._refuse(request.id, refused) from refused
        except HomarusError as error:
            log.warning("handshake failed: %s", error.message)
            raise await self._refuse(request.id, Refused(as_protocol_error(error))) from error
        return _Entry(request.id, params, accepted)

    async def _admit_guest(self, first: str, nonce: str) -> RpcSession:
        from homarus.gateway.json_rpc.admission import Arrival, NotAdmitted  # noqa: PLC0415 - few clients speak it

        arrival = Arrival(self._core, self._socket, self._peer, nonce, self._conn_id)
        try:
            return await arrival.admit(self._opening, first, self.disconnect)
        except NotAdmitted as refusal:
            raise _Closing(CLOSE_POLICY, str(refusal)) from refusal

    async def _refuse(self, identifier: str, refused: Refused) -> _Closing:
        await self._socket.send_text(_wire(encode_failure(identifier, error_shape(refused.error))))
        return _Closing(refused.close_code, refused.close_reason)


def _wire(frame: str) -> bytes:
    """Return an encoded frame; half a surrogate pair, which a client may have sent as its id, stays an escape."""
    return frame.encode("utf-8", "backslashreplace")


def _first_request(text: str) -> Request:
    try:
        frame = decode(text)
    except ValueError:
        raise _Closing(CLOSE_NORMAL, "") from None
    try:
        return read_request(frame)
    except ProtocolError:
        raise _Closing(CLOSE_POLICY, "invalid request frame") from None


def _connect_params(request: Request) -> ConnectParams:
    if request.method != CONNECT:
        raise Refused(invalid("invalid handshake: first request must be connect"))
    try:
        return parse_params(ConnectParams, CONNECT, request.params, protocol=_wanted_version(request.params))
    except ProtocolError as error:
        raise Refused(error) from error


def _starting() -> Refused:
    """Return the refusal of a client that comes while the gateway still takes up what it left unfinished."""
    details = {"reason": "startup-sidecars"}
    message = "gateway starting; retry shortly"
    error = ProtocolError(UNAVAILABLE, message, details=details, retryable=True, retry_after_ms=500)
    return Refused(error, CLOSE_STARTING, "gateway starting")


def _wanted_version(params: object) -> int:
    """Return the version that parameters which are not checked yet ask for; it words what is wrong with them."""
    given = as_object(params) or {}
    minimum, maximum = given.get("minProtocol"), given.get("maxProtocol")
    if not isinstance(minimum, int) or not isinstance(maximum, int):
        return V3
    return negotiate(minimum, maximum) or V3
