"""Methods that change the configuration. What is hidden comes back as it was; everything else is checked first."""

from __future__ import annotations

import os
from typing import cast

from homarus.gateway.config_edit import Edited, change_config, merge, parse_raw
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.protocol.config_edit import ConfigPatchParams, ConfigSetParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope


@operation("config.set", scope=Scope.ADMIN)
async def set_config(call: Call, params: ConfigSetParams) -> JsonObject:
    """Replace the whole configuration."""
    edited = await _replace(call, params)
    return {"ok": True, "path": _path(call), "config": edited.shown}


@operation("config.patch", scope=Scope.ADMIN, is_control_write=True)
async def patch_config(call: Call, params: ConfigPatchParams) -> JsonObject:
    """Merge an object into the configuration; null removes a key."""
    patch = parse_raw(params.raw)
    edited = await change_config(
        call.services, lambda tree: _restored(call, merge(tree, patch)), params.base_hash, is_checked=True
    )
    if not edited.is_changed:
        return {"ok": True, "noop": True, "path": _path(call), "config": edited.shown}
    return _taken_over(call, "config.patch", params, edited)


@operation("config.apply", scope=Scope.ADMIN, is_control_write=True)
async def apply_config(call: Call, params: ConfigPatchParams) -> JsonObject:
    """Replace the whole configuration and say what still waits for a restart."""
    return _taken_over(call, "config.apply", params, await _replace(call, params))


async def _replace(call: Call, params: ConfigSetParams) -> Edited:
    tree = parse_raw(params.raw)
    return await change_config(call.services, lambda _old: _restored(call, tree), params.base_hash, is_checked=True)


def _restored(call: Call, tree: object) -> JsonObject:
    from homarus.config.redact import restore  # noqa: PLC0415 - loads every model of the schema

    try:
        return cast("JsonObject", restore(tree, call.services.config.current.written))
    except ValueError as error:
        raise invalid(str(error)) from error


def _path(call: Call) -> str:
    return str(call.services.config.current.path)


def _taken_over(call: Call, method: str, params: ConfigPatchParams, edited: Edited) -> JsonObject:
    """Return the answer: everything that can be is in force already, `needsRestart` names the rest."""
    restart: JsonObject = {
        "ok": True,
        "pid": os.getpid(),
        "signal": "SIGHUP",
        "delayMs": 0,
        "reason": method,
        "mode": "emit",
        "coalesced": False,
        "cooldownMsApplied": 0,
        "needsRestart": list(edited.needs_restart),
    }
    payload: JsonObject = {
        "kind": method.replace(".", "-"),
        "status": "ok",
        "ts": call.services.clock.now_ms(),
        "sessionKey": params.session_key,
        "message": params.note,
        "stats": {"mode": method, "root": str(call.services.state_dir)},
    }
    sentinel: JsonObject = {"path": None, "payload": payload}
    return {"ok": True, "path": _path(call), "config": edited.shown, "restart": restart, "sentinel": sentinel}
