"""Who an HTTP request or a JSON-RPC connection is: the one place that turns a bearer secret into a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from homarus.gateway.auth import DEVICE_TOKEN, SHARED_SECRET
from homarus.gateway.caller import Caller
from homarus.gateway.http.refusal import refused, too_many
from homarus.gateway.peer import header_lines
from homarus.gateway.tokens import BROWSER_PREFIX
from homarus.protocol.scopes import ALL_SCOPES, Role, has_scope
from homarus.protocol.versions import PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from homarus.gateway.core import GatewayCore
    from homarus.gateway.peer import Peer

SCOPES_HEADER: Final = "x-openclaw-scopes"
"""Comma list; it only ever takes scopes away."""
BEARER: Final = "bearer "
MAX_SECRET: Final = 4096
HOW: Final = "send the gateway's token or password: `Authorization: Bearer TOKEN`"
_LOCKED: Final = "Too many failed authentication attempts. Please try again later."


async def admit_request(core: GatewayCore, headers: Mapping[str, str], peer: Peer) -> Caller:
    """Return who sends a request with these headers. Raises HttpRefusal 401 or 429, StorageError."""
    return await admit(core, bearer_of(headers), declared_scopes(headers), peer)


async def admit(
    core: GatewayCore, secret: str | None, declared: Iterable[str] | None, peer: Peer, hint: str = HOW
) -> Caller:
    """Return the caller a secret belongs to: the owner for the shared one, a paired device for its own token.

    `declared` narrows what the caller may do, None keeps everything; `hint` says how to show a secret. Raises
    HttpRefusal 401 or 429, StorageError.
    """
    if secret is not None and len(secret) > MAX_SECRET:
        raise refused(401, "UNAUTHORIZED", hint, {"WWW-Authenticate": "Bearer"})
    wait = max(core.limiter.locked_for(peer, kind) for kind in (SHARED_SECRET, DEVICE_TOKEN))
    if wait > 0 and core.auth.mode != "none":
        raise too_many(wait, _LOCKED)
    # Most callers show the shared secret: they cost no look into the database.
    if secret and not secret.startswith(BROWSER_PREFIX) and not core.auth.knows(secret):
        token = await core.devices.find_token(secret, Role.OPERATOR)
        if token is not None:
            return _caller(core, peer, narrow(token.scopes, declared), "device-token", token.device_id)
    result = await core.auth.check_bearer(secret, peer)
    if not result.is_ok:
        raise refused(401, "UNAUTHORIZED", hint, {"WWW-Authenticate": "Bearer"})
    return _caller(core, peer, narrow(ALL_SCOPES, declared), result.method or "none")


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """Return the secret of an Authorization header, None when there is none."""
    header = headers.get("Authorization", "")
    return header[len(BEARER) :].strip() or None if header[: len(BEARER)].lower() == BEARER else None


def declared_scopes(headers: Mapping[str, str]) -> list[str] | None:
    """Return the scopes a request limits itself to, None when it does not."""
    lines = header_lines(headers, SCOPES_HEADER)
    if not lines:
        return None
    first, *others = [[part.strip() for part in line.split(",") if part.strip()] for line in lines]
    return [scope for scope in first if all(scope in other for other in others)]


def narrow(granted: Iterable[str], declared: Iterable[str] | None) -> frozenset[str]:
    """Return what is left of granted scopes: declared ones that are covered by them."""
    own = frozenset(granted)
    return own if declared is None else frozenset(scope for scope in declared if has_scope(own, scope))


def _caller(core: GatewayCore, peer: Peer, scopes: frozenset[str], method: str, device_id: str | None = None) -> Caller:
    return Caller(
        conn_id=core.services.clock.uuid(),
        peer=peer,
        scopes=scopes,
        device_id=device_id,
        protocol=PROTOCOL_VERSIONS[-1],
        auth_method=method,
        is_strict=True,
    )
