"""A connect request on its way through the steps of the handshake, and its refusal."""

from __future__ import annotations

from msgspec import Struct

from homarus.errors import ProtocolError
from homarus.gateway.origin import BROWSER_CLIENTS
from homarus.gateway.peer import Peer
from homarus.protocol.errors import CLOSE_POLICY, CLOSE_PROTOCOL, invalid
from homarus.protocol.handshake import ConnectParams
from homarus.protocol.scopes import Role, common_scopes
from homarus.protocol.versions import PROTOCOL_VERSIONS, V4, negotiate

UI_CLIENTS = frozenset({"openclaw-control-ui", "openclaw-tui"})


class Refused(Exception):
    """A handshake is refused: the client is told `error`, then the connection is closed.

    `close_reason` is the error's message unless given.
    """

    def __init__(self, error: ProtocolError, close_code: int = CLOSE_POLICY, close_reason: str | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.close_code = close_code
        self.close_reason = error.message if close_reason is None else close_reason


class Attempt(Struct, frozen=True):
    """A connect request. `protocol` is the negotiated version, `requested` the scopes as sent, which devices sign."""

    params: ConnectParams
    peer: Peer
    nonce: str
    protocol: int
    role: Role
    requested: tuple[str, ...]

    @classmethod
    def of(cls, params: ConnectParams, peer: Peer, nonce: str) -> Attempt:
        """Return the attempt of a request. Raises Refused for a version or role that does not exist."""
        return cls(params, peer, nonce, _protocol(params), _role(params), tuple(params.scopes or ()))

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes that may be granted at most: the requested ones within the cap of the connection."""
        cap = self.peer.scope_cap
        return self.requested if cap is None else common_scopes(self.requested, cap)

    @property
    def is_v4(self) -> bool:
        """Tell whether version 4 or later was negotiated."""
        return self.protocol >= V4

    @property
    def is_operator(self) -> bool:
        """Tell whether the client wants to operate the gateway."""
        return self.role is Role.OPERATOR

    @property
    def is_ui(self) -> bool:
        """Tell whether the client is one that people look at."""
        return self.params.client.id in UI_CLIENTS

    @property
    def is_control_ui(self) -> bool:
        """Tell whether the client is the Control UI."""
        return self.params.client.id == "openclaw-control-ui"

    @property
    def is_backend(self) -> bool:
        """Tell whether the client is a program on its owner's behalf."""
        client = self.params.client
        return client.id == "gateway-client" and client.mode == "backend"

    @property
    def is_direct(self) -> bool:
        """Tell whether the client is a program on this machine, not a page in a browser."""
        return self.peer.is_local and self.peer.origin is None

    @property
    def is_foreign_page(self) -> bool:
        """Tell whether a web page connects that is not one of the protocol's own."""
        client = self.params.client
        is_page = client.id in BROWSER_CLIENTS or client.mode == "webchat"
        return self.peer.origin is not None and not is_page


def _protocol(params: ConnectParams) -> int:
    version = negotiate(params.min_protocol, params.max_protocol)
    if version is None:
        details: dict[str, object] = {
            "code": "PROTOCOL_MISMATCH",
            "clientMinProtocol": params.min_protocol,
            "clientMaxProtocol": params.max_protocol,
            "expectedProtocol": PROTOCOL_VERSIONS[-1],
            "minimumProbeProtocol": PROTOCOL_VERSIONS[0],
        }
        raise Refused(invalid("protocol mismatch", details), CLOSE_PROTOCOL)
    return version


def _role(params: ConnectParams) -> Role:
    try:
        return Role(params.role or Role.OPERATOR)
    except ValueError:
        raise Refused(invalid("invalid role")) from None
