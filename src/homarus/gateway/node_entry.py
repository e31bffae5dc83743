"""A node comes in: its pairing request, its place among the connected nodes, its wake words."""

from __future__ import annotations

import logging

from homarus.errors import HomarusError
from homarus.gateway.caller import Caller
from homarus.gateway.core import GatewayCore
from homarus.nodes.registry import NodeFacts
from homarus.nodes.voicewake import read_triggers
from homarus.nodes.wake_routing import read_routing
from homarus.protocol.events import NODE_PAIR_REQUESTED, VOICEWAKE_CHANGED, VOICEWAKE_ROUTING_CHANGED
from homarus.protocol.handshake import ConnectParams

log = logging.getLogger("homarus.gateway.nodes")

MAX_NAMES = 512
"""Capabilities or commands of one node that are looked at."""
MAX_LENGTH = 256
MAX_PATH = 32_768
"""Characters of one fact, and of the node's PATH."""


async def admit_node(core: GatewayCore, caller: Caller, params: ConnectParams) -> None:
    """File the pairing request of a node that is not approved yet, before it is told it is in. Raises StorageError."""
    request = await core.nodes.admit(_id_of(caller), _facts(caller, params), is_gated=caller.is_v4)
    if request is not None:
        core.hub.broadcast(NODE_PAIR_REQUESTED, request.request)


def enter_node(core: GatewayCore, caller: Caller, params: ConnectParams) -> None:
    """Let a node be invoked from now on."""
    session = core.nodes.connect(_id_of(caller), caller.conn_id, _facts(caller, params))
    log.info("node %s connected with %d commands", session.node_id, len(session.facts.commands))


async def greet_node(core: GatewayCore, caller: Caller) -> None:
    """Tell a node that is in the wake words and, from version 4 on, where what is said after them goes."""
    database = core.services.database
    try:
        core.hub.tell(caller.conn_id, VOICEWAKE_CHANGED, {"triggers": await read_triggers(database)})
        if caller.is_v4:
            core.hub.tell(caller.conn_id, VOICEWAKE_ROUTING_CHANGED, {"config": await read_routing(database)})
    except HomarusError as error:
        log.warning("node %s was not told the wake words: %s", _id_of(caller), error.message)


def _id_of(caller: Caller) -> str:
    return caller.device_id or caller.client_id


def _facts(caller: Caller, params: ConnectParams) -> NodeFacts:
    client = params.client
    return NodeFacts(
        client_id=client.id,
        client_mode=client.mode,
        platform=client.platform[:MAX_LENGTH],
        version=client.version[:MAX_LENGTH],
        display_name=_cut(client.display_name),
        device_family=_cut(client.device_family),
        model_identifier=_cut(client.model_identifier),
        remote_ip=None if caller.peer.is_local else caller.peer.address,
        path_env=params.path_env[:MAX_PATH] if params.path_env else None,
        caps=_names(params.caps),
        commands=_names(params.commands),
        permissions=dict(list(params.permissions.items())[:MAX_NAMES]) if params.permissions else None,
    )


def _cut(text: str | None) -> str | None:
    return text.strip()[:MAX_LENGTH] or None if text else None


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name[:MAX_LENGTH] for name in (given or [])[:MAX_NAMES])
