"""The evaluation of `connect`, in the order of reference 01 §5, for both versions of the protocol."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from homarus.clock import Clock
from homarus.gateway.attempt import Attempt, Refused
from homarus.gateway.auth import DEVICE_TOKEN, AuthResult, SharedAuth, unauthorized
from homarus.gateway.caller import Caller
from homarus.gateway.device_proof import verify_device
from homarus.gateway.devices import Claim, Devices, IssuedDeviceToken, PairingReason, is_silent, pairing_need
from homarus.gateway.hub import EventHub
from homarus.gateway.missing_device import scopes_without_device
from homarus.gateway.origin import check_origin
from homarus.gateway.pairing_refusal import pairing_refusal
from homarus.gateway.peer import Peer, unattributed
from homarus.gateway.rate_limit import AuthLimiter
from homarus.gateway.settings import BrowserSettings
from homarus.gateway.setup_codes import SetupCodes, SetupGrant
from homarus.protocol.events import DEVICE_PAIR_REQUESTED, DEVICE_PAIR_RESOLVED
from homarus.protocol.frames import JsonObject
from homarus.protocol.handshake import ConnectParams
from homarus.storage.devices import Device


class Accepted(Struct, frozen=True):
    """A client that is in: who it is, its scopes in the order it asked for them, and the token its device gets.

    `handed_off` are tokens for other roles, which a setup code granted along with this one.
    """

    caller: Caller
    scopes: tuple[str, ...]
    token: IssuedDeviceToken | None = None
    handed_off: tuple[IssuedDeviceToken, ...] = ()


class Handshake:
    """Decides about connect requests."""

    def __init__(
        self,
        auth: SharedAuth,
        devices: Devices,
        limiter: AuthLimiter,
        browser: BrowserSettings,
        hub: EventHub,
        clock: Clock,
        setup_codes: SetupCodes,
        *,
        approves_local: bool = True,
    ) -> None:
        self._auth = auth
        self._devices = devices
        self._limiter = limiter
        self._browser = browser
        self._hub = hub
        self._clock = clock
        self._setup_codes = setup_codes
        self._approves_local = approves_local

    async def evaluate(self, params: ConnectParams, peer: Peer, nonce: str, conn_id: str) -> Accepted:
        """Return who the client is. Raises Refused; StorageError when the database cannot be used."""
        attempt = Attempt.of(params, peer, nonce)
        if attempt.is_v4 and not peer.is_attributed:
            raise Refused(unattributed())
        problem = check_origin(params.client, peer, self._browser)
        if problem is not None:
            raise Refused(problem)
        auth = await self._auth.check(params.auth, peer)
        if params.device is None:
            scopes = scopes_without_device(attempt, auth, self._browser)
            self._check_auth(attempt, auth)
            return _accepted(attempt, conn_id, scopes, auth)
        public_key = verify_device(attempt, params.device, self._clock.now_ms())
        auth = await self._try_device_token(attempt, auth)
        self._check_auth(attempt, auth)
        claim = Claim.of(params, public_key, attempt.role, attempt.scopes, peer.address)
        if auth.grant is not None:
            token, *others = await self._set_up(attempt, claim, auth.grant)
            return _accepted(attempt, conn_id, attempt.scopes, auth, token, tuple(others))
        token = await self._pair(attempt, claim, auth)
        return _accepted(attempt, conn_id, attempt.scopes, auth, token)

    def _check_auth(self, attempt: Attempt, auth: AuthResult) -> None:
        if not auth.is_ok:
            params = attempt.params
            raise Refused(unauthorized(auth, params.client, params.auth, has_device=params.device is not None))

    async def _try_device_token(self, attempt: Attempt, auth: AuthResult) -> AuthResult:
        """Accept a verified device's own token when the shared secret was not given or not right."""
        given = attempt.params.auth
        device = attempt.params.device
        if auth.is_ok or given is None or device is None:
            return auth
        candidate = given.device_token or given.token
        if not candidate and not given.bootstrap_token:
            return auth
        wait = self._limiter.locked_for(attempt.peer, DEVICE_TOKEN)
        if wait > 0:
            return AuthResult(reason="rate_limited", wait=wait)
        if given.bootstrap_token and not candidate:
            return await self._try_setup_token(attempt, given.bootstrap_token)
        if not candidate:
            raise AssertionError("one of the two is there")
        found = await self._devices.verify_token(candidate, device.id, attempt.role, attempt.requested)
        if found is not None:
            self._limiter.succeed(attempt.peer, DEVICE_TOKEN)
            return AuthResult("device-token")
        if attempt.is_v4 and await self._devices.verify_token(candidate, device.id, attempt.role, ()) is not None:
            return AuthResult(reason="scope_mismatch")
        self._limiter.fail(attempt.peer, DEVICE_TOKEN)
        return AuthResult(reason="device_token_mismatch") if given.device_token else auth

    async def _try_setup_token(self, attempt: Attempt, token: str) -> AuthResult:
        """Use a setup code up. A client that has a device token shows only that one: its code is used already."""
        grant = await self._setup_codes.redeem(token, attempt.role, attempt.requested)
        if grant is None:
            self._limiter.fail(attempt.peer, DEVICE_TOKEN)
            return AuthResult(reason="bootstrap_token_invalid")
        self._limiter.succeed(attempt.peer, DEVICE_TOKEN)
        return AuthResult("bootstrap-token", grant=grant)

    async def _set_up(self, attempt: Attempt, claim: Claim, grant: SetupGrant) -> list[IssuedDeviceToken]:
        """Pair a device with all its setup code grants; return its tokens, that of the connection's role first."""
        roles = sorted(grant.roles, key=lambda role: role is not attempt.role)
        claims = [replace(claim, role=role, scopes=grant.scopes_of(role)) for role in roles]
        *_, device = [await self._devices.approve(each) for each in claims]
        self._announce(claim.device_id)
        return [await self._devices.issue_bounded(device, each.role, each.scopes) for each in claims]

    async def _pair(self, attempt: Attempt, claim: Claim, auth: AuthResult) -> IssuedDeviceToken | None:
        device = await self._devices.get(claim.device_id)
        reason = pairing_need(device, claim)
        if reason is not None:
            if reason == "not-paired" and self._needs_no_pairing(attempt, auth):
                return None
            if not self._is_silent(attempt, auth, reason):
                raise await self._ask(attempt, claim, reason, device)
            device = await self._devices.approve(claim)
            self._announce(claim.device_id)
        if device is None:
            raise AssertionError("approved or known")
        return await self._token(attempt, device, auth)

    def _is_silent(self, attempt: Attempt, auth: AuthResult, reason: PairingReason) -> bool:
        """Tell whether a device gets what it claims without a person: local newcomers do.

        So do local devices that ask for more and know the owner's secret: with it they could as well come back as
        newcomers, and a command line that first asked for little (`openclaw status`) would be stuck with that.
        """
        knows_secret = auth.is_shared_secret or (attempt.is_v4 and auth.method == "none")
        is_trusted = attempt.peer.is_local and self._approves_local
        return is_silent(
            reason, is_local=is_trusted, is_foreign_page=attempt.is_foreign_page, knows_secret=knows_secret
        )

    async def _token(self, attempt: Attempt, device: Device, auth: AuthResult) -> IssuedDeviceToken | None:
        """Give a client its own token back, or a new one.

        A device token never begets one with more rights, and a connection whose scopes are capped gets no new one:
        it could be used without the cap.
        """
        given = attempt.params.auth
        presented = (given.device_token or given.token) if given else None
        kept = await self._devices.keep_token(device, attempt.role, presented, attempt.requested)
        if kept is not None or auth.method == "device-token" or attempt.peer.scope_cap is not None:
            return kept
        return await self._devices.issue_token(device, attempt.role)

    def _needs_no_pairing(self, attempt: Attempt, auth: AuthResult) -> bool:
        if attempt.is_backend:
            is_known = auth.is_shared_secret or auth.method == "device-token"
            return attempt.is_direct and is_known
        is_open = auth.method in ("none", "trusted-proxy") or self._browser.skips_device_auth
        return attempt.is_control_ui and attempt.is_operator and is_open

    async def _ask(self, attempt: Attempt, claim: Claim, reason: PairingReason, device: Device | None) -> Refused:
        request = await self._devices.request(claim, reason)
        if request.is_new:
            self._hub.broadcast(DEVICE_PAIR_REQUESTED, request.body)
        return pairing_refusal(attempt, request, reason, device)

    def _announce(self, device_id: str) -> None:
        now = self._clock.now_ms()
        body: JsonObject = {"requestId": self._clock.uuid(), "deviceId": device_id, "decision": "approved", "ts": now}
        self._hub.broadcast(DEVICE_PAIR_RESOLVED, body)


def _accepted(
    attempt: Attempt,
    conn_id: str,
    scopes: tuple[str, ...],
    auth: AuthResult,
    token: IssuedDeviceToken | None = None,
    handed_off: tuple[IssuedDeviceToken, ...] = (),
) -> Accepted:
    params = attempt.params
    granted = scopes if attempt.is_operator else ()
    caller = Caller(
        conn_id=conn_id,
        peer=attempt.peer,
        role=attempt.role,
        scopes=frozenset(granted),
        device_id=params.device.id if params.device else None,
        client_id=params.client.id,
        client_mode=params.client.mode,
        client_version=params.client.version,
        instance_id=params.client.instance_id,
        caps=frozenset(params.caps or ()),
        protocol=attempt.protocol,
        auth_method=auth.method or "none",
    )
    return Accepted(caller, granted, token, handed_off)
