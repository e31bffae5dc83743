"""Who a JSON-RPC client is: by a bearer secret, or by the signed handshake of the gateway protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType
from msgspec.structs import replace

from homarus import __version__
from homarus.errors import HomarusError, ProtocolError
from homarus.gateway.attempt import Refused
from homarus.gateway.http.admission import admit, bearer_of, declared_scopes
from homarus.gateway.http.pages import check_page
from homarus.gateway.http.refusal import HttpRefusal
from homarus.gateway.json_rpc.messages import (
    Malformed,
    RpcRequest,
    failure_message,
    identifier_of,
    read_message,
    result_message,
)
from homarus.gateway.json_rpc.methods import METHODS
from homarus.gateway.json_rpc.notifications import NOTIFICATIONS
from homarus.gateway.json_rpc.session import RpcSession
from homarus.gateway.presence import entry_of, presence_key
from homarus.protocol.base import Params
from homarus.protocol.errors import as_protocol_error, invalid
from homarus.protocol.frames import JsonObject, as_object, decode
from homarus.protocol.handshake import ConnectParams
from homarus.protocol.names import CHALLENGE_EVENT, CONNECT
from homarus.protocol.scopes import Role
from homarus.protocol.validation import parse_params
from homarus.protocol.versions import V4

if TYPE_CHECKING:
    from collections.abc import Callable

    from homarus.gateway.caller import Caller
    from homarus.gateway.core import GatewayCore
    from homarus.gateway.handshake import Accepted
    from homarus.gateway.json_rpc.opening import Opening
    from homarus.gateway.peer import Peer
    from homarus.gateway.socket import ClientSocket

HOW: Final = (
    "authenticate first: send `Authorization: Bearer TOKEN` with the upgrade, or call "
    '`connect` with {"token": TOKEN} as the first request'
)
_SIGNED: Final = frozenset({"client", "device", "auth", "minProtocol", "maxProtocol"})
"""Parameters that only the handshake of the gateway protocol has."""


class BearerParams(Params):
    """`connect` with a secret: the gateway's token or password, or a device's token; `scopes` keeps only these."""

    token: str | None = None
    password: str | None = None
    scopes: list[str] | None = None


class NotAdmitted(Exception):
    """The client is not let in; it was told why."""


class Arrival:
    """A client on its way in. `nonce` is what its device signs, `conn_id` names its connection."""

    def __init__(self, core: GatewayCore, socket: ClientSocket, peer: Peer, nonce: str, conn_id: str) -> None:
        self._core = core
        self._socket = socket
        self._peer = peer
        self._nonce = nonce
        self._conn_id = conn_id

    async def admit(self, opening: Opening, first: str, disconnect: Callable[[int, str], None]) -> RpcSession:
        """Return the client that sent a first message; `connect.challenge` and `connect` are answered here.

        Raises NotAdmitted once the client was told why; StorageError.
        """
        request = _read(first)
        if request is not None and request.method == CHALLENGE_EVENT:
            offer = {"nonce": self._nonce, "ts": self._core.services.clock.now_ms()}
            await self._tell(result_message(request.identifier, offer))
            first = await self._next()
            request = _read(first)
        try:
            check_page(opening.headers, self._peer, self._core.settings.browser)
            is_connect = request is not None and request.method == CONNECT
            given = as_object(request.params) if request is not None and is_connect else None
            if given is not None and not _SIGNED.isdisjoint(given):
                caller, entry, greeting = await self._by_handshake(given)
            else:
                caller, entry = await self._by_secret(opening, given)
                greeting = self._greeting(caller, {})
        except (HttpRefusal, Refused) as refusal:
            await self._tell(failure_message(identifier_of(first), refusal.error))
            raise NotAdmitted(refusal.error.message) from refusal
        if is_connect:
            await self._tell(result_message(identifier_of(first), greeting))
        return RpcSession(self._core, self._socket, caller, disconnect, entry, None if is_connect else first)

    async def _by_secret(self, opening: Opening, given: JsonObject | None) -> tuple[Caller, JsonObject | None]:
        """Return who shows a secret, with the upgrade or in `connect`. Raises HttpRefusal."""
        secret, declared = bearer_of(opening.headers), declared_scopes(opening.headers)
        if given is not None:
            try:
                params = parse_params(BearerParams, CONNECT, given)
            except ProtocolError as error:
                raise HttpRefusal(400, error) from error
            secret = params.token or params.password or secret
            declared = declared if params.scopes is None else params.scopes
        caller = await admit(self._core, secret, declared, self._peer, HOW)
        return caller, entry_of(caller, self._core.services.clock.now_ms())

    async def _by_handshake(self, given: JsonObject) -> tuple[Caller, JsonObject | None, JsonObject]:
        """Return who passes the handshake of the gateway protocol: the same one, with the same refusals."""
        try:
            versions = {"minProtocol": V4, "maxProtocol": V4}
            params = parse_params(ConnectParams, CONNECT, {**versions, **given}, protocol=V4)
            if params.role not in (None, Role.OPERATOR):
                raise invalid("JSON-RPC is for operators; a node speaks the gateway protocol")
            if not params.min_protocol <= V4 <= params.max_protocol:
                raise invalid(f"JSON-RPC speaks version {V4} of the protocol; leave minProtocol and maxProtocol out")
            accepted = await self._core.handshake.evaluate(params, self._peer, self._nonce, self._conn_id)
        except Refused:
            raise
        except HomarusError as error:
            raise Refused(as_protocol_error(error)) from error
        caller = replace(accepted.caller, is_strict=True)
        address = None if self._peer.is_local else self._peer.address
        is_listed = presence_key(params, self._conn_id, V4) is not None
        entry = self._core.presence.client_entry(self._conn_id, params, sorted(caller.scopes), address)
        return caller, entry if is_listed else None, self._greeting(caller, _token(accepted))

    def _greeting(self, caller: Caller, token: JsonObject) -> JsonObject:
        registry = self._core.registry
        listed = registry.listed_in(caller.protocol)
        native = [name for name in listed if (found := registry.find(name)) and found.role in (None, caller.role)]
        return {
            "server": {"name": "homarus", "version": __version__, "connId": caller.conn_id},
            "auth": {"role": str(caller.role), "scopes": sorted(caller.scopes), "method": caller.auth_method, **token},
            "methods": [*METHODS, *native],
            "notifications": list(NOTIFICATIONS),
        }

    async def _next(self) -> str:
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise NotAdmitted("the client left")
        return str(message.data)

    async def _tell(self, text: str) -> None:
        await self._socket.send_text(text.encode("utf-8", "backslashreplace"))


def _token(accepted: Accepted) -> JsonObject:
    """Return the token a device got, with which it comes back."""
    token = accepted.token
    return {} if token is None else {"deviceToken": token.token, "issuedAtMs": token.issued_at}


def _read(text: str) -> RpcRequest | None:
    """Return the one request in a text, None for a batch and for what is no request."""
    try:
        return read_message(decode(text))
    except (ValueError, Malformed):
        return None
