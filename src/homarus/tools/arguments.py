"""Reads the arguments a model wrote, and renders what a tool takes as a small JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from homarus.errors import UserError

ArgsT = TypeVar("ArgsT", bound=BaseModel)
MAX_ARGUMENTS = 2_000_000  # characters of JSON
MAX_ERRORS = 5
DROPPED_KEYS = frozenset({"title", "default", "additionalProperties"})


class Arguments(BaseModel):
    """Base of tool arguments: an argument that does not exist is an error, so that nothing is silently ignored.

    Built on first use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def parse_arguments(tool: str, model: type[ArgsT], text: str) -> ArgsT:
    """Return the arguments of a call. Raises UserError naming the field, what is wrong and what is expected."""
    if len(text) > MAX_ARGUMENTS:
        raise UserError(f"the arguments of {tool} are {len(text)} characters; at most {MAX_ARGUMENTS} are taken")
    try:
        value: object = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise UserError(f"the arguments of {tool} are not valid JSON: {error}. {_expectation(model)}") from error
    if not isinstance(value, dict):
        raise UserError(f"the arguments of {tool} must be a JSON object. {_expectation(model)}")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UserError(f"the arguments of {tool} are not valid: {_problems(error)}. {_expectation(model)}") from error


def compact_schema(model: type[BaseModel]) -> dict[str, object]:
    """Return the JSON Schema without titles and defaults, optional fields without their null."""
    schema = cast("dict[str, object]", model.model_json_schema())
    schema.pop("description", None)
    return cast("dict[str, object]", _compact(schema)) | {"type": "object", "properties": _properties(schema)}


def _properties(schema: Mapping[str, object]) -> dict[str, object]:
    # the names of properties are kept whatever they are, also one called `title`
    properties = cast("Mapping[str, object]", schema.get("properties", {}))
    return {name: _compact(value) for name, value in properties.items()}


def _compact(value: object) -> object:
    if not isinstance(value, dict):
        return value
    entries = dict(cast("Mapping[str, object]", value))
    choices = entries.pop("anyOf", None)
    if isinstance(choices, list):
        kept = [choice for choice in cast("list[object]", choices) if choice != {"type": "null"}]
        entries = {**cast("dict[str, object]", kept[0]), **entries} if len(kept) == 1 else {**entries, "anyOf": kept}
    return {key: _compact(item) for key, item in entries.items() if key not in DROPPED_KEYS}


def _problems(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)
    texts = [_problem(".".join(map(str, item["loc"])), item["type"], item["msg"], item["input"]) for item in found]
    return "; ".join(texts[:MAX_ERRORS])


def _problem(field: str, kind: str, message: str, given: object) -> str:
    if kind == "missing":
        return f"`{field}` is missing"
    if kind == "extra_forbidden":
        return f"`{field}` is not an argument"
    shown = json.dumps(given, ensure_ascii=False, default=str)[:80]
    return f"`{field}`: {message[:1].lower()}{message[1:]}, got {shown}"


def _expectation(model: type[BaseModel]) -> str:
    schema = compact_schema(model)
    required = cast("list[str]", schema.get("required", []))
    properties = cast("Mapping[str, Mapping[str, object]]", schema["properties"])
    if not properties:
        return "It takes no arguments: {}"
    fields = [
        f"{name} ({spec.get('type', 'any')}, {'required' if name in required else 'optional'})"
        for name, spec in properties.items()
    ]
    return f"It takes: {', '.join(fields)}"
