from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from pydantic import ValidationError

from homarus import config
from homarus.config.base import Section


def _descendants(model: type[Section]) -> Iterator[type[Section]]:
    for found in model.__subclasses__():
        yield found
        yield from _descendants(found)


def _every_section() -> list[type[Section]]:
    for module in iter_modules(config.__path__):
        import_module(f"homarus.config.{module.name}")
    ours = (found for found in set(_descendants(Section)) if found.__module__.startswith("homarus.config."))
    return sorted(ours, key=lambda found: found.__qualname__)


def _content(section: Section) -> dict[str, object]:
    """Return every value with its type, sections within it alike; what is made on first access stays unmade."""
    values: dict[str, object] = {**vars(section)}
    return {
        name: (type(value), _content(value) if isinstance(value, Section) else value) for name, value in values.items()
    }


@pytest.mark.parametrize("model", _every_section(), ids=lambda model: model.__qualname__)
def test_a_section_nobody_wrote_is_what_an_empty_one_would_be(model: type[Section]) -> None:
    if any(field.is_required() for field in model.model_fields.values()):
        with pytest.raises(ValidationError):
            model.model_validate({})
        return
    validated, unset = model.model_validate({}), model.unset()
    assert _content(unset) == _content(validated)
    assert unset.model_fields_set == validated.model_fields_set == set()
