"""Who calls an operation, whatever it came in by."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from homarus.errors import ProtocolError
from homarus.gateway.peer import Peer
from homarus.pipeline.contract import Requester
from homarus.protocol.errors import missing_scope
from homarus.protocol.scopes import Role, Scope, has_scope
from homarus.protocol.versions import V3, V4


class Caller(Struct, frozen=True):
    """An authenticated caller. `protocol` is the negotiated version; `conn_id` is unique per connection.

    `is_strict` callers are told of parameters that are not known, whatever their version passes over.
    """

    conn_id: str
    peer: Peer
    role: Role = Role.OPERATOR
    scopes: frozenset[str] = frozenset()
    device_id: str | None = None
    client_id: str = "gateway-client"
    client_mode: str = "backend"
    client_version: str = ""
    instance_id: str | None = None
    caps: frozenset[str] = frozenset()
    protocol: int = V3
    auth_method: str = "none"
    is_strict: bool = False

    @property
    def is_v4(self) -> bool:
        """Tell whether the connection speaks version 4 or later."""
        return self.protocol >= V4

    @property
    def is_admin(self) -> bool:
        """Tell whether the caller may do everything."""
        return self.role is Role.OPERATOR and Scope.ADMIN in self.scopes

    @property
    def requester(self) -> Requester:
        """Return the caller as the pipeline knows it."""
        return Requester(device_id=self.device_id, conn_id=self.conn_id, is_admin=self.is_admin)

    @property
    def identity(self) -> str:
        """Return what rate limits count by."""
        return f"{self.device_id or ''}|{self.peer.address}"

    def has(self, scope: str) -> bool:
        """Tell whether the caller has a scope."""
        return self.role is Role.OPERATOR and has_scope(self.scopes, scope)

    def refusal(self, scope: str, required: Sequence[str] = ()) -> ProtocolError:
        """Return the error for a scope the caller does not have, out of those required."""
        return missing_scope(scope, self.protocol, required)
