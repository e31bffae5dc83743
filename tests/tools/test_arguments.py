from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, Field

from homarus.errors import UserError
from homarus.tools.arguments import Arguments, compact_schema, parse_arguments


class Sample(Arguments):
    """A sample."""

    path: str = Field(validation_alias=AliasChoices("path", "file_path"))
    limit: int | None = Field(default=None, ge=1)
    title: str = ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ["not valid JSON", "path (string, required)"]),
        ("[1]", ["must be a JSON object"]),
        ("{}", ["`path` is missing"]),
        ('{"path": 5}', ["`path`", "string", "got 5"]),
        ('{"path": "a", "limit": 0}', ["`limit`", "greater than or equal to 1", "got 0"]),
        ('{"path": "a", "host": "gateway"}', ["`host` is not an argument"]),
        ("[" * 100_000, ["not valid JSON"]),
        ('{"path": "' + "x" * 2_000_001 + '"}', ["at most"]),
    ],
)
def test_invalid_arguments_are_explained(text: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        parse_arguments("sample", Sample, text)
    for word in ["sample", *words]:
        assert word in caught.value.message
    assert len(caught.value.message) < 1_000


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr))
def test_any_text_is_arguments_or_an_explanation(text: str) -> None:
    with suppress(UserError):
        assert isinstance(parse_arguments("sample", Sample, text), Sample)


def test_names_other_systems_use_are_understood() -> None:
    assert parse_arguments("sample", Sample, '{"file_path": "a"}').path == "a"


def test_the_schema_is_compact_and_keeps_a_field_called_title() -> None:
    assert compact_schema(Sample) == {
        "properties": {
            "path": {"type": "string"},
            "limit": {"minimum": 1, "type": "integer"},
            "title": {"type": "string"},
        },
        "required": ["path"],
        "type": "object",
    }
