"""A secret value: it can be compared and revealed, never printed, logged or serialised."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol, cast, final

from msgspec import Struct
from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

Source = Literal["env", "file", "exec"]

_PROVIDER = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ENV_ID = re.compile(r"[A-Z][A-Z0-9_]{0,127}")


class SecretRef(Struct, frozen=True):
    """Where a secret is found: a variable, a value in a file, or the output of a program."""

    source: Source
    provider: str
    id: str

    @classmethod
    def parse(cls, value: dict[str, object]) -> SecretRef:
        """Return the reference written as `{source, provider, id}`; raise ValueError when it is malformed."""
        if set(value) != {"source", "provider", "id"} or not all(isinstance(part, str) for part in value.values()):
            raise ValueError("a secret is a string or {source, provider, id}, all three strings")
        source, provider, identifier = (cast("str", value[key]) for key in ("source", "provider", "id"))
        if source not in ("env", "file", "exec"):
            raise ValueError("a secret reference has source env, file or exec")
        if not _PROVIDER.fullmatch(provider):
            raise ValueError("the provider of a secret reference is lower case letters, digits, - and _")
        if source == "env" and not _ENV_ID.fullmatch(identifier):
            raise ValueError("the id of an env secret is a variable name in capitals")
        return cls(source, provider, identifier)


class SecretResolver(Protocol):
    """Turns a reference into its value; given as validation context while a file is loaded."""

    def resolve(self, ref: SecretRef) -> str:
        """Return the value; raise ValueError naming what is missing and how to fix it."""
        ...


@final
class Secret:
    """A value that shows itself only through `reveal`."""

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        """Return the value; call it at the moment of use and keep no copy."""
        return self._value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret cannot be changed")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __str__(self) -> str:
        return "(hidden)"

    def __format__(self, format_spec: str) -> str:
        return "(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied out of the process")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Accept a string, a reference (resolved through the context) or a Secret; refuse to serialise."""
        return core_schema.with_info_plain_validator_function(
            _to_secret,
            serialization=core_schema.plain_serializer_function_ser_schema(_refuse_to_serialise),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe what a file may hold: a string or a reference."""
        reference = {
            "type": "object",
            "properties": {
                "source": {"enum": ["env", "file", "exec"]},
                "provider": {"type": "string", "pattern": f"^{_PROVIDER.pattern}$"},
                "id": {"type": "string"},
            },
            "required": ["source", "provider", "id"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "string"}, reference], "writeOnly": True}


def _refuse_to_serialise(_value: object) -> NoReturn:
    raise TypeError("a secret has no serialised form; redact the parsed file instead")


def _to_secret(value: object, info: core_schema.ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    if not isinstance(value, dict):
        raise ValueError("a secret is a string or {source, provider, id}; quote numbers")  # noqa: TRY004 - pydantic collects ValueError only
    ref = SecretRef.parse(cast("dict[str, object]", value))
    if info.context is None:
        raise ValueError("a secret reference can be resolved only while a file is loaded")
    return Secret(cast("SecretResolver", info.context).resolve(ref))
