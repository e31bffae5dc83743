"""Calling an operation for a client that gets one answer and no events: over REST, and JSON-RPC by POST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homarus.gateway.operations.call import Call

if TYPE_CHECKING:
    from homarus.gateway.caller import Caller
    from homarus.gateway.core import GatewayCore


async def call_once(core: GatewayCore, caller: Caller, method: str, params: object) -> object:
    """Return the final answer; what the call subscribed to is forgotten. Raises HomarusError."""
    call = Call(core, caller, method)
    try:
        return await core.registry.invoke(call, params)
    finally:
        call.finish()
        core.hub.remove(caller.conn_id)
        core.feed.forget(caller.conn_id)
