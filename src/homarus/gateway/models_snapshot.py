"""`models.snapshot`: the models a page asked for already while connecting (v4-differences §2 and §5)."""

from __future__ import annotations

import logging

from homarus.errors import HomarusError
from homarus.gateway.caller import Caller
from homarus.gateway.core import GatewayCore
from homarus.protocol.events import MODELS_SNAPSHOT
from homarus.protocol.frames import JsonObject, as_object
from homarus.protocol.scopes import Scope
from homarus.sessions.keys import parse_key
from homarus.storage.records import SessionFilter

log = logging.getLogger("homarus.gateway")


async def tell_models(core: GatewayCore, caller: Caller, wanted: object) -> None:
    """Tell a client that may read what it can choose from; a target that does not exist gets nothing."""
    target = as_object(wanted)
    if target is None or not caller.is_v4 or not caller.has(Scope.READ):
        return
    from homarus.gateway.model_rows import model_rows  # noqa: PLC0415 - only pages ask

    try:
        scope = await _scope(core, target)
        catalog: JsonObject = {"models": model_rows(core.services)}
    except HomarusError as error:
        log.info("conn %s was not told its models: %s", caller.conn_id, error.message)
        return
    if scope is not None:
        core.hub.tell(caller.conn_id, MODELS_SNAPSHOT, {"target": target, "scope": scope, "catalog": catalog})


async def _scope(core: GatewayCore, target: JsonObject) -> JsonObject | None:
    """Return the agent and session a target means, None when there is no such session."""
    agents = core.services.agents.list()
    default = next(agent.id for agent in agents if agent.is_default)
    given, key, short = (target.get(name) for name in ("agentId", "sessionKey", "shortId"))
    named = given.strip().lower() if isinstance(given, str) else default
    agent = named if any(each.id == named for each in agents) else default
    if isinstance(key, str):
        found = parse_key(key)
        return {"agentId": found.agent_id, "sessionKey": str(found)}
    if not isinstance(short, str) or not short.strip():
        return {"agentId": agent}
    sessions = await core.services.sessions.list(SessionFilter(agent_id=agent, search=short.strip(), limit=20))
    match = next((each for each in sessions if each.session_id.startswith(short.strip().lower())), None)
    return None if match is None else {"agentId": match.agent_id, "sessionKey": match.key}
