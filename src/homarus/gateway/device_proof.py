"""The signature of a device over the challenge (reference 01 §6)."""

from __future__ import annotations

from homarus.gateway.attempt import Attempt, Refused
from homarus.protocol.device_identity import (
    MAX_SKEW_MS,
    SignedConnect,
    device_id_of,
    encode_base64url,
    read_public_key,
    verify,
)
from homarus.protocol.errors import invalid
from homarus.protocol.handshake import ConnectParams, DeviceProof
from homarus.protocol.scopes import Role


def verify_device(attempt: Attempt, device: DeviceProof, now: int) -> str:
    """Return the device's public key in its stored form, base64url; `now` in milliseconds. Raises Refused."""
    try:
        raw_key = read_public_key(device.public_key)
    except ValueError:
        raw_key = None
    if raw_key is None or device_id_of(raw_key) != device.id:
        raise _refusal("device identity mismatch", "DEVICE_ID_MISMATCH", "device-id-mismatch")
    if abs(now - device.signed_at) > MAX_SKEW_MS:
        raise _refusal("device signature expired", "SIGNATURE_EXPIRED", "device-signature-stale")
    if not device.nonce.strip():
        raise _refusal("device nonce required", "NONCE_REQUIRED", "device-nonce-missing")
    if device.nonce != attempt.nonce:
        raise _refusal("device nonce mismatch", "NONCE_MISMATCH", "device-nonce-mismatch")
    if verify(raw_key, device.signature, _signed(attempt.params, device, attempt.requested)) is None:
        raise _refusal("device signature invalid", "SIGNATURE_INVALID", "device-signature")
    return encode_base64url(raw_key)


def _signed(params: ConnectParams, device: DeviceProof, scopes: tuple[str, ...]) -> SignedConnect:
    return SignedConnect(
        device_id=device.id,
        client_id=params.client.id,
        client_mode=params.client.mode,
        role=params.role or Role.OPERATOR,
        scopes=scopes,
        signed_at=device.signed_at,
        token=params.auth.signed_token if params.auth else "",
        nonce=device.nonce,
        platform=params.client.platform,
        device_family=params.client.device_family or "",
    )


def _refusal(message: str, code: str, reason: str) -> Refused:
    return Refused(invalid(message, {"code": f"DEVICE_AUTH_{code}", "reason": reason}))
