"""Every key the models know: its path, type, default and meaning, read from the models themselves."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo

from homarus.config.base import Absent, Later
from homarus.config.schema import Config
from homarus.config.secret import Secret

Annotation = Any
Model = type[BaseModel]

_MAX_DEPTH = 24


class Key(Struct, frozen=True):
    """One key: `path` has `*` for a free key and `[]` for a list item."""

    path: str
    type: str
    default: str
    meaning: str
    is_secret: bool


def branches(annotation: Annotation) -> Iterator[tuple[str, Annotation]]:
    """Yield (kind, target) of an annotation: `model`, `list`, `map`, `secret` or `value`."""
    if isinstance(annotation, TypeVar) or annotation is None or annotation is types.NoneType:
        return
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *marks = get_args(annotation)
        loaded = next((mark.load() for mark in marks if isinstance(mark, Later)), None)
        yield from branches(base if loaded is None else loaded)
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from branches(part)
    elif origin is tuple:
        yield "list", get_args(annotation)[0]
    elif origin is dict:
        yield "map", get_args(annotation)[1]
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "model", annotation
    else:
        yield "secret" if annotation is Secret else "value", annotation


def full_annotation(field: FieldInfo) -> Annotation:
    """Return the annotation with the metadata pydantic took off."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def fields_of(model: Model) -> dict[str, FieldInfo]:
    """Return the fields of a model by the name they have in the file."""
    return {field.alias or name: field for name, field in model.__pydantic_fields__.items()}


def step(annotation: Annotation, part: str | int) -> list[Annotation]:
    """Return the annotations one key or index below."""
    found: list[Annotation] = []
    for kind, target in branches(annotation):
        if kind == "model" and part in fields_of(target):
            found.append(full_annotation(fields_of(target)[str(part)]))
        elif (kind == "map" and isinstance(part, str)) or (kind == "list" and isinstance(part, int)):
            found.append(target)
    return found


def at(path: Sequence[str | int]) -> list[Annotation]:
    """Return the annotations that describe the value at `path`."""
    current: list[Annotation] = [Config]
    for part in path:
        current = [below for annotation in current for below in step(annotation, part)]
    return current


def children(path: Sequence[str | int]) -> list[str]:
    """Return the keys known below `path`."""
    models = [target for annotation in at(path) for kind, target in branches(annotation) if kind == "model"]
    return [name for model in models for name in fields_of(model)]


def is_secret_path(path: Sequence[str | int]) -> bool:
    """Return whether the schema declares a secret at `path`."""
    return any(kind == "secret" for annotation in at(path) for kind, _ in branches(annotation))


@cache
def known_paths() -> tuple[str, ...]:
    """Return the dotted path of every key, shortest first."""
    return tuple(sorted((key.path for key in keys()), key=lambda path: (path.count("."), path)))


@cache
def keys() -> tuple[Key, ...]:
    """Return every key, depth first in the order of the models."""
    return tuple(_below(Config, "", 0))


def _below(model: Model, prefix: str, depth: int) -> Iterator[Key]:
    meanings = docstrings(model)
    for name, field in fields_of(model).items():
        path = f"{prefix}{name}"
        annotation = full_annotation(field)
        is_secret = any(kind == "secret" for kind, _ in branches(annotation))
        yield Key(path, type_text(annotation), default_text(field), meanings.get(name, ""), is_secret)
        if depth < _MAX_DEPTH:
            yield from _nested(annotation, path, depth)


def _nested(annotation: Annotation, path: str, depth: int) -> Iterator[Key]:
    seen: set[str] = set()
    for kind, target in branches(annotation):
        if kind == "model":
            below = list(_below(target, f"{path}.", depth + 1))
            yield from (key for key in below if key.path not in seen)
            seen.update(key.path for key in below)
        elif kind in ("list", "map"):
            yield from _nested(target, f"{path}{'[]' if kind == 'list' else '.*'}", depth + 1)


@cache
def docstrings(model: Model) -> dict[str, str]:
    """Return the text under each field, by wire name; base classes included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not issubclass(base, BaseModel) or not base.__module__.startswith("homarus."):
            continue
        body = ast.parse(inspect.getsource(base)).body[0]
        found |= _texts(body) if isinstance(body, ast.ClassDef) else {}
    aliases = {name: field.alias or name for name, field in model.__pydantic_fields__.items()}
    return {aliases[name]: text for name, text in found.items() if name in aliases}


def _texts(body: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement, below in zip(body.body, body.body[1:], strict=False):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            found[statement.target.id] = below.value.value
    return found


def default_text(field: FieldInfo) -> str:
    """Return the default as written in a file, `required`, or empty when unset."""
    if field.is_required():
        return "required"
    value = field.default
    if field.default_factory is Absent or value is None:
        return ""
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(value).lower() if isinstance(value, bool) else str(value)


def type_text(annotation: Annotation) -> str:
    """Return the type in the words of the reference page."""
    if isinstance(annotation, type) and annotation.__name__ in _NAMES:
        return _NAMES[annotation.__name__]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        if any(isinstance(mark, Later) for mark in args[1:]):
            return "object"
        return _with_bounds(type_text(args[0]), args[1:])
    if origin is Literal:
        return "/".join(
            "null" if arg is None else str(arg).lower() if isinstance(arg, bool) else str(arg) for arg in args
        )
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_text(arg) for arg in args if arg is not types.NoneType))
    if origin is tuple:
        return f"list of {type_text(args[0])}"
    if origin is dict:
        return f"map of {type_text(args[1])}"
    return "any" if annotation is JsonValue else "object"


_NAMES = {"str": "text", "int": "int", "float": "number", "bool": "bool", "Secret": "secret"}
_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤", "min_length": "length ≥", "max_length": "length ≤"}


def _with_bounds(text: str, marks: tuple[object, ...]) -> str:
    flat = [part for mark in marks for part in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
    bounds = [
        f"{sign}{getattr(mark, name)}"
        for mark in flat
        for name, sign in _SIGNS.items()
        if getattr(mark, name, None) is not None
    ]
    return " ".join([text, *bounds])
