"""`hello-ok`: what a client is told once it is in (reference 01 §10)."""

from __future__ import annotations

from typing import Final

from homarus import __version__
from homarus.gateway.core import GatewayCore
from homarus.gateway.devices import IssuedDeviceToken
from homarus.gateway.handshake import Accepted
from homarus.protocol.events import EVENT_NAMES
from homarus.protocol.frames import MAX_IMAGE, JsonObject
from homarus.protocol.handshake import POLICY, Attachments, Granted, HelloOk
from homarus.sessions.keys import MAIN

CAPABILITIES: Final = ("model-catalog-snapshot",)
"""Optional promises of version 4 that this gateway keeps; clients do without those that are not listed."""
_ATTACHMENTS: Final[Attachments] = {"maxBytes": MAX_IMAGE, "maxImageBytes": MAX_IMAGE}


def hello_ok(core: GatewayCore, accepted: Accepted) -> HelloOk:
    """Return the payload in the shape of the connection's version; only admins are told where files are."""
    caller = accepted.caller
    is_v4 = caller.is_v4
    hello: HelloOk = {
        "type": "hello-ok",
        "protocol": caller.protocol,
        "server": {"version": __version__, "connId": caller.conn_id},
        "features": {
            "methods": list(core.registry.listed_in(caller.protocol)),
            "events": list(EVENT_NAMES[caller.protocol]),
        },
        "snapshot": snapshot(core, is_admin=caller.is_admin),
        "policy": {**POLICY, "attachments": _ATTACHMENTS} if is_v4 else POLICY,
    }
    if is_v4:
        # A page of another build would reload itself for ever; "configured" says that the page is not ours to match.
        hello["server"]["controlUiBuildSource"] = "configured"
        hello["features"]["capabilities"] = list(CAPABILITIES)
        hello["snapshot"]["suspension"] = {"phase": "accepting"}
        hello["auth"] = _granted(accepted)
    elif accepted.token is not None:
        hello["auth"] = _issued(accepted.token)
    if "auth" in hello and accepted.handed_off:
        hello["auth"]["deviceTokens"] = [dict(_issued(token)) for token in accepted.handed_off]
    return hello


def _granted(accepted: Accepted) -> Granted:
    """Return what the connection may do, and the token of its device if it has one."""
    caller = accepted.caller
    granted: Granted = {"method": caller.auth_method, "role": str(caller.role), "scopes": list(accepted.scopes)}
    if accepted.token is not None:
        granted["deviceToken"] = accepted.token.token
        granted["issuedAtMs"] = accepted.token.issued_at
    return granted


def _issued(token: IssuedDeviceToken) -> Granted:
    return {
        "deviceToken": token.token,
        "role": token.role,
        "scopes": list(token.scopes),
        "issuedAtMs": token.issued_at,
    }


def snapshot(core: GatewayCore, *, is_admin: bool) -> JsonObject:
    """Return the state a client begins with."""
    services = core.services
    default = next(agent.id for agent in services.agents.list() if agent.is_default)
    config = services.config.current
    body: JsonObject = {
        "presence": core.presence.list(),
        "health": core.health.snapshot or {},
        "stateVersion": core.state_version(),
        "uptimeMs": round(core.uptime * 1000),
        "sessionDefaults": {
            "defaultAgentId": default,
            "mainKey": MAIN,
            "mainSessionKey": f"agent:{default}:{MAIN}",
            "scope": config.config.session.scope,
        },
    }
    if is_admin:
        body["configPath"] = str(config.path)
        body["stateDir"] = str(services.state_dir)
        body["authMode"] = core.auth.mode
    return body
