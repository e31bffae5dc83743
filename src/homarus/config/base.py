"""What every configuration model shares: strictness, wire names, bounded types, and loading on demand.

The string under a field is its documentation: the reference page and the interface hints read it from the source
when they are made, so that it costs nothing at start-up.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar, cast

from annotated_types import Ge, Gt, MinLen
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, Strict
from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.fields import FieldInfo
    from pydantic.json_schema import JsonSchemaValue

T = TypeVar("T")

Count = Annotated[int, Ge(0)]
Positive = Annotated[int, Gt(0)]
PositiveNumber = Annotated[float, Gt(0)]
Text = Annotated[str, MinLen(1)]
Many = Annotated[tuple[T, ...], Strict(strict=False)]
"""A JSON list, kept as a tuple so that a loaded configuration cannot be changed in place."""

PENDING: Final = object()


class Absent(dict[str, Any]):
    """The value of a section that the file does not have."""


def to_wire(name: str) -> str:
    """Return the camelCase name a snake_case attribute has in the file."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def section(*, alias: str | None = None) -> Any:  # noqa: ANN401 - stands in for any section or map as a field default
    """Return the default of a nested section or map: an empty one, which fills itself with its own defaults."""
    return Field(default_factory=Absent, validate_default=True, alias=alias)


class Section(BaseModel):
    """A configuration object: unknown keys refused, no type coercion, immutable, built on first use.

    It is made from a file, never dumped back into one: write the parsed file instead.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, defer_build=True, alias_generator=to_wire, protected_namespaces=()
    )

    @classmethod
    def unset(cls) -> Self:
        """Return what an empty section gives; its own defaults need no validator, which takes long to build."""
        nested = {name: _unset(field) for name, field in cls.__pydantic_fields__.items() if _is_section(field)}
        return cls.model_construct(set(), **nested)

    def model_post_init(self, _context: object, /) -> None:
        """Leave out sections nobody set, so that the first access makes them."""
        for name in [name for name, value in vars(self).items() if value is PENDING]:
            cast("dict[str, object]", self.__dict__).pop(name)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Make a section that was left out of the file."""
            field = type(self).__pydantic_fields__.get(name)
            model = None if field is None else _later_of(field)
            if model is None:
                return super().__getattr__(name)
            return self.__dict__.setdefault(name, model.load().unset())


class Later(Struct, frozen=True):
    """A section whose module is imported when the file sets it or the code asks for it.

    All models together take a quarter of a second to build; a typical file needs a few of them.
    """

    module: str
    name: str

    def load(self) -> type[Section]:
        """Return the model."""
        return getattr(import_module(self.module), self.name)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Validate with the real model, unless the file has no such section."""
        return core_schema.with_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the real model."""
        model = self.load()
        model.model_rebuild()
        return handler(model.__pydantic_core_schema__)

    def _validate(self, value: object, info: core_schema.ValidationInfo) -> object:
        return PENDING if isinstance(value, Absent) else self.load().model_validate(value, context=info.context)


def later(module: str, name: str) -> Any:  # noqa: ANN401 - a type, made at run time
    """Return the annotation of a section that is loaded on demand; `module` is a module of this package."""
    return Annotated[Any, Later(f"homarus.config.{module}", name)]


def _is_section(field: FieldInfo) -> bool:
    return field.default_factory is Absent


def _later_of(field: FieldInfo) -> Later | None:
    return next((found for found in field.metadata if isinstance(found, Later)), None)


def _unset(field: FieldInfo) -> object:
    """Return the value of a nested section or map that the file does not have."""
    if _later_of(field) is not None:
        return PENDING
    kind = field.annotation
    return kind.unset() if isinstance(kind, type) and issubclass(kind, Section) else {}
