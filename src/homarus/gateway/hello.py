"""`hello-ok`: what a client is told once it is in (reference 01 §10)."""

from __future__ import annotations

from homarus import __version__
from homarus.gateway.core import GatewayCore
from homarus.gateway.handshake import Accepted
from homarus.protocol.events import EVENT_NAMES
from homarus.protocol.frames import JsonObject
from homarus.protocol.handshake import POLICY, HelloOk
from homarus.sessions.keys import MAIN


def hello_ok(core: GatewayCore, accepted: Accepted) -> HelloOk:
    """Return the payload; only admins are told where files are."""
    caller = accepted.caller
    hello: HelloOk = {
        "type": "hello-ok",
        "protocol": caller.protocol,
        "server": {"version": __version__, "connId": caller.conn_id},
        "features": {"methods": list(core.registry.listed), "events": list(EVENT_NAMES)},
        "snapshot": snapshot(core, is_admin=caller.is_admin),
        "policy": POLICY,
    }
    token = accepted.token
    if token is not None:
        hello["auth"] = {
            "deviceToken": token.token,
            "role": token.role,
            "scopes": list(token.scopes),
            "issuedAtMs": token.issued_at,
        }
    return hello


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
