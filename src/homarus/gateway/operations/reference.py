"""The reference page of operations and events: `python -m homarus.gateway.operations.reference FILE`."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from homarus.gateway.json_rpc.methods import METHODS
from homarus.gateway.operations.catalogue import build_registry
from homarus.gateway.operations.entries import event_entries, operation_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homarus.gateway.operations.entries import Entry, Field

_HEAD = """\
# Operations and events

Written by `make docs` from the operations themselves. Each can be called over the WebSocket protocol and
[JSON-RPC](../api.md#json-rpc) by its name, by `homarus gateway call NAME`, and over REST where a route is given. Words
in `code` behind "for" are scopes: `operator.admin` includes all of them, `operator.write` includes `operator.read`.
"""
_METHODS = """
## JSON-RPC names

These methods are operations in other words; all others are called by their own names.

| method | operation | parameters |
|---|---|---|
"""
_EVENTS = """
# Events

Sent to connections, and as notifications over JSON-RPC. "Everybody" means every authenticated connection.
"""


def render() -> str:
    """Return the page as Markdown."""
    entries = operation_entries(build_registry().operations)
    parts = [_HEAD, _contents(entries), *(_section(entry, "parameter") for entry in entries), _METHODS]
    parts.extend(f"| `{each.name}` | `{each.operation}` | {_names(each.params)} |\n" for each in METHODS.values())
    parts.append(_EVENTS)
    parts.extend(_section(entry, "member") for entry in event_entries())
    return "".join(parts)


def _contents(entries: Iterable[Entry]) -> str:
    lines = [
        f"- {', '.join(f'[{entry.name}](#{_slug(entry.name)})' for entry in members)}\n"
        for _family, members in groupby(entries, key=lambda entry: entry.family)
    ]
    return "\n" + "".join(lines)


def _section(entry: Entry, column: str) -> str:
    facts = [f"For {entry.access}", f"protocol {entry.versions}", *([f"`{entry.route}`"] if entry.route else [])]
    parts = [f"\n## {entry.name}\n\n{entry.text}\n\n{' · '.join(facts)}\n"]
    if entry.fields:
        parts.append(_table(column, entry.fields))
    if entry.example != "{}":
        parts.append(f"\n```json\n{entry.example}\n```\n")
    if entry.results:
        parts.append(_table("result", entry.results))
    return "".join(parts)


def _table(column: str, fields: Iterable[Field]) -> str:
    rows = [
        f"| `{field.name}` | {field.type.replace('|', chr(92) + '|')} | {'required' if field.is_required else ''} |\n"
        for field in fields
    ]
    return f"\n| {column} | type | |\n|---|---|---|\n{''.join(rows)}"


def _names(model: type) -> str:
    from homarus.protocol.base import to_wire  # noqa: PLC0415 - beside its only use

    return ", ".join(f"`{to_wire(name)}`" for name in getattr(model, "model_fields", {}))


def _slug(name: str) -> str:
    return name.replace(".", "").lower()


def main() -> None:
    """Write the page to the file named on the command line, or print it."""
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(render(), encoding="utf-8")
    else:
        sys.stdout.write(render())


if __name__ == "__main__":
    main()
