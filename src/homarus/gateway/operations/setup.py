"""Setup codes for devices nobody has approved yet."""

from __future__ import annotations

import logging

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.settings import GatewaySettings
from homarus.gateway.setup_codes import PROFILES
from homarus.gateway.setup_url import is_own, setup_url
from homarus.protocol.frames import JsonObject
from homarus.protocol.gateway_admin import SetupCodeParams
from homarus.protocol.scopes import Scope
from homarus.protocol.setup_code import SetupCode, write_setup_code

log = logging.getLogger("homarus.gateway.devices")


async def _tailnet_url(settings: GatewaySettings) -> str | None:
    """Return the address tailscaled serves this gateway at, None when it does not. Raises Transient."""
    if settings.tailscale.mode == "off":
        return None
    from homarus.gateway.tailscale.exposure import machine_name  # noqa: PLC0415 - off for most
    from homarus.gateway.tailscale.program import TailscaleProgram  # noqa: PLC0415

    socket = settings.tailscale.socket
    return f"wss://{await machine_name(TailscaleProgram(str(socket) if socket else None))}"


@operation("device.pair.setupCode", scope=Scope.ADMIN)
async def make_setup_code(call: Call, params: SetupCodeParams) -> JsonObject:
    """Make a code that pairs one device within ten minutes, for what its profile names."""
    profile = params.bootstrap_profile or "limited"
    settings = call.core.bound
    url = setup_url(settings, params.public_url or await _tailnet_url(settings))
    pin = call.core.tls_fingerprint() if is_own(url, settings) else None
    issued = await call.core.setup_codes.issue(PROFILES[profile])
    code = write_setup_code(SetupCode(url, issued.token, pin))
    log.info("a setup code (%s) was made by %s", profile, call.caller.device_id or call.caller.client_id)
    grant = PROFILES[profile]
    return {
        "setupCode": code,
        "gatewayUrl": url,
        "expiresAtMs": issued.expires_at,
        "roles": [str(role) for role in grant.roles],
        "scopes": list(grant.scopes),
    }
