"""The operations of this version on the screen; no gateway has to run."""

from __future__ import annotations

from msgspec import to_builtins

from homarus.cli.exits import UsageFailure
from homarus.cli.screen import facts, say, show_json, table
from homarus.gateway.operations.catalogue import build_registry
from homarus.gateway.operations.entries import Entry, operation_entries


def list_operations(*, as_json: bool) -> None:
    """Print every operation with who may call it and its route."""
    entries = operation_entries(build_registry().operations)
    if as_json:
        show_json({"operations": [to_builtins(entry) for entry in entries]})
        return
    rows = ((entry.name, entry.access.replace("`", ""), entry.route or "", _summary(entry)) for entry in entries)
    table(("NAME", "FOR", "REST", "WHAT"), rows, empty="none")


def describe_operation(name: str, *, as_json: bool) -> None:
    """Print one operation: what it takes, an example, and what it returns. Raises UsageFailure for an unknown one."""
    found = next((each for each in operation_entries(build_registry().operations) if each.name == name), None)
    if found is None:
        raise UsageFailure(f"there is no operation {name!r}", fix="see them all with: homarus gateway operations")
    if as_json:
        show_json(to_builtins(found))
        return
    say(found.text)
    say()
    known = [("For", found.access.replace("`", "")), ("Protocol", found.versions), ("REST", found.route or "no route")]
    facts(known)
    for title, fields in (("PARAMETER", found.fields), ("RESULT", found.results)):
        if fields:
            say()
            rows = ((each.name, each.type + (", required" if each.is_required else "")) for each in fields)
            table((title, "TYPE"), rows, empty="")
    say()
    say(f"homarus gateway call {found.name} --params '{' '.join(found.example.split())}'")


def _summary(entry: Entry) -> str:
    return entry.text.partition("\n")[0]
