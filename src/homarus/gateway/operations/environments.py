"""Where work is done, and how much of it: this machine, the nodes, and the lanes of runs."""

from __future__ import annotations

import platform

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.nodes import list_known
from homarus.gateway.operations.registry import operation
from homarus.protocol.base import NoParams
from homarus.protocol.frames import JsonObject
from homarus.protocol.page_lists import EnvironmentsParams
from homarus.protocol.scopes import Scope

LOCAL = "gateway"


@operation("environments.list", scope=Scope.READ)
async def list_environments(call: Call, params: EnvironmentsParams) -> JsonObject:
    """List the machines that can work: the gateway's own and those of nodes."""
    here: JsonObject = {
        "id": LOCAL,
        "type": "local",
        "label": "Gateway",
        "status": "available",
        "platform": platform.system().lower(),
        "sessionHost": True,
    }
    rows = [here, *(_node(each) for each in await list_known(call))]
    found: JsonObject = {"environments": [row for row in rows if params.runtime_id in (None, row["id"])]}
    return {**found, "profiles": []} if params.projection else found


@operation("diagnostics.lanes", scope=Scope.READ)
async def list_lanes(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Tell how many turns go on, of how many that may, and how many messages wait for one."""
    load = call.services.runs.load()
    counts = {"activeCount": load.running, "queuedCount": load.waiting, "maxConcurrent": load.limit}
    main = {"lane": "main", **counts}
    return {"ts": call.services.clock.now_ms(), "lanes": [main], "dynamic": None}


def _node(row: JsonObject) -> JsonObject:
    name = row.get("displayName") or row["nodeId"]
    shown = {
        "id": row["nodeId"],
        "type": "node",
        "label": name,
        "status": "available" if row.get("connected") else "unavailable",
        "platform": row.get("platform"),
        "lastConnectedAtMs": row.get("connectedAtMs"),
    }
    return {key: value for key, value in shown.items() if value is not None}
