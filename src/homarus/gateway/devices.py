"""Device pairing: who is known, who is let in without asking, and the tokens they get (reference 01 §9)."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from homarus.clock import Clock
from homarus.gateway.tokens import MAX_TOKEN, hash_token
from homarus.protocol.device_identity import normalise_fact
from homarus.protocol.frames import JsonObject
from homarus.protocol.handshake import ConnectParams
from homarus.protocol.scopes import Role, missing_scopes, normalise_scopes, scopes_of_role
from homarus.storage import devices as rows
from homarus.storage.database import Database
from homarus.storage.devices import Device, DeviceRequest, DeviceToken

REQUEST_TTL_MS: Final = 300_000
"""How long a request to be paired stays open."""
MAX_REQUESTS: Final = 100
MAX_TOKENS: Final = 8
"""Live tokens per device and role: hashes cannot be shown again, so each client may hold its own."""

PairingReason = Literal["not-paired", "role-upgrade", "scope-upgrade", "metadata-upgrade"]
_ALIASES: Final = {"macos": "darwin", "windows": "win32"}
_SILENT_REASONS = frozenset({"not-paired", "role-upgrade"})


class Claim(Struct, frozen=True):
    """What a verified device asks for. `scopes` are the requested ones as sent."""

    device_id: str
    public_key: str
    role: Role
    scopes: tuple[str, ...]
    platform: str
    device_family: str
    facts: JsonObject

    @classmethod
    def of(cls, params: ConnectParams, public_key: str, role: Role, scopes: tuple[str, ...], address: str) -> Claim:
        """Return the claim of a connect request whose signature was verified."""
        if params.device is None:
            raise AssertionError("only devices claim")
        client = params.client
        facts: JsonObject = {
            "displayName": client.display_name,
            "platform": client.platform,
            "deviceFamily": client.device_family,
            "clientId": client.id,
            "clientMode": client.mode,
            "remoteIp": address,
        }
        return cls(
            device_id=params.device.id,
            public_key=public_key,
            role=role,
            scopes=scopes,
            platform=normalise_fact(client.platform),
            device_family=normalise_fact(client.device_family or ""),
            facts={name: value for name, value in facts.items() if value is not None},
        )


class IssuedDeviceToken(Struct, frozen=True):
    """A token to hand to a device."""

    token: str
    role: str
    scopes: tuple[str, ...]
    issued_at: int


class OpenRequest(Struct, frozen=True):
    """A request that waits for a person."""

    id: str
    body: JsonObject
    is_new: bool


def pairing_need(device: Device | None, claim: Claim) -> PairingReason | None:
    """Return why a claim needs approval, None when the device may do all it asks for already."""
    if device is None or device.public_key != claim.public_key:
        return "not-paired"
    if not _is_pinned(device, claim):
        return "metadata-upgrade"
    if claim.role not in device.roles:
        return "role-upgrade"
    if missing_scopes(device.scopes, scopes_of_role(claim.role, claim.scopes)):
        return "scope-upgrade"
    return None


def _is_pinned(device: Device, claim: Claim) -> bool:
    """Tell whether a claim agrees with what is known of a device; what was never told is not held against it."""
    claimed = {"platform": claim.platform, "deviceFamily": claim.device_family}
    pinned = {name: normalise_fact(str(device.record.get(name) or "")) for name in claimed}
    return all(not known or _alias(known) == _alias(claimed[name]) for name, known in pinned.items())


def _alias(fact: str) -> str:
    """Return one name for a platform that clients name differently."""
    return _ALIASES.get(fact, fact)


def is_silent(reason: PairingReason, *, is_local: bool, is_foreign_page: bool, knows_secret: bool = False) -> bool:
    """Tell whether a claim is approved without asking: local newcomers are, more rights only for the owner's secret."""
    return is_local and not is_foreign_page and (knows_secret or reason in _SILENT_REASONS)


