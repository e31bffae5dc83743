from __future__ import annotations

import math

import pytest

from homarus.models.wire.json_value import parse_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":[1,2.5,null,true,"\\ud83d\\ude00"]}', {"a": [1, 2.5, None, True, "\U0001f600"]}),
        (b' {"a": 1, "a": 2} ', {"a": 2}),
        ('"\\ud83d"', "\ud83d"),
        ("1e400", math.inf),
        ("1180591620717411303424", 2**70),
    ],
)
def test_what_servers_write_is_read(text: str | bytes, value: object) -> None:
    assert parse_json(text) == value


def test_no_number_is_read_as_such() -> None:
    found = parse_json("NaN")
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize("text", ["", "[1,]", "\ufeff1", b"\xff", "[" * 100_000, '{"a":'])
def test_what_is_no_json_is_nothing(text: str | bytes) -> None:
    assert parse_json(text) is None
