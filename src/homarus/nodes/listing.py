"""Known nodes as clients list them: what is stored, overlaid with what is connected now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from msgspec import Struct

from homarus.nodes.registry import NodeFacts, NodeSession
from homarus.storage.nodes import NodeRequest, NodeRow

_STORED = ("displayName", "platform", "version", "coreVersion", "uiVersion", "deviceFamily", "modelIdentifier")


class PairedDevice(Struct, frozen=True):
    """A device that may connect as a node. `record` are its descriptive fields."""

    id: str
    record: Mapping[str, object]
    approved_at: int


def known_nodes(
    sessions: Iterable[NodeSession],
    approved: Iterable[NodeRow],
    devices: Iterable[PairedDevice],
    requests: Iterable[NodeRequest] = (),
) -> list[dict[str, object]]:
    """Return every known node, connected ones first, then by name and id; `requests` wait for approval."""
    live = {session.node_id: session for session in sessions}
    stored = {row.id: row for row in approved}
    paired = {device.id: device for device in devices}
    waiting = {request.node_id: request for request in requests}
    ids = dict.fromkeys((*live, *stored, *paired))
    entries = [
        _entry(each, live.get(each), stored.get(each), paired.get(each))
        | _approval(stored.get(each), waiting.get(each))
        for each in ids
    ]
    return sorted(entries, key=lambda entry: (not entry["connected"], str(entry.get("displayName") or entry["nodeId"])))


def _entry(
    node_id: str, session: NodeSession | None, row: NodeRow | None, device: PairedDevice | None
) -> dict[str, object]:
    entry: dict[str, object] = {"nodeId": node_id}
    if device is not None:
        names = ("displayName", "platform", "deviceFamily", "clientId", "clientMode", "remoteIp")
        entry |= {name: device.record[name] for name in names if device.record.get(name)}
        entry["approvedAtMs"] = device.approved_at
    if row is not None:
        names = (*_STORED, "remoteIp", "permissions")
        entry |= {name: row.record[name] for name in names if row.record.get(name)}
        entry["approvedAtMs"] = row.approved_at
        if row.connected_at is not None:
            entry["lastConnectedAtMs"] = row.connected_at
    caps, commands = stored_names(row, "caps"), stored_names(row, "commands")
    if session is not None:
        entry |= _live(session.facts)
        entry["connectedAtMs"] = session.connected_at
        entry |= {"nodePluginTools": session.published.get("tools", [])}
        entry |= {"hostStats": session.published["hostStats"]} if "hostStats" in session.published else {}
        caps, commands = session.facts.caps, session.facts.commands
    if row is not None and row.name:
        entry["displayName"] = row.name
    entry["caps"], entry["commands"] = sorted(set(caps)), sorted(set(commands))
    entry["paired"] = row is not None or device is not None
    entry["connected"] = session is not None
    return entry


def stored_names(row: NodeRow | None, name: str) -> tuple[str, ...]:
    """Return the capabilities or commands that were approved of a node."""
    found = None if row is None else row.record.get(name)
    return tuple(str(item) for item in cast("list[object]", found)) if isinstance(found, list) else ()


def _approval(row: NodeRow | None, request: NodeRequest | None) -> dict[str, object]:
    if request is None:
        return {"approvalState": "approved" if row is not None else "unapproved"}
    state: dict[str, object] = {"approvalState": "pending-approval" if row is None else "pending-reapproval"}
    state |= {"pendingRequestId": request.id, "pendingDeclaredCaps": request.request.get("caps", [])}
    return state | {"pendingDeclaredCommands": request.request.get("commands", [])}


def _live(facts: NodeFacts) -> dict[str, object]:
    entry = {name: value for name, value in facts.record().items() if name not in {"caps", "commands"}}
    entry |= {"clientId": facts.client_id, "clientMode": facts.client_mode}
    if facts.path_env:
        entry["pathEnv"] = facts.path_env
    return entry
