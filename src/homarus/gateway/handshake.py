"""The evaluation of `connect`, in the order of reference 01 §5."""

from __future__ import annotations

from dataclasses import dataclass

from homarus.clock import Clock
from homarus.errors import ProtocolError
from homarus.gateway.auth import DEVICE_TOKEN, AuthResult, SharedAuth, unauthorized
from homarus.gateway.caller import Caller
from homarus.gateway.devices import Claim, Devices, IssuedDeviceToken, PairingReason, is_silent, pairing_need
from homarus.gateway.hub import EventHub
from homarus.gateway.origin import BROWSER_CLIENTS, check_origin
from homarus.gateway.peer import Peer
from homarus.gateway.rate_limit import AuthLimiter
from homarus.gateway.settings import BrowserSettings
from homarus.protocol.device_identity import (
    MAX_SKEW_MS,
    SignedConnect,
    device_id_of,
    encode_base64url,
    read_public_key,
    verify,
)
from homarus.protocol.errors import CLOSE_POLICY, CLOSE_PROTOCOL, NOT_PAIRED, invalid
from homarus.protocol.events import DEVICE_PAIR_REQUESTED, DEVICE_PAIR_RESOLVED
from homarus.protocol.handshake import ConnectParams
from homarus.protocol.scopes import Role
from homarus.protocol.versions import PROTOCOL_VERSIONS, negotiate
from homarus.storage.devices import Device

UI_CLIENTS = frozenset({"openclaw-control-ui", "openclaw-tui"})


class Refused(Exception):
    """A handshake is refused: the client is told `error`, then the connection is closed with `close_code`."""

    def __init__(self, error: ProtocolError, close_code: int = CLOSE_POLICY) -> None:
        super().__init__(error.message)
        self.error = error
        self.close_code = close_code


@dataclass(frozen=True, slots=True)
class Accepted:
    """A client that is in: who it is, and the token its device gets."""

    caller: Caller
    token: IssuedDeviceToken | None = None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A connect request on its way through the steps."""

    params: ConnectParams
    peer: Peer
    nonce: str
    role: Role
    scopes: tuple[str, ...]

    @property
    def is_ui(self) -> bool:
        return self.params.client.id in UI_CLIENTS

    @property
    def is_control_ui(self) -> bool:
        return self.params.client.id == "openclaw-control-ui"


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
    ) -> None:
        self._auth = auth
        self._devices = devices
        self._limiter = limiter
        self._browser = browser
        self._hub = hub
        self._clock = clock

    async def evaluate(self, params: ConnectParams, peer: Peer, nonce: str, conn_id: str) -> Accepted:
        """Return who the client is. Raises Refused; StorageError when the database cannot be used."""
        protocol = _protocol(params)
        attempt = _Attempt(params, peer, nonce, _role(params), tuple(params.scopes or ()))
        problem = check_origin(params.client, peer, self._browser)
        if problem is not None:
            raise Refused(problem)
        auth = await self._auth.check(params.auth, peer)
        if params.device is None:
            scopes = self._scopes_without_device(attempt, auth)
            self._check_auth(attempt, auth)
            return Accepted(_caller(attempt, conn_id, protocol, scopes, auth))
        public_key = self._verify_device(attempt)
        auth = await self._try_device_token(attempt, auth)
        self._check_auth(attempt, auth)
        claim = Claim.of(params, public_key, attempt.role, attempt.scopes, peer.address)
        token = await self._pair(attempt, claim, auth)
        return Accepted(_caller(attempt, conn_id, protocol, attempt.scopes, auth), token)

    def _check_auth(self, attempt: _Attempt, auth: AuthResult) -> None:
        if not auth.is_ok:
            params = attempt.params
            has_device = params.device is not None
            raise Refused(unauthorized(auth.reason, params.client, params.auth, has_device=has_device))

    def _scopes_without_device(self, attempt: _Attempt, auth: AuthResult) -> tuple[str, ...]:
        """Return the scopes a client without device identity keeps (reference 01 §8), or refuse it."""
        is_operator = attempt.role is Role.OPERATOR
        if attempt.is_ui:
            if self._browser.skips_device_auth and is_operator and auth.is_ok:
                return attempt.scopes
            if not (self._browser.allows_insecure_auth and attempt.peer.is_local):
                message = "control ui requires device identity (use HTTPS or localhost secure context)"
                raise Refused(invalid(message, {"code": "CONTROL_UI_DEVICE_IDENTITY_REQUIRED"}))
        if is_operator and auth.is_shared_secret:
            return attempt.scopes if attempt.is_control_ui else ()
        given = attempt.params.auth
        if not auth.is_ok and given is not None and (given.token or given.password):
            raise Refused(unauthorized(auth.reason, attempt.params.client, given, has_device=False))
        details = {"code": "DEVICE_IDENTITY_REQUIRED"}
        raise Refused(ProtocolError(NOT_PAIRED, "device identity required", details=details))

    def _verify_device(self, attempt: _Attempt) -> str:
        """Return the device's public key in its stored form, base64url; refuse a bad signature."""
        device = attempt.params.device
        if device is None:
            raise AssertionError("called for devices only")
        try:
            raw_key = read_public_key(device.public_key)
        except ValueError:
            raw_key = None
        if raw_key is None or device_id_of(raw_key) != device.id:
            raise _device_refusal("device identity mismatch", "DEVICE_ID_MISMATCH", "device-id-mismatch")
        if abs(self._clock.now_ms() - device.signed_at) > MAX_SKEW_MS:
            raise _device_refusal("device signature expired", "SIGNATURE_EXPIRED", "device-signature-stale")
        if not device.nonce.strip():
            raise _device_refusal("device nonce required", "NONCE_REQUIRED", "device-nonce-missing")
        if device.nonce != attempt.nonce:
            raise _device_refusal("device nonce mismatch", "NONCE_MISMATCH", "device-nonce-mismatch")
        if verify(raw_key, device.signature, _signed(attempt)) is None:
            raise _device_refusal("device signature invalid", "SIGNATURE_INVALID", "device-signature")
        return encode_base64url(raw_key)

    async def _try_device_token(self, attempt: _Attempt, auth: AuthResult) -> AuthResult:
        """Accept a verified device's own token when the shared secret was not given or not right."""
        given = attempt.params.auth
        device = attempt.params.device
        if auth.is_ok or given is None or device is None:
            return auth
        if given.bootstrap_token and not given.device_token and not given.token:
            return AuthResult(reason="bootstrap_token_invalid")
        candidate = given.device_token or given.token
        if not candidate:
            return auth
        if self._limiter.locked_for(attempt.peer, DEVICE_TOKEN):
            return AuthResult(reason="rate_limited")
        found = await self._devices.verify_token(candidate, device.id, attempt.role, attempt.scopes)
        if found is not None:
            self._limiter.succeed(attempt.peer, DEVICE_TOKEN)
            return AuthResult("device-token")
        self._limiter.fail(attempt.peer, DEVICE_TOKEN)
        return AuthResult(reason="device_token_mismatch") if given.device_token else auth

    async def _pair(self, attempt: _Attempt, claim: Claim, auth: AuthResult) -> IssuedDeviceToken | None:
        device = await self._devices.get(claim.device_id)
        reason = pairing_need(device, claim)
        if reason is not None:
            if reason == "not-paired" and self._needs_no_pairing(attempt, auth):
                return None
            client = attempt.params.client
            is_page = client.id in BROWSER_CLIENTS or client.mode == "webchat"
            is_foreign_page = attempt.peer.origin is not None and not is_page
            if not is_silent(reason, is_local=attempt.peer.is_local, is_foreign_page=is_foreign_page):
                raise await self._ask(claim, reason)
            device = await self._devices.approve(claim)
            self._announce(claim.device_id)
        if device is None:
            raise AssertionError("approved or known")
        return await self._token(attempt, device, auth)

    async def _token(self, attempt: _Attempt, device: Device, auth: AuthResult) -> IssuedDeviceToken | None:
        """Give a client its own token back, or a new one; a device token never begets one with more rights."""
        given = attempt.params.auth
        presented = (given.device_token or given.token) if given else None
        kept = await self._devices.keep_token(device, attempt.role, presented, attempt.scopes)
        if kept is not None or auth.method == "device-token":
            return kept
        return await self._devices.issue_token(device, attempt.role)

    def _needs_no_pairing(self, attempt: _Attempt, auth: AuthResult) -> bool:
        client = attempt.params.client
        if client.id == "gateway-client" and client.mode == "backend":
            is_known = auth.is_shared_secret or auth.method == "device-token"
            return attempt.peer.is_local and attempt.peer.origin is None and is_known
        is_open = auth.method == "none" or self._browser.skips_device_auth
        return attempt.is_control_ui and attempt.role is Role.OPERATOR and is_open

    async def _ask(self, claim: Claim, reason: PairingReason) -> Refused:
        request = await self._devices.request(claim, reason)
        if request.is_new:
            self._hub.broadcast(DEVICE_PAIR_REQUESTED, request.body)
        details = {"code": "PAIRING_REQUIRED", "requestId": request.id, "reason": reason}
        return Refused(ProtocolError(NOT_PAIRED, "pairing required", details=details))

    def _announce(self, device_id: str) -> None:
        now = self._clock.now_ms()
        body = {"requestId": self._clock.uuid(), "deviceId": device_id, "decision": "approved", "ts": now}
        self._hub.broadcast(DEVICE_PAIR_RESOLVED, body)


