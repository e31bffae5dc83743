"""The REST routes, as the operations of the registry declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homarus.gateway.operations.registry import Operation


class Match(Struct, frozen=True):
    """An operation a path leads to, with the parameters the path carries."""

    operation: Operation
    values: dict[str, str]


class _Entry(Struct, frozen=True):
    verb: str
    parts: tuple[str, ...]
    operation: Operation


class RouteTable:
    """Finds operations by path; a part that is written out wins over one that is a parameter.

    Raises ValueError when two operations declare the same route.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        entries = [
            _Entry(each.rest.verb, tuple(each.rest.path.split("/")), each)
            for each in operations
            if each.rest is not None
        ]
        self._entries = sorted(entries, key=lambda entry: sum(map(_is_parameter, entry.parts)))
        shapes = [(entry.verb, tuple("{}" if _is_parameter(p) else p for p in entry.parts)) for entry in entries]
        if len(set(shapes)) != len(shapes):
            raise ValueError(f"declared twice: {sorted({shape for shape in shapes if shapes.count(shape) > 1})}")

    def find(self, raw_path: str) -> dict[str, Match]:
        """Return what a path, still percent-encoded, leads to, by verb; empty for no route."""
        parts = [unquote(part, errors="replace") for part in raw_path.split("/")]
        found: dict[str, Match] = {}
        fewest: int | None = None
        for entry in self._entries:
            values = _match(entry.parts, parts)
            if values is not None and (fewest is None or len(values) == fewest):
                fewest = len(values)
                found[entry.verb] = Match(entry.operation, values)
        return found


def _is_parameter(part: str) -> bool:
    return part.startswith("{")


def _match(template: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(template) != len(parts):
        return None
    values: dict[str, str] = {}
    for name, part in zip(template, parts, strict=True):
        if _is_parameter(name):
            if not part:
                return None
            values[name[1:-1]] = part
        elif name != part:
            return None
    return values
