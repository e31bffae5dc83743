"""Validation errors in the words clients know (those of the reference's validator)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from homarus.errors import ProtocolError
from homarus.protocol.errors import invalid
from homarus.protocol.versions import V3, V4

ModelT = TypeVar("ModelT", bound=BaseModel)

MAX_PROBLEMS = 12
"""Problems named in one message."""
_TYPES = {
    "string_type": "string",
    "int_type": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "bool_type": "boolean",
    "list_type": "array",
    "tuple_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "none_required": "null",
}
_LIMITS = {
    "string_too_short": ("must NOT have fewer than {min_length} characters", "min_length"),
    "string_too_long": ("must NOT have more than {max_length} characters", "max_length"),
    "too_short": ("must NOT have fewer than {min_length} items", "min_length"),
    "too_long": ("must NOT have more than {max_length} items", "max_length"),
    "greater_than_equal": ("must be >= {ge}", "ge"),
    "greater_than": ("must be > {gt}", "gt"),
    "less_than_equal": ("must be <= {le}", "le"),
    "less_than": ("must be < {lt}", "lt"),
    "string_pattern_mismatch": ('must match pattern "{pattern}"', "pattern"),
}


def parse_params(
    model: type[ModelT], method: str, params: object, *, protocol: int = V3, is_open: bool = False
) -> ModelT:
    """Return validated parameters, those it does not know left out when `is_open`.

    Raises ProtocolError `invalid <method> params: …` naming every problem, in the words of a protocol version.
    """
    try:
        return model.model_validate(params, extra="ignore" if is_open else None)
    except ValidationError as error:
        raise _refusal(method, _describe(error, protocol)) from error


def describe_invalid(model: type[BaseModel], value: object) -> str | None:
    """Return what is wrong with a value, None when nothing is."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        return _describe(error, V3)
    return None


def _refusal(method: str, problems: str) -> ProtocolError:
    return invalid(f"invalid {method} params: {problems}")


def _describe(error: ValidationError, protocol: int) -> str:
    problems = sorted(error.errors(include_url=False, include_input=False), key=_rank)
    texts = list(dict.fromkeys(text for problem in problems for text in _texts(problem, protocol)))
    return "; ".join(texts[:MAX_PROBLEMS])


def _rank(problem: ErrorDetails) -> int:
    """Missing keys first, then unexpected ones, then the rest: the order clients see from the reference."""
    if len(problem["loc"]) > 1:
        return 2
    return {"missing": 0, "extra_forbidden": 1}.get(problem["type"], 2)


def _texts(problem: ErrorDetails, protocol: int) -> list[str]:
    kind, parts = problem["type"], problem["loc"]
    if kind in ("missing", "extra_forbidden"):
        where, name = _at(_location(parts[:-1])), str(parts[-1])[:64]
        if kind == "missing":
            return [f"{where}must have required property '{name}'"]
        return [f"{where or 'at root: '}unexpected property '{name}'"]
    location = _location(parts)
    if kind in ("literal_error", "enum"):
        where = _at(location)
        is_choice = " or " in str(_context(problem).get("expected", ""))
        if is_choice and protocol >= V4:
            return [f"{where}must be equal to one of the allowed values"]
        constant = f"{where}must be equal to constant"
        return [constant, f"{where}must match a schema in anyOf"] if is_choice else [constant]
    return [f"{_at(location)}{_wording(problem)}"]


def _location(parts: tuple[int | str, ...]) -> list[str]:
    return [str(part) for part in parts if not _is_union_branch(part)]


def _wording(problem: ErrorDetails) -> str:
    kind = problem["type"]
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}"
    if kind in _LIMITS:
        template, key = _LIMITS[kind]
        return template.format_map({key: _context(problem).get(key, "?")})
    return problem["msg"].removeprefix("Value error, ")


def _context(problem: ErrorDetails) -> Mapping[str, object]:
    return cast("Mapping[str, object]", problem.get("ctx", {}))


def _at(location: list[str]) -> str:
    return f"at /{'/'.join(part[:64] for part in location)}: " if location else ""


def _is_union_branch(part: int | str) -> bool:
    """Tell whether a location part is a type name pydantic adds for a union, not a key of the client's value."""
    return isinstance(part, str) and ("[" in part or part in {"str", "int", "bool", "float", "none"})