class Devices:
    """Paired devices and their tokens, over storage."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, device_id: str) -> Device | None:
        """Return a paired device."""
        return await self._database.read(rows.select_device, device_id)

    async def list(self) -> list[Device]:
        """Return every paired device, latest approval first."""
        return await self._database.read(rows.select_devices)

    async def requests(self) -> list[DeviceRequest]:
        """Return open requests, newest first."""
        return await self._database.read(rows.select_requests, self._clock.now_ms() - REQUEST_TTL_MS)

    async def tokens(self, device_id: str) -> list[DeviceToken]:
        """Return the live tokens of a device."""
        return await self._database.read(rows.select_live_tokens, device_id)

    async def request(self, claim: Claim, reason: PairingReason) -> OpenRequest:
        """Record that a device wants in."""
        now = self._clock.now_ms()
        body: JsonObject = {
            "requestId": self._clock.uuid(),
            "deviceId": claim.device_id,
            "publicKey": claim.public_key,
            **claim.facts,
            "role": str(claim.role),
            "roles": [str(claim.role)],
            "scopes": list(claim.scopes),
            "silent": False,
            "isRepair": reason != "not-paired",
            "ts": now,
        }
        stored = DeviceRequest(str(body["requestId"]), claim.device_id, now, body)
        request_id, is_new = await self._database.write(
            rows.upsert_request, stored, oldest=now - REQUEST_TTL_MS, most=MAX_REQUESTS
        )
        return OpenRequest(request_id, {**body, "requestId": request_id}, is_new)

    async def take_request(self, request_id: str) -> DeviceRequest | None:
        """Close a request and return it, None when it is unknown or too old."""
        return await self._database.write(rows.take_request, request_id, self._clock.now_ms() - REQUEST_TTL_MS)

    async def approve(self, claim: Claim) -> Device:
        """Pair a device with what it claims; rights it already had stay."""
        now = self._clock.now_ms()
        known = await self.get(claim.device_id)
        if known is not None and known.public_key != claim.public_key:
            known = None
        granted = scopes_of_role(claim.role, claim.scopes)
        device = Device(
            id=claim.device_id,
            public_key=claim.public_key,
            roles=tuple(sorted({*(known.roles if known else ()), str(claim.role)})),
            scopes=tuple(normalise_scopes((*(known.scopes if known else ()), *granted))),
            record={**(known.record if known else {}), **claim.facts},
            created_at=known.created_at if known else now,
            approved_at=now,
        )
        await self._database.write(rows.save_device, device)
        return device

    async def rename(self, device_id: str, label: str) -> bool:
        """Note the owner's name for a device; False when it is not paired."""
        return await self._database.write(rows.label_device, device_id, label)

    async def drop_role(self, device: Device, role: Role) -> None:
        """Take a role and its tokens from a device; one without any other role is forgotten."""
        left = tuple(each for each in device.roles if each != role)
        if not left:
            await self.remove(device.id)
            return
        await self.revoke(device.id, role)
        await self._database.write(rows.save_device, replace(device, roles=left))

    async def remove(self, device_id: str) -> bool:
        """Forget a device and its tokens."""
        return await self._database.write(rows.delete_device, device_id)

    async def verify_token(self, token: str, device_id: str, role: str, scopes: tuple[str, ...]) -> DeviceToken | None:
        """Return a device's token if it is good for a role and scopes, else None.

        Tokens are found by their hash, so nothing is compared that could be measured.
        """
        found = await self.find_token(token, role)
        if found is None or found.device_id != device_id:
            return None
        return None if missing_scopes(found.scopes, scopes) else found

    async def find_token(self, token: str, role: str) -> DeviceToken | None:
        """Return a live token for a role, whichever device's it is; None when the device lost what it grants."""
        if not token or len(token) > MAX_TOKEN:
            return None
        found = await self._database.read(rows.select_token, hash_token(token))
        if found is None or found.revoked_at is not None or found.role != role:
            return None
        device = await self.get(found.device_id)
        if device is None or role not in device.roles or missing_scopes(device.scopes, found.scopes):
            return None
        return found

    async def keep_token(
        self, device: Device, role: Role, presented: str | None, scopes: tuple[str, ...]
    ) -> IssuedDeviceToken | None:
        """Return the presented token as it is when it is still good for `scopes`, else None."""
        known = await self.verify_token(presented, device.id, role, scopes) if presented else None
        if known is None or presented is None:
            return None
        await self._database.write(rows.touch_token, known.hash, self._clock.now_ms())
        return IssuedDeviceToken(presented, role, known.scopes, known.rotated_at or known.created_at)

    async def issue_token(self, device: Device, role: Role) -> IssuedDeviceToken:
        """Return a new token with all approved scopes of a role; only for clients that knew the shared secret."""
        return await self._mint(device.id, role, tuple(scopes_of_role(role, device.scopes)), self._clock.now_ms())

    async def issue_bounded(self, device: Device, role: Role, scopes: tuple[str, ...]) -> IssuedDeviceToken:
        """Return a new token with these scopes of a role, which the device was approved for."""
        return await self._mint(device.id, role, scopes, self._clock.now_ms())

    async def rotate(self, device: Device, role: Role, scopes: tuple[str, ...]) -> IssuedDeviceToken:
        """Revoke every token of a device and role and return a new one."""
        now = self._clock.now_ms()
        await self._database.write(rows.revoke_tokens, device.id, role, now)
        issued = await self._mint(device.id, role, scopes, now)
        return replace(issued, issued_at=now)

    async def revoke(self, device_id: str, role: str) -> int | None:
        """Revoke every token of a device and role; return when, or None when none was live."""
        now = self._clock.now_ms()
        return now if await self._database.write(rows.revoke_tokens, device_id, role, now) else None

    async def _mint(self, device_id: str, role: str, scopes: tuple[str, ...], now: int) -> IssuedDeviceToken:
        token = self._clock.token()
        stored = DeviceToken(hash_token(token), device_id, role, scopes, created_at=now, last_used_at=now)
        await self._database.write(rows.insert_token, stored, keep=MAX_TOKENS)
        return IssuedDeviceToken(token, role, scopes, now)
