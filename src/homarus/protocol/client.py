"""A client of the gateway: connects with its own device identity, calls operations, hears events, reconnects.

Importing this module is light, and so is connecting: a command that asks one question must not load an HTTP stack.

    async with GatewayClient(url, identity=path, token=token) as gateway:
        sessions = await gateway.call("sessions.list", {})
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final, Self, cast

from msgspec import Struct

from homarus.clock import Clock, SystemClock
from homarus.errors import HomarusError, Permanent, Transient
from homarus.protocol.client_errors import (
    ConnectionLost,
    Starting,
    read_error,
    read_pin,
    timed_out,
)
from homarus.protocol.client_handshake import ClientFacts, ClientHandshake, Secrets, receive_frame
from homarus.protocol.client_socket import ClientSocket, open_socket
from homarus.protocol.frames import JsonObject, as_object, encode_request
from homarus.protocol.names import CAP_TOOL_EVENTS, TICK_INTERVAL_MS
from homarus.protocol.scopes import ALL_SCOPES

CONNECT_TIMEOUT: Final = 10.0
STARTING_PATIENCE: Final = 30.0
"""Seconds a gateway may take from listening to letting clients in."""
CALL_TIMEOUT: Final = 30.0
"""Seconds; a call may give its own."""
SILENCE: Final = 2 * TICK_INTERVAL_MS / 1000
TICK_TIMEOUT: Final = 4000
"""Close code of a client that heard nothing for too long (reference 01 §1)."""
MAX_EVENTS: Final = 10_000
"""Events that may wait for a reader that is slower than the gateway; then the connection is given up."""
BACKOFF_START: Final = 0.5
BACKOFF_LIMIT: Final = 15.0


class Event(Struct, frozen=True):
    """An event of the gateway. The client adds `client.disconnected` and `client.connected` of its own."""

    name: str
    payload: JsonObject


class _Pending(Struct):
    """A request that waits. `wants_final` passes over the answer that only accepts it."""

    future: asyncio.Future[object]
    wants_final: bool = False


class _Link(Struct):
    """One connection."""

    socket: ClientSocket
    hello: JsonObject


class GatewayClient:
    """A typed, reconnecting client. Use as an async context manager, or call `connect` and `close`.

    `setup_token` is that of a setup code, which works once; afterwards the device has a token of its own.
    `identity` is the file of the device's key; its tokens are kept beside it. `url` is ws:// or wss://. With
    `tls_fingerprint`, that certificate is expected instead of one that an authority vouches for; nothing is sent to
    a server that shows another. Raises ConfigError when it is no fingerprint, or `url` is not wss://.
    """

    def __init__(
        self,
        url: str,
        *,
        identity: Path,
        token: str | None = None,
        password: str | None = None,
        setup_token: str | None = None,
        tls_fingerprint: str | None = None,
        facts: ClientFacts | None = None,
        scopes: tuple[str, ...] = ALL_SCOPES,
        has_tool_events: bool = False,
        is_reconnecting: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self.url = url
        self._clock = clock or SystemClock()
        caps = (CAP_TOOL_EVENTS,) if has_tool_events else ()
        secrets = Secrets(token, password, setup_token)
        self._handshake = ClientHandshake(url, identity, secrets, facts or ClientFacts(), scopes, caps, self._clock)
        self._pin = None if tls_fingerprint is None else read_pin(url, tls_fingerprint)
        self._is_reconnecting = is_reconnecting
        self._link: _Link | None = None
        self._reader: asyncio.Task[None] | None = None
        self._pending: dict[str, _Pending] = {}
        self._listeners: set[asyncio.Queue[Event | HomarusError]] = set()
        self._is_up = asyncio.Event()
        self._failure: HomarusError | None = None
        self._sent = 0

    @property
    def hello(self) -> JsonObject:
        """Return the gateway's `hello-ok` of the present connection."""
        if self._link is None:
            raise ConnectionLost("not connected to the gateway")
        return self._link.hello

    @property
    def methods(self) -> frozenset[str]:
        """Return the operations the gateway says it has."""
        features = as_object(self.hello.get("features")) or {}
        methods = features.get("methods")
        return (
            frozenset(str(name) for name in cast("list[object]", methods)) if isinstance(methods, list) else frozenset()
        )

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_details: object) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connect and authenticate.

        Raises NotRunning, AuthFailed (a certificate that is not trusted, too), ProtocolError or Transient, each with
        what to do about it.
        """
        try:
            self._link = await self._open_when_started()
        except BaseException:
            await self.close()
            raise
        self._is_up.set()
        self._reader = asyncio.create_task(self._maintain(), name="gateway client")

    async def close(self) -> None:
        """Close the connection; waiting calls fail with ConnectionLost."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        link, self._link = self._link, None
        if link is not None:
            await link.socket.close()
        self._lose(ConnectionLost("the connection was closed"))

    async def call(
        self, method: str, params: Mapping[str, object] | None = None, *, timeout: float = CALL_TIMEOUT
    ) -> object:
        """Call an operation and return its payload. Raises ProtocolError when refused, Transient when lost or late."""
        return await self._call(method, params, timeout, wants_final=False)

    async def expect_final(
        self, method: str, params: Mapping[str, object] | None = None, *, timeout: float = CALL_TIMEOUT
    ) -> object:
        """Call an operation that answers twice (`agent`) and return its second payload."""
        return await self._call(method, params, timeout, wants_final=True)

    async def events(self, *names: str) -> AsyncIterator[Event]:
        """Yield events from now on, only the named ones when names are given.

        Ends with ConnectionLost or the refusal when the connection is gone for good.
        """
        queue: asyncio.Queue[Event | HomarusError] = asyncio.Queue(MAX_EVENTS)
        self._listeners.add(queue)
        try:
            if self._failure is not None:
                raise self._failure
            while True:
                item = await queue.get()
                if isinstance(item, HomarusError):
                    raise item
                if not names or item.name in names:
                    yield item
        finally:
            self._listeners.discard(queue)

    async def _call(
        self, method: str, params: Mapping[str, object] | None, timeout: float, *, wants_final: bool
    ) -> object:
        identifier = self._next_id()
        pending = _Pending(asyncio.get_running_loop().create_future(), wants_final)
        try:
            async with asyncio.timeout(timeout):
                link = await self._linked()
                self._pending[identifier] = pending
                await link.socket.send_text(encode_request(identifier, method, dict(params or {})))
                return await pending.future
        except TimeoutError:
            raise timed_out(method, timeout) from None
        except ConnectionError as error:
            raise ConnectionLost("the connection to the gateway broke") from error
        finally:
            self._pending.pop(identifier, None)

    async def _linked(self) -> _Link:
        while self._link is None:
            if self._failure is not None:
                raise self._failure
            if self._reader is None:
                raise ConnectionLost("not connected to the gateway")
            await self._is_up.wait()
        return self._link

    async def _maintain(self) -> None:
        """Read until the connection ends, then connect again, unless that is refused or not wanted."""
        while self._link is not None:
            error = await self._read(self._link)
            self._is_up.clear()
            self._link = None
            self._fail_pending(error)
            if not self._is_reconnecting:
                self._lose(error)
                return
            self._publish(Event("client.disconnected", {"message": error.message}))
            try:
                self._link = await self._reopen()
            except HomarusError as refusal:
                self._lose(refusal)
                return
            self._is_up.set()
            self._publish(Event("client.connected", self._link.hello))

    async def _reopen(self) -> _Link:
        delay = BACKOFF_START
        while True:
            await self._clock.sleep(delay * (0.5 + self._clock.jitter()))
            try:
                return await self._open()
            except Transient:
                delay = min(BACKOFF_LIMIT, delay * 2)

    async def _open_when_started(self) -> _Link:
        """Open a connection; a gateway that is about to start is waited for."""
        until = self._clock.monotonic() + STARTING_PATIENCE
        while True:
            try:
                return await self._open()
            except Starting as error:
                pause = error.retry_after or BACKOFF_START
                if self._clock.monotonic() + pause > until:
                    raise
                await self._clock.sleep(pause)

    async def _open(self) -> _Link:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                socket = await open_socket(self.url, self._clock, self._pin)
                try:
                    return _Link(socket, await self._handshake.shake(socket))
                except BaseException:
                    await socket.close()
                    raise
        except TimeoutError:
            raise Transient(f"the gateway at {self.url} does not answer", fix="look at `homarus logs`") from None

    async def _read(self, link: _Link) -> HomarusError:
        """Handle frames until the connection ends; return why it did."""
        try:
            while True:
                async with asyncio.timeout(SILENCE):
                    frame = await receive_frame(link.socket)
                self._handle(frame)
        except TimeoutError:
            await link.socket.close(TICK_TIMEOUT, b"tick timeout")
            return ConnectionLost(f"the gateway said nothing for {SILENCE:.0f} s")
        except HomarusError as error:
            return error

    def _handle(self, frame: JsonObject) -> None:
        if frame.get("type") == "event":
            self._publish(Event(str(frame.get("event")), as_object(frame.get("payload")) or {}))
            return
        pending = self._pending.get(str(frame.get("id")))
        if pending is None or pending.future.done():
            return
        payload = frame.get("payload")
        if frame.get("ok") is not True:
            pending.future.set_exception(read_error(frame.get("error")))
        elif not (pending.wants_final and (as_object(payload) or {}).get("status") == "accepted"):
            pending.future.set_result(payload)

    def _publish(self, event: Event) -> None:
        for queue in tuple(self._listeners):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._listeners.discard(queue)
                queue.get_nowait()
                queue.put_nowait(Permanent("events were not read fast enough; some are lost"))

    def _fail_pending(self, error: HomarusError) -> None:
        for pending in self._pending.values():
            if not pending.future.done():
                pending.future.set_exception(error)

    def _lose(self, error: HomarusError) -> None:
        """The connection is gone for good: tell everybody who waits."""
        self._failure = error
        self._is_up.set()
        self._fail_pending(error)
        for queue in tuple(self._listeners):
            if not queue.full():
                queue.put_nowait(error)

    def _next_id(self) -> str:
        self._sent += 1
        return f"h{self._sent}"
