"""JSON Schema of results, which are typed dictionaries: they are made here and need no validation, so no model."""

from __future__ import annotations

import inspect
from types import NoneType, UnionType
from typing import (
    Final,
    Literal,
    NotRequired,
    Required,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from homarus.protocol.frames import JsonObject

_PLAIN: Final[dict[object, JsonObject]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    object: {},
}


class ResultSchemas:
    """Makes schemas; those of typed dictionaries are kept in `shared`, by name, and referred to with `template`."""

    def __init__(self, shared: dict[str, JsonObject], template: str) -> None:
        self._shared = shared
        self._template = template
        self._made: dict[str, type] = {}

    def of(self, annotation: object) -> JsonObject:
        """Return the schema of a type. Raises TypeError for one that results are not made of."""
        if annotation in _PLAIN:
            return dict(_PLAIN[annotation])
        if is_typeddict(annotation):
            return self._typed_dict(cast("type", annotation))
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin in (NotRequired, Required):
            return self.of(arguments[0])
        if origin in (list, tuple):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            values = self.of(arguments[1])
            return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
        raise TypeError(f"no schema for {annotation}")

    def _typed_dict(self, annotation: type) -> JsonObject:
        name = annotation.__name__
        if self._made.get(name) is not annotation:
            if name in self._shared:
                raise TypeError(f"two shapes are called {name}; give one of them another name")
            self._made[name] = annotation
            self._shared[name] = {}  # so that one that refers to itself ends
            hints = get_type_hints(annotation, include_extras=True)
            always: frozenset[str] = getattr(annotation, "__required_keys__", frozenset())
            required = [key for key, hint in hints.items() if key in always and _is_always_there(hint)]
            properties = {key: self.of(hint) for key, hint in hints.items()}
            description = inspect.cleandoc(annotation.__doc__ or "")
            schema: JsonObject = {"type": "object", "description": description, "properties": properties}
            self._shared[name] = {**schema, "required": required} if required else schema
        return {"$ref": self._template.format(model=name)}


def _is_always_there(hint: object) -> bool:
    return get_origin(hint) is not NotRequired
