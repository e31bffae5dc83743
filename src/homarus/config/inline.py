"""A JSON Schema without references: forms in browsers look at one node at a time and follow none."""

from __future__ import annotations

from typing import Final, cast

Node = dict[str, object]
_DROPPED: Final = frozenset({"$defs", "discriminator"})
"""What speaks of definitions: a discriminator maps its values to them."""
_ANYTHING: Final = frozenset({"title", "description", "default"})


def inline(schema: Node) -> Node:
    """Return a schema with every `$ref` into `$defs` replaced by what it names.

    A definition that contains itself ends at its second appearance in one that admits anything.
    """
    definitions = cast("dict[str, Node]", schema.get("$defs") or {})
    return cast("Node", _inline(schema, definitions, ()))


def _inline(value: object, definitions: dict[str, Node], open_names: tuple[str, ...]) -> object:
    if isinstance(value, list):
        return [_inline(each, definitions, open_names) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    node = cast("Node", value)
    reference = node.get("$ref")
    if isinstance(reference, str):
        return _named(reference.rpartition("/")[2], node, definitions, open_names)
    return {name: _inline(each, definitions, open_names) for name, each in node.items() if name not in _DROPPED}


def _named(name: str, node: Node, definitions: dict[str, Node], open_names: tuple[str, ...]) -> Node:
    own = {key: value for key, value in node.items() if key != "$ref"}
    if name in open_names or name not in definitions:
        return {key: value for key, value in own.items() if key in _ANYTHING}
    found = cast("Node", _inline(definitions[name], definitions, (*open_names, name)))
    return {**found, **own}
