"""The shapes of operations as JSON Schema: for the OpenAPI document and the reference pages. Loaded when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_type_hints

from msgspec import Struct
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from homarus.gateway.operations.result_schema import ResultSchemas
from homarus.protocol.frames import JsonObject
from homarus.protocol.results.table import RESULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homarus.gateway.operations.registry import Operation
    from homarus.protocol.base import Params

TEMPLATE: Final = "#/components/schemas/{model}"
_MODE: Final[JsonSchemaMode] = "validation"


class Shapes(Struct, frozen=True):
    """Parameters and results of operations. `shared` are the schemas others refer to, by name."""

    shared: dict[str, JsonObject]
    results: dict[str, JsonObject]

    def params(self, operation: Operation) -> JsonObject:
        """Return the schema of an operation's parameters."""
        return self.shared[operation.params.__name__]

    def result(self, operation: Operation) -> JsonObject:
        """Return the schema of an operation's result."""
        return self.results[operation.name]


def shapes_of(operations: Iterable[Operation]) -> Shapes:
    """Return the shapes of operations; some tenths of a second of CPU, so not on the event loop."""
    listed = tuple(operations)
    models: set[type[Params]] = {each.params for each in listed}
    ordered = sorted(models, key=lambda model: model.__name__)
    _keys, found = models_json_schema([(model, _MODE) for model in ordered], ref_template=TEMPLATE)
    shared: dict[str, JsonObject] = dict(cast("dict[str, JsonObject]", found["$defs"]))
    results: dict[str, JsonObject] = {}
    schemas = ResultSchemas(shared, TEMPLATE)
    for each in listed:
        results[each.name] = schemas.of(RESULTS.get(each.name) or get_type_hints(each.run)["return"])
    return Shapes({name: _plain(schema) for name, schema in sorted(shared.items())}, results)


def _plain(schema: JsonObject) -> JsonObject:
    """Return a schema without the titles pydantic makes of names: they say nothing new."""
    return {name: _without_title(value) for name, value in schema.items() if name != "title"}


def _without_title(value: object) -> object:
    if isinstance(value, list):
        return [_without_title(each) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("JsonObject", value)
    return {name: _without_title(each) for name, each in fields.items() if name != "title" or not isinstance(each, str)}
