"""Query strings as parameters: each value becomes what its field takes, and stays text when it cannot."""

from __future__ import annotations

import re
from contextlib import suppress
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Final, Literal, Union, cast, get_args, get_origin

from homarus.gateway.http.refusal import refused
from homarus.protocol.base import to_wire
from homarus.protocol.frames import JsonObject, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multidict import MultiMapping

    from homarus.protocol.base import Params

_INTEGER: Final = re.compile(r"-?\d{1,18}")
_NUMBER: Final = re.compile(r"-?\d{1,18}(\.\d{1,18})?([eE][-+]?\d{1,3})?")
_BOOLEANS: Final = {"true": True, "false": False}


def read_query(model: type[Params], query: MultiMapping[str]) -> JsonObject:
    """Return the parameters in a query string. Raises HttpRefusal 400 for one that is given twice.

    Names the model does not have are kept, so that its validation can refuse them by name.
    """
    fields: dict[str, object] = {to_wire(name): field.annotation for name, field in model.model_fields.items()}
    return {name: _value(name, fields.get(name, str), query.getall(name)) for name in dict.fromkeys(query)}


def _value(name: str, annotation: object, texts: list[str]) -> object:
    kinds = list(_kinds(annotation))
    items = next((get_args(kind) for kind in kinds if get_origin(kind) is list), None)
    if items is not None:
        return [_convert(text, list(_kinds(items[0]))) for text in texts]
    if len(texts) > 1:
        raise refused(400, "INVALID_REQUEST", f"the query parameter {name[:64]!r} is given more than once")
    return _convert(texts[0], kinds)


def _convert(text: str, kinds: list[object]) -> object:
    if bool in kinds and text in _BOOLEANS:
        return _BOOLEANS[text]
    if int in kinds and _INTEGER.fullmatch(text):
        return int(text)
    if float in kinds and _NUMBER.fullmatch(text):
        return float(text)
    if str not in kinds:
        with suppress(ValueError):
            found = decode(text)
            return found if text.startswith(("{", "[")) else text
    return text


def _kinds(annotation: object) -> Iterator[object]:
    """Yield the plain types an annotation admits; `Literal` counts as the types of its values."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _kinds(each)
    elif origin is Literal:
        yield from {type(value) for value in cast("tuple[object, ...]", get_args(annotation))}
    elif annotation is object:
        yield str
    elif annotation is not NoneType:
        yield annotation
