"""Letting a new device in with a setup code: made by the owner, good once and for ten minutes, for what it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, cast

from msgspec import Struct

from homarus.clock import Clock
from homarus.gateway.tokens import MAX_TOKEN, hash_token
from homarus.protocol.scopes import Role, Scope, missing_scopes, scopes_of_role
from homarus.storage import setup_tokens as rows
from homarus.storage.database import Database

SETUP_TTL_MS: Final = 600_000
"""How long a setup code works (reference 01 §9)."""
MAX_OPEN: Final = 16
"""Setup codes that can be open at once; a new one closes the oldest."""

Profile = Literal["limited", "node", "voice-node"]


class SetupGrant(Struct, frozen=True):
    """What a setup code lets a device do: roles, and the scopes of its operator token."""

    roles: tuple[Role, ...]
    scopes: tuple[str, ...]

    def allows(self, role: Role, scopes: tuple[str, ...]) -> bool:
        """Tell whether a connection may be what it wants to be."""
        return role in self.roles and not missing_scopes(self.scopes, scopes_of_role(role, scopes))

    def scopes_of(self, role: Role) -> tuple[str, ...]:
        """Return the scopes of the token for a role."""
        return tuple(scopes_of_role(role, self.scopes))


class IssuedSetupToken(Struct, frozen=True):
    """The secret half of a setup code."""

    token: str
    expires_at: int


_PHONE_SCOPES = (Scope.APPROVALS, Scope.READ, Scope.TALK_SECRETS, Scope.WRITE)
PROFILES: Final[Mapping[Profile, SetupGrant]] = {
    "limited": SetupGrant((Role.NODE, Role.OPERATOR), tuple(str(scope) for scope in _PHONE_SCOPES)),
    "node": SetupGrant((Role.NODE,), ()),
    "voice-node": SetupGrant((Role.NODE, Role.OPERATOR), (str(Scope.READ), str(Scope.WRITE))),
}
"""What each kind of setup code grants: never admin, never pairing."""


class SetupCodes:
    """The open setup codes, over storage."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def issue(self, grant: SetupGrant) -> IssuedSetupToken:
        """Return a new token for a device that is to come."""
        token, now = self._clock.token(), self._clock.now_ms()
        stored: dict[str, object] = {
            "roles": [str(role) for role in grant.roles],
            "scopes": list(grant.scopes),
            "expiresAt": now + SETUP_TTL_MS,
        }
        await self._database.write(rows.insert_setup_token, hash_token(token), stored, now, keep=MAX_OPEN)
        return IssuedSetupToken(token, now + SETUP_TTL_MS)

    async def redeem(self, token: str, role: Role, scopes: tuple[str, ...]) -> SetupGrant | None:
        """Use a token up and return what it grants, None when it is no good for a role and scopes.

        Whoever asks for too much has used it up as well.
        """
        if not token or len(token) > MAX_TOKEN:
            return None
        stored = await self._database.write(rows.take_setup_token, hash_token(token))
        if stored is None or cast("int", stored["expiresAt"]) <= self._clock.now_ms():
            return None
        names, scopes_of_grant = cast("list[str]", stored["roles"]), cast("list[str]", stored["scopes"])
        grant = SetupGrant(tuple(Role(name) for name in names), tuple(scopes_of_grant))
        return grant if grant.allows(role, scopes) else None
