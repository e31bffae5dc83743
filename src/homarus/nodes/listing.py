"""Known nodes as clients list them: what is stored, overlaid with what is connected now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from msgspec import Struct

from homarus.nodes.registry import NodeFacts, NodeSession
from homarus.storage.nodes import NodeRow

_STORED = ("displayName", "platform", "version", "coreVersion", "uiVersion", "deviceFamily", "modelIdentifier")


class PairedDevice(Struct, frozen=True):
    """A device that may connect as a node. `record` are its descriptive fields."""

    id: str
    record: Mapping[str, object]
    approved_at: int


def known_nodes(
    sessions: Iterable[NodeSession], approved: Iterable[NodeRow], devices: Iterable[PairedDevice]
) -> list[dict[str, object]]:
    """Return every known node, connected ones first, then by name and id."""
    live = {session.node_id: session for session in sessions}
    stored = {row.id: row for row in approved}
    paired = {device.id: device for device in devices}
    ids = dict.fromkeys((*live, *stored, *paired))
    entries = [_entry(each, live.get(each), stored.get(each), paired.get(each)) for each in ids]
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
    caps, commands = _stored_lists(row)
    if session is not None:
        entry |= _live(session.facts)
        entry["connectedAtMs"] = session.connected_at
        caps, commands = session.facts.caps, session.facts.commands
    if row is not None and row.name:
        entry["displayName"] = row.name
    entry["caps"], entry["commands"] = sorted(set(caps)), sorted(set(commands))
    entry["paired"] = row is not None or device is not None
    entry["connected"] = session is not None
    return entry


def _stored_lists(row: NodeRow | None) -> tuple[Sequence[str], Sequence[str]]:
    return _texts(row, "caps"), _texts(row, "commands")


def _texts(row: NodeRow | None, name: str) -> tuple[str, ...]:
    found = None if row is None else row.record.get(name)
    return tuple(str(item) for item in cast("list[object]", found)) if isinstance(found, list) else ()


def _live(facts: NodeFacts) -> dict[str, object]:
    entry = {name: value for name, value in facts.record().items() if name not in ("caps", "commands")}
    entry |= {"clientId": facts.client_id, "clientMode": facts.client_mode}
    if facts.path_env:
        entry["pathEnv"] = facts.path_env
    return entry
