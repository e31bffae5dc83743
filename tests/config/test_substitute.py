from __future__ import annotations

import pytest

from homarus.config.issues import ConfigIssue
from homarus.config.substitute import substitute

ENV = {"NAME": "value", "_X1": "one", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${NAME}", "value"),
        ("a${NAME}b${_X1}", "avaluebone"),
        ("$${NAME}", "${NAME}"),
        ("${name}", "${name}"),
        ("${Name}", "${Name}"),
        ("$NAME", "$NAME"),
        ("${1NAME}", "${1NAME}"),
        ("${}", "${}"),
    ],
)
def test_only_capital_names_are_variables(text: str, expected: str) -> None:
    issues: list[ConfigIssue] = []
    assert substitute({"a": [text]}, ENV, issues) == {"a": [expected]}
    assert issues == []


@pytest.mark.parametrize("name", ["UNSET", "EMPTY"])
def test_an_unset_or_empty_variable_is_an_issue_with_its_place(name: str) -> None:
    issues: list[ConfigIssue] = []
    substitute({"a": {"my.key": [f"${{{name}}}"]}}, ENV, issues)
    assert [issue.path for issue in issues] == ['a["my.key"][0]']
    assert name in issues[0].message
    assert issues[0].fix is not None


def test_every_missing_variable_is_reported() -> None:
    issues: list[ConfigIssue] = []
    substitute({"a": "${ONE}${TWO}", "b": "${THREE}"}, {}, issues)
    assert len(issues) == 3


def test_values_are_not_substituted_twice() -> None:
    issues: list[ConfigIssue] = []
    assert substitute("${A}", {"A": "${B}", "B": "x"}, issues) == "${B}"


def test_whole_numbers_become_integers() -> None:
    issues: list[ConfigIssue] = []
    assert repr(substitute([1000.0, 0.5, True], {}, issues)) == "[1000, 0.5, True]"
