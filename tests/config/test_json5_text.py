from __future__ import annotations

import json

import json5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.config.issues import ConfigErrors
from homarus.config.json5_text import parse

JSON5 = [
    '{a: 1, \'b-c\': "x", "d": \'it\\\'s "so"\',}',
    "[1, 2, 3,]",
    "// c\n{/* x: 1, */ a: [ , ].b}",
    "{a: 0x1F, b: +1, c: -.5, d: 5., e: 1e3, f: -0xa}",
    "{a: 'two \\\n lines', b: '\\x41\\u00e9\\v', $c_1: true, null: null}",
    "{url: 'http://x/*no*/', s: \"a//b\"}",
    "{a: [1, /* c */ , 2]}",
    "{a: [1 /* c */ , /* d */ ], b: {c: 1, /* e */ }}",
    "{a: 01}",
    "{a: undefined}",
    "{a: [,]}",
    "{,}",
    "{a: 1,, b: 2}",
    "'text'",
    "{true: false, a: {b: {},}}",
]


@pytest.mark.parametrize("text", JSON5)
def test_what_the_json5_library_reads_is_read_the_same(text: str) -> None:
    try:
        expected: object = json5.loads(text)
    except ValueError:
        with pytest.raises(ConfigErrors):
            parse(text, file="f")
        return
    assert parse(text, file="f") == (expected, [])


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=12,
)


@given(values)
def test_json_with_comments_reads_as_the_json_itself(value: object) -> None:
    text = f"// first\n{json.dumps(value)} /* last */"
    assert parse(text, file="f")[0] == value


@given(st.text(alphabet="{}[]:,'\"/*\\ \n01ax.+-eE$", max_size=40))
def test_any_text_gives_a_value_or_a_clear_error(text: str) -> None:
    try:
        parse(text, file="f")
    except ConfigErrors as error:
        assert "JSON5" in error.message  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("text", ["{a: NaN}", "{a: -Infinity}", '{"a": Infinity}'])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ConfigErrors):
        parse(text, file="f")


def test_a_long_commented_file_needs_no_slow_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json5, "loads", None)
    text = "{" + "".join(f"key{index}: 'value', // why\n" for index in range(5000)) + "}"
    assert parse(text, file="f")[0] == {f"key{index}": "value" for index in range(5000)}


def test_escaped_surrogate_pairs_are_one_character() -> None:
    assert parse(r"{a: '\ud83e\udd9e'}", file="f")[0] == {"a": "\U0001f99e"}
