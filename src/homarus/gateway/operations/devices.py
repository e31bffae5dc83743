"""Device pairing methods (reference 02, device pairing)."""

from __future__ import annotations

from typing import cast

from homarus.gateway.devices import Claim
from homarus.gateway.hub import Shapes
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.protocol.base import NoParams
from homarus.protocol.device_identity import normalise_fact
from homarus.protocol.errors import CLOSE_DEVICE_REMOVED, invalid
from homarus.protocol.events import DEVICE_PAIR_CHANGED, DEVICE_PAIR_RESOLVED
from homarus.protocol.frames import JsonObject
from homarus.protocol.gateway_admin import (
    DeviceParams,
    DeviceRenameParams,
    DeviceRotateParams,
    DeviceTokenParams,
    PairRequestParams,
)
from homarus.protocol.scopes import Role, Scope, missing_scopes, scopes_of_role
from homarus.storage.devices import Device, DeviceRequest, DeviceToken


@operation("device.pair.list", scope=Scope.PAIRING)
async def list_devices(call: Call, params: NoParams) -> dict[str, list[JsonObject]]:  # noqa: ARG001
    """List paired devices and those that wait for approval."""
    devices = call.core.devices
    pending = [request.request for request in await devices.requests()]
    paired = [_device(device, await devices.tokens(device.id)) for device in await devices.list()]
    here = {connection.caller.device_id for connection in call.core.hub.connections}
    return {"pending": pending, "paired": [{**device, "connected": device["deviceId"] in here} for device in paired]}


@operation("device.pair.approve", scope=Scope.PAIRING)
async def approve_device(call: Call, params: PairRequestParams) -> JsonObject:
    """Pair a device that waits; nobody can grant more than they have."""
    waiting = {request.id: request for request in await call.core.devices.requests()}
    request = waiting.get(params.request_id)
    if request is None:
        raise invalid("unknown requestId")
    claim = _claim(request)
    missing = missing_scopes(call.caller.scopes, scopes_of_role(claim.role, claim.scopes))
    if missing and claim.role is Role.OPERATOR:
        raise call.caller.refusal(missing[0])
    if await call.core.devices.take_request(params.request_id) is None:
        raise invalid("unknown requestId")
    device = await call.core.devices.approve(claim)
    _resolve(call, request, "approved")
    return {"requestId": request.id, "device": _device(device, await call.core.devices.tokens(device.id))}


@operation("device.pair.reject", scope=Scope.PAIRING)
async def reject_device(call: Call, params: PairRequestParams) -> JsonObject:
    """Refuse a device that waits."""
    request = await call.core.devices.take_request(params.request_id)
    if request is None:
        raise invalid("unknown requestId")
    _resolve(call, request, "rejected")
    return {"requestId": request.id, "deviceId": request.device_id}


@operation("device.pair.remove", scope=Scope.PAIRING)
async def remove_device(call: Call, params: DeviceParams) -> JsonObject:
    """Forget a device and close its connections."""
    check_own(call, params.device_id, "device pairing removal denied")
    if not await call.core.devices.remove(params.device_id):
        raise invalid("unknown deviceId")
    await call.core.nodes.pairing.remove(params.device_id)
    call.after_answer(lambda: disconnect(call, params.device_id, None))
    return {"deviceId": params.device_id}


@operation("device.pair.rename", scope=Scope.PAIRING)
async def rename_device(call: Call, params: DeviceRenameParams) -> JsonObject:
    """Give a paired device a name of your own; it stays when the device pairs again."""
    check_own(call, params.device_id, "device pairing rename denied")
    label = params.label.strip()
    if not label:
        raise invalid("label required")
    if not await call.core.devices.rename(params.device_id, label):
        raise invalid("unknown deviceId")
    call.core.hub.broadcast(DEVICE_PAIR_CHANGED, Shapes(None, {}))
    return {"deviceId": params.device_id, "label": label}


