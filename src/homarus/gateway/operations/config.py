"""Configuration methods. Nothing leaves without redaction."""

from __future__ import annotations

from homarus.errors import ProtocolError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, Post, operation
from homarus.protocol.base import NoParams
from homarus.protocol.errors import UNAVAILABLE
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope


@operation("config.reload", scope=Scope.ADMIN, rest=Post("/api/config/reload"))
async def reload_config(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Read the configuration file again and take it over; with anything wrong in it, nothing changes."""
    reloader = call.services.reloader
    if reloader is None:
        raise ProtocolError(UNAVAILABLE, "this gateway cannot reload its configuration")
    done = await reloader.reload()
    return {
        "ok": not done.problems,
        "applied": list(done.applied),
        "needsRestart": list(done.needs_restart),
        "channels": list(done.channels),
        "issues": [{"path": each.path, "message": each.message, "fix": each.fix} for each in done.problems],
    }


@operation("config.get", scope=Scope.READ, rest=Get("/api/config"))
async def get_config(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Return the configuration in force with every secret replaced."""
    return call.core.config_view.of(call.services.config.current)