def _protocol(params: ConnectParams) -> int:
    version = negotiate(params.min_protocol, params.max_protocol)
    if version is None:
        error = invalid("protocol mismatch", {"expectedProtocol": PROTOCOL_VERSIONS[-1]})
        raise Refused(error, CLOSE_PROTOCOL)
    return version


def _role(params: ConnectParams) -> Role:
    try:
        return Role(params.role or Role.OPERATOR)
    except ValueError:
        raise Refused(invalid("invalid role")) from None


def _signed(attempt: _Attempt) -> SignedConnect:
    params = attempt.params
    device = params.device
    if device is None:
        raise AssertionError("called for devices only")
    return SignedConnect(
        device_id=device.id,
        client_id=params.client.id,
        client_mode=params.client.mode,
        role=params.role or Role.OPERATOR,
        scopes=attempt.scopes,
        signed_at=device.signed_at,
        token=params.auth.signed_token if params.auth else "",
        nonce=device.nonce,
        platform=params.client.platform,
        device_family=params.client.device_family or "",
    )


def _device_refusal(message: str, code: str, reason: str) -> Refused:
    return Refused(invalid(message, {"code": f"DEVICE_AUTH_{code}", "reason": reason}))


def _caller(attempt: _Attempt, conn_id: str, protocol: int, scopes: tuple[str, ...], auth: AuthResult) -> Caller:
    params = attempt.params
    return Caller(
        conn_id=conn_id,
        peer=attempt.peer,
        role=attempt.role,
        scopes=frozenset(scopes) if attempt.role is Role.OPERATOR else frozenset(),
        device_id=params.device.id if params.device else None,
        client_id=params.client.id,
        client_mode=params.client.mode,
        client_version=params.client.version,
        instance_id=params.client.instance_id,
        caps=frozenset(params.caps or ()),
        protocol=protocol,
        auth_method=auth.method or "none",
    )
