"""How a client learns that a person has to approve its device first (reference 01 §9, v4-differences §4)."""

from __future__ import annotations

from typing import Final

from homarus.errors import ProtocolError
from homarus.gateway.attempt import Attempt, Refused
from homarus.gateway.devices import OpenRequest, PairingReason
from homarus.protocol.errors import CLOSE_POLICY, NOT_PAIRED
from homarus.protocol.frames import JsonObject
from homarus.storage.devices import Device

MESSAGE: Final = "pairing required"
_REQUIREMENTS: Final[dict[PairingReason, str]] = {
    "not-paired": "this device was not approved yet",
    "role-upgrade": "this device asks for a role beyond what was approved",
    "scope-upgrade": "this device asks for scopes beyond what was approved",
    "metadata-upgrade": "platform or family of this device changed since it was approved",
}


def pairing_refusal(attempt: Attempt, request: OpenRequest, reason: PairingReason, device: Device | None) -> Refused:
    """Return the refusal; `device` is what was approved before, None for an unknown one."""
    details: JsonObject = {"code": "PAIRING_REQUIRED", "requestId": request.id, "reason": reason}
    if not attempt.is_v4:
        return Refused(ProtocolError(NOT_PAIRED, MESSAGE, details=details))
    message = f"{MESSAGE}: {_REQUIREMENTS[reason]}"
    details["remediationHint"] = f"approve it on the gateway: homarus devices approve {request.id}"
    details["deviceId"] = request.body["deviceId"]
    details["requestedRole"] = str(attempt.role)
    details["requestedScopes"] = list(attempt.scopes)
    if device is not None:
        details |= {"approvedRoles": list(device.roles), "approvedScopes": list(device.scopes)}
    if not attempt.is_operator:
        # A node waits for its approval; a command line had better tell its user at once.
        details |= {"recommendedNextStep": "wait_then_retry", "retryable": True, "pauseReconnect": False}
    error = ProtocolError(NOT_PAIRED, message, details=details, retryable=None if attempt.is_operator else True)
    return Refused(error, CLOSE_POLICY, f"{message} (requestId: {request.id})")
