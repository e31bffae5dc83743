"""What every parameter model shares: wire names, no unknown keys, no coercion, built on first use."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel, BeforeValidator, ConfigDict

NonEmpty = Annotated[str, MinLen(1)]
Count = Annotated[int, Ge(0)]
Positive = Annotated[int, Ge(1)]
Label = Annotated[str, MinLen(1), MaxLen(512)]
Timeout = Annotated[int, Ge(0), Le(24 * 60 * 60 * 1000)]
"""Milliseconds, at most a day."""


def _refuse(value: object) -> None:
    if value is not None and value is not False:
        raise ValueError("is not supported by this gateway; leave it out")


Unsupported = Annotated[None, BeforeValidator(_refuse)]
"""A parameter that must not be passed over, because the caller counts on it; only null and false are accepted."""


def to_wire(name: str) -> str:
    """Return the camelCase name a snake_case attribute has on the wire."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class Params(BaseModel):
    """Parameters of an operation: unknown keys refused, no type coercion, immutable, built on first use."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, defer_build=True, alias_generator=to_wire, protected_namespaces=()
    )


class LooseParams(Params):
    """Parameters the reference does not validate: unknown keys are passed over."""

    model_config = ConfigDict(extra="ignore")


class NoParams(Params):
    """An operation that takes `{}` only."""


class IgnoredParams(LooseParams):
    """An operation that looks at no parameters and accepts any."""
