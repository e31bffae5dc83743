"""Wake words: which words wake a microphone, and where what is said after them goes."""

from __future__ import annotations

from homarus.gateway.hub import Shapes
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.target import runnable_key
from homarus.nodes.voicewake import read_triggers, write_triggers
from homarus.nodes.wake_routing import read_routing, write_routing
from homarus.protocol.base import IgnoredParams
from homarus.protocol.events import VOICEWAKE_CHANGED, VOICEWAKE_ROUTING_CHANGED
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Role, Scope
from homarus.protocol.voicewake import VoicewakeParams, VoicewakeRoutingParams, WakeTarget


@operation("voicewake.get", scope=Scope.READ)
async def get_voicewake(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Return the words that wake microphones."""
    return {"triggers": await read_triggers(call.services.database)}


@operation("voicewake.set", scope=Scope.WRITE)
async def set_voicewake(call: Call, params: VoicewakeParams) -> JsonObject:
    """Change the words that wake microphones and tell every node."""
    triggers = await write_triggers(call.services.database, call.services.clock, params.triggers)
    call.core.hub.broadcast(VOICEWAKE_CHANGED, {"triggers": triggers})
    _tell_nodes(call, VOICEWAKE_CHANGED, {"triggers": triggers})
    return {"triggers": triggers}


@operation("voicewake.routing.get", scope=Scope.READ)
async def get_routing(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """Return where what is said after a wake word goes; a word without a route goes to the default target."""
    return {"config": await read_routing(call.services.database)}


@operation("voicewake.routing.set", scope=Scope.WRITE)
async def set_routing(call: Call, params: VoicewakeRoutingParams) -> JsonObject:
    """Change where what is said after a wake word goes, and tell every node.

    A target is `{"mode": "current"}`, the main session of an `agentId`, or a `sessionKey`.
    """
    wanted = params.config
    for target in (wanted.default_target, *(route.target for route in wanted.routes)):
        _check(call, target)
    config = await write_routing(call.services.database, call.services.clock, wanted)
    call.core.hub.broadcast(VOICEWAKE_ROUTING_CHANGED, Shapes(None, {"config": config}))
    _tell_nodes(call, VOICEWAKE_ROUTING_CHANGED, {"config": config})
    return {"config": config}


def _check(call: Call, target: WakeTarget) -> None:
    """Raise ProtocolError for a target that names no agent here."""
    if target.session_key is not None:
        runnable_key(call, target.session_key)
    elif target.agent_id is not None:
        runnable_key(call, f"agent:{target.agent_id}:main")


def _tell_nodes(call: Call, event: str, payload: JsonObject) -> None:
    """With version 4 the broadcast is for operators who may read, so nodes are told one by one."""
    for caller in (connection.caller for connection in call.core.hub.connections):
        if caller.role is Role.NODE and caller.is_v4:
            call.core.hub.tell(caller.conn_id, event, payload)
