"""Operations and events as readers look them up: what the reference pages, in Markdown and HTML, are made of."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from homarus.gateway.operations.examples import example_of, sample
from homarus.gateway.operations.result_schema import ResultSchemas
from homarus.gateway.operations.shapes import TEMPLATE, Shapes, shapes_of
from homarus.protocol.dependent_scopes import dependent_scopes
from homarus.protocol.event_payloads import EVENT_PAYLOADS
from homarus.protocol.events import EVENT_NAMES, rule_of
from homarus.protocol.frames import JsonObject, as_object
from homarus.protocol.method_scopes import scopes_of_call
from homarus.protocol.scopes import Role
from homarus.protocol.versions import PROTOCOL_VERSIONS, V3, V4, exists_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homarus.gateway.operations.registry import Operation

MAX_CHOICES: Final = 12
"""Values of an enumeration that are written out."""


class Field(Struct, frozen=True):
    """A parameter, a member of a result, or of an event."""

    name: str
    type: str
    is_required: bool


class Entry(Struct, frozen=True):
    """An operation or an event. `access` says who, `route` how over REST; `example` is JSON text."""

    name: str
    text: str
    access: str
    versions: str
    route: str | None
    fields: tuple[Field, ...]
    results: tuple[Field, ...]
    example: str

    @property
    def family(self) -> str:
        """Return what the name begins with."""
        return self.name.replace("-", ".").partition(".")[0]

    @property
    def anchor(self) -> str:
        """Return the name as part of an address."""
        return self.name.replace(".", "-").lower()


def operation_entries(operations: Iterable[Operation]) -> list[Entry]:
    """Return every operation by family and name."""
    listed = tuple(operations)
    shapes = shapes_of(listed)
    return sorted((_operation(each, shapes) for each in listed), key=lambda entry: (entry.family, entry.name))


def event_entries() -> list[Entry]:
    """Return every event this gateway sends."""
    shared: dict[str, JsonObject] = {}
    schemas = ResultSchemas(shared, TEMPLATE)
    return [_event(name, schemas, shared) for name in EVENT_PAYLOADS]


def _operation(operation: Operation, shapes: Shapes) -> Entry:
    route = operation.rest
    return Entry(
        name=operation.name,
        text=inspect.cleandoc(operation.run.__doc__ or ""),
        access=access_of(operation),
        versions=versions_of(operation.name),
        route=None if route is None else f"{route.verb} {route.path}",
        fields=fields_of(shapes.params(operation), shapes.shared),
        results=fields_of(shapes.result(operation), shapes.shared),
        example=_json(example_of(operation, shapes)),
    )


def _event(name: str, schemas: ResultSchemas, shared: dict[str, JsonObject]) -> Entry:
    reference = schemas.of(EVENT_PAYLOADS[name])
    schema = _resolved(reference, shared)
    return Entry(
        name=name,
        text=str(schema.get("description", "")),
        access=" or ".join(dict.fromkeys(_hearers(name, version) for version in _versions_with(name))),
        versions=", ".join(map(str, _versions_with(name))),
        route=None,
        fields=fields_of(reference, shared),
        results=(),
        example=_json(sample(schema, shared)),
    )


def _versions_with(event: str) -> list[int]:
    return [version for version, names in EVENT_NAMES.items() if event in names]


def _hearers(event: str, version: int) -> str:
    rule = rule_of(event, version)
    scope = rule.scope if rule is not None else None
    who = "everybody" if scope is None else f"`{scope}`"
    return who if scope is None or rule_of(event, V3) == rule else f"{who} in version {version}"


def access_of(operation: Operation) -> str:
    """Return in words who may call an operation."""
    if operation.role is Role.NODE:
        return "nodes"
    if operation.scope is None:
        return "everybody"
    (newer,) = scopes_of_call(V4, operation.name, operation.scope, dict[str, object])
    text = f"`{operation.scope}`" if newer == operation.scope else f"`{operation.scope}`, `{newer}` in version {V4}"
    return f"{text}, more for some parameters" if dependent_scopes(operation.name, V4) is not None else text


def versions_of(name: str) -> str:
    """Return the protocol versions that have an operation or event."""
    return ", ".join(str(version) for version in PROTOCOL_VERSIONS if exists_in(name, version))


def fields_of(schema: JsonObject, shared: dict[str, JsonObject]) -> tuple[Field, ...]:
    """Return the members of an object, or of any of several, required ones first; none for what is no object."""
    options = cast("list[JsonObject]", schema.get("anyOf", [schema]))
    shapes = [_resolved(each, shared) for each in options]
    properties = {name: each for shape in shapes for name, each in (as_object(shape.get("properties")) or {}).items()}
    always = [cast("list[str]", shape.get("required", [])) for shape in shapes]
    required = {name for name in properties if all(name in names for names in always)}
    fields = (Field(name, type_text(as_object(each) or {}), name in required) for name, each in properties.items())
    known = (field for field in fields if field.type != "null")  # what is refused when it is given
    return tuple(sorted(known, key=lambda field: not field.is_required))


def type_text(schema: JsonObject) -> str:
    """Return a schema in a few words."""
    if isinstance(reference := schema.get("$ref"), str):
        return reference.rpartition("/")[2]
    if isinstance(options := schema.get("anyOf"), list):
        texts = [type_text(each) for each in cast("list[JsonObject]", options)]
        return " or ".join(dict.fromkeys(text for text in texts if text != "null"))
    if isinstance(choices := schema.get("enum"), list):
        return _choices(cast("list[object]", choices))
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("type")
    if kind == "array":
        return f"list of {type_text(as_object(schema.get('items')) or {})}"
    return f"{kind}{_bounds(schema)}" if isinstance(kind, str) else "any"


def _choices(values: list[object]) -> str:
    shown = " or ".join(json.dumps(value) for value in values[:MAX_CHOICES])
    return shown if len(values) <= MAX_CHOICES else f"{shown} or {len(values) - MAX_CHOICES} more"


def _bounds(schema: JsonObject) -> str:
    if schema.get("minLength") == 1 and "maxLength" not in schema:
        return " (not empty)"
    least = schema.get("minimum", schema.get("minLength"))
    most = schema.get("maximum", schema.get("maxLength"))
    unit = " characters" if schema.get("type") == "string" else ""
    if most is not None:
        return f" ({least if least is not None else 0} to {most}{unit})"
    return f" (at least {least}{unit})" if least else ""


def _resolved(schema: JsonObject, shared: dict[str, JsonObject]) -> JsonObject:
    reference = schema.get("$ref")
    return shared[reference.rpartition("/")[2]] if isinstance(reference, str) else schema


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