@operation("device.token.rotate", scope=Scope.PAIRING)
async def rotate_token(call: Call, params: DeviceRotateParams) -> JsonObject:
    """Replace the tokens of a device and role by a new one."""
    check_own(call, params.device_id, "device token rotation denied")
    device = await call.core.devices.get(params.device_id)
    if device is None or params.role not in device.roles:
        raise invalid("device token rotation denied")
    approved = scopes_of_role(params.role, device.scopes)
    wanted = approved if params.scopes is None else scopes_of_role(params.role, params.scopes)
    is_operator = params.role == Role.OPERATOR
    if missing_scopes(approved, wanted) or (is_operator and missing_scopes(call.caller.scopes, wanted)):
        raise invalid("device token rotation denied")
    issued = await call.core.devices.rotate(device, Role(params.role), tuple(wanted))
    call.after_answer(lambda: disconnect(call, params.device_id, params.role))
    return {
        "deviceId": device.id,
        "role": params.role,
        "token": issued.token,
        "scopes": list(issued.scopes),
        "rotatedAtMs": issued.issued_at,
    }


@operation("device.token.revoke", scope=Scope.PAIRING)
async def revoke_token(call: Call, params: DeviceTokenParams) -> JsonObject:
    """Revoke the tokens of a device and role."""
    check_own(call, params.device_id, "device token revocation denied")
    revoked_at = await call.core.devices.revoke(params.device_id, params.role)
    if revoked_at is None:
        raise invalid("unknown deviceId/role")
    call.after_answer(lambda: disconnect(call, params.device_id, params.role))
    return {"deviceId": params.device_id, "role": params.role, "revokedAtMs": revoked_at}


def check_own(call: Call, device_id: str, message: str) -> None:
    """Let callers without admin scope that are a device themselves touch only that device."""
    own = call.caller.device_id
    if not call.caller.is_admin and own is not None and own != device_id:
        raise invalid(message)


def disconnect(call: Call, device_id: str, role: str | None) -> None:
    """Close the connections of a device, of one role or of all."""
    for connection in call.core.hub.connections:
        caller = connection.caller
        if caller.device_id == device_id and (role is None or caller.role == role):
            connection.disconnect(CLOSE_DEVICE_REMOVED, "device removed")


def _resolve(call: Call, request: DeviceRequest, decision: str) -> None:
    now = call.services.clock.now_ms()
    body: JsonObject = {"requestId": request.id, "deviceId": request.device_id, "decision": decision, "ts": now}
    call.core.hub.broadcast(DEVICE_PAIR_RESOLVED, body)


def _claim(request: DeviceRequest) -> Claim:
    body = request.request
    names = ("displayName", "platform", "deviceFamily", "clientId", "clientMode", "remoteIp")
    return Claim(
        device_id=request.device_id,
        public_key=str(body["publicKey"]),
        role=Role(str(body["role"])),
        scopes=tuple(str(scope) for scope in cast("list[object]", body.get("scopes") or [])),
        platform=normalise_fact(str(body.get("platform") or "")),
        device_family=normalise_fact(str(body.get("deviceFamily") or "")),
        facts={name: body[name] for name in names if name in body},
    )


def _device(device: Device, tokens: list[DeviceToken]) -> JsonObject:
    newest: dict[str, DeviceToken] = {token.role: token for token in tokens}
    return {
        "deviceId": device.id,
        "publicKey": device.public_key,
        **device.record,
        "role": str(Role.OPERATOR) if Role.OPERATOR in device.roles else next(iter(device.roles), ""),
        "roles": list(device.roles),
        "scopes": list(device.scopes),
        "createdAtMs": device.created_at,
        "approvedAtMs": device.approved_at,
        "tokens": [_token(token) for token in newest.values()],
    }


def _token(token: DeviceToken) -> JsonObject:
    times = {"rotatedAtMs": token.rotated_at, "revokedAtMs": token.revoked_at, "lastUsedAtMs": token.last_used_at}
    summary: JsonObject = {"role": token.role, "scopes": list(token.scopes), "createdAtMs": token.created_at}
    return summary | {name: value for name, value in times.items() if value is not None}
