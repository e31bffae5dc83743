"""Every published weakness of the gateway, pairing, origin, proxy, token and node families has tests that exist."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from tests.security.advisories import ADVISORIES

ROOT = Path(__file__).parents[2]
GATEWAY_FAMILIES = {f"A{number}" for number in range(1, 22)}


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_"))


@pytest.mark.parametrize("name", ADVISORIES)
def test_the_tests_of_an_advisory_exist(name: str) -> None:
    advisory = ADVISORIES[name]
    assert advisory.ids
    assert advisory.tests
    missing = [test for test in advisory.tests if test.partition("::")[2] not in names_in(test.partition("::")[0])]
    assert missing == []


def test_no_family_of_the_gateway_is_left_out() -> None:
    assert set(ADVISORIES) >= GATEWAY_FAMILIES
